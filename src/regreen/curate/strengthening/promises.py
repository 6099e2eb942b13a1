"""What a problem's known inputs have in common, which other inputs should have too.

Statements seldom say all that they promise of an input: that a text is of brackets alone, that two lists are equally
long. What holds of every known input, and could well not, is taken for a promise; an input that breaks one tells a
program from another only by what nobody asked for.

Two kinds are looked for. Others were tried on recorded programs for HumanEval and MBPP, held against EvalPlus's
verdicts: that lists are sorted or without repetition, rows of one length, numbers positive or a list's length, one not
above the other. Over both they cost more programs that EvalPlus fails too than they spared that it passes: known inputs
are often alike because nobody thought of others.

Source: Ernst et al. 2007 (The Daikon system for dynamic detection of likely invariants), for the idea.

Differences from the paper:
- Only inputs are looked at, and only for the invariants below.
- A few inputs are all there is: no confidence is computed, and an invariant needs two inputs that could break it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

from regreen.problem import Call

Holds = Callable[[Sequence[Any]], bool | None]
_LEAST = 2  # known inputs that could break a promise
_SEQUENCES = (list, tuple)


def promises(known: Sequence[Call]) -> list[Holds]:
    """Return what holds of every known input that it could be false of; each tells so of another input's values.

    A promise returns None for an input of which it says nothing.
    """
    rows = [values(call) for call in known]
    width = min(map(len, rows), default=0)
    return [holds for holds in _candidates(rows, width) if _is_promised(holds, rows)]


def keeps(call: Call, promised: Sequence[Holds]) -> bool:
    """Tell whether an input breaks no promise."""
    row = values(call)
    return all(holds(row) is not False for holds in promised)


def values(call: Call) -> list[Any]:
    """Return the values of a call's arguments."""
    return [*call.args, *call.kwargs.values()]


def _is_promised(holds: Holds, rows: Sequence[Sequence[Any]]) -> bool:
    told = [answer for row in rows if (answer := holds(row)) is not None]
    return len(told) >= _LEAST and all(told)


def _candidates(rows: Sequence[Sequence[Any]], width: int) -> Iterator[Holds]:
    """Yield all that may hold of each argument, and of each two."""
    for at in range(width):
        yield _of_one(_letters_of(rows, at), at)
    for at, other in combinations(range(width), 2):
        yield _of_two(_as_long, at, other)


def _of_one(says: Callable[[Any], bool | None], at: int) -> Holds:
    return lambda row: says(row[at]) if at < len(row) else None


def _of_two(says: Callable[[Any, Any], bool | None], at: int, other: int) -> Holds:
    return lambda row: says(row[at], row[other]) if max(at, other) < len(row) else None


def _letters_of(rows: Sequence[Sequence[Any]], at: int) -> Callable[[Any], bool | None]:
    """Texts consist of kinds of letters that the known ones have."""
    known = {kind for row in rows for kind in _kinds(row[at])}
    return lambda value: _kinds(value) <= known if _kinds(value) else None


def _kinds(value: Any) -> set[str]:
    """Return the kinds of letters in all texts of a value: other signs than letters and digits are each their own."""
    letters = {letter for leaf in _leaves(value) if isinstance(leaf, str) for letter in leaf}
    return {_kind(letter) for letter in letters}


def _kind(letter: str) -> str:
    return "digit" if letter.isdigit() else "upper" if letter.isupper() else "lower" if letter.islower() else letter


def _as_long(value: Any, other: Any) -> bool | None:
    if not isinstance(value, (*_SEQUENCES, str)) or type(other) is not type(value):
        return None
    return len(value) == len(other)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (leaf for pair in value.items() for item in pair for leaf in _leaves(item))
    elif isinstance(value, (*_SEQUENCES, set, frozenset)):
        yield from (leaf for item in value for leaf in _leaves(item))
    else:
        yield value
