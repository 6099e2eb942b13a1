"""``regreen train execution``: results of calls as lessons, learned, and measured by the judge."""

from __future__ import annotations

import json

import pytest

from regreen import Assert, InputError, Problem
from regreen.problem import problem_to_line

pytest.importorskip("accelerate")

from regreen.models import open_model
from regreen.options import Judging, Sampling
from regreen.studies.asking import Study
from regreen.studies.execution import execution as study
from regreen.train.config import ExecutionConfig
from regreen.train.execution import execution, results

PROBLEMS = [
    Problem(
        f"p/{at}", f"{name} it.", tuple(Assert(f"assert {name}({x}) == {of(x)}") for x in (2, 3, 5)), entry_point=name,
        solution=f"def {name}(x):\n    return {code}\n",
    )
    for at, (name, code, of) in enumerate([("double", "2 * x", lambda x: 2 * x), ("less", "x - 1", lambda x: x - 1)])
]  # fmt: skip


def told(folder, **more):
    file = folder / "problems.jsonl"
    file.write_text("".join(json.dumps(problem_to_line(problem)) + "\n" for problem in PROBLEMS))
    return ExecutionConfig.model_validate({
        "model": f"hf:{folder / 'start'}", "problems": str(file), "validation": str(file), "dtype": "float32",
        "optimizer": {"lr": 1e-2, "weight_decay": 0.0}, "batch": {"tokens": 400, "steps": 60},
        "check": {"every": 30, "max_tokens": 10}, **more,
    })  # fmt: skip


def test_each_call_is_a_lesson_whose_solution_is_right(tmp_path, sandbox):
    made = list(results(PROBLEMS, told(tmp_path, calls=2, pairs=1)))
    assert [problem.id for problem in made] == ["p/0#0", "p/0#1", "p/1#0", "p/1#1"]
    assert all(sandbox.judge_now(problem, problem.solution).passed for problem in made)
    assert made[0].meta["asked"]["worked"] == ["assert double(3) == 6"]
    assert not list(results(PROBLEMS, told(tmp_path, pairs=3))), "there are no three others to work out"


def test_a_model_learns_what_programs_return_and_the_study_says_so(tmp_path, small, tokenizer):
    small(len(tokenizer), hidden=64).save_pretrained(tmp_path / "start")
    tokenizer.save_pretrained(tmp_path / "start")
    found = execution(told(tmp_path), judging=Judging(sandbox="local:C"), out=tmp_path / "run")
    assert (found["lessons"], found["held_out"], found["monitor"]) == (6, 6, "pass@1")
    assert found["best"] == 1.0, "six results are soon known by heart"
    model = open_model(f"hf:{tmp_path / 'run/checkpoints/best'}")
    as_taught = Sampling(max_tokens=10, prompt="execution")
    asks = Study("execution", str(tmp_path / "problems.jsonl"), model, as_taught, out=tmp_path / "study")
    (condition,) = study(asks, shown=["code+statement"], pairs=[0])["conditions"]
    assert condition["cases_right"]["value"] == 1.0


def test_problems_without_such_calls_are_refused(tmp_path):
    with pytest.raises(InputError, match="calls a solution with plain data"):
        execution(told(tmp_path, pairs=5), out=tmp_path / "run")
