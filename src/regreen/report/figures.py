"""Which figures a report has: those of the papers, as data that is drawn in a page or in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from regreen.metrics import Estimate
from regreen.records import Record
from regreen.report.refined_tables import RUNGS
from regreen.report.runs import load
from regreen.report.training import is_training
from regreen.studies.finding import Point, plot
from regreen.summary import View, summarise
from regreen.verdict import Outcome

_KS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 1000)
_COSTS = {"sampled": "tokens sampled", "total": "tokens, read and sampled", "price": "price", "calls": "calls"}
_MIX = ("passed", "category/failure", "category/error", "category/syntax")


def figures(found: Record) -> list[Record]:
    """Return the plots of what :func:`regreen.report.report` returned, in the form of studies' plots."""
    if "study" in found:
        return list(found["plots"])
    runs = found.get("runs", [found])
    scored = [run for run in runs if "scores" in run and run["programs"]]
    made = [*_curves(scored), *_outcomes(scored)]
    for run in runs:
        own = [*_temperatures(run), *_trees(run), *_rounds(run), *_turns(run), *_ranks(run), *_training(run)]
        made += [{**figure, "title": f"{figure['title']}: {_name(run)}"} for figure in own] if len(runs) > 1 else own
    drawn = [{**figure, "lines": [line for line in figure["lines"] if line["points"]]} for figure in made]
    return [figure for figure in drawn if figure["lines"]]


def _name(run: Record) -> str:
    return Path(run["run"]).name


def _estimate(found: Record | None) -> Estimate | None:
    if found is None or found.get("value") is None:
        return None
    return Estimate(found["value"], found["low"], found["high"])


def _points(pairs: Iterator[tuple[float | str, Record | None]]) -> list[Point]:
    return [(x, y) for x, found in pairs if (y := _estimate(found)) is not None]


def _curves(runs: Sequence[Record]) -> Iterator[Record]:
    """Yield pass@k against k, a line for each run."""
    lines = {_name(run): _curve(Path(run["run"])) for run in runs}
    if any(len(line) > 1 for line in lines.values()):
        yield plot("pass@k", lines, x="k, programs for each problem", y="pass@k, %", log=True)


def _curve(run: Path) -> list[Point]:
    data = load(run)
    most = min((problem.programs for problem in data.counts.problems.values()), default=0)
    ks = tuple(sorted({k for k in _KS if k <= most} | {most} - {0}))
    scores = summarise(data.manifest, data.counts, View(ks))["scores"] if ks else {}
    return _points((int(name.removeprefix("pass@")), found) for name, found in scores.items())


def _outcomes(runs: Sequence[Record]) -> Iterator[Record]:
    names = [outcome.value for outcome in Outcome if any(run["outcomes"][outcome.value] for run in runs)]
    lines: dict[str, list[Point]] = {
        _name(run): [(name, run["outcomes"][name] / run["programs"]) for name in names] for run in runs
    }
    if names:
        yield plot("Outcomes", lines, x="", y="% of programs", kind="bar")


def _temperatures(run: Record) -> Iterator[Record]:
    grid = run.get("by_temperature", {})
    names = list(dict.fromkeys(name for scores in grid.values() for name in scores))
    lines = {name: _points((float(heat), scores.get(name)) for heat, scores in grid.items()) for name in names}
    if grid:
        yield plot("Temperatures", lines, x="temperature", y="%")


def _trees(run: Record) -> Iterator[Record]:
    """Yield pass@t: each cell and the baseline by what they cost; and the cells' rates over the baseline's.

    A cell that costs more than the baseline reaches has None for its number; one that is not known is left out.
    """
    if "grid" not in run or "refine" in run:
        return
    axis = run["repair"]["budget"]
    cells = {f"n_fr = {n}": [c for c in run["grid"] if c["n_fr"] == n] for n in {c["n_fr"]: 0 for c in run["grid"]}}
    lines = {"fresh programs": _costed(run["baseline"], axis), **{n: _costed(c, axis) for n, c in cells.items()}}
    yield plot("pass@t", lines, x=_COSTS.get(axis, axis), y="problems solved, %", kind="scatter")
    rows: dict[str, list[Point]] = {}
    for cell in run["grid"]:
        if cell["beyond"] or cell["normalised"] is not None:
            rows.setdefault(f"n_p = {cell['n_p']}", []).append((f"n_fr = {cell['n_fr']}", cell["normalised"]))
    yield plot("Over the baseline at equal budget", rows, x="", y="times; *: beyond it", kind="heat", unit="1")


def _costed(cells: Sequence[Record], axis: str) -> list[Point]:
    return [
        (cell["costs"][axis], Estimate(cell["pass"], cell["low"], cell["high"]))
        for cell in cells
        if cell["pass"] is not None and cell["costs"][axis] is not None
    ]


def _rounds(run: Record) -> Iterator[Record]:
    """Yield refinement round by round, and what each control comes to."""
    if "refine" not in run:
        return
    about = run["refine"]
    lines = {
        name: _points((line["round"], line[arm]) for line in about["rounds"])
        for name, arm in (("refined", "refined"), ("fresh programs", "resampled"))
    }
    yield plot("Refinement", lines, x="round", y="solved by then, %")
    rungs = {name: rung for name, rung in about["ladder"].items() if name in RUNGS}
    told = {
        "told the truth": _points((RUNGS[name], rung["true"]) for name, rung in rungs.items()),
        "told this": _points((RUNGS[name], rung["rate"]) for name, rung in rungs.items()),
    }
    yield plot("Controls", told, x="", y="first refinements that pass, %", kind="bar")


def _turns(run: Record) -> Iterator[Record]:
    turns = run.get("dialog", {}).get("turns", [])
    lines = {
        "with hints": _points((line["turn"], line["pass"]) for line in turns),
        "fresh programs": _points((line["turn"], line.get("control")) for line in turns),
    }
    if turns:
        yield plot("Dialog", lines, x="turn", y="problems solved by then, %")


def _ranks(run: Record) -> Iterator[Record]:
    rankers = run.get("ranks", {}).get("rankers", {})
    lines = {name: _points((p["k"], p) for p in ranker["curve"]) for name, ranker in rankers.items()}
    if rankers:
        yield plot("One program chosen of k", lines, x="k", y="that pass, %", log=True)


def _training(run: Record) -> Iterator[Record]:
    """Yield the course of a training: its loss, its checks, and of an online one what was drawn."""
    if not is_training(run):
        return
    yield plot("Loss", {"training": [(step, loss) for step, loss in run["course"]]}, x="step", y="", unit="1")
    held_out = {name: [(c["step"], c[name]) for c in run["checks"] if name in c] for name in _checked(run)}
    losses = {name: held_out.pop(name) for name in [*held_out] if "loss" in name}
    yield plot("Held-out problems", held_out, x="step", y="%")
    yield plot("Held-out loss", losses, x="step", y="", unit="1")
    draws = run["draws"]
    mix: dict[str, list[Point]] = {
        name.removeprefix("category/"): [(d["step"], d.get(name, 0.0)) for d in draws] for name in _MIX
    }
    yield plot("Programs drawn", mix if draws else {}, x="step", y="% of programs", kind="stack")
    names = sorted({name for draw in draws for name in draw if name.startswith("reward/")})
    rewards: dict[str, list[Point]] = {
        name.removeprefix("reward/"): [(d["step"], d[name]) for d in draws if name in d] for name in names
    }
    yield plot("Mean reward", rewards, x="step", y="", unit="1")


def _checked(run: Record) -> list[str]:
    return list(dict.fromkeys(name for check in run["checks"] for name in check if name not in ("step", "seconds")))
