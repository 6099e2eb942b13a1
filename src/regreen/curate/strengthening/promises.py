"""What a problem's known inputs have in common, which other inputs should have too.

Statements seldom say all that they promise of an input: that a list is sorted, a number the list's length, a text of
brackets alone. What holds of every known input, and could well not, is taken for a promise; a drawn input that breaks
one tells a program from another only by what nobody asked for.

Source: Ernst et al. 2007 (The Daikon system for dynamic detection of likely invariants), for the idea.

Differences from the paper:
- Only inputs are looked at, and only the invariants below.
- A few inputs are all there is: no confidence is computed, and an invariant needs two inputs that could break it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
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
        for says in (_sorted, _distinct, _positive, _one_type, _letters_of(rows, at), _lengths_of(rows, at)):
            yield _of_one(says, at)
    for at, other in permutations(range(width), 2):
        yield _of_two(_is_length, at, other)
        if at < other:
            yield _of_two(_as_long, at, other)
        yield _of_two(_at_most, at, other)


def _of_one(says: Callable[[Any], bool | None], at: int) -> Holds:
    return lambda row: says(row[at]) if at < len(row) else None


def _of_two(says: Callable[[Any, Any], bool | None], at: int, other: int) -> Holds:
    return lambda row: says(row[at], row[other]) if max(at, other) < len(row) else None


def _sorted(value: Any) -> bool | None:
    if not isinstance(value, _SEQUENCES) or len(value) < 2:
        return None
    try:
        return all(map(operator.le, value, value[1:]))
    except TypeError:
        return None


def _distinct(value: Any) -> bool | None:
    if not isinstance(value, _SEQUENCES) or len(value) < 2:
        return None
    return all(item not in value[:at] for at, item in enumerate(value))


def _positive(value: Any) -> bool | None:
    numbers = [leaf for leaf in _leaves(value) if type(leaf) in (int, float)]
    return all(number > 0 for number in numbers) if numbers else None


def _one_type(value: Any) -> bool | None:
    """Items of a list are of one type, which those of a mixed list are not."""
    return len({type(item) for item in value}) <= 1 if isinstance(value, _SEQUENCES) and len(value) > 1 else None


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


def _lengths_of(rows: Sequence[Sequence[Any]], at: int) -> Callable[[Any], bool | None]:
    """Rows of a table are as long as some known one, where all known ones are equally long."""
    known = {length for row in rows for length in _inner(row[at])}
    return lambda value: (_inner(value) <= known if len(known) == 1 else True) if _inner(value) else None


def _inner(value: Any) -> set[int]:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, _SEQUENCES) else ()
    return {len(item) for item in items if isinstance(item, _SEQUENCES)}


def _is_length(value: Any, number: Any) -> bool | None:
    if not isinstance(value, (*_SEQUENCES, str)) or type(number) is not int:
        return None
    return len(value) == number


def _as_long(value: Any, other: Any) -> bool | None:
    if not isinstance(value, (*_SEQUENCES, str)) or type(other) is not type(value):
        return None
    return len(value) == len(other)


def _at_most(value: Any, other: Any) -> bool | None:
    if type(value) not in (int, float) or type(other) not in (int, float):
        return None
    return bool(value <= other)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (leaf for pair in value.items() for item in pair for leaf in _leaves(item))
    elif isinstance(value, (*_SEQUENCES, set, frozenset)):
        yield from (leaf for item in value for leaf in _leaves(item))
    else:
        yield value
