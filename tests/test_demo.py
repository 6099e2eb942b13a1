"""The demonstration's files are what they say."""

import json

from regreen.demo import PROBLEMS, SAMPLES
from regreen.evaluate import Judging, check


def test_every_solution_of_the_demonstration_is_green(tmp_path):
    found = check(str(PROBLEMS), judging=Judging(sandbox="local:C"), out=tmp_path / "run")
    assert (found["problems"], found["failed"], found["shared"]) == (8, [], [])


def test_the_first_program_of_each_problem_is_right_and_two_others_follow():
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    names = [json.loads(line)["id"] for line in PROBLEMS.read_text().splitlines()]
    assert [row["task_id"] for row in rows] == [name for name in names for _ in range(3)]
