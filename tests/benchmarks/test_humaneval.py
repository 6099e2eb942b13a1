from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import load
from regreen.benchmarks.examples import docstring_examples
from regreen.benchmarks.humaneval import head
from regreen.problem import Assert

PROMPT = '''import math


def helper(x):
    return math.floor(x)


def area(w, h):
    """Return the area.

    >>> area(2, 3)
    6
    >>> area(1, 1) == 1
    True
    """
'''
ROW = {
    "task_id": "HumanEval/0",
    "prompt": PROMPT,
    "entry_point": "area",
    "canonical_solution": "    return helper(w * h)\n",
    "test": "\n\ndef check(candidate):\n    assert candidate(2, 3) == helper(6.5)\n",
}


def test_the_whole_test_is_one_check_that_calls_check(write: Any, passed: Any) -> None:
    (problem,) = load("humaneval", data=write("humaneval/HumanEval.jsonl.gz", [ROW])).problems()
    (check,) = problem.checks
    assert isinstance(check, Assert)
    assert check.code.endswith("\n\ncheck(area)\n")
    assert problem.statement == problem.meta["prompt"] == PROMPT
    assert passed(problem, problem.solution) == [True]
    assert passed(problem, "def area(w, h): return 0") == [False]


def test_the_prelude_holds_imports_and_helpers_but_not_the_function(write: Any) -> None:
    (problem,) = load("humaneval", data=write("humaneval/HumanEval.jsonl.gz", [ROW])).problems()
    assert problem.prelude == "import math\n\n\ndef helper(x):\n    return math.floor(x)"
    assert head("def f(x):\n", "f") == ""
    assert head("def f_g(x):\n  pass\n\ndef f(x):\n", "f") == "def f_g(x):\n  pass"


def test_docstring_examples_are_kept_aside_and_never_score(write: Any) -> None:
    (problem,) = load("humaneval", data=write("humaneval/HumanEval.jsonl.gz", [ROW])).problems()
    assert problem.meta["examples"] == ["assert area(2, 3) == 6", "assert area(1, 1) == 1"]
    assert problem.shown == problem.revealed == ()


@pytest.mark.parametrize(
    ("line", "example"),
    [
        ("f(1) == 2", "assert f(1) == 2"),
        ("f(1) -> 2", "assert f(1) == 2"),
        ("f(1) ➞ [2, (3,)]", "assert f(1) == [2, (3,)]"),
        ("* f('a, b') => True", "assert f('a, b') == True"),
        ("f([1]) ==> None # nothing", "assert f([1]) == None"),
        ("f(x=-1) should return 'no'.", "assert f(x=-1) == 'no'"),
        ("f(n) == f(n-1) + 1", None),
        ("f(1) -> the answer", None),
        ("g(1) == 2", None),
        ("f(1)", None),
    ],
)
def test_one_line_examples_count_where_both_sides_are_literals(line: str, example: str | None) -> None:
    prompt = f'def f(x):\n    """Do it.\n\n    {line}\n    """\n'
    assert docstring_examples(prompt, "f") == ([example] if example else [])


def test_a_prompt_without_a_docstring_has_no_examples() -> None:
    assert docstring_examples("def f(x):\n", "f") == []
    assert docstring_examples("def f(x:\n", "f") == []


@pytest.mark.data
def test_most_public_problems_have_examples_and_four_contradict_their_solution(data_root: Path) -> None:
    problems = list(load("humaneval", data=data_root).problems())
    assert sum(bool(problem.meta["examples"]) for problem in problems) == 131
    wrong = {example for problem in problems for example in problem.meta["examples"] if not _holds(problem, example)}
    assert len(wrong) == 4


def _holds(problem: Any, example: str) -> bool:
    names: dict[str, Any] = {}
    exec(problem.solution, names)
    try:
        exec(example, names)
    except AssertionError:
        return False
    return True
