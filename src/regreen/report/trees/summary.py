"""What a run with repair trees comes to: pass@t of every cell, and what must be known to believe it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from regreen.errors import InputError
from regreen.metrics import Width, mean_interval
from regreen.records import Record
from regreen.report.trees.as_grown import as_grown
from regreen.report.trees.beside import controls, diversity, feedback_texts, rounds
from regreen.report.trees.cells import Grid, baseline, cells
from regreen.report.trees.grown import (
    AXES,
    Grown,
    chosen_verdicts,
    costs,
    forest_of,
    read_grown,
    repairs_below,
)
from regreen.report.trees.view import RepairView, Verdicts

N_P, N_FR = (1, 2, 5, 10, 25), (1, 3, 5, 10)  # Olausson et al. 2023, figure 3
_DENSE = 25  # figure 4: n_p = 1 ... 25 at n_fr = 1


def tree_summary(run: Path, view: RepairView | None = None, *, seed: int = 0) -> Record:
    """Return what the trees of a run directory come to, as plain JSON.

    Args:
        run: a run directory with ``trees.jsonl``.
        view: which cells, how they are estimated, whose verdicts, which budget.
        seed: of intervals and tests.

    Returns:
        ``baseline``, ``grid``, ``dense`` and ``repair_success_rate``, and under ``repair`` all else.

    Raises:
        InputError: programs without a verdict, or no problem left.
    """
    view = view or RepairView()
    grown = read_grown(run)
    if not grown.trees:
        raise InputError(f"{run}: no trees left of {len(grown.flipped)} problems, since their verdicts flipped")
    verdicts = chosen_verdicts(grown.trees, view.verdicts)
    found = Found(grown, verdicts, view, seed)
    grid = found.grid()
    widths = found.widths(grid)
    points, dense = cells(grid, widths), cells(grid, found.dense(grid))
    return {
        "baseline": baseline(grid),
        "grid": points,
        "dense": dense,
        "repair_success_rate": found.success(list(grown.trees))["rate"],
        "repair": {
            **_settings(grid, view, verdicts),
            "problems": len(grown.trees),
            "possible": _possible(grid),
            "grown": found.grown_whole(),
            "success": found.success(list(grown.trees)),
            "by_difficulty": found.by_difficulty(widths),
            "hidden": found.hidden(widths),
            "diversity": diversity(grown, [*points, *dense], grid.most_programs, replacement=grid.replacement),
            "rounds": rounds(grown, verdicts),
            "controls": controls(grown),
            "as_grown": as_grown(grown, view.prices, seed=seed),
            "feedback": feedback_texts(grown),
            "spent": found.spent(),
            "rejudged": _rejudged(grown),
        },
    }


@dataclass(frozen=True, slots=True)
class Found:
    """Trees, whose verdicts count, and how they are looked at."""

    grown: Grown
    verdicts: Verdicts
    view: RepairView
    seed: int

    def grid(self, names: Sequence[str] | None = None, *, hidden: bool = False) -> Grid:
        """Return the cells of some problems' trees, of all by default."""
        trees, judged = self.grown.trees, self.grown.judged if hidden else None
        names = list(trees) if names is None else names
        prices = self.view.prices
        forest = forest_of(self.grown, names, self.verdicts, prices, judged)
        clusters = dict(zip(trees, self.grown.clusters, strict=True))
        budget: str = self.view.tokens if self.view.budget == "sampled" else self.view.budget
        if np.isnan(forest.firsts.costs[forest.firsts.here][:, AXES.index(budget)]).any():
            budget = "programs"  # nobody counted the tokens
        return Grid(
            forest,
            [clusters[name] for name in names],
            (*AXES, "programs"),
            self.view.tokens,
            budget,
            self.view.order,
            self.view.replacement == "with",
            self.view.trees if self.view.estimator == "bootstrap" else None,
            self.seed,
        )

    def widths(self, grid: Grid) -> list[Width]:
        """Return the cells asked for; by default those of the paper that the frozen trees allow, or the smallest."""
        most = grid.forest.most
        n_ps = self.view.n_p or [n for n in N_P if n <= most.n_p] or N_P[:1]
        n_frs = self.view.n_fr or [n for n in N_FR if n <= most.n_f or most.n_f < 0] or N_FR[:1]
        return [Width(n_p, n_fr, self.view.n_r) for n_p in n_ps for n_fr in n_frs]

    def dense(self, grid: Grid) -> list[Width]:
        """Return n_p = 1 ... 25 with one repair each, as far as the frozen trees allow."""
        if grid.forest.most.n_f == 0:
            return []
        return [Width(n_p, 1) for n_p in range(1, min(_DENSE, grid.most_programs) + 1)]

    def grown_whole(self) -> Record:
        """Return how many problems the trees solve as they were grown, and with first programs alone."""
        first = [any(root.passed(self.verdicts) for root in tree.roots) for tree in self.grown.trees.values()]
        every = [
            any(node.passed(self.verdicts) for node in tree.nodes.values() if node.has_program)
            for tree in self.grown.trees.values()
        ]
        return {"first": self._mean(first), "with_repair": self._mean(every)}

    def _mean(self, values: Sequence[bool]) -> Record:
        found = mean_interval([float(value) for value in values], clusters=self.grown.clusters, seed=self.seed)
        return {"value": found.value, "low": found.low, "high": found.high}

    def success(self, names: Sequence[str]) -> Record:
        """Return how many first-round repairs passed, of how many."""
        passed = [
            bool(node.passed(self.verdicts)) for name in names for _, node, _ in repairs_below(self.grown.trees[name])
        ]
        return {"passed": sum(passed), "repairs": len(passed), "rate": sum(passed) / len(passed) if passed else None}

    def by_difficulty(self, widths: Sequence[Width]) -> dict[str, Record]:
        """Return the grid of each level of difficulty apart; empty where the benchmark has no levels."""
        levels: dict[str, list[str]] = {}
        for name in self.grown.trees:
            if (level := self.grown.difficulty(name)) is not None:
                levels.setdefault(level, []).append(name)
        return {level: self._level(names, widths) for level, names in levels.items()}

    def _level(self, names: Sequence[str], widths: Sequence[Width]) -> Record:
        grid = self.grid(names)
        passed, there = grid.forest.firsts.passed & grid.forest.firsts.here, grid.forest.firsts.here
        first = float((passed.sum(axis=1) / there.sum(axis=1)).mean())
        return {"problems": len(names), "first": first, "success": self.success(names), "grid": cells(grid, widths)}

    def hidden(self, widths: Sequence[Width]) -> Record:
        """Return the cells when passing means the never-revealed checks alone, over problems that have any."""
        names = self.grown.hidden
        judged = any(key in self.grown.judged for name in names for key in self._keys(name))
        if not names or not judged:
            return {"problems": len(names), "baseline": [], "grid": []}
        grid = self.grid(names, hidden=True)
        return {"problems": len(names), "baseline": baseline(grid), "grid": cells(grid, widths)}

    def _keys(self, name: str) -> list[tuple[str, int, str]]:
        return [node.key for node in self.grown.trees[name].nodes.values()]

    def spent(self) -> Record:
        """Return what all trees together cost on every axis, every round of repairs included."""
        axes = (*AXES, "programs")
        nodes = [node for tree in self.grown.trees.values() for node in tree.nodes.values()]
        spent = np.asarray([(*costs(node, self.view.prices), float(node.has_program)) for node in nodes])
        return {name: None if np.isnan(v) else float(v) for name, v in zip(axes, spent.sum(axis=0), strict=True)}


def _settings(grid: Grid, view: RepairView, verdicts: Verdicts) -> Record:
    return {
        "order": view.order,
        "replacement": view.replacement,
        "estimator": view.estimator,
        "trees": grid.trees,
        "tokens": view.tokens,
        "budget": grid.budget,
        "verdicts": verdicts,
    }


def _possible(grid: Grid) -> Record:
    """Return how wide trees can be drawn from the frozen ones; None is without end."""
    most = grid.forest.most
    return {"n_p": most.n_p, "n_fr": None if most.n_f < 0 else most.n_f, "n_r": None if most.n_r < 0 else most.n_r}


def _rejudged(grown: Grown) -> Record:
    ways: Counter[str] = Counter()
    for _, first, again in grown.rejudged:
        ways[f"{'passed' if first else 'failed'} then {'passed' if again else 'failed'}"] += 1
    return {
        "programs": len(grown.rejudged),
        "passed_then_failed": ways["passed then failed"],
        "failed_then_passed": ways["failed then passed"],
        "left_out": grown.flipped,
    }
