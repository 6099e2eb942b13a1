"""Which problems an online training draws programs for next: each once, then all again in another order.

Liu et al. 2023 (RLTF, arXiv 2307.04349), their code: uniformly without replacement, refilled when exhausted.

Differences from the paper:
- ``difficulty`` is ours: a problem whose programs all passed, or all failed, at its last visit is left out of as many
  passes over the problems as this has happened in a row, since nothing can be learned by comparing equals.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Literal

Sort = Literal["uniform", "difficulty"]


class Order:
    """The order of problems, by place; a function of the seed and of what it was told, in order.

    Args:
        problems: how many there are, at least 1.
        sort: "uniform", or "difficulty".
        seed: of the orders.
    """

    def __init__(self, problems: int, *, sort: Sort = "uniform", seed: int) -> None:
        self._problems, self._sort, self._seed = problems, sort, seed
        self._pass = 0
        self._queue: list[int] = []
        self._equal = [0] * problems  # visits in a row at which all programs came to the same
        self._rests = [0] * problems  # passes that a problem is still left out of

    def take(self, count: int) -> list[int]:
        """Return the places of the next problems; one may stand there again once all others have."""
        taken: list[int] = []
        while len(taken) < count:
            if not self._queue:
                self._refill()
            taken.append(self._queue.pop())
        return taken

    def told(self, problem: int, passed: Sequence[bool]) -> None:
        """Take note of which of a problem's programs passed."""
        equal = len(set(passed)) == 1
        self._equal[problem] = self._equal[problem] + 1 if equal else 0
        self._rests[problem] = self._equal[problem] if self._sort == "difficulty" else 0

    def _refill(self) -> None:
        awake = [at for at in range(self._problems) if not self._rests[at]]
        self._rests = [max(0, rest - 1) for rest in self._rests]
        self._queue = awake or list(range(self._problems))
        Random(f"{self._seed}\0{self._pass}").shuffle(self._queue)
        self._pass += 1
