"""Does CYCLE teach a small model to read what a failure says? Katas with an open choice, five seeds.

Run it with torch installed: ``python recipes/cycle_katas.py OUT [SEED ...]``; what lies in OUT is kept, and a killed
run goes on. Several may run side by side on other seeds once ``OUT/m0.refined.jsonl`` is there. ``--table`` prints what
is there; what we got, ``python recipes/cycle_katas.py recipes/outcomes/cycle --table``.

Data. katas:ambiguous-train to learn from (8,000 problems; 120 more for validation), the 300 of katas:ambiguous to
measure on, none of whose compositions or behaviours was learned.

Models. M_0 is ``tiny-base``. M_1: phase I on right programs. M_2: phase II, seven rows in ten show a wrong program of
M_1's and how it failed. M_1+: M_1 for as many further tokens without such rows. Every seed has its own of each but M_0,
and the last model of a training is the one that is kept.

Budget. A program is asked for once more, and only where the first failed: with its failure (refined), or afresh
(pass@2). Each model's temperatures are those that were best on validation.

Hypotheses; each is claimed only if the interval over seeds and problems leaves out 0:

1. Before training, for M_0 and M_1: refined - pass@2 is not above 0.
2. M_2 refined - pass@2 of M_2, of M_1 and of M_1+: each above 0.
3. M_2 told the truth - told what another problem's program was: above 0. The further rungs are reported.
4. pass@1 of M_2 is not lower than of M_1 and of M_1+, at temperature 0.2.

What the mask does to copies is asked in ``recipes/cycle_ablations.py``.

What came out, per cent of 300 problems; 95 % over seeds and problems; two of the five seeds have been run so far, each
in brackets. Of two seeds alone an interval is wide:

    | quantity                                         | all                  | seeds 0, 1   |
    |--------------------------------------------------|----------------------|--------------|
    | M_0 refined - its pass@2 (7.3), before phase I   | -2.1 [-3.3, -0.9]    | one model    |
    | M_1 pass@1 at 0.2                                | 32.0 [28.1, 35.8]    | 32.2, 31.7   |
    | M_1 pass@2                                       | 41.1 [37.5, 44.8]    | 40.7, 41.6   |
    | M_1 refined - its pass@2, before CYCLE           | -10.4 [-16.1, -4.6]  | -9.0, -11.8  |
    | M_2 pass@1 at 0.2                                | 35.1 [29.6, 40.7]    | 36.5, 33.8   |
    | M_2 pass@2                                       | 46.0 [41.3, 50.7]    | 47.1, 44.8   |
    | M_2 refined                                      | 59.3 [44.0, 74.7]    | 62.3, 56.3   |
    | M_2 refined - its pass@2                         | +13.3 [6.1, 20.6]    | 15.2, 11.5   |
    | M_2 refined - pass@2 of M_1                      | +18.2 [-0.2, 36.6]   | 21.7, 14.7   |
    | M_2 refined - pass@2 of M_1+ (44.4)              | +14.9 [8.7, 21.2]    | 16.5, 13.3   |
    | M_2 pass@1 - that of M_1                         | +3.2 [-1.5, 7.8]     | 4.3, 2.0     |
    | M_2 pass@1 - that of M_1+                        | +1.5 [-2.5, 5.5]     | 2.3, 0.7     |
    | told the truth - another problem's failure       | +15.3 [3.9, 26.8]    | 17.8, 12.8   |
    |   where there are two readings (134 problems)    | +4.7 [0.9, 8.5]      | 4.5, 4.9     |
    |   where there are three to six (166)             | +23.9 [-1.5, 49.3]   | 28.6, 19.3   |
    | told the truth - an error's name                 | +24.2 [20.4, 28.1]   | 25.0, 23.5   |
    | told the truth - nothing                         | +26.0 [20.2, 31.8]   | 27.5, 24.5   |
    | - the same problem's other wrong program's (204) | +3.2 [-0.7, 7.0]     | 2.2, 4.2     |
    | - another problem's wrong program, truth told    | +3.0 [0.5, 5.5]      | 3.0, 3.0     |
    | copies                                           | 14.8 [12.2, 17.3]    | 14.7, 14.8   |

So the failure is read, and mostly for what it says of the problem: any failure of it tells the reading, whichever wrong
program is shown beside. With two readings, that one failed says nearly enough.

Before, twice, all seeds had one M_1, and every model was the best of its checkpoints on the 120 problems of validation;
intervals were a bootstrap's, which is too sure of so few seeds. The first time (M_1 31.0 at once; five seeds, M_1+ on
three): M_2 refined - its pass@2 +13.2 (12.1 to 14.4), - that of M_1 +19.2 (15.7 to 24.2), - that of M_1+ +15.1 (11.7 to
19.8); truth - another problem's +11.9 (7.8 to 14.0); M_2 pass@1 - that of M_1 +1.6 (-0.8 to 4.3). The second time,
where phase I had been best at half of its steps (M_1 20.4 at once; four seeds): +7.7 (1.9 to 12.4), +25.3 (16.4 to
34.1), +5.8 (-3.5 to 12.5); +6.8 (2.2 to 10.7); +10.5 (7.8 to 12.1). From a weaker M_1 the gains are smaller, and what
was gained over plain further training was not distinguishable from nothing.

Phase II takes 4.1 M tokens, some 20 minutes of a core.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import cycle_parts as parts

from regreen.metrics import Estimate, interval_over_seeds
from regreen.train.cycle import cycle

SEEDS = 5
MODELS = {  # how phase II of each differs
    "m2": {},
    "m1+": {"pairs": {"share": 0.0}, "check": {"monitor": "pass@1"}},
}
MEASURED = "measured"  # the folder of what was measured, by model
RUNS = ("coolest", "fresh", "refined")  # of a model, those that are not for validation
RUNGS = ("within", "swapped", "named", "untold", "stranger")


def main() -> None:
    """Do what is not done yet, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("seeds", type=int, nargs="*", default=list(range(SEEDS)))
    parser.add_argument("--table", action="store_true", help="train and measure nothing")
    options = parser.parse_args()
    if not options.table:
        measure("tiny-base", options.out, "m0")
        for seed in options.seeds:
            one_seed(options.out, seed)
    table(options.out)


def one_seed(out: Path, seed: int) -> None:
    """Train and measure every model of a seed, unless it is done."""
    first = parts.phase_one(out / f"first-{seed}", seed=seed)
    measure(first["model"], out, f"m1-{seed}", seed)
    for name, differs in MODELS.items():
        config = parts.config_of(first, seed, **differs)
        found = cycle(config, out=out / f"{name}-{seed}", quiet=False)
        measure(f"hf:{found['checkpoint']}", out, f"{name}-{seed}", seed)


def measure(checkpoint: str, out: Path, name: str, seed: int = 0) -> None:
    """Choose temperatures on validation, then write, refine and write afresh on the problems that are measured on.

    What became of the programs is written beside, small enough to keep.
    """
    validation, measured = parts.problems(out)["validation"], parts.measured(out)
    folder = out / MEASURED / name
    for heat in parts.HEATS:
        parts.written(checkpoint, folder / f"heat-{heat}", heat=heat, benchmark=validation, n=4, seed=seed)
        for later in parts.HEATS:
            at = folder / f"heats-{heat}-{later}"
            parts.refined(checkpoint, at, heats=(heat, later), benchmark=validation, seed=seed, controls=())
    fresh, pair = best_heats(folder)
    (folder / "heats.json").write_text(json.dumps({"fresh": fresh, "refined": pair}))
    parts.written(checkpoint, folder / "coolest", heat=parts.HEATS[0], benchmark=measured, seed=seed)
    parts.written(checkpoint, folder / "fresh", heat=fresh, benchmark=measured, seed=seed)
    parts.refined(checkpoint, folder / "refined", heats=pair, benchmark=measured, seed=seed)
    for run in RUNS:
        parts.write_outcomes(folder / run, out / f"{name}.{run}.jsonl")


def best_heats(folder: Path) -> tuple[float, tuple[float, float]]:
    """Return the heat of the best pass@2 on validation, and those of first programs and refinements."""
    fresh = {heat: parts.mean(parts.pass_at(parts.read(folder / f"heat-{heat}"), 2)) for heat in parts.HEATS}
    pairs = {
        (heat, later): parts.mean(parts.solved(parts.read(folder / f"heats-{heat}-{later}")))
        for heat, later in product(parts.HEATS, repeat=2)
    }
    return max(fresh, key=fresh.__getitem__), max(pairs, key=pairs.__getitem__)


class Reader:
    """Reads what became of the programs: values by problem of a model, for one seed."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.seeds = [seed for seed in range(100) if all(self._file(name, seed).exists() for name in MODELS)]
        self.problems = {problem.id: problem.meta for problem in parts.measured_problems()}

    def _file(self, name: str, seed: int, run: str = "refined") -> Path:
        called = name if name == "m0" else f"{name}-{seed}"  # no seed decides anything of m0
        return self._out / f"{called}.{run}.jsonl"

    @cache  # noqa: B019  (one reader for a table)
    def _of(self, name: str, seed: int, run: str) -> parts.Outcomes:
        return parts.Outcomes.of(self._file(name, seed, run))

    def pass_1(self, name: str, seed: int) -> parts.Values:
        return parts.pass_at(self._of(name, seed, "coolest").passed, 1)

    def pass_2(self, name: str, seed: int) -> parts.Values:
        return parts.pass_at(self._of(name, seed, "fresh").passed, 2)

    def refined(self, name: str, seed: int) -> parts.Values:
        return parts.solved(self._of(name, seed, "refined").passed)

    def told_less(self, role: str, seed: int) -> parts.Values:
        return parts.told_less(self._of("m2", seed, "refined").passed, role)

    def copies(self, name: str, seed: int) -> parts.Values:
        return self._of(name, seed, "refined").copied


def table(out: Path) -> None:
    """Print each quantity and each difference, over seeds and problems, and each seed's."""
    reader = Reader(out)
    if not reader.seeds:
        print("nothing is there yet")
        return
    ways = {"two readings": lambda n: n == 2, "more": lambda n: n > 2, "all": lambda n: n > 1}
    for title, wanted in ways.items():
        names = [name for name, meta in reader.problems.items() if wanted(len(meta["readings"]))]
        print(f"\n{title}: {len(names)} problems, {len(reader.seeds)} seeds; per cent, each seed in brackets")
        for label, values in lines(reader):
            print(f"{label:<48} {said(values, names, reader, parts.DIFFERENCES if ' - ' in label else parts.RATES)}")


def lines(reader: Reader) -> Iterator[tuple[str, list[parts.Values]]]:
    """Yield each line of the table: what it is, and its values of every seed by problem."""

    def each(read: Callable[[str, int], parts.Values], name: str) -> list[parts.Values]:
        return [read(name, seed) for seed in reader.seeds]

    for name in ("m0", "m1", *MODELS):
        yield f"{name} pass@1 at {parts.HEATS[0]}", each(reader.pass_1, name)
        yield f"{name} pass@2", each(reader.pass_2, name)
        yield f"{name} refined", each(reader.refined, name)
    for name in ("m0", "m1", "m2"):
        yield f"{name} refined - its pass@2", less(each(reader.refined, name), each(reader.pass_2, name))
    for name in ("m1", "m1+"):
        yield f"m2 refined - {name} pass@2", less(each(reader.refined, "m2"), each(reader.pass_2, name))
        yield f"m2 pass@1 - {name} pass@1", less(each(reader.pass_1, "m2"), each(reader.pass_1, name))
    for rung in RUNGS:
        yield f"m2 told the truth - {rung}", each(reader.told_less, rung)
    yield "m2 copies", each(reader.copies, "m2")


def less(these: Iterable[parts.Values], those: Iterable[parts.Values]) -> list[parts.Values]:
    """Return the differences of every seed."""
    return [parts.less(a, b) for a, b in zip(these, those, strict=True)]


def said(values: Sequence[parts.Values], names: Sequence[str], reader: Reader, bounds: tuple[float, float]) -> str:
    """Return the mean with its interval, and each seed's; a problem that not every seed has is left out."""
    kept = [name for name in names if all(name in of for of in values)]
    rows = [[of[name] for name in kept] for of in values]
    labels = [reader.problems[name]["cluster"] for name in kept]
    found: Estimate = interval_over_seeds(rows, clusters=labels, bounds=bounds)
    seeds = ", ".join(f"{100 * sum(row) / len(row):+.1f}" for row in rows)
    return f"{parts.points(found)}  ({seeds}) on {len(kept)}"


if __name__ == "__main__":
    main()
