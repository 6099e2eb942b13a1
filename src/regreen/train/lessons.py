"""Lessons: tokens, and what each of them weighs in the loss. A training method is a builder of such weights.

The loss of a set of lessons, over all their tokens ``t`` with ``p_t`` the probability of a token given those before it:

    loss = sum(ce_t * -log p_t) / sum(ce_count)  +  sum(rl_t * -log p_t) / sum(rl_count)

Each stream is normalised by its own count, so that neither depends on how much of the other a step holds. A positive
``rl`` weight (an advantage) makes a token likelier, a negative one less likely. ``p_t`` is the softmax of the logits
divided by the lesson's ``heat``, so that programs drawn at that temperature are scored as they were drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One sequence of tokens and their weights; every array has the shape T.

    Args:
        ids: the tokens. The first is given, never predicted, and so is the rest of the prompt: they weigh nothing.
        ce: each token's supervised weight.
        rl: each token's reinforcement weight: an advantage, or what a method makes of one.
        ce_count: how much the lesson counts in the supervised stream's normalisation; for a mean over tokens their
            number, for a mean over lessons 1.
        rl_count: the same for the other stream. A lesson of advantage 0 may count: it dilutes.
        hidden: tokens that no later token attends to, though they keep their place; None for none.
        behaviour: log-probability of each token under the policy that wrote it, where it was written, at the lesson's
            heat; None unless stored.
        given: how many tokens, from the first on, are the prompt: what the encoder of a sequence-to-sequence model
            reads. For a causal model it says only what may not weigh.
        heat: the temperature at which its tokens are scored, greater than 0.

    Raises:
        ValueError: shapes differ, a token that is given weighs something, the first is hidden, a stream weighs but does
            not count, or there is no such prompt or heat.
    """

    ids: Ints
    ce: Floats
    rl: Floats
    ce_count: float
    rl_count: float
    hidden: Bools | None = None
    behaviour: Floats | None = None
    given: int = 1
    heat: float = 1.0

    def __post_init__(self) -> None:
        arrays = [a for a in (self.ce, self.rl, self.hidden, self.behaviour) if a is not None]
        if any(array.shape != self.ids.shape for array in arrays) or self.ids.ndim != 1 or not len(self.ids):
            raise ValueError("every array of a lesson has one entry for each token, and there is at least one")
        if not 1 <= self.given <= len(self):
            raise ValueError(f"of a lesson's {len(self)} tokens one at least is given, and not {self.given}")
        weighs = self.ce[: self.given].any() or self.rl[: self.given].any()
        if weighs or (self.hidden is not None and self.hidden[0]):
            raise ValueError("a lesson's first token is given: it can neither weigh nor be hidden; no prompt can weigh")
        if not 0 < self.heat < np.inf:
            raise ValueError(f"tokens are scored at a temperature greater than 0, and not at {self.heat}")
        for name, weights, count in (("ce", self.ce, self.ce_count), ("rl", self.rl, self.rl_count)):
            if not np.isfinite(weights).all() or count < 0 or (weights.any() and not count):
                raise ValueError(f"{name} weights must be finite, and count for more than 0 where they weigh")

    def __len__(self) -> int:
        return len(self.ids)

    def room(self, *, apart: bool = False) -> int:
        """Return how large a context it needs; ``apart``: of a model that reads prompt and answer each on its own."""
        return max(self.given, len(self) - self.given) if apart else len(self)


def supervised(before: Sequence[int], after: Sequence[int], *, weight: float = 1.0, hidden: Any = None) -> Lesson:
    """Return a lesson that imitates ``after``; the prompt ``before`` is masked: it weighs nothing.

    Source: Chen et al. 2021, appendix on Codex-S: "loss only on the reference solution".

    Args:
        before: tokens of the prompt, at least one.
        after: tokens of the answer, the end of text included if it is to be learned.
        weight: of every token of the answer.
        hidden: which tokens of the prompt nobody attends to, a truth value for each.
    """
    zeros = np.zeros(len(before) + len(after), np.float32)
    return Lesson(
        ids=_joined(before, after),
        ce=_after(zeros, before, weight),
        rl=zeros,
        ce_count=float(len(after)),
        rl_count=0.0,
        hidden=None if hidden is None else _padded_hidden(hidden, len(zeros)),
        given=len(before),
    )


def reinforced(
    before: Sequence[int],
    after: Sequence[int],
    advantage: ArrayLike,
    *,
    behaviour: Sequence[float] | None = None,
    count: float | None = None,
    heat: float = 1.0,
) -> Lesson:
    """Return a lesson that makes ``after`` likelier by its advantage: REINFORCE, one number or one for each token.

    Args:
        before: tokens of the prompt, at least one.
        after: tokens that the policy wrote.
        advantage: a reward less a baseline; a number, or an array with one for each token of ``after``.
        behaviour: log-probability of each token of ``after`` when it was written, at this heat.
        count: how much the lesson counts; by default the number of tokens of ``after``.
        heat: the temperature at which ``after`` is scored: the one at which it was drawn, to be on-policy.
    """
    zeros = np.zeros(len(before) + len(after), np.float32)
    return Lesson(
        ids=_joined(before, after),
        ce=zeros,
        rl=_after(zeros, before, advantage),
        ce_count=0.0,
        rl_count=float(len(after)) if count is None else count,
        behaviour=None if behaviour is None else _after(zeros, before, behaviour),
        given=len(before),
        heat=heat,
    )


def fitting(lessons: Iterable[Lesson], most: int | None, *, apart: bool = False) -> tuple[list[Lesson], int]:
    """Return the lessons that fit into a context of so many tokens, and how many are longer.

    Args:
        lessons: of any length.
        most: tokens; None for any number.
        apart: the model reads prompt and answer each on its own, as a sequence-to-sequence model does.
    """
    every = list(lessons)
    kept = [lesson for lesson in every if most is None or lesson.room(apart=apart) <= most]
    return kept, len(every) - len(kept)


def _joined(before: Sequence[int], after: Sequence[int]) -> Ints:
    return np.asarray([*before, *after], np.int64)


def _after(zeros: Floats, before: Sequence[int], values: ArrayLike) -> Floats:
    weights = zeros.copy()
    weights[len(before) :] = values
    return weights


def _padded_hidden(hidden: Any, tokens: int) -> Bools:
    whole = np.zeros(tokens, np.bool_)
    whole[: len(hidden)] = hidden
    return whole
