"""Every cell of the n_p x n_fr grid: its pass rate, its budget, its three baselines, and what can be claimed.

Source: Olausson et al. 2023 (arXiv 2306.09896v5), section 4 and figure 3.

Differences from the paper: an interval resamples problems (or clusters of them), where the paper's resamples trees of
fixed problems; two more baselines stand beside its own (see metrics/baselines.py), and the verdict in words uses
``same_stop`` alone, by a paired permutation over problems with Holm's correction over the cells of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    holm,
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


_Base = tuple[Expected, int, Floats | None]


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
    bases = _Bases(grid, widths)
    made = [_cell(grid, width, found, drawn, at, bases.of(found, at)) for at, width in enumerate(widths)]
    _conclude(made)
    return made


def _cell(
    grid: Grid, width: Width, found: Expected, drawn: Drawn | None, at: int, against: Mapping[str, _Base]
) -> Record:
    passed, spent = found.passed[:, at], found.costs[:, at, grid.axis(grid.budget)]
    sides = {"n_p": width.n_p, "n_fr": width.n_f, "n_r": width.n_r}
    cell = {**sides, "k": width.programs, **_point(grid, found, at)}
    if drawn is not None:
        deviation = drawn.deviation
        cell["deviation"] = {"pass": _number(deviation.passed[at]), **_costs(grid, deviation.costs[at])}
    known = not np.isnan(passed).any()
    cell["baselines"] = {name: _against(grid, passed, known, *base) for name, base in against.items()}
    cell["baselines"]["same_stop"]["p"] = _p(grid, passed, against["same_stop"][2]) if known else None
    there = cell["baselines"]["paper"]["at_budget"]
    beyond = known and there is None and not np.isnan(spent).any()
    return {**cell, "normalised": cell["pass"] / there if there else None, "beyond": beyond}


class _Bases:
    """The baselines of all cells: each is a curve, and a point of it for each cell."""

    def __init__(self, grid: Grid, widths: Sequence[Width]) -> None:
        self._grid, self._widths = grid, widths
        self._ks = range(grid.most_programs + 1)
        how = {"replacement": grid.replacement}
        self._fixed = fixed(grid.forest, [*self._ks, *(width.programs for width in widths)], **how)
        self._placebo = placebo(grid.forest, widths, order=grid.order, **how)
        self._stops = {start: self._same_stop(start) for start in {self._start(width) for width in widths}}

    def of(self, found: Expected, at: int) -> dict[str, _Base]:
        """Return each baseline of a cell: where its points are, which is the cell's, and what is read at its budget."""
        spent = found.costs[:, at, self._grid.axis(self._grid.budget)]
        start = self._start(self._widths[at])
        stop, curve = self._stops[start], max(0, len(self._ks) - start) or 1
        return {
            "paper": (self._fixed, len(self._ks) + at, self._read(self._fixed, len(self._ks), spent)),
            "same_stop": (stop, curve + at, self._read(stop, curve, spent)),
            "placebo": (self._placebo, at, self._placebo.passed[:, at]),
        }

    def _start(self, width: Width) -> int:
        """Return how many programs are drawn before any rule of stopping."""
        return width.n_p if self._grid.order == "batched" else 0

    def _same_stop(self, start: int) -> Expected:
        curve = range(max(0, len(self._ks) - start) or 1)
        extra = [*curve, *(max(0, width.programs - start) for width in self._widths)]
        return same_stop(self._grid.forest, start, extra, order=self._grid.order, replacement=self._grid.replacement)

    def _read(self, curve: Expected, points: int, spent: Floats) -> Floats | None:
        costs = curve.costs[:, :points, self._grid.axis(self._grid.budget)]
        return at_budget(curve.passed[:, :points], costs, spent)


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
        return BEYOND if cell["beyond"] else UNKNOWN
    if stop["p_holm"] >= ALPHA:
        return NEITHER
    return BETTER if stop["effect"] > 0 else WORSE


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
