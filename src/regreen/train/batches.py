"""Lessons side by side: which make a step, and how a step is cut into batches.

Rows are filled up on the right, behind the lesson. A causal model's token sees only what stands before it, so what
fills a row is seen by no lesson, no attention mask is needed, and the fastest attention there is can be used. Lessons
of one step are sorted by length before they are cut into batches, so that little is filled; which lessons make a step
is drawn at random, so that sorting favours none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regreen.train.lessons import Bools, Floats, Ints, Lesson

Each = Callable[[Lesson, int, int], Lesson]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Lessons as rows of one table, B by T; what fills a row weighs nothing.

    ``hidden`` and ``behaviour`` are None where no lesson has them; where only some have, the others' is 0.
    """

    ids_BT: Ints
    ce_BT: Floats
    rl_BT: Floats
    hidden_BT: Bools | None
    behaviour_BT: Floats | None
    tokens: int

    @property
    def places(self) -> Ints:
        """The flat places of the tokens that weigh, each at least 1: the token before it predicts it."""
        return np.flatnonzero((self.ce_BT != 0) | (self.rl_BT != 0))


def batched(lessons: Sequence[Lesson], most: int, *, fill: int = 0) -> list[Batch]:
    """Cut lessons into batches of at most ``most`` tokens with those that fill rows; a longer lesson stands alone."""
    ordered = sorted(lessons, key=len, reverse=True)
    batches = []
    while ordered:
        rows = max(1, most // len(ordered[0]))
        batches.append(stacked(ordered[:rows], fill=fill))
        ordered = ordered[rows:]
    return batches


def stacked(lessons: Sequence[Lesson], *, fill: int = 0) -> Batch:
    """Return lessons as one batch, in their order."""
    return Batch(
        ids_BT=_table([lesson.ids for lesson in lessons], fill, np.int64),
        ce_BT=_table([lesson.ce for lesson in lessons], 0, np.float32),
        rl_BT=_table([lesson.rl for lesson in lessons], 0, np.float32),
        hidden_BT=_optional([lesson.hidden for lesson in lessons], lessons, np.bool_),
        behaviour_BT=_optional([lesson.behaviour for lesson in lessons], lessons, np.float32),
        tokens=sum(map(len, lessons)),
    )


class Epochs:
    """Lessons in a new random order every epoch, cut into steps; a function of the step's number, so resume is exact.

    Args:
        lessons: all of them.
        tokens: about how many make a step; every step of an epoch has as many lessons, within one.
        seed: of the orders.
        each: what an epoch makes of a lesson, given its place among the lessons and the epoch; None: the lesson itself.

    Raises:
        ValueError: there are no lessons.
    """

    def __init__(self, lessons: Sequence[Lesson], *, tokens: int, seed: int, each: Each | None = None) -> None:
        if not lessons:
            raise ValueError("no lessons")
        self._lessons, self._seed, self._each = lessons, seed, each
        self.steps = min(len(lessons), max(1, round(sum(map(len, lessons)) / tokens)))
        self._epoch, self._cut = -1, list[Ints]()

    def __call__(self, step: int) -> list[Lesson]:
        """Return the lessons of a step, which counts from 0; an epoch has ``steps`` of them."""
        epoch, part = divmod(step, self.steps)
        if epoch != self._epoch:
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self._lessons))
            self._epoch, self._cut = epoch, np.array_split(order, self.steps)
        if self._each is None:
            return [self._lessons[at] for at in self._cut[part]]
        return [self._each(self._lessons[at], int(at), epoch) for at in self._cut[part]]


def _table(rows: Sequence[NDArray[Any]], fill: Any, kind: Any) -> NDArray[Any]:
    table = np.full((len(rows), max(map(len, rows))), fill, kind)
    for at, row in enumerate(rows):
        table[at, : len(row)] = row
    return table


def _optional(rows: Sequence[NDArray[Any] | None], lessons: Sequence[Lesson], kind: Any) -> NDArray[Any] | None:
    if all(row is None for row in rows):
        return None
    return _table([np.zeros(len(le), kind) if r is None else r for r, le in zip(rows, lessons, strict=True)], 0, kind)
