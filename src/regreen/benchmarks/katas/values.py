"""Inputs of each kind: fixed ones, from a fixed seed, so that a problem means the same thing forever."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from regreen.benchmarks.katas.operation import Kind

POOL = 127  # a prime: any stride visits them all
FIXED = 64  # the first of them say whether two functions behave alike
FIRST = 16  # the first of those are enough to give both one home, and much faster
INPUT_KINDS: tuple[Kind, ...] = ("int", "str", "ints", "strs", "dict")

_WORDS = """
a an as at be by do go he in it me no of on or so to up we
ant ape art bat bee bob box bus can cat cow cup day dog ear egg eye fan fox gas hat ice jam key leg map mom net
oak owl pan pen pig red row sea sun tea toe van wax zoo
area baby bean bird blue boat cake cold door echo fish gold hand idea king lamp level moon name noon open rain
rose sand star tree wind apple bread chair eagle house lemon money night ocean paper radar river stone table
""".split()  # noqa: SIM905
_MIRRORS = ("bob", "eye", "level", "mom", "noon", "radar", "aa", "did")
_KEYS = ("dog", "red", "sun", "tea", "x")


@cache
def inputs(kind: Kind) -> tuple[Any, ...]:
    """Return the inputs of a kind, all different."""
    rng, found = Random(f"katas {kind}"), dict[str, Any]()
    while len(found) < POOL:
        value = _DRAW[kind](rng)
        found[repr(value)] = value
    return tuple(found.values())


@cache
def fixed(kind: Kind, count: int = FIXED) -> tuple[Any, ...]:
    """Return the first inputs of a kind, by which functions are told apart."""
    return inputs(kind)[:count]


def _int(rng: Random) -> int:
    return rng.randint(-40, 99) if rng.random() < 0.7 else rng.randint(-9, 20)


def _str(rng: Random) -> str:
    if rng.random() < 0.03:
        return ""
    if rng.random() < 0.08:
        return str(rng.randint(0, 999))
    if rng.random() < 0.15:
        return rng.choice(_MIRRORS)
    text = " ".join(rng.choices(_WORDS, k=rng.choice((1, 1, 2, 2, 3, 3))))
    text = text.capitalize() if rng.random() < 0.15 else text
    return f"{' ' * rng.randint(0, 2)}{text} " if rng.random() < 0.3 else text


def _ints(rng: Random) -> list[int]:
    low, high = rng.choice(((-9, 20), (0, 9), (0, 5), (1, 9), (-5, 5)))
    values = [rng.randint(low, high) for _ in range(_size(rng, 8))]
    return sorted(values) if rng.random() < 0.1 else values


def _strs(rng: Random) -> list[str]:
    words = rng.choices(_WORDS, k=_size(rng, 6))
    return words + words[:1] if rng.random() < 0.25 else words


def _dict(rng: Random) -> dict[str, int]:
    keys = [key for key in ("a", "b", "cat") if rng.random() < 0.75] + rng.sample(_KEYS, rng.randint(0, 4))
    rng.shuffle(keys)
    return {key: rng.randint(0, 9) for key in keys}


def _size(rng: Random, most: int) -> int:
    return 0 if rng.random() < 0.04 else rng.randint(1, most)


_DRAW: dict[Kind, Any] = {"int": _int, "str": _str, "ints": _ints, "strs": _strs, "dict": _dict}
