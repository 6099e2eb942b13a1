"""Does CYCLE teach a small model to read what a failure says? Katas with an open choice, five seeds.

Run it with torch installed: ``python recipes/cycle_katas.py OUT [SEED ...]``; what lies in OUT is kept, and a killed
run goes on. Several may run side by side on other seeds once ``OUT/m1`` is measured. ``--table`` prints what is there;
what we got, ``python recipes/cycle_katas.py recipes/outcomes/cycle --table``.

Data. katas:ambiguous-train to learn from (8,000 problems; 120 more for validation), the 300 of katas:ambiguous to
measure on, none of whose compositions or behaviours was learned.

Models. M_0 is ``tiny-base``. M_1: phase I on right programs. M_2: phase II, seven rows in ten show a wrong program of
M_1's and how it failed. M_1+: M_1 for as many further tokens without such rows. M_1 and its programs are shared; a seed
decides the order, mixture and masks of the rest, and all that is drawn.

Budget. A program is asked for once more, and only where the first failed: with its failure (refined), or afresh
(pass@2). Each model's temperatures are those that were best on validation.

Hypotheses; each is claimed only if the interval over seeds and problems leaves out 0:

1. Before training, for M_0 and M_1: refined - pass@2 is not above 0.
2. M_2 refined - pass@2 of M_2, of M_1 and of M_1+: each above 0.
3. M_2 told the truth - told what another problem's program was: above 0. The further rungs are reported.
4. pass@1 of M_2 is not lower than of M_1 and of M_1+, at temperature 0.2.

What the mask does to copies is asked in ``recipes/cycle_ablations.py``.

What came out the first time (per cent of 300 problems; 95 % over seeds and problems; each seed in brackets):

    | quantity                                        | all                 | each seed                      |
    |-------------------------------------------------|---------------------|--------------------------------|
    | M_0 refined - its pass@2 (7.3), before phase I  | -2.1 [-3.4, -1.0]   | one model                      |
    | M_1 refined - its pass@2 (38.1), before CYCLE   | -6.8 [-10.5, -3.0]  | one model                      |
    | M_2 pass@1 at 0.2                               | 32.6 [28.5, 36.7]   | 35.3, 32.2, 30.2, 31.7, 33.5   |
    | M_2 pass@2                                      | 44.1 [40.4, 47.9]   | 48.0, 43.9, 43.7, 41.7, 43.3   |
    | M_2 refined                                     | 57.4 [52.7, 62.1]   | 62.3, 56.3, 57.3, 53.8, 57.0   |
    | M_2 refined - its pass@2                        | +13.2 [9.7, 17.0]   | 14.4, 12.4, 13.6, 12.1, 13.7   |
    | M_2 refined - pass@2 of M_1                     | +19.2 [14.4, 24.2]  | 24.2, 18.2, 19.2, 15.7, 18.9   |
    | M_2 refined - pass@2 of M_1+ (three seeds)      | +15.1 [9.2, 21.0]   | 19.8, 11.7, 13.7               |
    | M_2 pass@1 - that of M_1                        | +1.6 [-2.5, 5.5]    | 4.3, 1.2, -0.8, 0.7, 2.5       |
    | M_2 pass@1 - that of M_1+ (three seeds)         | -1.0 [-5.3, 3.3]    | 1.3, -0.8, -3.5                |
    | told the truth - another problem's failure      | +11.9 [8.0, 15.7]   | 13.3, 7.8, 14.0, 11.8, 12.3    |
    |   where there are two readings (134 problems)   | +1.9 [-1.4, 5.5]    |                                |
    |   where there are three to six (166)            | +19.9 [13.9, 26.2]  |                                |
    | told the truth - an error's name                | +23.9 [20.2, 27.6]  | 25.5, 21.2, 25.7, 25.0, 22.2   |
    | told the truth - nothing                        | +25.8 [22.2, 29.5]  | 26.0, 24.0, 27.8, 27.3, 24.0   |
    | - the same problem's other wrong program's (76) | +0.0 [-2.6, 3.2]    | 0.0, -1.3, -0.7, 3.3, -1.3     |
    | - another problem's wrong program, truth told   | +0.6 [-2.8, 4.0]    | 5.0, 1.0, 0.5, 0.8, -4.2       |
    | copies                                          | 19.4 [16.0, 23.2]   | 17.2, 21.3, 17.3, 17.3, 23.7   |

So the failure is read, and for what it says of the problem: any failure of it tells the reading, whichever wrong
program is shown beside. With two readings, that one failed says enough. Hypotheses 1 to 3 hold (of 2 the part on M_1+
on three seeds); of 4 one-shot pass@1 is not seen to fall. M_1+ of two seeds has not been measured. Phase II took 4.1 M
tokens, 23 minutes of one of two busy cores; its courses are in ``recipes/curves``.

What came out the second time, on another processor, where phase I was best on validation at half of its steps and so
gave a weaker M_1 (pass@1 20.4 where the first had 31.0); seeds 0, 1, 3 and 4, of which every outcome is kept:

    | quantity                                        | all                 | seeds 0, 1, 3, 4               |
    |-------------------------------------------------|---------------------|--------------------------------|
    | M_1 refined - its pass@2 (24.6), before CYCLE   | -5.4 [-7.3, -3.6]   | one model                      |
    | M_2 pass@1 at 0.2                               | 30.9 [26.7, 35.0]   | 32.5, 32.0, 30.8, 28.2         |
    | M_2 pass@2                                      | 42.3 [38.0, 46.5]   | 46.2, 41.7, 41.9, 39.1         |
    | M_2 refined                                     | 49.9 [42.8, 57.2]   | 58.7, 49.5, 50.5, 41.0         |
    | M_2 refined - its pass@2                        | +7.7 [2.9, 12.6]    | 12.4, 7.8, 8.6, 1.9            |
    | M_2 refined - pass@2 of M_1                     | +25.3 [17.1, 33.4]  | 34.1, 24.9, 25.9, 16.4         |
    | M_2 refined - pass@2 of M_1+ (44.1)             | +5.8 [-1.4, 12.3]   | 12.5, 6.6, 7.6, -3.5           |
    | M_2 pass@1 - that of M_1                        | +10.5 [5.7, 15.4]   | 12.1, 11.7, 10.4, 7.8          |
    | M_2 pass@1 - that of M_1+                       | -2.4 [-6.7, 1.7]    | -2.1, -0.1, -1.3, -5.9         |
    | told the truth - another problem's failure      | +6.8 [2.9, 11.1]    | 10.7, 6.7, 7.8, 2.2            |
    |   where there are two readings (134 problems)   | +2.6 [-1.0, 6.8]    |                                |
    |   where there are three to six (166)            | +10.2 [4.4, 16.4]   |                                |
    | - the same problem's other wrong program's (90) | +0.6 [-2.2, 4.1]    | 2.8, 0.6, -1.7, 0.6            |
    | - another problem's wrong program, truth told   | -1.7 [-4.2, 0.9]    | -0.7, -3.0, -0.5, -2.5         |
    | copies                                          | 21.1 [16.6, 27.1]   | 18.7, 17.5, 29.0, 19.3         |

From the weaker M_1 the gains are smaller and differ more from seed to seed. Hypotheses 1 and 3 hold again, and of 2
what compares M_2 with itself and with M_1; that refining beats as much further training without it (M_1+) does not
show. A seed decides nothing of M_1, so neither time says how far another M_1 would move the numbers: the two times do.
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
