"""Which part of CYCLE makes a model read its feedback? One part at a time, on katas with the tiny model.

Run it with torch installed: ``python recipes/cycle_ablations.py OUT [NAME ...] [--seeds 0 1 2 3 4]``; NAME is one of
``ABLATIONS``, all of them unless given; without seeds, seed 0. OUT is a new folder, or that of
``recipes/cycle_katas.py``, with its models of phase I and their programs. What is there is kept; ``--table`` prints
it. What we got is printed by ``python recipes/cycle_ablations.py recipes/outcomes/cycle --table``.

Each is trained for a quarter as long as there and measured on the 300 problems of katas:ambiguous, two programs each at
temperature 0.6, one refinement at 0.6: fixed for all, so that nothing is chosen. The cell that is called the best is
chosen on half of the problems and reported on the other.

Hypotheses, metrics and directions (Ding et al. 2024, and what the controls are for):

1. full refines better than each of no-code, no-feedback and name: refined - fresh, paired over problems.
2. The feedback's effect (true - swapped) is above 0 for full, and lower for values, which leaves the difference out.
3. mask-0 ends in copies more often than full.
4. One-shot pass@1: share-100 is below full; share-0 refines no better than its fresh programs.
5. own wrong programs teach more than those that the model did not write (others: the other readings, told nothing of).

What came out, of full and mask-0 on five seeds, each in brackets (the others have not been run; seeds 3 and 4 have
another M_1 than the first three, trained on another processor, and none has that of ``recipes/cycle_katas.py``):

    | per cent of 300 problems | full                                             | mask-0                   |
    |--------------------------|--------------------------------------------------|--------------------------|
    | pass@1                   | 24.8 [21.6, 28.0]                                | 26.2 [22.6, 29.8]        |
    | refined                  | 39.7 [35.9, 43.5] (41.7, 38.3, 41.0, 40.7, 36.8) | 40.1 [35.8, 44.4]        |
    | refined - fresh          | +1.3 [-1.6, 4.1] (3.7, 2.3, 2.0, 0.3, -2.0)      | +1.0 [-1.8, 3.8]         |
    | true - swapped           | +2.0 [-0.8, 4.8] (5.0, 3.0, 2.3, -0.3, -0.2)     | +1.7 [-0.1, 3.5]         |
    | copies                   | 13.0 [11.1, 14.9] (14.0, 12.5, 13.8, 12.0, 12.5) | 19.2 [14.5, 23.8]        |

Without the mask +6.2 [2.1, 10.3] more chains end in a copy (6.8, 11.2, 7.0, 2.5, 3.5): hypothesis 3 holds on five
seeds. What it does to the success of refining cannot be told apart from nothing: +0.4 [-3.4, 4.2]. A quarter of the
training is too little for refining to beat fresh programs, or for feedback to be read, which the whole of it does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import cycle_parts as parts

from regreen.metrics import interval_over_seeds, mean_interval
from regreen.refine import Telling
from regreen.train.cycle import cycle

STEPS, HEATS = 250, (0.6, 0.6)
CONTROLS = ("resample", "swapped", "within")
DIFFERENCES = ("pass@1", "refined", "copies")
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
    options = parts.asked(__doc__, ABLATIONS, seeds=True)
    for name, seed in [] if options.table else product(options.names, options.seeds):
        ablate(options.out, name, seed)
    table([cell for name in ABLATIONS if (cell := Cell(name, options.out)).seeds])


def ablate(out: Path, name: str, seed: int) -> None:
    """Train one configuration and refine with it, told as it was taught."""
    first = parts.phase_one(out / f"first-{seed}", seed=seed)
    config = parts.config_of(first, seed, **{**ABLATIONS[name], "batch": {"steps": STEPS}})
    folder = out / "ablations" / f"{name}-{seed}"
    found = cycle(config, out=folder, quiet=False)
    pairs = config.pairs
    run = parts.refined(
        f"hf:{found['checkpoint']}", folder / "refined",
        heats=HEATS, benchmark=parts.measured(out), controls=CONTROLS, seed=seed,
        telling=Telling(pairs.feedback, pairs.code), template=pairs.template or parts.REFINE,
    )  # fmt: skip
    parts.write_outcomes(run, out / f"{name}-{seed}.jsonl")


class Cell:
    """What one configuration came to: of every seed that is there, by problem."""

    def __init__(self, name: str, out: Path) -> None:
        self.name = name
        files = (out / f"{name}-{seed}.jsonl" for seed in range(100))
        self.seeds = [parts.Outcomes.of(file) for file in files if file.exists()]

    @property
    def clusters(self) -> Mapping[str, str]:
        return self.seeds[0].clusters

    @cached_property
    def columns(self) -> dict[str, list[parts.Values]]:
        """Return each number of the table, by problem, of every seed."""
        each = [_columns(seed) for seed in self.seeds]
        return {name: [columns[name] for columns in each] for name in each[0]}


def _columns(found: parts.Outcomes) -> dict[str, parts.Values]:
    refined, fresh = parts.solved(found.passed), parts.solved(found.passed, "resample")
    return {
        "pass@1": parts.solved(found.passed, "none"),
        "refined": refined,
        "refined - fresh": parts.less(refined, fresh),
        "true - swapped": parts.told_less(found.passed, "swapped"),
        "true - within": parts.told_less(found.passed, "within"),
        "copies": found.copied,
    }


def table(cells: list[Cell]) -> None:
    """Print every cell, each less the full one, then the best on half of the problems as it does on the other half."""
    if not cells:
        print("nothing is there yet")
        return
    print("per cent; 95 % over compositions, and seeds where there are several (each in brackets)")
    for cell in cells:
        columns = (f" {name} {said(cell, seeds, bounds(name))}" for name, seeds in cell.columns.items())
        print(f"{cell.name:<12}" + "".join(columns))
    full = next((cell for cell in cells if cell.name == "full"), cells[0])
    for cell in cells:
        if cell is not full:
            lost = (f" {n} {said(full, less(cell, full, n), parts.DIFFERENCES)}" for n in DIFFERENCES)
            print(f"{cell.name} - {full.name}:" + "".join(lost))
    best_on_half(cells, full)


def less(cell: Cell, full: Cell, column: str) -> list[parts.Values]:
    """Return a column of one cell less that of another, over the seeds that both have."""
    return [parts.less(a, b) for a, b in zip(cell.columns[column], full.columns[column], strict=False)]


def best_on_half(cells: list[Cell], full: Cell) -> None:
    """Print the cell that refines best on half of the problems, and what it gains over ``full`` on the other half."""
    half = set(sorted(full.clusters)[1::2])
    refined = {cell: cell.columns["refined"][0] for cell in cells}
    best = max(cells, key=lambda cell: parts.mean({n: v for n, v in refined[cell].items() if n in half}))
    gained = {n: v - refined[full][n] for n, v in refined[best].items() if n not in half}
    beyond = said(full, [gained], parts.DIFFERENCES)
    print(f"best on half, of seed 0: {best.name}; on the other it refines {beyond} beyond full")


def bounds(column: str) -> tuple[float, float]:
    """Return the least and greatest value of a column."""
    return parts.DIFFERENCES if " - " in column else parts.RATES


def said(cell: Cell, seeds: list[parts.Values], within: tuple[float, float]) -> str:
    """Return a mean with its interval, and each seed's where there are several."""
    names = [name for name in seeds[0] if all(name in seed for seed in seeds)]
    rows, labels = [[seed[name] for name in names] for seed in seeds], [cell.clusters[name] for name in names]
    if len(rows) > 1:
        each = ", ".join(f"{100 * sum(row) / len(row):.1f}" for row in rows)
        return f"{parts.points(interval_over_seeds(rows, clusters=labels, bounds=within))} ({each})"
    return parts.points(mean_interval(rows[0], clusters=labels, bounds=within))


if __name__ == "__main__":
    main()
