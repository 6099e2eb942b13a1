"""Where two values first differ, in words that a fixer can copy from.

Our own: the papers tell both values whole. A small model that is to put right what differs has to find it first.
"""

from __future__ import annotations

from typing import Any


def difference_of_values(got: Any, expected: Any) -> str:
    """Say where two different values first differ, from the first item, key or character on that is not the same.

    Args:
        got: plain data.
        expected: plain data that is not equal to it.
    """
    if type(got) is type(expected):
        if isinstance(got, dict):
            got, expected = list(got.items()), list(expected.items())
        if isinstance(got, (list, tuple)):
            return _of_items(got, expected)
        if isinstance(got, str):
            at = _first(got, expected)
            return _instead(got[at : at + 1], expected[at : at + 1])
    return _instead(got, expected)


def difference_of_texts(got: str, expected: str) -> str | None:
    """Say which word of two printed texts is the first that differs; None if only their white space does."""
    words, wanted = got.split(), expected.split()
    if words == wanted:
        return None
    at = _first(words, wanted)
    if at < min(len(words), len(wanted)):
        return _instead(words[at], wanted[at])
    return f"{len(words)} words where {len(wanted)} were expected"


def _of_items(got: Any, expected: Any) -> str:
    at = _first(got, expected)
    if at < min(len(got), len(expected)):
        return difference_of_values(got[at], expected[at])
    return f"{len(got)} items where {len(expected)} were expected"


def _first(got: Any, expected: Any) -> int:
    """Return the first place at which two sequences differ, or the shorter one's length."""
    pairs = enumerate(zip(got, expected, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(got), len(expected)))


def _instead(got: Any, expected: Any) -> str:
    return f"{got!r} where {expected!r} was expected"
