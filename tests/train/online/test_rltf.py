"""``regreen train rltf``: real programs, the real sandbox; kills, threads, fixed sets, controls, bad input."""

import asyncio
import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from regreen.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from regreen.extract import Extraction  # noqa: E402
from regreen.models import Request  # noqa: E402
from regreen.models.texts import Texts  # noqa: E402
from regreen.train.config import RltfConfig  # noqa: E402
from regreen.train.lessons import reinforced  # noqa: E402
from regreen.train.online.drawing import Drawn  # noqa: E402
from regreen.train.online.grouping import Weigher  # noqa: E402
from regreen.train.online.scoring import scored  # noqa: E402
from regreen.train.policy import Policy  # noqa: E402
from regreen.train.rewards import Signal  # noqa: E402
from regreen.train.rltf import rltf  # noqa: E402
from regreen.train.weighing import Term  # noqa: E402
from regreen.verdict import Outcome, Verdict  # noqa: E402
from tests.train.online.training import JUDGING, metrics, records, told, trained  # noqa: E402


def test_programs_are_drawn_judged_and_learned_from_at_every_refresh(whole):
    out, found = whole
    steps = [record for record in metrics(out) if "loss" in record]
    drawn = [record for record in steps if "drawn" in record]
    assert [record["step"] for record in drawn] == [1, 3, 5]
    assert all(record["drawn"] == 9 for record in drawn)
    assert [record["pool"] for record in drawn] == [9, 15, 15]
    assert [record["evicted"] for record in drawn] == [0, 3, 9]
    assert steps[0]["staleness"] == 0 < steps[1]["staleness"] <= 1
    assert (found["step"], found["method"], found["held_out"]) == (6, "paper", 1)
    lines = records(out / "draws.jsonl")
    assert len(lines) == 3 * (9 + 3), "one more for each problem, greedily"
    assert {line["role"] for line in lines} == {"sample", "greedy"}


def test_sampler_and_learner_agree_on_what_was_just_drawn(whole):
    first = next(record for record in metrics(whole[0]) if "loss" in record)
    assert 0 <= first["drift"] < 1e-3
    assert first["truncated"] == 0


def test_both_streams_are_learned_from_in_every_step(whole):
    steps = [record for record in metrics(whole[0]) if "loss" in record]
    assert all(record["ce"] > 0 and record["rl"] != 0 for record in steps)


def test_offline_all_is_drawn_before_the_first_step(problems, tmp_path):
    trained(problems, tmp_path / "run", buffer={"mode": "offline"}, draw={"first": 5})
    drawn = [record for record in metrics(tmp_path / "run") if "drawn" in record]
    assert [(record["step"], record["pool"], record["evicted"]) for record in drawn] == [(1, 15, 0)], "all is kept"
    assert {line["step"] for line in records(tmp_path / "run/draws.jsonl")} == {0}
    last = metrics(tmp_path / "run")[-2]
    assert last["staleness"] == 5


def test_a_critic_takes_as_many_steps_as_the_policy(problems, tmp_path):
    for mode, more in (("interleaved", {}), ("offline", {"draw": {"first": 5}})):
        trained(problems, tmp_path / mode, method={"name": "coderl"}, buffer={"mode": mode}, **more)
        state = torch.load(tmp_path / mode / "checkpoints/last/critic.pt", weights_only=True)
        assert state["steps"] == 6


def test_the_control_deals_verdicts_out_among_the_greedy_and_among_the_others(problems):
    config = RltfConfig.model_validate(told(problems, method={"shuffled": True}))
    verdicts = [Verdict(Outcome.PASSED, (), cpu=float(at)) for at in range(12)]
    roles = ["greedy" if at % 3 == 0 else "sample" for at in range(12)]
    drawn = [
        Drawn("a", at, role, 0, 1.0, (1,), None, "", Extraction("", "reply"), verdict)
        for at, (role, verdict) in enumerate(zip(roles, verdicts, strict=True))
    ]
    dealt = Weigher(config, None, None, {}, None)._dealt(drawn)
    assert sorted(each.verdict.cpu for each in dealt) == list(range(12))
    assert [each.verdict.cpu for each in dealt] != list(range(12))
    assert {each.verdict.cpu for each in dealt if each.is_greedy} == {0, 3, 6, 9}


def test_beside_the_learner_programs_are_drawn_by_older_weights_and_each_enters_once(problems, tmp_path):
    trained(problems, tmp_path / "run", buffer={"mode": "asynchronous"}, batch={"steps": 8})
    lines = records(tmp_path / "run/draws.jsonl")
    keys = [(line["problem"], line["index"], line["role"]) for line in lines]
    assert len(keys) == len(set(keys))
    assert all(line["step"] <= line["entered"] for line in lines)
    assert lines[0]["step"] == 0


@pytest.mark.parametrize("method", ["official-code", "coderl", "rloo", "grpo", "rejection"])
def test_every_method_steps(method, problems, tmp_path):
    found = trained(problems, tmp_path / "run", method={"name": method}, batch={"steps": 2}, check={"every": 2})
    steps = [record for record in metrics(tmp_path / "run") if "loss" in record]
    assert len(steps) == found["step"] == 2
    greedy = any(line["role"] == "greedy" for line in records(tmp_path / "run/draws.jsonl"))
    assert greedy == (method in ("official-code", "coderl")), "it is drawn where something is compared with it"
    assert any(name.startswith("reward/") for name in steps[0])


def test_all_options_together_step_and_are_watched(problems, tmp_path):
    found = trained(
        problems, tmp_path / "run",
        method={"kl": 0.1, "shuffled": True, "baseline": "best-so-far", "fine": 0.5, "analysed": 0.5},
        batch={"steps": 2},
        draw={"temperature": [0.6, 1.2], "order": "difficulty", "mixed": True}, check={"every": 2},
    )  # fmt: skip
    lines = records(tmp_path / "run/draws.jsonl")
    heats = {line["heat"] for line in lines if line["role"] == "sample"}
    assert len(heats) > 3
    assert min(heats) >= 0.6
    assert max(heats) <= 1.2
    assert all(len(line["reference"]) == len(line["tokens"]) for line in lines)
    first = next(record for record in metrics(tmp_path / "run") if "loss" in record)
    assert first["drift"] < 1e-3, "what is scored at the temperature of its drawing has not drifted either"
    assert found["step"] == 2


def test_the_same_weights_write_the_same_programs_whatever_the_method(problems, tmp_path, whole):
    trained(problems, tmp_path / "run", method={"name": "rloo"}, batch={"steps": 1}, check={"every": 1})
    first = [line["text"] for line in records(tmp_path / "run/draws.jsonl") if line["role"] == "sample"]
    other = [line["text"] for line in records(whole[0] / "draws.jsonl") if line["role"] == "sample"]
    assert first == other[:9]


class Same:
    """A reward that says the same of every program."""

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return f"Same({self.value})"

    def __call__(self, problem, source, verdict):
        return Signal(self.value)


def test_where_no_reward_differs_it_is_said_before_anything_is_learned(problems, tmp_path):
    config = RltfConfig.model_validate(told(problems, method={"name": "rloo"}))
    with pytest.raises(InputError, match=r"of the first 9 programs \d+ pass and no reward differs"):
        rltf(config, judging=JUDGING, out=tmp_path / "run", terms=[Term("same", Same(0.5))])


def test_a_reward_that_is_no_number_is_refused_by_its_problem(problems, tmp_path):
    config = RltfConfig.model_validate(told(problems))
    with pytest.raises(InputError, match=r"katas/unsolved/.*: the reward same is nan"):
        rltf(config, judging=JUDGING, out=tmp_path / "run", terms=[Term("same", Same(float("nan")))])


def test_a_prompt_that_no_context_holds_is_refused_in_one_line(problems, tmp_path):
    long = json.loads((problems / "unsolved.jsonl").read_text().splitlines()[0])
    long["statement"] = "Add one. " * 2000
    long["meta"]["prompt"] = f'def f(x: int) -> int:\n    """{long["statement"]}"""\n'
    path = tmp_path / "long.jsonl"
    path.write_text("".join(json.dumps({**long, "id": f"long/{n}"}) + "\n" for n in range(3)))
    config = RltfConfig.model_validate({**told(problems), "problems": str(path)})
    with pytest.raises(InputError, match="refused every prompt"):
        rltf(config, judging=JUDGING, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"draw": {"n": 1}, "method": {"name": "rloo"}}, "draw.n = 1 leaves the baseline leave-one-out no others"),
        ({"draw": {"greedy": False}}, "draw.greedy = false leaves the baseline greedy-latest nothing"),
        ({"buffer": {"size": 5}}, "buffer.size = 5 holds fewer than the batch.programs = 6 of a step"),
    ],
)
def test_fields_that_do_not_go_together_are_refused_before_anything_is_made(tables, words, problems, tmp_path):
    with pytest.raises(InputError, match=words):
        trained(problems, tmp_path / "run", **tables)
    assert not (tmp_path / "run").exists()


def test_the_pool_of_an_offline_training_has_no_size(problems):
    with pytest.raises(ValueError, match="draws once and keeps all of it: leave size and refresh out"):
        RltfConfig.model_validate(told(problems, buffer={"mode": "offline", "size": 50}))


def test_rewards_of_ones_own_are_refused_where_no_terms_are_added_up(problems, tmp_path):
    config = RltfConfig.model_validate(told(problems, method={"name": "coderl"}))
    with pytest.raises(InputError, match="method coderl adds no terms up; give one of paper, rloo, grpo"):
        rltf(config, judging=JUDGING, out=tmp_path / "run", terms=[Term("same", Same(0.5))])


def test_what_is_held_out_is_not_imitated(problems, tmp_path):
    one = json.loads((problems / "noisy.jsonl").read_text().splitlines()[0])
    (tmp_path / "one.jsonl").write_text(json.dumps(one) + "\n")
    tables = {**told(problems), "validation": str(tmp_path / "one.jsonl")}
    config = RltfConfig.model_validate({**tables, "supervised": {"problems": str(tmp_path / "one.jsonl")}})
    with pytest.raises(InputError, match="all of one are held out for validation; name others"):
        rltf(config, judging=JUDGING, out=tmp_path / "run")


def test_a_sequence_to_sequence_model_learns_from_its_own_programs_too(problems, small_apart, tokenizer, tmp_path):
    small_apart("t5", len(tokenizer)).save_pretrained(tmp_path / "t5")
    tokenizer.save_pretrained(tmp_path / "t5")
    config = told(problems, batch={"steps": 2}, check={"every": 2}, draw={"max_tokens": 12})
    found = rltf(
        RltfConfig.model_validate({**config, "model": f"hf:{tmp_path / 't5'}"}), judging=JUDGING, out=tmp_path / "run"
    )
    first, second = (record for record in metrics(tmp_path / "run") if "loss" in record)
    assert found["step"] == 2
    assert first["drift"] < 1e-3, "what the decoder wrote is what the learner reads"
    assert first["rl"] != 0 != second["ce"]


def always(problems, tmp_path, code):
    """The same problems under another check."""
    lines = [json.loads(line) for line in (problems / "unsolved.jsonl").read_text().splitlines()[:4]]
    path = tmp_path / "always.jsonl"
    checks = [{"kind": "assert", "code": code}]
    path.write_text("".join(json.dumps({**line, "checks": checks, "shown": []}) + "\n" for line in lines))
    return str(path)


def test_where_every_program_passes_there_is_nothing_to_learn(problems, tmp_path):
    tables = told(problems, draw={"temperature": 0.05}, supervised={"share": 0.0})
    config = RltfConfig.model_validate({**tables, "problems": always(problems, tmp_path, "assert True")})
    with pytest.raises(InputError, match="of the first 12 programs 12 pass and every program passes"):
        rltf(config, judging=JUDGING, out=tmp_path / "run")


def test_where_no_program_can_pass_it_is_said_at_the_end(problems, tmp_path):
    tables = told(problems, batch={"steps": 2}, check={"every": 2})
    config = RltfConfig.model_validate({**tables, "problems": always(problems, tmp_path, "assert False")})
    found = rltf(config, judging=JUDGING, out=tmp_path / "run")
    said = ["of all programs that were drawn none passed: the problems may be too hard"]
    assert found["notes"] == said
    assert rltf(config, judging=JUDGING, out=tmp_path / "run") == found, "a finished training says the same again"


def test_a_judge_that_dies_on_the_way_costs_nothing(problems, whole, tmp_path):
    killed, stop = [], threading.Event()

    def kill():
        """End every judge there is, once, as soon as programs are drawn; others have taken the place of the first."""
        while not stop.is_set() and not killed:
            if len(records(tmp_path / "run/draws.jsonl")) > 12:
                killed.extend(pid for pid in children() if os.kill(pid, signal.SIGKILL) is None)
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    killer.start()
    trained(problems, tmp_path / "run")
    stop.set()
    killer.join()
    assert killed
    assert metrics(tmp_path / "run") == metrics(whole[0])


def children():
    """The processes right below this one that judge."""
    listed = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    below = [int(pid) for file in listed for pid in file.read_text().split()]
    return [pid for pid in below if b"lane_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_warm_start_on_solutions_comes_before_and_is_chosen_on_solved_problems(problems, tmp_path):
    first = {
        "batch": {"tokens": 400, "steps": 2}, "check": {"every": 2, "limit": 1, "max_tokens": 40},
        "optimizer": {"lr": 1e-4},
    }  # fmt: skip
    tables = told(problems, first=first, batch={"steps": 2}, check={"every": 2}, buffer={"mode": "offline"})
    run = tmp_path / "run"
    rltf(RltfConfig.model_validate(tables), judging=JUDGING, out=run)
    warm = json.loads((run / "first/scores.json").read_text())
    assert warm["step"] == 2
    start, end = (record for record in metrics(run) if "pass@1" in record and "loss" not in record)
    assert (start["step"], end["step"]) == (0, 2)
    drawn = {line["problem"] for line in records(run / "draws.jsonl")}
    assert len(drawn) == 11, "offline all problems are drawn for, but the one that is held out"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_sampler_computes_as_the_learner_does(dtype):
    policy = Policy("tiny-base", dtype=dtype)
    asked = [Request(f"def add{n}(a, b):\n", seed=n, temperature=0.7, max_tokens=40) for n in range(8)]
    written = asyncio.run(policy.sampler().sample(asked))
    texts = Texts(policy.tokenizer, policy.name, continues=True)
    lessons = [
        replace(reinforced(texts.prompt(sent.prompt), [token.id for token in each.generated], 1.0), heat=0.7)
        for sent, each in zip(asked, written, strict=True)
    ]
    away = [
        abs(float(line[at - len(each.generated)]) - token.tempered)
        for each, line in zip(written, scored(policy, lessons), strict=True)
        for at, token in enumerate(each.generated)
    ]
    assert sum(away) / len(away) < {"float32": 1e-5, "bfloat16": 1e-2}[dtype]
    assert all(weight.dtype is torch.float32 for weight in policy.module.parameters())
