r"""Pass rate against the number of chained building blocks, and the factor that each further block costs.

Source: Chen et al. 2021 (arXiv 2107.03374), section 6, figure 11, and appendix C: the largest model's pass rate
falls by a factor of two to three with each component.

The fit says that at length l a share a r^l of programs passes; r is what a further block keeps, 1/r the factor lost. It
is a Poisson regression with a logarithmic link over problems: with S_l the sum over the N_l problems of length l of the
share of their programs that passed, r solves

    sum_l l S_l / sum_l S_l = sum_l l N_l r^l / sum_l N_l r^l,

so that the mean length of what passed is the one observed. Lengths at which nothing passed count as they should.

Differences from the paper:
- It plots a curve and names the factor without saying how it was found.
- Problems: see :mod:`regreen.benchmarks.chained`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from regreen.metrics import LEVEL, RESAMPLES, Estimate
from regreen.problem import Problem
from regreen.records import Record
from regreen.studies.asking import Study
from regreen.studies.counting import asked_notes, rates, shares_by
from regreen.studies.finding import Cell, finding, plot, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BENCHMARK = "chained:test"
_BRACKET = (-30.0, 5.0)  # of log r: at its ends, all that passed has the least or the greatest length
_HALVINGS = 60


def chained(study: Study) -> Record:
    """Return pass rates by the number of blocks, and the share of them that a further block keeps.

    Args:
        study: who is asked, on the benchmark ``chained``.
    """
    run = study.run("programs")
    seed = study.sampling.seed
    shares = shares_by(Path(run["run"]), study.problems, _length)
    by_length = rates(shares, seed=seed)
    kept = kept_by_a_further_one(shares, seed=seed)
    return study.found(
        finding(
            "chained",
            benchmark=run["benchmark"],
            tables=[_table(shares, by_length, [_told(kept), *asked_notes(run)])],
            plots=[plot("Chained building blocks", {"": list(by_length.items())}, x="blocks", y="pass@1, %")],
            problems=run["problems"],
            programs=run["programs"],
            by_length={str(length): asdict(found) for length, found in by_length.items()},
            kept=kept and asdict(kept),
        )
    )


def kept_by_a_further_one(
    shares: Mapping[int, Sequence[float]], *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate | None:
    """Return r, the share of the pass rate that each further block keeps, with a 95 % interval.

    Args:
        shares: for each length, each of its problems' share of programs that passed.
        seed: of the interval, which resamples problems within their lengths.
        resamples: how many fits are drawn.

    Returns:
        None where programs passed at fewer than two lengths: then no factor can be told.
    """
    import numpy as np

    if sum(any(values) for values in shares.values()) < 2:
        return None
    lengths_L, sizes_L = np.array(list(shares), dtype=float), np.array([len(values) for values in shares.values()])
    sums_L = np.array([[sum(values) for values in shares.values()]])
    rng = np.random.default_rng(seed)
    drawn_RL = np.stack([_resampled(rng, values, resamples) for values in shares.values()], axis=1)
    fitted = solve(drawn_RL[drawn_RL.any(axis=1)], lengths_L, sizes_L)
    low, high = np.quantile(fitted, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(solve(sums_L, lengths_L, sizes_L)[0]), float(low), float(high))


def solve(sums_RL: Floats, lengths_L: Floats, sizes_L: Floats) -> Floats:
    """Return r for each row of sums, by bisection: the mean length of what passed grows with r."""
    import numpy as np

    wanted_R = sums_RL @ lengths_L / sums_RL.sum(axis=1)
    low_R, high_R = (np.full(len(sums_RL), end) for end in _BRACKET)
    for _ in range(_HALVINGS):
        middle_R = (low_R + high_R) / 2
        logs_RL = np.log(sizes_L) + middle_R[:, None] * lengths_L
        weights_RL = np.exp(logs_RL - logs_RL.max(axis=1, keepdims=True))
        is_below = weights_RL @ lengths_L / weights_RL.sum(axis=1) < wanted_R
        low_R, high_R = np.where(is_below, middle_R, low_R), np.where(is_below, high_R, middle_R)
    return np.asarray(np.exp((low_R + high_R) / 2))


def _resampled(rng: np.random.Generator, values: Sequence[float], resamples: int) -> Floats:
    """Return the sum of each resample of problems."""
    import numpy as np

    count = len(values)
    return np.asarray(rng.multinomial(count, np.full(count, 1 / count), resamples) @ np.array(values))


def _length(problem: Problem) -> int:
    return int(problem.meta["length"])


def _table(shares: Mapping[int, Sequence[float]], found: Mapping[int, Estimate], notes: Sequence[str]) -> Record:
    rows: list[list[Cell]] = [[length, len(shares[length]), estimate] for length, estimate in found.items()]
    return table("Chained building blocks", ["blocks", "problems", "pass@1"], rows, notes=notes)


def _told(kept: Estimate | None) -> str:
    if kept is None:
        return "what a further block costs cannot be told: programs passed at fewer than two lengths"
    share = f"{100 * kept.value:.1f} % [{100 * kept.low:.1f}, {100 * kept.high:.1f}]"
    factor = f"{1 / kept.value:.2f} [{1 / kept.high:.2f}, {1 / kept.low:.3g}]"
    return f"a further block keeps {share} of the pass rate: it is divided by {factor}"
