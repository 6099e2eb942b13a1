"""Intervals and paired tests over problems.

Shapes: ``_P`` has an entry for each problem. Every interval resamples whole problems, or whole clusters of problems,
because programs for one problem are not independent. NumPy loads at the first interval, not at import.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.95
_CELLS = 1 << 22  # draws held at a time: 32 MB, however many problems there are
_ROUNDING = 1e-12  # equal means may differ in the last bits
_ENUMERATE = 14  # sign flips of up to this many differences are enumerated, not drawn


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over problems with its 95 % interval, and how the interval was made.

    ``method`` is "bootstrap" (percentiles of the mean over resampled problems), "exact" (Clopper-Pearson, used where
    all problems have the same value and a bootstrap would claim certainty) or "t" (over seeds and problems).
    """

    value: float
    low: float
    high: float
    method: str = "bootstrap"


def mean_interval(
    values_P: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Return the mean over problems with a 95 % percentile interval from resampled problems.

    Args:
        values_P: one value a problem.
        clusters: a label for each problem; problems of one label are resampled together.
        bounds: the least and greatest value that a problem can have.
        seed: the same seed gives the same digits.
        resamples: how many means are drawn.

    Raises:
        ValueError: no problems.

    Source: Efron & Tibshirani 1993, section 13.3; Clopper & Pearson 1934 where all clusters agree.
    """
    sums, sizes = _cluster_sums(values_P, clusters)
    value = math.fsum(values_P) / len(values_P)
    if len({total / size for total, size in zip(sums, sizes, strict=True)}) == 1:
        return Estimate(value, *_exact(value, len(sums), bounds), "exact")
    import numpy as np

    means = _resampled_means(np.asarray(sums), np.asarray(sizes, dtype=float), resamples, seed)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def interval_over_seeds(
    values_SP: Sequence[Sequence[float]],
    *,
    clusters: Sequence[Hashable] | None = None,
    bounds: tuple[float, float] = (-1.0, 1.0),
    level: float = LEVEL,
) -> Estimate:
    """Return the mean over a training's seeds and problems, with an interval for other seeds and other problems.

    Problems alone would say how sure the mean of these few trainings is, and not what another training comes to; and a
    bootstrap of five seeds is too sure of them. So the variance among the means of seeds and that among the means of
    problems are added up, and Student's t, with the degrees of freedom that both leave, says how far the mean may be
    off. What a seed does to single problems counts in both: the interval is rather too wide. One seed says nothing of
    others; then it is over problems alone. Where neither varies, the interval is exact, over clusters of problems.

    Args:
        values_SP: for each seed one value a problem, of the same problems in the same order; differences, for a claim.
        clusters: a label for each problem; those of one label are one draw.
        bounds: the least and greatest value that a problem can have: those of differences, or (0, 1) for rates.
        level: how sure; 1 - 0.05/m for m claims that are all to hold at once with 95 % (Bonferroni).

    Raises:
        ValueError: no seeds, no problems, or seeds with different numbers of them.

    Source: Satterthwaite 1946 (Biometrics Bulletin 2, 110-114) for the degrees of freedom; Clopper & Pearson 1934
    where nothing varies.
    """
    import numpy as np
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    if not values_SP or len({len(row) for row in values_SP}) != 1:
        raise ValueError("an interval over seeds needs as many values of each, and at least one seed")
    values = np.asarray(values_SP, dtype=float)
    sums, sizes = map(np.asarray, _cluster_sums(values.mean(0).tolist(), clusters))
    mean = float(values.mean())
    off = (sums - mean * sizes) / sizes.sum()  # what each cluster moves the mean by
    squares = [float(((values.mean(1) - mean) ** 2).sum()) / len(values), len(off) * float((off**2).sum())]
    free = [len(values) - 1, len(off) - 1]
    parts = [(square / each, each) for square, each in zip(squares, free, strict=True) if each and square]
    variance = sum(part for part, _ in parts)
    if variance < _ROUNDING**2:
        return Estimate(mean, *_exact(mean, len(off), bounds, level), "exact")
    degrees = variance**2 / sum(part**2 / each for part, each in parts)
    wide = float(stdtrit(degrees, (1 + level) / 2)) * math.sqrt(variance)
    return Estimate(mean, mean - wide, mean + wide, "t")


def paired_difference(
    first_P: Sequence[float],
    second_P: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Estimate:
    """Return the mean of second - first over the same problems, with a 95 % interval from resampled problems."""
    return mean_interval(_differences(first_P, second_P), clusters=clusters, bounds=(-1.0, 1.0), seed=seed)


def mcnemar_exact(b: int, c: int) -> float:
    """Return the exact two-sided p-value of McNemar's test.

    Args:
        b: problems that only the first solves.
        c: problems that only the second solves.

    Valid for one program a problem; with more use :func:`paired_permutation`. Source: McNemar 1947, binomial form.
    """
    tail = sum(math.comb(b + c, i) for i in range(min(b, c) + 1))
    return min(1.0, 2 * tail / (1 << (b + c)))


def paired_permutation(
    first_P: Sequence[float],
    second_P: Sequence[float],
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> float:
    """Return the two-sided p-value of swapping the two sides at random, a whole problem (or cluster) at a time.

    All swaps are enumerated for up to 14 differing clusters; beyond, ``resamples`` are drawn and the observed one is
    counted among them, so the p-value is never 0.
    """
    import numpy as np

    sums, _ = _cluster_sums(_differences(first_P, second_P), clusters)
    moved = np.asarray([total for total in sums if total])
    observed = abs(moved.sum()) * (1 - 1e-12)  # equal sums may differ in the last bit
    if len(moved) <= _ENUMERATE:
        return float(np.mean(np.abs(_all_signs(len(moved)) @ moved) >= observed))
    parts = _in_parts(_signs, len(moved), resamples, seed)
    hits = sum(int(np.sum(np.abs(signs @ moved) >= observed)) for signs in parts)
    return float((hits + 1) / (resamples + 1))


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number by Holm 1979; None stays None."""
    order = sorted((at for at, p in enumerate(ps) if p is not None), key=lambda at: ps[at] or 0.0)
    corrected: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * (ps[at] or 0.0)))
        corrected[at] = highest
    return corrected


def _differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [b - a for a, b in zip(first, second, strict=True)]


def _cluster_sums(values: Sequence[float], clusters: Sequence[Hashable] | None) -> tuple[list[float], list[int]]:
    """Return each cluster's sum and size, in order of first appearance."""
    if not values:
        raise ValueError("an interval needs at least one problem")
    if clusters is None:
        return list(values), [1] * len(values)
    groups: dict[Hashable, list[float]] = {}
    for value, label in zip(values, clusters, strict=True):
        groups.setdefault(label, []).append(value)
    return [math.fsum(group) for group in groups.values()], [len(group) for group in groups.values()]


def _exact(value: float, clusters: int, bounds: tuple[float, float], level: float = LEVEL) -> tuple[float, float]:
    """Return the interval when all clusters agree: at most this share of others would have stayed unseen."""
    unseen = 1.0 - ((1 - level) / 2) ** (1 / clusters)
    return value - unseen * (value - bounds[0]), value + unseen * (bounds[1] - value)


def _resampled_means(sums: Floats, sizes: Floats, resamples: int, seed: int) -> Floats:
    import numpy as np

    means = [(drawn @ sums) / (drawn @ sizes) for drawn in _in_parts(_drawn, len(sums), resamples, seed)]
    return np.concatenate(means)


def _in_parts(make: Callable[[int, int, int, int], Floats], count: int, rows: int, seed: int) -> Iterator[Floats]:
    """Yield rows of draws, in parts where they are many."""
    step = max(1, _CELLS // count)
    for start in range(0, rows, step):
        yield make(count, min(step, rows - start), seed, start)


@lru_cache(maxsize=2)  # a table of many cells resamples the same problems in all of them
def _drawn(count: int, rows: int, seed: int, part: int) -> Floats:
    """Return how often each cluster is drawn in each resample (rows, count)."""
    import numpy as np

    drawn = np.random.default_rng((seed, part)).integers(count, size=(rows, count))
    flat = np.bincount((drawn + count * np.arange(rows)[:, None]).ravel(), minlength=rows * count)
    return flat.reshape(rows, count).astype(float)


@lru_cache(maxsize=2)
def _signs(count: int, rows: int, seed: int, part: int) -> Floats:
    """Return random signs (rows, count)."""
    import numpy as np

    return np.asarray(np.random.default_rng((seed, part)).choice([-1.0, 1.0], size=(rows, count)))


def _all_signs(count: int) -> Any:
    import numpy as np

    bits = np.arange(1 << count)[:, None] >> np.arange(count)
    return 1.0 - 2.0 * (bits & 1)
