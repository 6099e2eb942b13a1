from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import load
from regreen.benchmarks.mbpp import called_function
from regreen.problem import Assert

ROW = {
    "task_id": 11,
    "text": "Sum the values of a tree.",
    "code": "class Node:\r\n  def __init__(self, v):\r\n    self.v = v\r\n\r\ndef total(n):\r\n  return n.v",
    "test_setup_code": "root = Node(3) \r\nroot.v = 4",
    "test_list": ["assert total(root) == 4", "assert total(Node(1)) == 1", "assert total(Node(2)) == 2"],
    "challenge_test_list": ["assert total(Node(5)) == 5"],
}
SANITIZED = {
    "task_id": 2,
    "source_file": "somewhere.ipynb",
    "prompt": "Round up.",
    "code": "import math\ndef up(x):\n  return math.ceil(x)",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(up(1.5), 2)"],
}


def only(spec: str, data: Path) -> Any:
    (problem,) = load(spec, data=data).problems()
    return problem


def test_set_up_code_runs_after_the_program_and_before_each_assert(write: Any, passed: Any) -> None:
    problem = only("mbpp", write("mbpp/mbpp.jsonl.gz", [ROW]))
    assert problem.checks[0] == Assert("root = Node(3) \nroot.v = 4\nassert total(root) == 4")
    assert passed(problem, problem.solution) == [True] * 4
    assert problem.prelude == ""


def test_the_three_asserts_are_shown_and_the_challenge_scores_hidden(write: Any) -> None:
    problem = only("mbpp", write("mbpp/mbpp.jsonl.gz", [ROW]))
    assert problem.shown == problem.revealed == (0, 1, 2)
    assert len(problem.checks) == 4


def test_line_ends_are_made_plain(write: Any) -> None:
    problem = only("mbpp", write("mbpp/mbpp.jsonl.gz", [ROW]))
    assert "\r" not in problem.solution + "".join(check.code for check in problem.checks)


def test_without_set_up_a_check_is_the_bare_assert(write: Any) -> None:
    problem = only("mbpp", write("mbpp/mbpp.jsonl.gz", [{**ROW, "test_setup_code": ""}]))
    assert problem.checks[1].code == "assert total(Node(1)) == 1"


def test_the_entry_point_is_the_function_called_not_the_class_built() -> None:
    solution = "class Pair: ...\ndef longest(ps): ...\ndef helper(): ..."
    assert called_function(["assert longest([Pair(1)]) == 3"], solution) == "longest"
    assert called_function(["assert set(other(1)) == {1}"], solution) is None
    assert called_function(["assert Pair(1).x == 1"], solution) == "Pair"


def test_sanitized_imports_stand_in_front_of_the_assert(write: Any, passed: Any) -> None:
    problem = only("mbpp-sanitized", write("mbpp/sanitized-mbpp.jsonl.gz", [SANITIZED]))
    assert problem.checks == (Assert("import math\nassert math.isclose(up(1.5), 2)"),)
    assert (problem.id, problem.meta["split"], problem.entry_point) == ("MBPP/2", "prompt", "up")
    assert passed(problem, problem.solution) == [True]


@pytest.mark.data
def test_every_public_problem_has_an_entry_point_and_eleven_have_challenges(data_root: Path) -> None:
    problems = list(load("mbpp", data=data_root).problems())
    assert all(problem.entry_point for problem in problems)
    assert sum(len(problem.checks) > len(problem.shown) for problem in problems) == 11
