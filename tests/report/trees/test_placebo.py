"""Trees whose repairs are fresh programs of a real model: nothing may be claimed for repair there."""

import random
import statistics
from pathlib import Path

import pytest

from regreen.evaluate import Choice, Samples, score
from regreen.metrics import First, Forest, Width, joint
from regreen.records import PROGRAMS, VERDICTS, read_records
from regreen.report.trees.cells import BETTER, Grid, cells

pytestmark = pytest.mark.data

PROBLEMS, PROGRAMS_EACH, N_P, SHUFFLES = 50, 16, 7, 8
SAMPLES = Path("recorded", "codet", "codegen16b_humaneval_samples_0-49.jsonl.gz")


@pytest.fixture(scope="module")
def judged(data_root, make_once):
    """For each problem its programs: passed, and how many characters they have."""

    def judge(out):
        samples = Samples(data_root / SAMPLES, n=PROGRAMS_EACH, stop=("humaneval",))
        score(samples, "humaneval", choice=Choice(data=data_root, limit=PROBLEMS), out=out)

    run = make_once("placebo-run", judge)
    size = {(r["problem"], r["index"]): float(len(r["source"])) for _, r in read_records(run / PROGRAMS)}
    found = {}
    for _, record in read_records(run / VERDICTS):
        cost = size[record["problem"], record["index"]]
        found.setdefault(record["problem"], {})[record["index"]] = (record["outcome"] == "passed", (cost,))
    return [[of[index] for index in sorted(of)] for of in found.values()]


def placebo_forest(judged, seed):
    """Return trees of N_P first programs, each failing one with a fresh program for a repair."""
    draws, trees = random.Random(seed), []
    for programs in judged:
        shuffled = draws.sample(programs, len(programs))
        fresh = iter(shuffled[N_P:])
        trees.append([First(*one, [] if one[0] else [joint(*next(fresh))]) for one in shuffled[:N_P]])
    return Forest.of(trees)


@pytest.mark.parametrize(("order", "budget"), [("batched", "characters"), ("dfs", "programs")])
def test_repair_that_is_no_repair_gains_nothing_but_against_the_papers_baseline(judged, order, budget):
    gains = {"paper": [], "same_stop": [], "placebo": []}
    held = []
    for seed in range(SHUFFLES):
        forest = placebo_forest(judged, seed)
        grid = Grid(forest, range(PROBLEMS), ("characters", "programs"), "characters", budget, order)
        for cell in cells(grid, [Width(1, 1), Width(2, 1)]):
            assert cell["verdict"] != BETTER
            for name, base in cell["baselines"].items():
                gains[name].append(base["effect"])
            held += [base["low"] <= 0 <= base["high"] for name, base in cell["baselines"].items() if name != "paper"]
    assert sum(held) >= 0.85 * len(held)
    error = statistics.stdev(gains["same_stop"]) / SHUFFLES**0.5
    assert abs(statistics.mean(gains["same_stop"])) < 4 * error
    assert abs(statistics.mean(gains["placebo"])) < 4 * error
    assert statistics.mean(gains["paper"]) > 0.005
