"""Log-probabilities of what was written, under a policy as it is now: nothing is learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from regreen.train.batches import stacked
from regreen.train.lessons import Floats, Lesson
from regreen.train.policy import Policy


def scored(policy: Policy, lessons: Sequence[Lesson], *, most: int = 4096) -> list[Floats]:
    """Return the log-probability of each token of each lesson (T), 0 for those that do not weigh.

    Args:
        policy: whose.
        lessons: those tokens that weigh in either stream are scored.
        most: tokens in one pass through the model, those that fill rows included.
    """
    policy = policy.entire
    policy.module.eval()
    order = sorted(range(len(lessons)), key=lambda at: len(lessons[at]), reverse=True)
    found: dict[int, Floats] = {}
    while order:
        rows = max(1, most // len(lessons[order[0]]))
        places, order = order[:rows], order[rows:]
        found |= zip(places, _scored(policy, [lessons[at] for at in places]), strict=True)
    return [found[at] for at in range(len(lessons))]


def _scored(policy: Policy, lessons: Sequence[Lesson]) -> list[Floats]:
    batch = stacked(lessons)
    values_BT = np.zeros(batch.ids_BT.shape, np.float32)
    if len(batch.places):
        with torch.no_grad():
            values_BT.reshape(-1)[batch.places] = policy.logprobs(batch).cpu().numpy()
    return [values_T[: len(lesson)] for values_T, lesson in zip(values_BT, lessons, strict=True)]
