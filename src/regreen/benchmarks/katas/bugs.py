"""Bugs such as real corpora have: a program that almost does what was asked, and fails a check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from regreen.benchmarks.katas.chains import Steps, pick
from regreen.benchmarks.katas.operation import Kind, function
from regreen.benchmarks.katas.pairs import Pair, fails

BUG_SHARE = 0.4  # of the programs of the noisy corpus
KINDS = ("off by one", "wrong comparison", "wrong way", "dropped step", "repeated step", "swapped steps")
_Coded = tuple[str, Kind]  # an expression, and what it gives
_TRIES = 8

_NUMBER = re.compile(r"(?<!['\w])\d+(?!['\w])")
_REWRITES: dict[str, tuple[tuple[str, str], ...]] = {
    "wrong comparison": (
        (r" > ", " >= "), (r" >= ", " > "), (r" < ", " <= "), (r" <= ", " < "), (r" > ", " < "), (r" < ", " > "),
        (r" == ", " != "), (r" != ", " == "), (r"\bnot in\b", "in"), (r"(?<=\bif )not ", ""),
    ),
    "wrong way": (
        (r"\bmax\(", "min("), (r"\bmin\(", "max("), (r"\[::-1\]", ""), (r", reverse=True", ""), (r"\[0\]", "[-1]"),
        (r"\[-1\]", "[0]"), (r" \+ ", " - "), (r" - ", " + "), (r"\bsorted\(x\)$", "sorted(x)[::-1]"),
        (r"\.upper\(", ".lower("), (r" // ", " % "), (r" % ", " // "), (r"\[1:\]", "[:-1]"), (r"\[:-1\]", "[1:]"),
    ),
}  # fmt: skip


class Bug(NamedTuple):
    """The kind of a bug, and the expressions of the program that has it."""

    kind: str
    codes: list[str]


def with_bug(rng: Random, steps: Steps, codes: Sequence[str], pairs: Sequence[Pair]) -> Bug | None:
    """Return a function's expressions with one bug that fails on one of the pairs; None if none was found."""
    coded = [(code, step.operation.gives) for code, step in zip(codes, steps, strict=True)]
    found = {kind: options for kind in KINDS if (options := list(_variants(kind, coded, steps)))}
    for _ in range(_TRIES if found else 0):
        kind = pick(rng, list(found))
        changed = pick(rng, found[kind])
        if changed and fails([function(code, gives) for code, gives in changed], pairs):
            return Bug(kind, [code for code, _ in changed])
    return None


def _variants(kind: str, coded: list[_Coded], steps: Steps) -> Iterator[list[_Coded]]:
    """Yield every way to have a kind of bug."""
    keeping = [at for at, step in enumerate(steps) if step.keeps_kind]
    if kind == "dropped step":
        yield from (coded[:at] + coded[at + 1 :] for at in keeping)
    elif kind == "repeated step":
        yield from (coded[: at + 1] + coded[at:] for at in keeping)
    elif kind == "swapped steps":
        yield from ([*coded[:at], coded[at + 1], coded[at], *coded[at + 2 :]] for at in keeping if at + 1 in keeping)
    else:
        for at, (code, gives) in enumerate(coded):
            yield from ([*coded[:at], (wrong, gives), *coded[at + 1 :]] for wrong in _rewritten(kind, code))


def _rewritten(kind: str, code: str) -> Iterator[str]:
    if kind == "off by one":
        for found in _NUMBER.finditer(code):
            for number in (int(found[0]) + 1, int(found[0]) - 1):
                yield f"{code[: found.start()]}{number}{code[found.end() :]}"
    for pattern, wrong in _REWRITES.get(kind, ()):
        if re.search(pattern, code):
            yield re.sub(pattern, wrong, code, count=1)
