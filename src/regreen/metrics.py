"""pass@k, intervals and paired tests: pure functions of counts.

Shapes: ``_P`` has an entry for each problem. Every interval resamples whole problems, or whole clusters of problems,
because programs for one problem are not independent. NumPy loads at the first interval, not at import.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.95
_CELLS = 1 << 20  # resampled values held at a time: 8 MB, however many problems there are
_ENUMERATE = 14  # sign flips of up to this many differences are enumerated, not drawn


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over problems with its 95 % interval, and how the interval was made.

    ``method`` is "bootstrap" (percentiles of the mean over resampled problems) or "exact" (Clopper-Pearson, used where
    all problems have the same value and a bootstrap would claim certainty).
    """

    value: float
    low: float
    high: float
    method: str = "bootstrap"


@lru_cache(maxsize=1 << 16)
def pass_at_k(n: int, c: int, k: int) -> float | None:
    """Return the probability that at least one of k programs, drawn without replacement from n, is right.

    Args:
        n: programs judged.
        c: those that passed.
        k: programs drawn, at least 1.

    Returns:
        1 - C(n-c, k) / C(n, k), or None where k > n: an unbiased estimate does not exist.

    Source: Chen et al. 2021, equation 1. The binomials are exact integers, so nothing overflows or cancels.
    """
    _check_counts(n, c, k)
    if k > n:
        return None
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def pass_at_k_biased(n: int, c: int, k: int) -> float:
    """Return 1 - (1 - c/n)^k, which is too low on average; for comparison only (Chen et al. 2021, appendix A)."""
    _check_counts(n, c, k)
    if not n:
        raise ValueError("pass@k needs at least one program")
    return 1.0 - (1.0 - c / n) ** k


def pass_at_k_P(n_P: Sequence[int], c_P: Sequence[int], k: int, *, biased: bool = False) -> list[float] | None:
    """Return every problem's pass@k, or None where some problem has fewer than k programs."""
    if biased:
        return [pass_at_k_biased(n, c, k) for n, c in zip(n_P, c_P, strict=True)]
    values = [pass_at_k(n, c, k) for n, c in zip(n_P, c_P, strict=True)]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


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
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS // len(moved))
    hits = 0
    for start in range(0, resamples, step):
        signs = rng.choice([-1.0, 1.0], size=(min(step, resamples - start), len(moved)))
        hits += int(np.sum(np.abs(signs @ moved) >= observed))
    return float((hits + 1) / (resamples + 1))


def score(
    counts: Mapping[str, tuple[int, int]],
    k: int,
    *,
    clusters: Mapping[str, Hashable] | None = None,
    biased: bool = False,
    seed: int = 0,
) -> Estimate | None:
    """Return pass@k averaged over problems with its interval.

    Args:
        counts: for each problem, its programs and how many of them passed.
        k: programs drawn.
        clusters: a label for each problem; without, each problem is its own cluster.
        biased: use the biased estimator.
        seed: of the interval.

    Returns:
        None where there are no problems, or where some problem has fewer than k programs.
    """
    problems = sorted(counts)  # so that the digits do not depend on the order in which verdicts came
    n_P, c_P = [counts[p][0] for p in problems], [counts[p][1] for p in problems]
    values = pass_at_k_P(n_P, c_P, k, biased=biased)
    if not values:
        return None
    labels = [clusters.get(p, p) for p in problems] if clusters else None
    return mean_interval(values, clusters=labels, seed=seed)


def _check_counts(n: int, c: int, k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if not 0 <= c <= n:
        raise ValueError(f"{c} of {n} programs cannot have passed")


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


def _exact(value: float, clusters: int, bounds: tuple[float, float]) -> tuple[float, float]:
    """Return the interval when all clusters agree: at most this share of others would have stayed unseen."""
    unseen = 1.0 - ((1 - LEVEL) / 2) ** (1 / clusters)
    return value - unseen * (value - bounds[0]), value + unseen * (bounds[1] - value)


def _resampled_means(sums: Floats, sizes: Floats, resamples: int, seed: int) -> Floats:
    import numpy as np

    rng = np.random.default_rng(seed)
    count = len(sums)
    step = max(1, _CELLS // count)
    means = []
    for start in range(0, resamples, step):
        drawn = rng.integers(count, size=(min(step, resamples - start), count))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(means)


def _all_signs(count: int) -> Any:
    import numpy as np

    bits = np.arange(1 << count)[:, None] >> np.arange(count)
    return 1.0 - 2.0 * (bits & 1)
