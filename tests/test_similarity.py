"""Copies and edit distance, the latter beside the textbook's recursion."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.similarity import Copies, copies, edit_distance, edit_similarity

WORDS = st.text("abc\n", max_size=7)


def twin(first, second):
    @cache
    def distance(i, j):
        if not i or not j:
            return i + j
        replaced = distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, replaced)

    return distance(len(first), len(second))


@given(WORDS, WORDS)
def test_the_edit_distance_is_that_of_the_recursion(first, second):
    assert edit_distance(first, second) == twin(first, second) == edit_distance(second, first)


@given(st.text(max_size=20), st.text(max_size=20))
def test_similarity_lies_between_nothing_in_common_and_the_same(first, second):
    assert 0 <= edit_similarity(first, second) <= 1
    assert (edit_similarity(first, second) == 1) == (first == second)
    assert edit_similarity("abc", "xyz") == 0


def test_programs_too_deep_to_walk_are_compared_but_for_white_space():
    deep = f"def f(x):\n    return {'-' * 1500}x\n"
    assert copies(deep, deep.replace("return", "return ")) == Copies(False, True, True)
    assert copies(deep, "x") == copies("x", deep) == Copies(False, False, False)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("x = 1\n", "x = 1", Copies(True, True, True)),
        ("x = 1", "x  = 1", Copies(False, True, True)),
        ("x = 1", "x = (1)  # one", Copies(False, False, True)),
        ("x = 1", "x = 2", Copies(False, False, False)),
        ("x = ", "x =", Copies(True, True, True)),
        ("x = (", "x = ( ", Copies(True, True, True)),
        ("x = (", "x  = (", Copies(False, True, True)),
        ("x = (", "y = (", Copies(False, False, False)),
        ("x = (", "x = 1", Copies(False, False, False)),
        ("if x:\n    y\nz", "if x:\n    y\n    z", Copies(False, True, False)),
    ],
)
def test_programs_are_the_same_by_three_notions(before, after, expected):
    assert copies(before, after) == copies(after, before) == expected
