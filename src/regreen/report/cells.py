"""Every cell of the n_p x n_fr grid: its pass rate, its budget, its three baselines, and what can be claimed.

Source: Olausson et al. 2023 (arXiv 2306.09896v5), section 4 and figure 3.

Differences from the paper: an interval resamples problems (or clusters of them), where the paper's resamples trees of
fixed problems; two more baselines stand beside its own (see metrics/baselines.py), and the verdict in words uses
``same_stop`` alone, by a paired permutation over problems with Holm's correction over the cells of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regreen.metrics import (
    Expected,
    Forest,
    Order,
    Width,
    at_budget,
    bootstrap,
    expected,
    fixed,
    mean_interval,
    one_by_one,
    paired_difference,
    paired_permutation,
    placebo,
    same_stop,
)
from regreen.metrics.drawn import Drawn
from regreen.metrics.forest import Floats
from regreen.records import Record

ALPHA = 0.05
BETTER, WORSE, NEITHER = "repair better than resampling", "repair worse than resampling", "not distinguishable"
BEYOND, UNKNOWN = "beyond the baseline", "-"


@dataclass(frozen=True, slots=True)
class Grid:
    """A forest and how cells are drawn from it.

    ``axes`` names the costs, the programs last; ``tokens`` is the axis that is printed, ``budget`` the one on which
    baselines are matched. ``trees`` is None for exact expectations, else how many are drawn.
    """

    forest: Forest
    clusters: Sequence[str]
    axes: Sequence[str]
    tokens: str
    budget: str
    order: Order = "batched"
    replacement: bool = False
    trees: int | None = None
    seed: int = 0

    def estimate(self, widths: Sequence[Width]) -> tuple[Expected, Drawn | None]:
        """Return each problem's pass rates and costs, and the replicates where trees are drawn."""
        how = {"order": self.order, "replacement": self.replacement}
        if self.trees is None:
            return expected(self.forest, widths, **how), None  # type: ignore[arg-type]
        drawn = bootstrap(self.forest, widths, trees=self.trees, **how)  # type: ignore[arg-type]
        return drawn.by_problem, drawn

    def axis(self, name: str) -> int:
        """Return the place of an axis of cost."""
        return list(self.axes).index(name)

    @property
    def most_programs(self) -> int:
        """The fewest first programs of a problem."""
        return self.forest.most.n_p


def baseline(grid: Grid) -> list[Record]:
    """Return the baseline's curve for k = 1, 2 ..., with intervals over problems."""
    ks = range(1, grid.most_programs + 1)
    if not ks:
        return []
    if grid.trees is None:
        curve = fixed if grid.order == "batched" else one_by_one
        found = curve(grid.forest, ks, replacement=grid.replacement)
    else:
        found, _ = grid.estimate([Width(k) for k in ks])
    return [{"k": k, **_point(grid, found, at)} for at, k in enumerate(ks)]


def cells(grid: Grid, widths: Sequence[Width]) -> list[Record]:
    """Return every cell with its baselines; one that the trees cannot fill has None for all numbers."""
    if not widths:
        return []
    found, drawn = grid.estimate(widths)
    alone = placebo(grid.forest, widths, order=grid.order, replacement=grid.replacement)
    made = [_cell(grid, width, found, alone, drawn, at) for at, width in enumerate(widths)]
    _conclude(made)
    return made


def _cell(grid: Grid, width: Width, found: Expected, alone: Expected, drawn: Drawn | None, at: int) -> Record:
    passed, spent = found.passed[:, at], found.costs[:, at, grid.axis(grid.budget)]
    cell = {"n_p": width.n_p, "n_fr": width.n_f, "k": width.programs, **_point(grid, found, at)}
    if drawn is not None:
        deviation = drawn.deviation
        cell["deviation"] = {"pass": _number(deviation.passed[at]), **_costs(grid, deviation.costs[at])}
    known = not np.isnan(passed).any()
    against = {
        "paper": _paper(grid, width, spent),
        "same_stop": _same_stop(grid, width, spent),
        "placebo": (alone, at, alone.passed[:, at]),
    }
    cell["baselines"] = {name: _against(grid, passed, known, *base) for name, base in against.items()}
    cell["baselines"]["same_stop"]["p"] = _p(grid, passed, against["same_stop"][2]) if known else None
    there = cell["baselines"]["paper"]["at_budget"]
    beyond = known and there is None and not np.isnan(spent).any()
    return {**cell, "normalised": cell["pass"] / there if there else None, "beyond": beyond}


def _paper(grid: Grid, width: Width, spent: Floats) -> tuple[Expected, int, Floats | None]:
    """Return the fixed-k baseline: at the tree's k, and read off its curve at what the tree spends."""
    ks = [*range(grid.most_programs + 1), width.programs]
    found = fixed(grid.forest, ks, replacement=grid.replacement)
    return found, len(ks) - 1, _read(grid, found, spent)


def _same_stop(grid: Grid, width: Width, spent: Floats) -> tuple[Expected, int, Floats | None]:
    """Return resampling under the tree's rule of stopping: as many programs, and read off at what the tree spends."""
    start = width.n_p if grid.order == "batched" else 0
    extra = [*range(max(0, grid.most_programs - start) + 1), width.programs - start]
    found = same_stop(grid.forest, start, extra, order=grid.order, replacement=grid.replacement)
    return found, len(extra) - 1, _read(grid, found, spent)


def _read(grid: Grid, curve: Expected, spent: Floats) -> Floats | None:
    return at_budget(curve.passed[:, :-1], curve.costs[:, :-1, grid.axis(grid.budget)], spent)


def _against(grid: Grid, passed: Floats, known: bool, found: Expected, at: int, there: Floats | None) -> Record:
    """Return a baseline's point at the tree's number of programs, and the paired effect at the tree's budget."""
    point = {**_mean_point(grid, found, at)}
    if not known or there is None or np.isnan(there).any():
        return {**point, "at_budget": None, "effect": None, "low": None, "high": None}
    effect = paired_difference(list(there), list(passed), clusters=grid.clusters, seed=grid.seed)
    interval = {"effect": effect.value, "low": effect.low, "high": effect.high}
    return {**point, "at_budget": float(there.mean()), **interval}


def _p(grid: Grid, passed: Floats, there: Floats | None) -> float | None:
    if there is None:
        return None
    return paired_permutation(list(there), list(passed), clusters=grid.clusters, seed=grid.seed)


def _conclude(made: Sequence[Record]) -> None:
    """Say of each cell whether repair can be told from resampling, over all cells of the table together."""
    stops = [cell["baselines"]["same_stop"] for cell in made]
    corrected = holm([stop["p"] for stop in stops])
    for cell, stop, p in zip(made, stops, corrected, strict=True):
        stop["p_holm"] = p
        cell["verdict"] = _words(cell, stop)


def _words(cell: Record, stop: Record) -> str:
    if stop["p_holm"] is None:
        return UNKNOWN if cell["pass"] is None else BEYOND
    if stop["p_holm"] >= ALPHA:
        return NEITHER
    return BETTER if stop["effect"] > 0 else WORSE


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected for their number by Holm 1979; None stays None."""
    order = sorted((at for at, p in enumerate(ps) if p is not None), key=lambda at: ps[at] or 0.0)
    corrected: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * (ps[at] or 0.0)))
        corrected[at] = highest
    return corrected


def _point(grid: Grid, found: Expected, at: int) -> Record:
    """Return a mean over problems with its interval, and where it lies on every axis."""
    point = _mean_point(grid, found, at)
    if point["pass"] is None:
        return {**point, "low": None, "high": None}
    estimate = mean_interval(list(found.passed[:, at]), clusters=grid.clusters, seed=grid.seed)
    return {**point, "low": estimate.low, "high": estimate.high}


def _mean_point(grid: Grid, found: Expected, at: int) -> Record:
    spent = found.costs[:, at].mean(axis=0)
    tokens, programs = spent[grid.axis(grid.tokens)], spent[-1]
    return {
        "pass": _number(found.passed[:, at].mean()),
        "tokens": _number(tokens),
        "programs": _number(programs),
        "costs": _costs(grid, spent),
    }


def _costs(grid: Grid, spent: Floats) -> Record:
    return {name: _number(value) for name, value in zip(grid.axes, spent, strict=True)}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
