"""The named rules, each against a naive twin or a table of cases."""

from __future__ import annotations

import ast
import math
import operator
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regreen.problem import CALL_RULES, STDIO_RULES
from regreen.sandbox.checks import compare
from regreen.sandbox.checks.asserts import OPERATORS, WITHIN
from regreen.sandbox.checks.plan import _OPERATIONS
from tests.sandbox.values import MARSHALLED

OUTPUTS = st.text("a1.- \t\n\r\x0c\x1c\u3000", max_size=12)
WORDS = st.lists(
    st.sampled_from(("a", "1", "1.0", "1.0000005", "1.1", "-0", "0", "1e3", "1000", "nan", "inf", "1e999", "1_0")),
    max_size=4,
)


def test_every_rule_that_a_problem_may_name_is_there() -> None:
    assert (*compare.CALL,) == CALL_RULES
    assert (*compare.STDIO,) == STDIO_RULES
    assert set(OPERATORS.values()) | {"false", WITHIN} == set(_OPERATIONS)


# ---- results of calls ----


@given(MARSHALLED, MARSHALLED)
def test_equal_is_pythons_own_equality(got: Any, expected: Any) -> None:
    assert compare.equal(got, expected) is (got == expected)


NUMBERS = (
    st.floats() | st.integers(-(10**6), 10**6) | st.sampled_from((0.1, 0.1 + 1e-9, 0.1 + 1e-5, 1e9, 1e9 + 1, 1e-7))
)


def naively_close(got: float, expected: float) -> bool:
    """Within 1e-6, as the words say it."""
    if not isinstance(got, float) and not isinstance(expected, float):
        return got == expected
    if math.isnan(got) or math.isnan(expected):
        return math.isnan(got) and math.isnan(expected)
    if math.isinf(got) or math.isinf(expected):
        return got == expected
    return abs(got - expected) <= max(1e-6, 1e-6 * abs(got), 1e-6 * abs(expected))


@given(NUMBERS, NUMBERS)
@example(1.0, 1.0 + 1e-6)
@example(5, 5.0)
def test_close_numbers_are_within_a_millionth_of_one_or_of_themselves(got: float, expected: float) -> None:
    assert compare.close(got, expected) is naively_close(got, expected)


@given(st.floats(-1e6, 1e6), st.floats(-3e-6, 3e-6))
def test_close_agrees_with_its_twin_at_the_edge(value: float, shift: float) -> None:
    other = value + shift * max(1, abs(value))
    assert compare.close(other, value) is naively_close(other, value)


NEAR, FAR = 1e-9, 1e-3


@pytest.mark.parametrize("wrap", [
    lambda x: [x], lambda x: (1, x), lambda x: {"k": x}, lambda x: [[x, "a"], {1: (x,)}], lambda x: x,
])  # fmt: skip
def test_close_looks_at_every_depth(wrap: Any) -> None:
    assert compare.close(wrap(2.0 + NEAR), wrap(2.0))
    assert not compare.close(wrap(2.0 + FAR), wrap(2.0))


@pytest.mark.parametrize(("got", "expected"), [
    ([1.0], (1.0,)), ((1.0,), [1.0]), ([1.0], [1.0, 1.0]), ([], [1.0]), ({"a": 1.0}, {"b": 1.0}), ({}, {"a": 1.0}),
    ("1.0", 1.0), (1.0, "1.0"), (None, 1.0), ([1.0], 1.0), (1.0, [1.0]), (1 + 0j, 1.0), ({1.0 + NEAR}, {1.0}),
    ([1.0], {"0": 1.0}), ("a", "b"), (1, 2),
])  # fmt: skip
def test_close_forgives_no_other_difference(got: Any, expected: Any) -> None:
    assert not compare.close(got, expected)


APPS_CALLS = [
    (3, 3, True),
    (3, 4, False),
    ((1, 2), [1, 2], True),  # a tuple is a list
    ([1, 2], (1, 2), False),  # but the expected value comes from JSON, and is none
    (3, [3], True),  # the expected value in a list of one
    ([1, 2], [[1, 2]], True),
    ((1, 2), [[1, 2]], True),
    (3, [4, 3], False),  # only the first of the list counts
    (3, [3, 4], True),
    ([(1, 2), (3, 4)], [[[1, 2], [3, 4]]], True),  # tuples inside a list are lists too
    (((1, 2), (3, 4)), [[[1, 2], [3, 4]]], True),
    ([(1, 2), [3, 4]], [[[1, 2], [3, 4]]], True),
    ([[1, (2,)]], [[[1, [2]]]], False),  # only one level deep
    ([], [], True),
    ([], [[]], True),
    (None, [], False),
    (None, [None], True),
    (True, [True], True),
    (1, [True], True),
    ("a", ["a"], True),
    ("a", "ab", False),
    (1.0, [1], True),
    (1.0000001, [1], False),  # numbers of calls are not rounded
]


@pytest.mark.parametrize(("got", "expected", "holds"), APPS_CALLS)
def test_apps_calls_follow_the_order_of_attempts(got: Any, expected: Any, holds: bool) -> None:
    assert compare.apps_call(got, expected) is holds


# ---- printed output ----


def naively_trimmed(text: str) -> str:
    """White space removed at the end of each line and of the whole."""
    text = text.replace("\r\n", "\n")
    return re.sub(r"\s+\Z", "", re.sub(r"[^\S\n]+(?=\n|\Z)", "", text))


@given(OUTPUTS, OUTPUTS)
@example("a\n", "a")
@example("a\r\nb", "a\nb")
@example(" a", "a")
@example("a\n\nb", "a\nb")
@example("a  b", "a b")
def test_exact_forgives_white_space_at_the_end_of_lines_alone(got: str, expected: str) -> None:
    assert compare.exact(got, expected) is (naively_trimmed(got) == naively_trimmed(expected))


@given(OUTPUTS, st.lists(st.sampled_from((" ", "\n", "\t\n", "  \r\n")), max_size=3))
def test_exact_forgives_white_space_put_at_the_end(text: str, more: list[str]) -> None:
    assert compare.exact(text + "".join(more), text)


@given(OUTPUTS, OUTPUTS)
def test_tokens_compares_the_words_alone(got: str, expected: str) -> None:
    assert compare.tokens(got, expected) is (re.findall(r"\S+", got) == re.findall(r"\S+", expected))


def naively_close_words(got: str, expected: str) -> bool:
    """The same word, or two numbers within 1e-6; an infinity is near nothing."""
    if got == expected:
        return True
    try:
        a, b = float(got), float(expected)
    except ValueError:
        return False
    return not math.isinf(a) and not math.isinf(b) and naively_close(a, b) and not math.isnan(a)


@given(WORDS, WORDS)
@example(["1"], ["1.0000009"])
@example(["nan"], ["NaN"])
def test_floats_compares_words_and_lets_numbers_be_near(got: list[str], expected: list[str]) -> None:
    wanted = len(got) == len(expected) and all(map(naively_close_words, got, expected))
    assert compare.floats(" ".join(got), "\n".join(expected)) is wanted


APPS_OUTPUTS = [
    ("5\n", "5", True),
    ("5", "6", False),
    ("  5  \n\n", "5\n", True),  # stripped, line by line
    ("a\n\nb", "a\nb", True),  # empty lines do not count
    ("1 2", "1  2", True),  # nor does the white space between words
    ("1.0\n2.0", "1\n2", True),  # lines that are numbers, as numbers
    ("1.000001", "1", True),
    ("1.1", "1", False),
    ("100000.5", "100000", True),  # numpy's tolerance is relative
    ("1.0 2.0", "1 2", True),  # words that are numbers, to three places
    ("1.0004 2", "1 2", True),
    ("1.004 2", "1 2", False),
    ("b\na", "a\nb", True),  # the order of lines is forgiven
    ("2 1", "1 2", True),  # and that of words in a line
    ("1 1 2", "1 2", True),  # and repetition
    ("a\na", "a", True),
    ("a", "A", False),
    ("yes", "no", False),
    ("", "", True),
    ("", "1", False),
    ("1", "", False),
    ("1 2\n3", "3\n2 1", True),
    ("1\n2 3", "1 2\n3", False),  # but not words in other lines
    ("nan", "nan", True),
    ("nan", "1", False),
    ("inf", "inf", True),
    ("1e999", "inf", True),
]


@pytest.mark.parametrize(("got", "expected", "holds"), APPS_OUTPUTS)
def test_apps_output_follows_the_order_of_attempts(got: str, expected: str, holds: bool) -> None:
    assert compare.apps_stdio(got, expected) is holds


@given(OUTPUTS)
def test_apps_is_laxer_than_exact_and_tokens(text: str) -> None:
    assert compare.apps_stdio(text, text)
    assert compare.apps_stdio(text + " \n", text)


# ---- comparisons in asserts ----

TWINS = {
    "equal": operator.eq, "not equal": operator.ne, "is": operator.is_, "is not": operator.is_not, "less": operator.lt,
    "at most": operator.le, "greater": operator.gt, "at least": operator.ge, "in": lambda a, b: operator.contains(b, a),
    "not in": lambda a, b: not operator.contains(b, a), "false": lambda a, _: operator.not_(a),
}  # fmt: skip


@given(st.sampled_from(sorted(TWINS)), *[st.integers(0, 2) | st.sampled_from(([], [1], (1, 2), {1}, "a", None))] * 2)
def test_each_operator_of_an_assert_does_what_python_does(name: str, left: Any, right: Any) -> None:
    try:
        wanted = TWINS[name](left, right)
    except TypeError:
        with pytest.raises(TypeError):
            _OPERATIONS[name](left, right)
    else:
        assert _OPERATIONS[name](left, right) == wanted


@given(*[st.integers(-3, 3) | st.floats(allow_nan=True)] * 3)
def test_between_two_ends_is_what_two_comparisons_in_one_say(low: float, value: float, high: float) -> None:
    assert _OPERATIONS[WITHIN](value, (low, high)) == (low <= value <= high)


@pytest.mark.parametrize("sign", ["==", "!=", "is", "is not", "<", "<=", ">", ">=", "in", "not in"])
def test_each_comparison_has_a_name_of_its_own(sign: str) -> None:
    node = ast.parse(f"a {sign} b", mode="eval").body
    assert isinstance(node, ast.Compare)
    assert OPERATORS[type(node.ops[0])] in TWINS
    assert len(set(OPERATORS.values())) == 10
