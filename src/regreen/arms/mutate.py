"""Inputs near a given one: each value changed by its type, with a seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Change = Callable[[Any, Random], Any]


def mutate(value: Any, random: Random) -> Any:
    """Return a value of the same type near the given one; what cannot be changed comes back as it is."""
    return _CHANGES.get(type(value), _same)(value, random)


def unshared(value: Any) -> Any:
    """Return an equal value in which no list, set or dictionary stands twice: a program may change what it is given."""
    match value:
        case list() | tuple() | set() | frozenset():
            return type(value)(map(unshared, value))
        case dict():
            return {unshared(key): unshared(each) for key, each in value.items()}
    return value


def _same(value: Any, random: Random) -> Any:
    return value


def _number(value: Any, random: Random) -> Any:
    """Return a number near; one that is not negative stays so, since what counts or indexes must not become it."""
    near = [value + 1, value - 1, value * 2, type(value)(0), type(value)(random.randint(0, 9))]
    return random.choice([number for number in (*near, -value) if number >= 0 or value < 0])


def _text(value: str, random: Random) -> str:
    letters = _sequence(list(value), random, lambda _, random: random.choice(value + "aZ 0"))
    return "".join(random.choice([letters, [value.swapcase()]]))


def _sequence(items: list[Any], random: Random, change: Change = mutate) -> list[Any]:
    """Return items with one left out, one twice, two exchanged, one changed; in reverse, in order, or none."""
    if not items:
        return []
    at, other = random.randrange(len(items)), random.randrange(len(items))
    swapped = list(items)
    swapped[at], swapped[other] = items[other], items[at]
    changed = [*items[:at], change(items[at], random), *items[at + 1 :]]
    several = [swapped, items[:at] + items[at + 1 :], [*items, items[at]], items[::-1], _in_order(items), []]
    return random.choice([changed, changed, *several])


def _in_order(items: list[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:
        return items


def _dictionary(value: dict[Any, Any], random: Random) -> dict[Any, Any]:
    return dict(_sequence(list(value.items()), random, lambda item, random: (item[0], mutate(item[1], random))))


def _set(value: Any, random: Random) -> Any:
    return type(value)(_sequence(sorted(value, key=repr), random))


_CHANGES: dict[type, Change] = {
    bool: lambda value, _: not value,
    int: _number,
    float: _number,
    str: _text,
    list: lambda value, random: _sequence(value, random),
    tuple: lambda value, random: tuple(_sequence(list(value), random)),
    dict: _dictionary,
    set: _set,
    frozenset: _set,
}
