"""Pass rates by operation, length and category, against counting by hand."""

import json
import subprocess
import sys
from statistics import fmean

import pytest

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.report import render, study_tables
from regreen.run import Run, Settings
from regreen.studies.arithmetic import LEAST, LONGEST, arithmetic

OPERATIONS = [["add"], ["add", "divide"], ["divide", "divide"], ["add", "sqrt", "divide"], ["add"] * 12] * 3


def write_run(path, rights, *, metas=None):
    """A run with two programs for each problem, of which so many are right."""
    metas = metas or [{"operations": o, "category": "gain" if "sqrt" in o else "general"} for o in OPERATIONS]
    with Run(path, Settings("evaluate", "mathqa:test", {"model": "toy"})) as run:
        for at, (right, meta) in enumerate(zip(rights, metas, strict=True)):
            run.add_problem(Problem(f"p{at}", "", (Assert("assert answer"),), meta=meta))
            for index in range(2):
                outcome = Outcome.PASSED if index < right else Outcome.WRONG_ANSWER
                run.add_program(Program(f"p{at}", index, f"answer = {index}"))
                run.add_verdict((f"p{at}", index, "sample"), Verdict(outcome, (CheckResult(0, outcome),)))
    return path


RIGHTS = [2, 1, 0, 1, 0, 2, 2, 0, 0, 0, 1, 1, 1, 0, 1]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("arithmetic") / "run", RIGHTS)


def test_a_problem_counts_once_for_each_of_its_operations_and_lengths_go_up_to_ten(run):
    found = arithmetic(run)
    rates = [right / 2 for right in RIGHTS]
    for name in ("add", "divide"):
        rows = [rate for rate, operations in zip(rates, OPERATIONS, strict=True) if name in operations]
        assert found["operations"][name]["value"] == pytest.approx(fmean(rows))
        assert found["operations"][name]["problems"] == len(rows)
    assert list(found["lengths"]) == ["1", "2", "3", f"{LONGEST}+"]
    assert found["lengths"]["2"]["value"] == pytest.approx(fmean(rates[1::5] + rates[2::5]))
    assert {name: found["categories"][name]["problems"] for name in found["categories"]} == {"general": 12, "gain": 3}
    assert "sqrt" not in found["operations"], f"it is in fewer than {LEAST} problems"


def test_against_its_length_an_operation_has_the_rate_of_problems_as_long_taken_off(run):
    found, rates = arithmetic(run), [right / 2 for right in RIGHTS]
    lengths = [len(operations) for operations in OPERATIONS]
    off = [
        rate - fmean(other for other, length in zip(rates, lengths, strict=True) if length == own)
        for rate, own, operations in zip(rates, lengths, OPERATIONS, strict=True)
        if "divide" in operations
    ]
    assert found["against_length"]["divide"]["value"] == pytest.approx(fmean(off))
    rate, against = found["operations"]["divide"], found["against_length"]["divide"]
    assert against["high"] - against["low"] == pytest.approx(rate["high"] - rate["low"])


def test_where_no_program_passes_nothing_is_certain(tmp_path):
    found = arithmetic(write_run(tmp_path / "r", [0] * 15))
    assert found["against_length"]["divide"]["high"] > 0.2


def test_a_run_of_other_problems_is_refused(tmp_path):
    other = write_run(tmp_path / "r", [1], metas=[{}])
    with pytest.raises(InputError, match="no programs for problems of mathqa or mathqa-dsl"):
        arithmetic(other)


def test_the_command_prints_three_tables_and_draws_two_plots(run, tmp_path):
    command = [
        sys.executable,
        "-m",
        "regreen.cli",
        "study",
        "arithmetic",
        str(run),
        "--figure",
        str(tmp_path / "f.svg"),
    ]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=True)
    found = json.loads(done.stdout)
    said = render(study_tables(found), "text")
    assert [title in said for title in ("By number of operations", "By category", "By operation")] == [True] * 3
    assert len(found["plots"]) == 2
    assert "<svg" in (tmp_path / "f.svg").read_text()
