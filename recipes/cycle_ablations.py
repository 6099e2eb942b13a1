"""Which part of CYCLE makes a model read its feedback? One part at a time, on katas with the tiny model.

Run it with torch installed: ``python recipes/cycle_ablations.py OUT [NAME ...]``; NAME is one of ``ABLATIONS``, all of
them unless given. OUT is that of ``recipes/cycle_katas.py``, whose model of phase I and programs all share; what is
there is kept. ``--table`` prints what is there.

Each is trained for half as long as there, once, and measured on the 300 problems of katas:ambiguous, two programs each
at temperature 0.6, one refinement at 0.6: fixed for all, so that nothing is chosen. The cell that is called the best is
chosen on half of the problems and reported on the other.

Hypotheses, metrics and directions (Ding et al. 2024, and what the controls are for):

1. full refines better than each of no-code, no-feedback and name: refined - fresh, paired over problems.
2. The feedback's effect (true - swapped) is above 0 for full, and lower for values, which leaves the difference out.
3. mask-0 ends in copies more often than full.
4. One-shot pass@1: share-100 is below full; share-0 refines no better than its fresh programs.
5. own wrong programs teach more than those that the model did not write (others: the other readings, told nothing of).

Status: not run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import cycle_parts as parts

from regreen.metrics import mean_interval, paired_difference
from regreen.refine import Telling
from regreen.train.cycle import cycle

STEPS, HEATS = 500, (0.6, 0.6)
CONTROLS = ("resample", "swapped", "within")
ABLATIONS: dict[str, dict[str, dict[str, Any]]] = {  # what differs, by table
    "full": {},
    "no-code": {"pairs": {"code": False}},
    "no-feedback": {"pairs": {"feedback": "none"}},
    "name": {"pairs": {"feedback": "name"}},
    "values": {"pairs": {"feedback": "full"}},
    "plain": {"pairs": {"template": "refine-plain"}, "mask": {"ratio": 0.0}},
    "mask-0": {"mask": {"ratio": 0.0}},
    "mask-15": {"mask": {"ratio": 0.15}},
    "mask-60": {"mask": {"ratio": 0.6}},
    "mask-block": {"mask": {"region": "block"}},
    "mask-once": {"mask": {"redraw": False}},
    "share-0": {"pairs": {"share": 0.0}},
    "share-50": {"pairs": {"share": 0.5}},
    "share-75": {"pairs": {"share": 0.75}},
    "share-100": {"pairs": {"share": 1.0}},
    "random": {"pairs": {"select": "random"}},
    "bm25": {"pairs": {"select": "bm25"}},
    "others": {"pairs": {"wrong": "human"}},
}


def main() -> None:
    """Train and measure what is not there yet, then print the table."""
    options = parts.asked(__doc__, ABLATIONS)
    for name in [] if options.table else options.names:
        ablate(options.out, name)
    table(
        [Cell(name, options.out) for name in ABLATIONS if Cell(name, options.out).run.joinpath("scores.json").exists()]
    )


def ablate(out: Path, name: str) -> None:
    """Train one configuration and refine with it, told as it was taught."""
    first = parts.phase_one(out / "first")
    config = parts.config_of(first, 0, **{**ABLATIONS[name], "batch": {"steps": STEPS}})
    found = cycle(config, out=Cell(name, out).folder, quiet=False)
    pairs = config.pairs
    parts.refined(
        f"hf:{found['checkpoint']}", Cell(name, out).run,
        heats=HEATS, benchmark=parts.measured(out), controls=CONTROLS,
        telling=Telling(pairs.feedback, pairs.code), template=pairs.template or parts.REFINE,
    )  # fmt: skip


class Cell:
    """What one configuration came to, by problem."""

    def __init__(self, name: str, out: Path) -> None:
        self.name = name
        self.folder = out / "ablations" / name
        self.run = self.folder / "refined"

    @cached_property
    def passed(self) -> parts.Passed:
        return parts.read(self.run)

    @cached_property
    def clusters(self) -> Mapping[str, str]:
        return parts.clusters(self.run)

    @property
    def columns(self) -> dict[str, parts.Values]:
        """Return each number of the table, by problem."""
        first = parts.solved(self.passed, "none")
        refined, fresh = parts.solved(self.passed), parts.solved(self.passed, "resample")
        return {
            "pass@1": first,
            "refined": refined,
            "refined - fresh": parts.less(refined, fresh),
            "true - swapped": parts.told_less(self.passed, "swapped"),
            "true - within": parts.told_less(self.passed, "within"),
            "copies": parts.copies_of(self.run),
        }


def table(cells: list[Cell]) -> None:
    """Print every cell, then the one that is the best on half of the problems as it does on the other half."""
    if not cells:
        print("nothing is there yet")
        return
    print("per cent; 95 % bootstrap over compositions; one training each")
    for cell in cells:
        print(f"{cell.name:<12}" + "".join(f" {name} {said(cell, values)}" for name, values in cell.columns.items()))
    half = {name for at, name in enumerate(sorted(cells[0].clusters)) if at % 2}
    refined = {cell: cell.columns["refined"] for cell in cells}
    best = max(cells, key=lambda cell: parts.mean({n: v for n, v in refined[cell].items() if n in half}))
    others = [name for name in refined[best] if name not in half]
    full = next((cell for cell in cells if cell.name == "full"), best)
    labels = [best.clusters[name] for name in others]
    gained = paired_difference([refined[full][n] for n in others], [refined[best][n] for n in others], clusters=labels)
    print(f"best on half: {best.name}; on the other it refines {parts.points(gained)} beyond full")


def said(cell: Cell, values: parts.Values) -> str:
    """Return a mean with its interval."""
    bounds = (-1.0, 1.0) if min(values.values(), default=0.0) < 0 else (0.0, 1.0)
    found = mean_interval([*values.values()], clusters=[cell.clusters[name] for name in values], bounds=bounds)
    return parts.points(found)


if __name__ == "__main__":
    main()
