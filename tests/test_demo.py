"""The demonstration: its files are what they say, and every stage is a real run that needs no torch."""

import json
import subprocess
import sys

import pytest

from regreen.demo import PROBLEMS, SAMPLES
from regreen.evaluate import Judging, check


def test_every_solution_of_the_demonstration_is_green(tmp_path):
    found = check(str(PROBLEMS), judging=Judging(sandbox="local:C"), out=tmp_path / "run")
    assert (found["problems"], found["failed"], found["shared"]) == (8, [], [])


def test_the_first_program_of_each_problem_is_right_and_two_others_follow():
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    names = [json.loads(line)["id"] for line in PROBLEMS.read_text().splitlines()]
    assert [row["task_id"] for row in rows] == [name for name in names for _ in range(3)]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the demonstration prints as JSON, in a folder of its own; it loads no torch."""
    folder = tmp_path_factory.mktemp("demo")
    code = """
import sys
from regreen.cli import main
try:
    main(["demo", "--json", "-q"])
except SystemExit as done:
    assert done.code == 0
assert not {"torch", "transformers"} & set(sys.modules), "the demonstration must not need torch"
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_the_first_stage_judges_right_programs_wrong_ones_and_cheats(shown):
    judged = shown[1]["stages"]["judge"]
    assert (judged["problems"], judged["programs"], judged["outcomes"]["passed"]) == (8, 24, 9)
    assert all(judged["outcomes"][kind] for kind in ("wrong_answer", "exception", "syntax_error", "timeout"))


def test_the_tiny_model_solves_some_katas_that_it_never_saw(shown):
    evaluated = shown[1]["stages"]["evaluate"]
    assert evaluated["scores"]["pass@1"]["low"] > 0.2
    assert evaluated["scores"]["pass@10"]["value"] > evaluated["scores"]["pass@1"]["value"]


def test_trees_of_the_tiny_model_stand_beside_fresh_programs_at_equal_tokens(shown):
    repaired = shown[1]["stages"]["repair"]
    assert repaired["grid"]
    assert all(
        cell["baselines"]["same_stop"] and cell["verdict"] for cell in repaired["grid"] if cell["pass"] is not None
    )
    mine, others = repaired["repair"]["as_grown"]["resample"]["tokens"]
    assert others >= mine > 0


def test_it_ends_with_a_report(shown):
    folder, found = shown
    text = (folder / found["report"]).read_text()
    assert all(title in text for title in ("**Scores**", "**Repair trees: pass@t**", "**As grown, at equal tokens**"))
