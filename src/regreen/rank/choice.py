"""How often the best-ranked of k programs is right: pure functions of scores and of who passed.

Shapes: ``_N`` has an entry for each program of one problem, ``_G`` for each group of them, ``_K`` for each k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CIRCLES = 10  # shuffles of a problem's programs: n draws of k programs each
_UNSCORED = -1.0  # of a group whose programs have no score: groups have none below 0
_TIE = 1e-9  # relative difference below which two groups are tied: roots are not exact


def best_of_k(scores_N: Sequence[float | None], passed_N: Sequence[bool], k: int) -> float | None:
    """Return the probability that the best of k programs, drawn without replacement from n, is right.

    The best is the one with the highest score; among several, each is as likely. A program without a score comes after
    all others.

    Args:
        scores_N: the score of each program, which does not depend on what else is drawn.
        passed_N: who is right.
        k: programs drawn, at least 1.

    Returns:
        The sum over values s of a score of P(the best drawn has s) x (the share of right ones among those with s),
        where P = [C(not above s, k) - C(below s, k)] / C(n, k); None where k > n. The binomials are exact integers.
    """
    n = len(passed_N)
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if k > n:
        return None
    ranked = sorted((-math.inf if s is None else s, passed) for s, passed in zip(scores_N, passed_N, strict=True))
    below, value = 0, 0.0
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        rights = [passed for _, passed in tied]
        ways = math.comb(below + len(rights), k) - math.comb(below, k)
        value += ways / math.comb(n, k) * (sum(rights) / len(rights))
        below += len(rights)
    return value


def best_group_of_k(
    scores_N: Sequence[float | None],
    groups_N: Sequence[int],
    passed_N: Sequence[bool],
    ks: Sequence[int],
    *,
    power: float,
    seed: int = 0,
    circles: int = _CIRCLES,
) -> list[float | None]:
    """Return, for each k, how often the best of k programs is right where agreement counts only among the k.

    A group's score is worth x size^power. With k programs drawn, its size is how many of its members were drawn; the
    choice falls on a member of the best group, each member of tied groups being as likely. There is no closed form, so
    the programs are laid out in shuffled circles and every run of k neighbours is one draw: k = 1 and k = n are exact.

    Args:
        scores_N: each program's score among all n programs; those of one group are equal.
        groups_N: the group of each program.
        passed_N: who is right.
        ks: how many are drawn.
        power: of the group's size in its score.
        seed: of the shuffles.
        circles: how many shuffles.

    Returns:
        The estimates, None where k > n.
    """
    import numpy as np

    n = len(passed_N)
    _, first_G, group_N = np.unique(groups_N, return_index=True, return_inverse=True)
    member_NG = np.eye(len(first_G))[group_N]
    right_NG = member_NG * np.asarray(passed_N, dtype=float)[:, None]
    score_G = np.asarray([_UNSCORED if scores_N[i] is None else scores_N[i] for i in first_G], dtype=float)
    worth_G = score_G / member_NG.sum(axis=0) ** power
    rng = np.random.default_rng(seed)
    sums: dict[int, float] = {k: 0.0 for k in ks if k <= n}
    for _ in range(circles):
        order = rng.permutation(n)
        sizes, rights = (_running_sums(both[order]) for both in (member_NG, right_NG))
        for k in sums:
            size, right = (totals[k : k + n] - totals[:n] for totals in (sizes, rights))
            score = np.where(size > 0, worth_G * size**power, -np.inf)
            best = score.max(axis=1, keepdims=True)
            chosen = score >= best - _TIE * abs(best)
            sums[k] += float(((right * chosen).sum(axis=1) / (size * chosen).sum(axis=1)).mean())
    return [sums[k] / circles if k in sums else None for k in ks]


def _running_sums(rows: Floats) -> Floats:
    """Return the sums of the first 0, 1, ... rows of a table written twice over, so that no run of rows is cut."""
    import numpy as np

    return np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(np.concatenate([rows, rows]), axis=0)])
