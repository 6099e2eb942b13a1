"""pass@k, from counts of programs and of those that passed.

Source: Chen et al. 2021 (arXiv 2107.03374), section 2.1 and appendix A. Shapes: ``_P`` has an entry for each problem.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache

from regreen.metrics.intervals import Estimate, mean_interval


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
