"""The buffer of an online training: what was drawn lately, first in, first out, and what each step takes of it.

Liu et al. 2023 (RLTF, arXiv 2307.04349), their code: a pool of 6,400 programs; every 50 steps new ones are appended and
as many old ones removed, the oldest chunk first and at random inside a chunk; then the pool is shuffled.

Everything is a function of the seed and of what was pushed, in its order: a training that goes on pushes it again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np

T = TypeVar("T")


class Pushed(NamedTuple):
    """How many came in and how many went out for them."""

    added: int
    evicted: int


@dataclass(frozen=True, slots=True)
class _Chunk(Generic[T]):
    """What was pushed at once, after so many steps of the training."""

    step: int
    items: list[T]


class Buffer(Generic[T]):
    """At most ``size`` items, the newest.

    Args:
        size: how many, at least 1; None for all.
        seed: of evictions and orders.
    """

    def __init__(self, size: int | None, *, seed: int) -> None:
        self._size, self._seed = sys.maxsize if size is None else size, seed
        self._chunks: list[_Chunk[T]] = []
        self._pushes = 0

    def __len__(self) -> int:
        return sum(len(chunk.items) for chunk in self._chunks)

    def push(self, items: Sequence[T], step: int) -> Pushed:
        """Append items that were drawn after ``step`` steps; the oldest make room."""
        before, draws = len(self), np.random.default_rng((self._seed, 0, self._pushes))
        self._pushes += 1
        self._chunks.append(_Chunk(step, list(items)))
        while (over := len(self) - self._size) > 0:
            oldest = self._chunks[0].items
            if over >= len(oldest):
                self._chunks.pop(0)
            else:
                gone = set(draws.choice(len(oldest), over, replace=False).tolist())
                self._chunks[0] = _Chunk(self._chunks[0].step, [x for at, x in enumerate(oldest) if at not in gone])
        return Pushed(len(items), before + len(items) - len(self))

    def take(self, step: int, interval: int, count: int) -> tuple[list[T], list[int]]:
        """Return the items that a step learns from, and how many steps old each is.

        The pool is gone through in a random order, and again in another when it is at its end, where a step may take an
        item twice. More than there are is not taken.

        Args:
            step: of the training, from 0.
            interval: steps from one push to the next: the order is drawn anew with each.
            count: how many items.
        """
        every = [(item, chunk.step) for chunk in self._chunks for item in chunk.items]
        if not every:
            return [], []
        count = min(count, len(every))
        first = step % interval * count
        turns: dict[int, list[int]] = {}
        chosen = []
        for at in range(first, first + count):
            turn, place = divmod(at, len(every))
            if turn not in turns:
                rng = np.random.default_rng((self._seed, 1 + turn, step // interval))
                turns[turn] = rng.permutation(len(every)).tolist()
            chosen.append(every[turns[turn][place]])
        return [item for item, _ in chosen], [step - drawn for _, drawn in chosen]
