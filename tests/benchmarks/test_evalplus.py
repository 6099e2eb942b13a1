import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.benchmarks import load
from regreen.benchmarks.evalplus import RULES
from regreen.benchmarks.evalplus_rules import agrees, close

PROMPT = '''from typing import List


def scaled(xs: List[float], by: float) -> List[float]:
    """Scale and sort in place.
    >>> scaled([2.0, 1.0], 3.0)
    [3.0, 6.0]
    """
'''
INPUTS = {
    "task_id": "HumanEval/0",
    "prompt": PROMPT,
    "entry_point": "scaled",
    "canonical_solution": "    xs.sort()\n    return [x * by for x in xs]\n",
    "base_input": [[[2.0, 1.0], 3.0], [[], 1.0]],
    "plus_input": [[[0.1, 0.2], 3.0], [[1e300, float("inf")], 1.0]],
    "atol": 0,
    "contract": "\n    assert all(type(x) is float for x in xs)\n",
}
HUB_TEST = """\
import math


def assertion(out, exp, atol):
    assert out == exp or all(math.isclose(o, e, abs_tol=1e-6) for o, e in zip(out, exp, strict=True))


def check(candidate):
    inputs = [[[2.0, 1.0], 3.0], [[0.1, 0.2], 3.0]]
    results = [[3.0, 6.0], [0.3, 0.6]]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
"""
HUMANEVAL = {
    **{name: INPUTS[name] for name in ("task_id", "prompt", "entry_point", "canonical_solution")},
    "test": "def check(candidate):\n    assert candidate([2.0, 1.0], 3.0) == [3.0, 6.0]\n",
}
HUB = {**HUMANEVAL, "test": HUB_TEST}
MBPP_HUB = {
    "task_id": 7,
    "code": "def twice(x):\n    return 2 * x",
    "prompt": "Write a function to double.",
    "source_file": "somewhere.ipynb",
    "test_imports": [],
    "test_list": ["assert twice(1) == 2", "assert twice(2) == 4"],
    "test": "inputs = [[1], [50]]\nresults = [2, 100]\n"
    "for i, (inp, exp) in enumerate(zip(inputs, results)):\n    assert twice(*inp) == exp\n",
}


def only(spec: str, data: Path) -> Any:
    (problem,) = load(spec, data=data).problems()
    return problem


def plus(write: Any, row: dict[str, Any], spec: str = "humaneval+") -> Any:
    name = "HumanEvalPlus" if spec == "humaneval+" else "MbppPlus"
    return only(spec, write(f"evalplus/{name}.jsonl.gz", [row]))


def test_base_and_plus_are_a_check_each_so_one_run_gives_both(write: Any, passed: Any) -> None:
    problem = plus(write, INPUTS)
    assert problem.meta["scores"] == {"base": [0], "plus": [0, 1]}
    assert passed(problem, problem.solution) == [True, True]
    assert passed(problem, "def scaled(xs, by): return [6.0 - 0, 3.0][::-1] if xs else []") == [True, False]
    assert passed(problem, "def scaled(xs, by): return None") == [False, False]


def test_expected_values_come_from_the_reference_on_copies_of_the_inputs(write: Any, passed: Any) -> None:
    vandal = "def scaled(xs, by):\n    out = [x * by for x in sorted(xs)]\n    xs.clear()\n    return out"
    assert passed(plus(write, INPUTS), vandal) == [True, True]


def test_floats_may_be_a_little_off(write: Any, passed: Any) -> None:
    nearly = "def scaled(xs, by):\n    return [x * by + 1e-9 for x in sorted(xs)]"
    assert passed(plus(write, INPUTS), nearly) == [True, True]
    off = "def scaled(xs, by):\n    return [x * by + 1e-3 for x in sorted(xs)]"
    assert passed(plus(write, INPUTS), off) == [False, False]


def test_the_prompt_is_kept_so_that_a_completion_continues_it(write: Any) -> None:
    problem = plus(write, INPUTS)
    assert problem.meta["prompt"] == problem.statement == PROMPT
    assert problem.prelude == "from typing import List"
    assert problem.meta["examples"] == ["assert scaled([2.0, 1.0], 3.0) == [3.0, 6.0]"]


def test_a_row_of_inputs_that_brings_the_base_test_along_is_judged_by_its_inputs(write: Any, passed: Any) -> None:
    """EvalPlus's published HumanEval+ holds both: the test in it is HumanEval's own, and no plus check."""
    problem = plus(write, {**INPUTS, "test": HUMANEVAL["test"]})
    assert passed(problem, problem.solution) == [True, True]
    assert passed(problem, "def scaled(xs, by): return [3.0, 6.0] if xs else []") == [True, False]


def test_no_plus_inputs_may_be_written_as_an_object(write: Any, passed: Any) -> None:
    problem = plus(write, {**INPUTS, "task_id": "Mbpp/793", "plus_input": {}}, "mbpp+")
    assert passed(problem, problem.solution) == [True, True]


def test_the_hubs_test_string_is_the_plus_check(write: Any, passed: Any) -> None:
    problem = plus(write, HUB)
    assert problem.meta["scores"] == {"plus": [0]}
    assert passed(problem, problem.solution) == [True]
    assert passed(problem, "def scaled(xs, by): return [3.0, 6.0]") == [False]


def test_the_base_check_of_hub_rows_comes_from_humaneval_where_it_is_found(write: Any, passed: Any) -> None:
    write("humaneval/HumanEval.jsonl.gz", [HUMANEVAL])
    problem = plus(write, HUB)
    assert problem.meta["scores"] == {"base": [0], "plus": [0, 1]}
    assert passed(problem, "def scaled(xs, by): return [3.0, 6.0]") == [True, False]


def test_one_file_of_hub_rows_is_never_its_own_base(write: Any) -> None:
    data = write("evalplus/HumanEvalPlus.jsonl", [HUB])
    assert len(only("humaneval+", data / "evalplus/HumanEvalPlus.jsonl").checks) == 1


def test_mbpp_hub_rows_hold_base_asserts_and_a_plus_script(write: Any, passed: Any) -> None:
    problem = plus(write, MBPP_HUB, "mbpp+")
    assert (problem.id, problem.entry_point) == ("Mbpp/7", "twice")
    assert passed(problem, problem.solution) == [True, True]
    assert passed(problem, "def twice(x): return [0, 2, 4][x]") == [True, False]


RESTORED: list[tuple[int, list[Any], list[Any]]] = [
    (2, [[1, 2], [2]], [(1, 2), (2,)]),
    (63, [[[1, 2], [3, 4]]], [[(1, 2), (3, 4)]]),
    (75, [[[1, 2]], 3], [[(1, 2)], 3]),
    (106, [[1], [2]], [[1], (2,)]),
    (115, [[[1, 1], []]], [[{1}, {}]]),
    (124, ["1", "2j"], [1.0, 2j]),
    (252, ["1+2j"], [1 + 2j]),
    (259, [[[1, 2]], [[3, 4]]], [((1, 2),), ((3, 4),)]),
    (278, [[1, [2, 3]]], [(1, (2, 3))]),
    (307, [[1], 2, [3]], [(1,), 2, [3]]),
    (580, [[1, [2, [3]]]], [(1, (2, (3,)))]),
    (722, [{"a": [1, 2]}, 3], [{"a": (1, 2)}, 3]),
    (3, [[1]], [[1]]),
]


@pytest.mark.parametrize(("number", "published", "restored"), RESTORED)
def test_mbpp_inputs_get_back_the_types_that_json_has_not(
    number: int, published: list[Any], restored: list[Any], write: Any, passed: Any
) -> None:
    row = {
        "task_id": f"Mbpp/{number}",
        "prompt": '"""Write it."""\n',
        "entry_point": "same",
        "canonical_solution": "def same(*args):\n    return repr(list(args))\n",
        "base_input": [published],
        "plus_input": [],
        "atol": 0,
    }
    problem = plus(write, row, "mbpp+")
    assert passed(problem, problem.solution) == [True, True]
    assert passed(problem, f"def same(*args): return {repr(restored)!r}") == [True, True]


def test_each_special_rule_takes_its_second_answer_and_no_other() -> None:
    assert agrees(1.0, 99, 1e-4, RULES["find_zero"], [[-1, 1]])
    assert not agrees(2.0, 2.0, 1e-4, RULES["find_zero"], [[-1, 1]])
    assert agrees("anything", True, 0, RULES["are_equivalent"], [1, 2])
    assert agrees(0, 5, 0, RULES["sum_div"], [5])
    assert not agrees(1, 5, 0, RULES["sum_div"], [5])
    assert agrees([2, 1, 1], (1, 2), 0, RULES["similar_elements"], [])
    assert not agrees([2], (1, 2), 0, RULES["similar_elements"], [])
    assert agrees("a match", object(), 0, RULES["check_str"], ["s"])
    assert not agrees(None, object(), 0, RULES["check_str"], ["s"])
    assert not agrees(False, True, 0, RULES["check_str"], ["s"])
    assert agrees(10, 9, 0, RULES["digit_distance_nums"], [9, 21])
    assert not agrees(8, 9, 0, RULES["digit_distance_nums"], [9, 21])
    assert agrees(35, 33, 0, RULES["surface_Area"], [3, 4])
    assert not agrees(34, 33, 0, RULES["surface_Area"], [3, 4])


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_two_floats_are_close_exactly_by_the_published_formula(got: float, expected: float) -> None:
    assert close(got, expected, 0) == (got == expected or abs(got - expected) <= 1e-6 + 1e-7 * abs(expected))


@given(st.lists(st.integers(), max_size=4), st.lists(st.integers(), max_size=4))
def test_without_floats_and_tolerance_close_is_equal(got: list[int], expected: list[int]) -> None:
    if expected:
        assert close(got, expected, 0) == (got == expected)


def test_shapes_and_types_must_match_for_values_to_be_close() -> None:
    assert not close([1.0], [1.0, 2.0], 1e-6)
    assert not close((1.0000001,), [1.0], 1e-6)
    assert not close("a", 1.0, 1e-6)
    assert close([float("nan")], [float("nan")], 1e-6)


def test_rows_survive_json_with_infinities() -> None:
    assert json.loads(json.dumps(INPUTS)) == INPUTS
