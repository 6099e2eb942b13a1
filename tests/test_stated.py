"""Values, calls and formulas as the programs that they stand for."""

import pytest

from regreen.problem import Assert, Call, Problem
from regreen.sandbox import LocalSandbox
from regreen.stated import asks_for_program, right_text, stated


def asking(writes: object, *checks: Assert | Call, **meta: object) -> Problem:
    return Problem("p", "", checks, entry_point="said", solution="said = 1", meta={"writes": writes, **meta})


@pytest.mark.parametrize(("text", "right"), [
    ("[1, 2.0000001]", True), (" (nan, inf)", False), ("[1, 2]", True), ("[1, 3]", False), ("[1] + [2]", False),
    ("[1,\n 2]", True), ("'''", False), ("f(1)", False), ("[1, 2]  # f(1)", True), ("", False),
])  # fmt: skip
def test_a_literal_is_compared_with_tolerance_and_an_expression_is_none(
    sandbox: LocalSandbox, text: str, right: bool
) -> None:
    problem = asking("literal", Call((), [1, 2.0], compare="close"))
    source = stated(problem, text)
    assert (source is not None and sandbox.judge_now(problem, source).passed) == right


@pytest.mark.parametrize(("text", "right"), [
    ("f([1], 2)", True), ("f([1], y=2)", True), ("f([1])", False), ("[1], 2", False), ("g([1], 2)", False),
    ("f((1,), 2)", False), ("f([1], int)", False),
])  # fmt: skip
def test_a_call_states_its_arguments(sandbox: LocalSandbox, text: str, right: bool) -> None:
    problem = asking(
        "call", Assert("args, kwargs = said\nassert (args, kwargs) in ((([1], 2), {}), (([1],), {'y': 2}))")
    )
    assert sandbox.judge_now(problem, stated(problem, text) or "").passed == right


def test_what_asks_for_a_program_states_nothing() -> None:
    for problem in (Problem("p", "", (Assert("assert f()"),)), asking("novels"), asking(["value"])):
        assert asks_for_program(problem)
        assert stated(problem, "1") is None
    assert not asks_for_program(asking("value"))
    assert right_text(asking("value", written="3")) == "3"
    assert right_text(asking("novels")) == "said = 1"
