"""Studies of recorded runs, as functions and as commands."""

import json
import subprocess
import sys

import pytest

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.report import render, study_tables
from regreen.run import Run, Settings
from regreen.studies.bleu import bleu
from regreen.studies.scaling import scaling

SOLUTION = "def f(items):\n    return sorted(set(items))\n"
FAR = "def g(x):\n    while True:\n        raise ValueError(x)\n"


def write_run(path, rights, *, name="toy", parameters=None):
    """A run with four programs for each problem, of which so many are right; right ones are the reference."""
    with Run(path, Settings("evaluate", "toy", {"model": name}), about={"model": {"parameters": parameters}}) as run:
        for at, right in enumerate(rights):
            run.add_problem(Problem(f"p{at}", "", (Assert("assert f()"),)))
            for index in range(4):
                outcome = Outcome.PASSED if index < right else Outcome.WRONG_ANSWER
                run.add_program(Program(f"p{at}", index, SOLUTION if index < right else FAR))
                run.add_verdict((f"p{at}", index, "sample"), Verdict(outcome, (CheckResult(0, outcome),)))
    return path


def problems(count):
    return [Problem(f"p{at}", "", (Assert("assert f()"),), solution=SOLUTION) for at in range(count)]


def test_bleu_of_a_run_whose_right_programs_are_the_reference_tells_all(tmp_path):
    pytest.importorskip("sacrebleu")
    found = bleu(write_run(tmp_path / "r", [2, 1, 4]), problems(3))
    assert (found["problems"], found["auc"]["value"], found["overlap"]["value"]) == (2, 1.0, 0.0)
    assert (found["right"]["programs"], found["wrong"]["programs"]) == (7, 5)
    assert "with probability 1.000" in render(study_tables(found), "text")


def test_bleu_needs_a_problem_with_right_and_wrong_programs(tmp_path):
    pytest.importorskip("sacrebleu")
    with pytest.raises(InputError, match="a right program and a wrong one"):
        bleu(write_run(tmp_path / "r", [4, 0]), problems(2))


def test_scores_on_a_line_are_fitted_exactly(tmp_path):
    runs = [write_run(tmp_path / f"r{i}", [i] * 3, parameters=10.0**i) for i in (1, 2, 3)]
    found = scaling(runs)
    fit = found["fits"]["pass@1"]
    assert [fit[part]["value"] for part in ("slope", "intercept", "r_squared")] == pytest.approx([0.25, 0.0, 1.0])
    assert "0.250 [0.250, 0.250]" in render(study_tables(found), "text")
    assert scaling(runs, parameters=(10, 100, 1000)) == found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"parameters": (5.0,)}, "one size for each"),
        ({"parameters": (5.0, 5.0)}, "at least two different ones"),
        ({}, "give --parameters"),
        ({"parameters": (1.0, 2.0), "ks": (5,)}, "pass@5 needs"),
    ],
)
def test_runs_that_cannot_be_fitted_are_refused(tmp_path, given, said):
    runs = [write_run(tmp_path / f"r{i}", [i]) for i in (1, 2)]
    with pytest.raises(InputError, match=said):
        scaling(runs, **given)


def test_the_commands_print_tables_and_json(tmp_path):
    runs = [str(write_run(tmp_path / f"r{i}", [i] * 3)) for i in (1, 2)]
    command = [sys.executable, "-m", "regreen.cli", "study", "scaling", *runs, "--parameters", "10M,100M"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "slope for ten times the size" in done.stdout
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=True)
    assert [model["parameters"] for model in json.loads(done.stdout)["models"]] == [1e7, 1e8]
    refused = subprocess.run([*command[:-1], "much"], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "write it as 350M,2.7B" in refused.stderr
