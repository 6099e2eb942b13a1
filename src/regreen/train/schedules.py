"""The learning rate's course: a pure function of the step, so there is nothing to save."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Course = Literal["cosine", "linear", "constant"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A linear rise over ``warmup`` steps, then a cosine or a line down to ``floor``, or no change.

    Args:
        course: what follows the rise.
        steps: of the whole training.
        warmup: steps of the rise.
        floor: where the course ends, as a share of the peak.

    Raises:
        ValueError: an unknown course, or numbers that make none.
    """

    course: Course
    steps: int
    warmup: int = 0
    floor: float = 0.0

    def __post_init__(self) -> None:
        if self.course not in get_args(Course) or self.steps < 1 or self.warmup < 0 or not 0 <= self.floor <= 1:
            raise ValueError(f"{self}: expected one of {', '.join(get_args(Course))}, steps >= 1 and 0 <= floor <= 1")

    def __call__(self, step: int) -> float:
        """Return the share of the peak learning rate at a step, which counts from 0; past the end it is the last."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        gone = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        left = {"cosine": (1 + math.cos(math.pi * gone)) / 2, "linear": 1 - gone, "constant": 1.0}[self.course]
        return self.floor + (1 - self.floor) * left
