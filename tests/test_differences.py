"""Where values first differ."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.differences import difference_of_texts, difference_of_values

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        ("a-b-c", "a/b/c", "'-' where '/' was expected"),
        ("ab", "abc", "'' where 'c' was expected"),
        ([1, 2], [1, 2, 3], "2 items where 3 were expected"),
        ([1, [2, "(on)"]], [1, [2, "[on]"]], "'(' where '[' was expected"),
        ({"a": 1, "b": 3}, {"a": 1, "b": 2}, "3 where 2 was expected"),
        ({"a": 1}, {"b": 1}, "'a' where 'b' was expected"),
        ((1, 2), [1, 2], "(1, 2) where [1, 2] was expected"),
        (3, "3", "3 where '3' was expected"),
    ],
)
def test_the_first_item_key_or_character_that_differs_is_said(got: Any, expected: Any, said: str) -> None:
    assert difference_of_values(got, expected) == said


@pytest.mark.parametrize(
    ("got", "expected", "said"),
    [
        ("1 2\n3 4\n", "1 2\n3 5\n", "'4' where '5' was expected"),
        ("1 2\n", "1 2\n3\n", "2 words where 3 were expected"),
        ("1  2\n", "1 2", None),
    ],
)
def test_of_printed_texts_the_first_word_that_differs_is_said(got: str, expected: str, said: str | None) -> None:
    assert difference_of_texts(got, expected) == said


@given(PLAIN, PLAIN)
def test_what_is_said_to_differ_stands_in_the_two_values_and_is_not_the_same(got: Any, expected: Any) -> None:
    """The brute-force twin: all parts of a value, at any depth."""
    if got == expected:
        return
    one, _, other = difference_of_values(got, expected).removesuffix(" was expected").partition(" where ")
    if other.endswith("were expected"):
        assert one.removesuffix(" items") != other.removesuffix(" were expected")
        return
    assert one != other
    assert ast.literal_eval(one) in parts(got)
    assert ast.literal_eval(other) in parts(expected)


def parts(value: Any) -> list[Any]:
    found = [value]
    if isinstance(value, str):
        return [*found, *value, ""]
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple)):
        found += [part for item in value for part in parts(item)]
    return found
