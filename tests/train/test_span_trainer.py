"""TRL's own trainer, tiny-base and the real judge: weights of tokens come to the loss, and only they move logits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from regreen.benchmarks import katas
from regreen.errors import InputError
from regreen.models.shipped import folder_of
from regreen.prompts import load
from regreen.train.rewards import FineGrained
from regreen.train.subtypes import subtype_of
from regreen.train.weighing import Term, paper

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
datasets = pytest.importorskip("datasets")

from trl import GRPOConfig  # noqa: E402

from regreen.train.span_trainer import SpanTrainer  # noqa: E402

FINE = (Term("fine", FineGrained(), compared=False),)
PROBLEMS = list(katas.generate("train", seed=5, count=2))
TEMPLATE = load("codex")


@pytest.fixture
def make(tmp_path, sandbox):
    """Make a trainer of tiny-base on two katas, and keep what comes to its loss."""

    def trainer(rows=None, **how):
        asked = [{"prompt": TEMPLATE.render(problem), "problem": problem.id} for problem in PROBLEMS]
        told = GRPOConfig(
            output_dir=str(tmp_path), per_device_train_batch_size=8, num_generations=4, max_steps=1, logging_steps=1,
            max_completion_length=60, use_cpu=True, report_to=[], save_strategy="no", disable_tqdm=True, seed=3,
            temperature=1.6, learning_rate=1e-3, bf16=False,
        )  # fmt: skip
        return _Recorded(
            str(folder_of("tiny-base")), problems=PROBLEMS, template=TEMPLATE, sandbox=sandbox, args=told,
            train_dataset=datasets.Dataset.from_list(rows or asked), **how,
        )  # fmt: skip

    return trainer


class _Recorded(SpanTrainer):
    """Keeps the inputs of the loss, the names of their problems, and the gradient of the loss before the head.

    TRL makes no logits, but the loss straight from what the head reads. There a position's gradient is that of its
    logits, times the head.
    """

    def regreen_reward(self, prompts, completions, completion_ids, problem=None, **more):
        self.names = {tuple(ids): name for ids, name in zip(completion_ids, problem or (), strict=False)}
        return super().regreen_reward(prompts, completions, completion_ids, problem, **more)

    def _compute_loss(self, model, inputs):
        self.inputs = inputs
        hook = model.model.norm.register_forward_hook(lambda _, __, read: self._keep(read))
        loss = super()._compute_loss(model, inputs)
        hook.remove()
        return loss

    def _keep(self, read):
        read.register_hook(lambda gradient: setattr(self, "gradient", gradient))

    def per_token(self):
        """Return the size of the gradient at the place that predicts each token of each completion."""
        width = self.inputs["completion_ids"].shape[1]
        return self.gradient[:, -width - 1 : -1].abs().amax(-1).numpy()

    def rows(self):
        """Yield name, tokens and weights of each completion."""
        for ids, mask, weights in zip(*(self.inputs[name] for name in _ROWS), strict=True):
            kept = ids[mask.bool()].tolist()
            yield self.names[tuple(kept)], kept, weights[: len(kept)].numpy()


_ROWS = ("completion_ids", "completion_mask", "advantages")


def at_fault(tokenizer, sandbox, name, ids):
    """Return which tokens have a character of the line at fault: by decoding every beginning of them."""
    problem = next(problem for problem in PROBLEMS if problem.id == name)
    text = tokenizer.decode(ids, skip_special_tokens=True)
    found = TEMPLATE.source(problem, text)
    _, span = subtype_of(found.source, sandbox.judge_now(problem, found.source))
    line = found.source[slice(*span)] if span else ""
    begin = text.find(line) if line else len(text)
    ends = [len(tokenizer.decode(ids[:count], skip_special_tokens=True)) for count in range(len(ids) + 1)]
    return np.array([begin < b and a < begin + len(line) for a, b in pairwise(ends)]), line, text


def test_the_gradient_of_the_fine_term_is_zero_outside_the_line_at_fault(make, sandbox):
    trainer = make(weigh=lambda group: paper(group, terms=FINE))
    before = [weight.detach().clone() for weight in trainer.model.parameters()]
    trainer.train()
    gradient, moved = trainer.per_token(), 0
    for row, (name, ids, weights) in enumerate(trainer.rows()):
        expected, line, text = at_fault(trainer.processing_class, sandbox, name, ids)
        if text.count(line) > 1 or not line:  # the twin looks for the first such line
            continue
        assert ((weights != 0) == expected).all()
        assert ((gradient[row, : len(ids)] > 0) == expected).all()
        assert np.abs(weights).sum() == pytest.approx(0.3 * min(len(ids), 10 * expected.sum()), rel=1e-5)
        moved += 1
    assert moved >= 2
    assert (gradient[trainer.inputs["completion_mask"].numpy() == 0] == 0).all()
    assert any((old != new).any() for old, new in zip(before, trainer.model.parameters(), strict=True))


def test_the_loss_is_ours_over_all_generated_tokens(make):
    trainer = make()
    trainer.train()
    inputs, count = trainer.inputs, trainer.inputs["completion_mask"].sum()
    ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
    mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
    fresh = type(trainer.model).from_pretrained(folder_of("tiny-base"), dtype=torch.float32)
    width = inputs["completion_ids"].shape[1]
    logits = fresh(ids, attention_mask=mask).logits[:, -width - 1 : -1] / trainer.temperature
    logps = logits.log_softmax(-1).gather(-1, inputs["completion_ids"][..., None])[..., 0]
    ours = -(inputs["advantages"] * logps * inputs["completion_mask"]).sum() / count
    ours.backward()
    norm = torch.cat([weight.grad.flatten() for weight in fresh.parameters() if weight.grad is not None]).norm()
    (logged,) = [entry for entry in trainer.state.log_history if "grad_norm" in entry]
    assert logged["grad_norm"] == pytest.approx(float(norm), rel=2e-3)
    on_policy = -(inputs["advantages"] * inputs["completion_mask"]).sum() / count  # every ratio is 1
    assert logged["loss"] == pytest.approx(float(on_policy), rel=1e-3)
    assert len({tuple(np.unique(weights).round(4)) for _, _, weights in trainer.rows()}) > 1


def test_rows_without_a_problem_are_refused(make):
    with pytest.raises(InputError, match="no column 'problem'"):
        make(rows=[{"prompt": "def f():\n"}] * 2).train()
