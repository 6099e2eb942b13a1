"""The loop: it goes on exactly, keeps what is best, ends when patience does."""

from __future__ import annotations

import os
import shutil

import pytest

from regreen.train.lessons import reinforced, supervised
from tests.models import tiny

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("peft")

from regreen.train.batches import Epochs  # noqa: E402
from regreen.train.learner import AdamW, Learner  # noqa: E402
from regreen.train.loop import Pace, fit  # noqa: E402
from regreen.train.policy import Lora, Policy, tokens_of  # noqa: E402
from regreen.train.schedules import Schedule  # noqa: E402


@pytest.fixture
def train(small, tokenizer, tmp_path):
    """Train a fresh policy for some steps in a folder."""

    def run(name, pace, *, lora=None, check=None, steps=12):
        policy = Policy((small(len(tokenizer), attention_dropout=0.1), tokenizer), lora=lora, dtype="float32")
        learner = Learner(policy, AdamW(lr=1e-2), Schedule("cosine", steps, warmup=2), seed=3)
        pairs = [tokens_of(policy, *pair) for pair in tiny._lessons()][:20]
        lessons = [supervised(*pair) for pair in pairs[:15]] + [reinforced(*pair, 0.1) for pair in pairs[15:]]
        progress = fit(learner, Epochs(lessons, tokens=300, seed=1), pace=pace, folder=tmp_path / name, check=check)
        return progress, torch.cat([weight.detach().flatten() for weight in policy.module.parameters()])

    return run


@pytest.mark.parametrize("lora", [None, Lora(rank=2, dropout=0.2)])
def test_a_training_in_two_parts_comes_to_the_bits_of_one_whole(train, lora):
    progress, whole = train("whole", Pace(12, 5), lora=lora)
    _, part = train("parts", Pace(6, 5), lora=lora)
    (again, both) = train("parts", Pace(12, 5), lora=lora)
    assert torch.equal(whole, both)
    assert not torch.equal(whole, part)
    assert (progress.step, progress.tokens) == (again.step, again.tokens)


def test_the_best_checkpoint_stays_while_others_go_and_only_the_last_can_go_on(train, tmp_path):
    rates = iter([0.1, 0.5, 0.3, 0.5, 0.2])
    progress, _ = train("run", Pace(8, 2, "pass@1"), check=lambda: {"pass@1": next(rates)})
    folder = tmp_path / "run/checkpoints"
    assert (os.readlink(folder / "best"), os.readlink(folder / "last")) == ("step-000002", "step-000008")
    assert sorted(path.name for path in folder.iterdir()) == ["best", "last", "step-000002", "step-000008"]
    assert [(folder / name / "state.pt").exists() for name in ("best", "last")] == [False, True]
    assert (progress.best, progress.best_step, progress.waited) == (0.5, 2, 3)


def test_what_was_best_is_so_after_a_kill_between_the_two_links(train, tmp_path):
    rates = iter([0.1, 0.2, 0.5, 0.3])
    train("run", Pace(4, 2, "pass@1"), check=lambda: {"pass@1": next(rates)})
    folder = tmp_path / "run/checkpoints"
    shutil.copytree(folder / "step-000004", folder / "step-000000")
    (folder / "best").unlink()
    (folder / "best").symlink_to("step-000000")
    train("run", Pace(4, 2, "pass@1"), check=lambda: {"pass@1": next(rates)})
    assert os.readlink(folder / "best") == "step-000004"


def test_a_lower_validation_loss_is_better_and_training_ends_when_patience_does(train):
    losses = iter([5.0, 4.0, 4.5, 3.0, 3.5, 3.25])
    pace = Pace(100, 1, "validation_loss", patience=2)
    progress, _ = train("run", pace, check=lambda: {"validation_loss": next(losses)}, steps=100)
    assert (progress.step, progress.best, progress.best_step) == (5, 3.0, 3)
    again, _ = train("run", pace, steps=100)
    assert again.step == 5  # it has ended


def test_what_a_killed_process_left_half_written_is_swept_away(train, tmp_path):
    train("run", Pace(2, 2))
    folder = tmp_path / "run/checkpoints"
    (folder / "step-000004.new").mkdir()
    (folder / "step-000004").mkdir()
    train("run", Pace(4, 2))
    assert sorted(path.name for path in folder.iterdir()) == ["best", "last", "step-000004"]
    Policy(folder / "last", dtype="float32", device="cpu")
