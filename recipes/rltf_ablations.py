"""Which settings of RLTF matter for the tiny model? One at a time, on katas; and does what it learned carry over?

Run it with torch installed: ``python recipes/rltf_ablations.py OUT [NAME ...] [--seeds 0 1 2 3 4]``; NAME is one of
``ABLATIONS``, all of them unless given; without seeds, seed 0. OUT may be that of ``recipes/rltf_katas.py``, whose
start and corpus all have; what is there is kept. ``--table`` prints what is there. The parts of the reward, offline
and online are runs of that recipe.

Each is trained as long as there, and its last model measured, ten programs each at temperature 0.8: the 400 problems of
katas:test, and, zero-shot, the 300 of katas:ambiguous, whose statements leave a choice open and of whose kind nothing
was trained on. The cell that is called the best is chosen on half of the problems of katas:test and reported on the
other.

Hypotheses, metrics and directions (Liu et al. 2023, their ablations), each a difference in pass@1 from ``full``; one
seed suggests, five claim:

1. Every penalty in {-0.1, -0.2, -0.4, -0.5} is above that of 0, full's own of -0.3 too.
2. A hotter drawing (1.0, full's) trains better than a colder one (0.2).
3. alpha capped at 10, as full's is, trains better than the code's 1.
4. Zero-shot pass@1 rises over the start where pass@1 does.

Status: not run.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from itertools import product
from pathlib import Path
from statistics import fmean as mean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import cycle_parts as parts
import rltf_katas as recipe

from regreen.evaluate import Choice, Sampling, evaluate
from regreen.metrics import interval_over_seeds
from regreen.models import open_model

LOO = {"baseline": "leave-one-out"}
ABLATIONS: dict[str, dict[str, dict[str, Any]]] = {  # what differs from the recipe's ``loo``, by table
    "full": {},
    **{f"penalty-{tenths}": {"method": {"penalty": -tenths / 10}} for tenths in (0, 1, 2, 4, 5)},
    **{f"heat-{heat}": {"draw": {"temperature": heat}} for heat in (0.2, 0.6, 1.4)},
    "heat-range": {"draw": {"temperature": [0.6, 1.0]}},
    "alpha-1": {"method": {"alpha": 1.0}},
    "best-so-far": {"method": {"baseline": "best-so-far"}},
    "no-ratio": {"method": {"ratio": 0.0}},
    "kl": {"method": {"kl": 0.05}},
    "analysed": {"method": {"analysed": 1.0}},
    "difficulty": {"draw": {"order": "difficulty"}},
    "share-0": {"supervised": {"share": 0.0}},
    "share-75": {"supervised": {"share": 0.75}},
}
ZERO_SHOT = "zero-shot"
MEASURED = {"test": "katas:test", ZERO_SHOT: "katas:ambiguous"}
N, HEAT = 10, 0.8


def main() -> None:
    """Train and measure what is not there yet, then print the table."""
    options = parts.asked(__doc__, ABLATIONS, seeds=True)
    if not options.table:
        measure(recipe.start(options.out), options.out, recipe.START)
        for name, seed in product(options.names, options.seeds):
            folder = options.out / f"ablation-{name}-{seed}" / "run"
            found = recipe.train(told_of(name, seed, options.out), folder)
            measure(recipe.last(found), options.out, f"{name}-{seed}", seed)
    table(options.out)


def told_of(name: str, seed: int, out: Path) -> dict[str, Any]:
    """Return what the training of a cell is told."""
    differs = {**ABLATIONS[name], "method": {**LOO, **ABLATIONS[name].get("method", {})}}
    return recipe.reinforced(differs, seed, out, rate=recipe.RATES["loo"], steps=recipe.BASE["batch"]["steps"])


def measure(place: str, out: Path, name: str, seed: int = 0) -> None:
    """Write programs for what is measured on, and keep what became of them."""
    sampling = Sampling(N, (HEAT,), 1.0, recipe.TOKENS, prompt="codex", seed=seed)
    for which, benchmark in MEASURED.items():
        run = out / f"ablation-{name}" / which
        evaluate(benchmark, open_model(place), sampling=sampling, choice=Choice(), out=run, quiet=False)
        parts.write_outcomes(run, outcomes(out, name, which))


def outcomes(out: Path, name: str, which: str) -> Path:
    """Return the file of what became of the programs of a cell, or of the start."""
    return out / f"ablation-{name}.{which}.jsonl"


class Cell:
    """What a cell's seeds came to that are there: pass@1 by problem, of each benchmark."""

    def __init__(self, out: Path, name: str) -> None:
        self.name = name
        called = [name] if name == recipe.START else [f"{name}-{seed}" for seed in range(100)]
        there = [each for each in called if outcomes(out, each, ZERO_SHOT).exists()]
        found = {which: [parts.Outcomes.of(outcomes(out, each, which)) for each in there] for which in MEASURED}
        self.clusters = {which: of[0].clusters for which, of in found.items() if of}
        self.pass_1 = {which: [parts.pass_at(each.passed, 1) for each in of] for which, of in found.items()}

    def said(self) -> str:
        """Return each benchmark's mean with its interval."""
        return "".join(f" {which} {self._interval(which, of, parts.RATES)}" for which, of in self.pass_1.items())

    def less(self, other: Cell) -> str:
        """Return the same of its differences from another cell, over the seeds that both have; or from the start."""
        gains = ""
        for which, these in self.pass_1.items():
            those = other.pass_1[which] * (len(these) if other.name == recipe.START else 1)
            gains += f" {which} {self._interval(which, list(map(parts.less, these, those)), parts.DIFFERENCES)}"
        return gains

    def on(self, names: Collection[str]) -> str:
        """Return the first benchmark's mean on some problems."""
        first = next(iter(MEASURED))
        there = [{n: v for n, v in of.items() if n in names} for of in self.pass_1[first]]
        return self._interval(first, there, parts.RATES)

    def _interval(self, which: str, seeds: list[parts.Values], bounds: tuple[float, float]) -> str:
        labels = [self.clusters[which][name] for name in seeds[0]]
        return parts.points(interval_over_seeds([[*of.values()] for of in seeds], clusters=labels, bounds=bounds))


def table(out: Path) -> None:
    """Print every cell and its differences, then the best on half of the problems as it does on the other half."""
    start, *cells = (Cell(out, name) for name in (recipe.START, *ABLATIONS))
    cells = [cell for cell in cells if cell.clusters]
    if not cells:
        print("nothing is there yet")
        return
    print("pass@1, per cent; 95 % over seeds and compositions")
    print(f"{start.name:<12}{start.said()}")
    for cell in cells:
        print(f"{cell.name:<12}{cell.said()}")
        for other in (start, *cells[:1]):
            if other is not cell:
                print(f"{'':<12}- {other.name}{cell.less(other)}")
    first = next(iter(MEASURED))
    half = set(sorted(start.clusters[first])[1::2])
    best = max(cells, key=lambda cell: mean(v for of in cell.pass_1[first] for n, v in of.items() if n in half))
    print(f"best on half: {best.name}; on the other {best.on(start.clusters[first].keys() - half)}")


if __name__ == "__main__":
    main()
