"""Katas: small Python problems made from a seed, each a chain of one to four typed operations.

    from regreen.benchmarks import katas
    for problem in katas.generate("train", count=50_000, seed=1):
        ...

Every problem has a statement in words, a header that a program continues (``meta["prompt"]``), a worked check shown
and hidden checks that every step shows in. ``solution`` is that header and a body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from regreen.benchmarks.katas.ambiguous import DECIDING, HOMES
from regreen.benchmarks.katas.problems import problems
from regreen.benchmarks.katas.splits import Removed, removed
from regreen.benchmarks.source import Generated
from regreen.errors import InputError
from regreen.problem import Problem

__all__ = ["COUNTS", "DEPTHS", "DEPTHS_OPEN", "SOURCE", "Removed", "generate", "removed"]

COUNTS = {
    "train": 20_000,
    "validation": 150,
    "test": 400,
    "ambiguous": 300,
    "ambiguous-train": 2_000,
    "unsolved": 400,
    "noisy": 20_000,
}
DEPTHS: Mapping[int, float] = {1: 0.05, 2: 0.3, 3: 0.4, 4: 0.25}
DEPTHS_OPEN: Mapping[int, float] = {2: 0.6, 3: 0.3, 4: 0.1}  # for ambiguous: an open step alone is known too well
CHECKS = 8


def generate(
    split: str,
    *,
    count: int | None = None,
    seed: int = 0,
    depths: Mapping[int, float] | None = None,
    checks: int = CHECKS,
) -> Iterator[Problem]:
    """Yield problems of a split, one by one as they are made; a larger ``count`` goes on where a smaller one ended.

    Args:
        split: one of ``COUNTS``.
        count: how many; as many as the named benchmark has, unless given.
        seed: another one gives other problems, of the same split's compositions.
        depths: how often a problem has each number of operations, as weights; unless given, ``DEPTHS``, or
            ``DEPTHS_OPEN`` for ambiguous problems.
        checks: how many hidden checks each problem has.

    Raises:
        InputError: an unknown split, depths outside 1 to 4, or a split that does not hold so many.
    """
    if split not in COUNTS:
        raise InputError(f"katas has no split {split!r}; it has {', '.join(COUNTS)}")
    if depths is None:
        depths = DEPTHS_OPEN if split in HOMES else DEPTHS
    if not depths or not set(depths) <= {1, 2, 3, 4} or min(depths.values()) < 0 or not sum(depths.values()) > 0:
        raise InputError(f"katas: depths {dict(depths)}: expected weights for depths 1 to 4, as {{1: 0.5, 2: 0.5}}")
    least = DECIDING if split in HOMES else 1
    if checks < least:
        raise InputError(f"katas:{split}: {checks} hidden checks: expected at least {least}")
    made = problems(split, seed=seed, depths=depths, checks=checks)
    return islice(made, COUNTS[split] if count is None else count)


SOURCE = Generated(
    name="katas",
    about="chains of one to four operations on numbers, texts, lists and tables, made from a seed",
    checks="call",
    splits=tuple(COUNTS),
    make=generate,
)
