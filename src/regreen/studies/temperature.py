"""Which temperature for which budget: pass@k over a grid of temperatures, and the best one for every k.

Source: Chen et al. 2021 (arXiv 2107.03374), section 3.3 and figure 5; Austin et al. 2021 (arXiv 2108.07732), section 4.

Differences from the paper:
- The best temperature of a k is chosen on half of the problems and its score is that of the other half; the papers
  choose and report on the same problems, which the curve of all of them shows beside.
- Austin et al. count the problems that some of 80 programs solves; that is pass@k at k = n here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from regreen.errors import InputError
from regreen.metrics import Estimate
from regreen.records import Record
from regreen.studies.asking import Study
from regreen.studies.finding import Cell, finding, plot, table
from regreen.summary import View


def temperature(study: Study, *, ks: Sequence[int] = ()) -> Record:
    """Return pass@k at each temperature of the study's sampling, and the best temperature for every k.

    Args:
        study: who is asked; its sampling names the temperatures and how many programs each gets.
        ks: the budgets; by default 1, 2, 5, 10, ... up to the number of programs.

    Raises:
        InputError: fewer than two temperatures, or a budget above the number of programs.
    """
    sampling = study.sampling
    ks = tuple(ks) or tuple(k for k in (1, 2, 5, 10, 20, 50, 80, 100, 200) if k <= sampling.n)
    if len(sampling.temperatures) < 2:
        raise InputError(f"--temperature {sampling.temperatures[0]:g}: give several, as 0.2,0.4,0.8")
    if max(ks) > sampling.n:
        raise InputError(f"-k {max(ks)} needs -n {max(ks)} programs for each problem, not {sampling.n}")
    run = study.run("programs", view=View(tuple(ks), seed=sampling.seed, held_out=True))
    grid: Mapping[str, Record] = run["by_temperature"]
    return study.found(
        finding(
            "temperature",
            benchmark=run["benchmark"],
            tables=[_table(grid, run["best_temperature"], ks)],
            plots=[_plot(grid, ks)],
            problems=run["problems"],
            programs=run["programs"],
            grid=grid,
            best=run["best_temperature"],
        )
    )


def _table(grid: Mapping[str, Record], best: Record, ks: Sequence[int]) -> Record:
    names = [f"pass@{k}" for k in ks]
    rows: list[list[Cell]] = [[at, *(_estimate(scores[name]) for name in names)] for at, scores in grid.items()]
    rows.append(["the best", *(_chosen(best[name]) for name in names)])
    rows.append(["pass@k at the best", *(_estimate(best[name]) for name in names)])
    chosen_on, others = (best[names[0]][part] for part in ("chosen_on", "problems"))
    notes = [f"the best is chosen on {chosen_on} of the problems, its pass@k is that of the {others} others"]
    return table("Temperature and budget", ["temperature", *names], rows, notes=notes)


def _chosen(found: Record) -> str | None:
    return None if found["temperature"] is None else f"{found['temperature']:g}"


def _estimate(found: Record) -> Estimate | None:
    return None if found["value"] is None else Estimate(found["value"], found["low"], found["high"])


def _plot(grid: Mapping[str, Record], ks: Sequence[int]) -> Record:
    lines = {
        at: [(k, found) for k in ks if (found := _estimate(scores[f"pass@{k}"])) is not None]
        for at, scores in grid.items()
    }
    return plot("Temperature and budget", lines, x="k, programs for each problem", y="pass@k, %", log=True)
