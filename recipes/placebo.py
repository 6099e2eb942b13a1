"""Does pass@t claim a gain where there is none? Trees of CodeGen-16B whose repairs are fresh programs of its own.

Run it with REGREEN_DATA set: ``python recipes/placebo.py OUT`` (three minutes on two cores; OUT is a new folder or an
earlier one, which it goes on with).

Data. 50 samples for each of the 164 problems of HumanEval at temperature 0.8, published with CodeT (Chen et al. 2022,
arXiv 2207.10397; github.com/microsoft/CodeT, MIT); 22.0 % pass. Each problem's programs are shuffled; 25 become first
programs, and every failing one gets one of the others as its "repair". 20 shuffles.

Hypothesis, metric, direction: the mean gain over ``same_stop`` and over ``placebo`` is 0 within 4 standard errors; over
``paper`` it is positive in the batched order, since a batched tree pays for no repair once a program has passed, and
its baseline pays for everything.

What came out: docs/concepts/repair-metrics.md, whose table this prints. The hypothesis holds without replacement; with
replacement the gain over ``same_stop`` is positive as well, which is why it is not the default.
"""

import os
import random
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from regreen.evaluate import Choice, Samples, score
from regreen.metrics import First, Forest, Width, joint
from regreen.records import PROGRAMS, VERDICTS, read_records
from regreen.report import Table, render
from regreen.report.trees.cells import Grid, cells

SAMPLES = "recorded/codet/codegen16b_humaneval_samples_0-49.jsonl.gz"
N_P, SHUFFLES, WIDTHS = 25, 20, [Width(n_p, 1) for n_p in (1, 5, 10, 12)]
SETTINGS = (  # order, with replacement, budget
    ("batched", False, "programs"), ("bfs", False, "programs"), ("dfs", False, "programs"),
    ("batched", True, "programs"), ("batched", False, "characters"),
)  # fmt: skip
BASELINES = ("paper", "same_stop", "placebo")
Judged = tuple[bool, tuple[float]]  # whether a program passed, and how many characters it has


def main(out: Path, data: Path) -> None:
    """Judge the samples and print the table."""
    score(Samples(data / SAMPLES, stop=("humaneval",)), "humaneval", choice=Choice(data=data), out=out)
    programs = list(judged(out))
    forests = [shuffled(programs, seed) for seed in range(SHUFFLES)]
    rows = [row for setting in SETTINGS for row in rows_of(forests, *setting)]
    header = ["cell", *BASELINES, "intervals over problems, same_stop, that hold 0"]
    print(render([Table("Points gained by repairs that are none", header, rows)], "md"))


def judged(run: Path) -> Iterator[list[Judged]]:
    """Yield the programs of each problem."""
    size = {(r["problem"], r["index"]): float(len(r["source"])) for _, r in read_records(run / PROGRAMS)}
    found: dict[str, dict[int, Judged]] = {}
    for _, record in read_records(run / VERDICTS):
        cost = size[record["problem"], record["index"]]
        found.setdefault(record["problem"], {})[record["index"]] = (record["outcome"] == "passed", (cost,))
    yield from ([of[index] for index in sorted(of)] for of in found.values())


def shuffled(programs: list[list[Judged]], seed: int) -> Forest:
    """Return trees of N_P first programs, each failing one with a fresh program for a repair."""
    draws, trees = random.Random(seed), []
    for of_problem in programs:
        mixed = draws.sample(of_problem, len(of_problem))
        fresh = iter(mixed[N_P:])
        trees.append([First(*one, [] if one[0] else [joint(*next(fresh))]) for one in mixed[:N_P]])
    return Forest.of(trees)


def rows_of(forests: list[Forest], order: str, replacement: bool, budget: str) -> Iterator[list[str]]:
    """Yield a row a cell: the gain in points over each baseline, mean of all shuffles and its standard error."""
    gains: dict[tuple[Width, str], list[float | None]] = {}
    held: dict[Width, list[bool]] = {}
    for forest in forests:
        problems = range(len(forest.firsts.passed))
        grid = Grid(forest, problems, ("characters", "programs"), "characters", budget, order, replacement)  # type: ignore[arg-type]
        for width, cell in zip(WIDTHS, cells(grid, WIDTHS), strict=True):
            base = cell["baselines"]["same_stop"]
            if base["effect"] is not None:
                held.setdefault(width, []).append(base["low"] <= 0 <= base["high"])
            for name in BASELINES:
                gains.setdefault((width, name), []).append(cell["baselines"][name]["effect"])
    rule = ", with replacement" if replacement else ""
    for width in WIDTHS:
        yield [f"{width.n_p} x 1, {order}{rule}, {budget}", *(points(gains[width, name]) for name in BASELINES),
               f"{sum(held[width])} of {len(held[width])}"]  # fmt: skip


def points(gains: list[float | None]) -> str:
    """Return the mean in points and its standard error; a dash where a shuffle spends more than all its programs."""
    found = [100 * gain for gain in gains if gain is not None]
    if len(found) < len(gains):
        return "-"
    return f"{statistics.mean(found):+.2f} ({statistics.stdev(found) / len(found) ** 0.5:.2f})"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(os.environ["REGREEN_DATA"]))
