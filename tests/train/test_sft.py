"""``regreen train sft`` through real processes: it learns, goes on after a kill to the same bits, refuses in a line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regreen.benchmarks import cruxeval, katas, mathqa
from regreen.benchmarks.rows import Row
from regreen.models import Request, open_model
from regreen.problem import problem_from_line, problem_to_line
from regreen.prompts import load
from regreen.records import read_records
from regreen.report import report, show
from regreen.train.teaching import answer_to, held_out
from tests.models.tiny import problem_lines
from tests.toy import hear_signals

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

SOURCE = Path(__file__).parents[2] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
PROBLEMS = [problem_from_line(line) for line in problem_lines()]


@pytest.fixture(scope="module")
def start(make_once, small, tokenizer):
    """A checkpoint of random weights."""

    def make(folder):
        small(len(tokenizer), hidden=64).save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    return make_once("random-checkpoint", make)


def write_config(folder, start, *, steps=90, lines=None, extra="", **check):
    (folder / "problems.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines or problem_lines()))
    checks = "".join(f"{name} = {json.dumps(value)}\n" for name, value in check.items())
    text = f"""
        model = "hf:{start}"
        problems = "problems.jsonl"
        validation = "problems.jsonl"
        dtype = "float32"
        {extra}
        [optimizer]
        lr = 1e-2
        weight_decay = 0.0
        [batch]
        tokens = 900
        steps = {steps}
        [check]
        max_tokens = 60
        {checks}
    """
    (folder / "train.toml").write_text(text)


def words(*more):
    return [sys.executable, "-m", "regreen.cli", "train", "sft", "train.toml", "--sandbox", "local:C", *map(str, more)]


def regreen(folder, *more, **environment):
    return subprocess.run(
        words(*more),
        cwd=folder,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def metrics(run):
    return [record for _, record in read_records(run / "metrics.jsonl")]


def weights_of(checkpoint):
    from safetensors.torch import load_file

    return load_file(checkpoint / "model.safetensors")


def test_it_learns_problems_by_heart_and_the_best_checkpoint_is_a_model(tmp_path, start):
    write_config(tmp_path, start, every=45, limit=8)
    done = regreen(tmp_path, "--json", "-q", "-o", "run")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["steps"], found["step"], found["lessons"], found["held_out"]) == (90, 90, 16, 8)
    steps = [record for record in metrics(tmp_path / "run") if "loss" in record]
    checks = [record for record in metrics(tmp_path / "run") if "pass@1" in record]
    assert [record["step"] for record in steps] == list(range(1, 91))
    assert steps[-1]["loss"] < 0.2 < 2 < steps[0]["loss"]
    assert [record["step"] for record in checks] == [0, 45, 90]
    assert checks[0]["pass@1"] == 0
    assert found["best"] == max(record["pass@1"] for record in checks) >= 0.75
    for check in checks:
        recorded = report([tmp_path / f"run/checks/step-{check['step']:06d}"])
        assert (recorded["scores"]["pass@1"]["value"], recorded["programs"]) == (check["pass@1"], 8)
    looked_at = show(tmp_path / "run/checks/step-000090", PROBLEMS[0].id)
    assert looked_at["problem"]["statement"] == PROBLEMS[0].statement
    assert looked_at["program"]["text"]
    again = regreen(tmp_path, "--json", "-q", "-o", "run")  # finished: the same is printed again
    assert json.loads(again.stdout) == found
    evaluated = subprocess.run(
        [sys.executable, "-m", "regreen.cli", "evaluate", "problems.jsonl", "-m", f"hf:{found['checkpoint']}",
         "--prompt", "austin", "--examples", "0", "--limit", "8",
         "--max-tokens", "60", "--sandbox", "local:C", "--json"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert json.loads(evaluated.stdout)["scores"]["pass@1"]["value"] == found["best"]


def test_after_a_kill_the_same_command_comes_to_the_same_bits(tmp_path, small, tokenizer):
    small(len(tokenizer), attention_dropout=0.2).save_pretrained(tmp_path / "start")  # draws at every step
    tokenizer.save_pretrained(tmp_path / "start")
    write_config(tmp_path, "start", steps=24, every=8, limit=1)
    assert regreen(tmp_path, "-q", "-o", "whole").returncode == 0
    kill_after(11, tmp_path, "killed")
    assert json.loads((tmp_path / "killed/checkpoints/last/manifest.json").read_text())["step"] == 8
    done = regreen(tmp_path, "-q", "-o", "killed")
    assert done.returncode == 0, done.stderr
    whole, killed = (tmp_path / name / "checkpoints/last" for name in ("whole", "killed"))
    for name, weight in weights_of(whole).items():
        assert torch.equal(weight, weights_of(killed)[name])
    assert numbers_of(tmp_path / "whole") == numbers_of(tmp_path / "killed")


@pytest.mark.slow
def test_a_sequence_to_sequence_model_learns_katas_and_after_a_kill_comes_to_the_same_bits(
    tmp_path, small_apart, tokenizer
):
    small_apart("t5", len(tokenizer), hidden=64, dropout_rate=0.01).save_pretrained(tmp_path / "start")
    tokenizer.save_pretrained(tmp_path / "start")
    problems = list(katas.generate("train", count=3))
    lines = [problem_to_line(problem) for problem in problems]
    write_config(tmp_path, "start", lines=lines, steps=60, every=20, limit=1, extra='prompt = "codex"')
    done = regreen(tmp_path, "--json", "-q", "-o", "whole")
    assert (done.returncode, done.stderr) == (0, "")
    found, course = json.loads(done.stdout), metrics(tmp_path / "whole")
    losses = [record["loss"] for record in course if "loss" in record]
    assert (found["lessons"], found["too_long"], len(losses)) == (3, 0, 60)
    assert losses[-1] < 1 < 5 < losses[0]
    kill_after(21, tmp_path, "killed")
    assert regreen(tmp_path, "-q", "-o", "killed").returncode == 0
    whole, killed = (tmp_path / name / "checkpoints/last" for name in ("whole", "killed"))
    for name, weight in weights_of(whole).items():
        assert torch.equal(weight, weights_of(killed)[name])
    assert numbers_of(tmp_path / "whole") == numbers_of(tmp_path / "killed")
    model, prompt = open_model(f"hf:{whole}", device="cpu"), load("codex").render(problems[0])
    (completion,) = asyncio.run(model.sample([Request(prompt, seed=0, max_tokens=40)]))
    assert completion.text.splitlines()[0] == answer_to(load("codex"), problems[0]).splitlines()[0]


def kill_after(records, folder, run):
    """Start a training, and kill it once it has written so many metrics."""
    process = subprocess.Popen(words("-q", "-o", run), cwd=folder, env=ENVIRONMENT)
    wait_for(lambda: len(metrics(folder / run)) > records)
    process.send_signal(signal.SIGKILL)
    process.wait()


def numbers_of(run):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in metrics(run)]


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_exits_with_130_and_the_same_command_goes_on(tmp_path, start):
    write_config(tmp_path, start, steps=2000, every=5, limit=1)
    process = subprocess.Popen(
        words("-q", "-o", "run"), cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
        preexec_fn=hear_signals,
    )  # fmt: skip
    wait_for(lambda: (tmp_path / "run/checkpoints/last").exists())
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.count("\n") == 1


def test_what_cannot_be_trained_is_refused_in_one_line(tmp_path, start, small, tokenizer):
    unsolved = [{k: v for k, v in line.items() if k != "solution"} for line in problem_lines()]
    small(2048).save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    for change, said in (
        ({"lines": unsolved}, "no problem has a solution"),
        ({"start": tmp_path / "other"}, "different vocabularies"),
    ):
        write_config(tmp_path, **{"start": start, **change})
        done = regreen(tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert said in done.stderr
    write_config(tmp_path, start, extra="sed = 1\n[lorra]")
    assert "2 wrong fields: sed: unknown; did you mean seed?; lorra: unknown" in regreen(tmp_path).stderr


@pytest.mark.parametrize("name", ["austin", "codex", "chat", "apps"])
def test_a_right_answer_is_one_in_which_the_template_finds_the_solution(name):
    template = load(name)
    answers = [answer_to(template, problem) for problem in PROBLEMS]
    assert sum(answer is not None for answer in answers) == len(PROBLEMS)
    for problem, answer in zip(PROBLEMS, answers, strict=True):
        assert template.source(problem, answer).source.strip() == problem.solution.strip()


def test_a_solution_that_cannot_continue_the_prompt_is_no_answer():
    line = problem_lines()[0] | {"solution": "import math\ndef add_two(a, b):\n    return a + b\n"}
    assert answer_to(load("codex"), problem_from_line(line)) is None
    assert answer_to(load("austin"), problem_from_line(line)) is not None


def test_what_is_held_out_is_drawn_by_the_seed_and_is_some_but_not_all():
    for share, count in ((0.01, 1), (0.25, 4), (0.99, 15)):
        training, validation = held_out(PROBLEMS, share, seed=3)
        assert len(validation) == count
        assert {p.id for p in training} | {p.id for p in validation} == {p.id for p in PROBLEMS}
        assert len(training) + count == len(PROBLEMS)
    assert held_out(PROBLEMS, 0.25, seed=3) == held_out(PROBLEMS, 0.25, seed=3) != held_out(PROBLEMS, 0.25, seed=4)


def test_where_no_program_is_asked_for_the_value_or_the_formula_is_the_answer():
    row = Row({"id": "0", "code": "def f(x): return [x]", "input": "1", "output": "[1]"}, "here")
    (output,), (given,) = cruxeval.problems([row]), cruxeval.input_problems([row])
    assert answer_to(load("execution"), output) == " [1]\n"
    assert answer_to(load("execution"), given) == " f(1)\n"
    assert answer_to(load("execution-chat"), output) == "[1]"
    rate = {"Problem": "6 km in 2 h", "options": "a ) 3", "correct": "a", "linear_formula": "divide(n0,n1)|"}
    (formula,) = mathqa.problems([Row({**rate, "category": "physics"}, "here", "train")], formulas=True)
    assert answer_to(load("mathqa-dsl"), formula) == "divide(n0,n1)|\n"
    assert answer_to(load("mathqa"), formula) == f"{formula.solution.strip()}\n\n#"
