"""What pass@t costs: the whole published grid, exactly and by drawing, beside a plain loop that draws tree by tree.

300 made-up problems, frozen trees of 50 first programs with 25 joint repairs each; 100 widths (n_p 1 to 25, n_fr 1, 3,
5, 10) and the baseline k = 1 to 50. The plain loop is the paper's procedure written down: for each width, replicate and
problem it draws programs and repairs and searches. All of it would take the better part of an hour, so it is timed on
``--loop-problems`` and ``--loop-trees``, and its time for all is that times the ratio of sizes. Seconds are those of
the process's own processor time. Both estimators must give what the loop gives, within the error of its draws.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from regreen.metrics import First, Forest, FrozenTree, Order, Width, bootstrap, expected, fixed, joint, one_by_one

WIDTHS = [Width(n_p, n_fr) for n_p in range(1, 26) for n_fr in (1, 3, 5, 10)]
BASELINE = range(1, 51)
ORDERS: tuple[Order, ...] = ("batched", "bfs", "dfs")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--problems", type=int, default=300)
    parser.add_argument("--trees", type=int, default=1000, help="N_t")
    parser.add_argument("--loop-problems", type=int, default=20)
    parser.add_argument("--loop-trees", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    trees = [_tree(random.Random(seed)) for seed in range(options.problems)]
    packing, forest = _timed(lambda: Forest.of(trees))
    print(
        f"{options.problems} problems, {len(WIDTHS)} widths, baseline k to {max(BASELINE)}; median of {options.rounds}"
    )
    print(f"packing the trees into arrays, once: {packing:.2f} s; off: the loop from bootstrap and from exact, in its")
    print("standard errors, over all widths: root mean square and most")
    head = (
        f"{'order':8} {'replacement':12} {'exact s':>8} {'bootstrap s':>12} {'loop s':>8} {'loop/bootstrap':>15}  off"
    )
    print(head)
    for order in ORDERS:
        for replacement in (True, False):
            print(_row(trees, forest, order, replacement, options), flush=True)


def _row(trees: list[FrozenTree], forest: Forest, order: Order, replacement: bool, options: argparse.Namespace) -> str:
    exact = statistics.median(_timed(lambda: _exact(forest, order, replacement))[0] for _ in range(options.rounds))
    drawing, _ = _timed(lambda: bootstrap(forest, WIDTHS, order=order, replacement=replacement, trees=options.trees))
    every = max(1, options.problems // options.loop_problems)
    part = trees[::every]
    looping, looped = _timed(lambda: _loop(part, order, replacement, options.loop_trees))
    ratio = options.problems / len(part) * options.trees / options.loop_trees
    off = _off(looped, forest.part(slice(None, None, every)), order, replacement)
    times = f"{exact:8.2f} {drawing:12.1f} {looping * ratio:8.0f} {looping * ratio / drawing:15.0f}"
    return f"{order:8} {'with' if replacement else 'without':12} {times}  {off}"


def _exact(forest: Forest, order: Order, replacement: bool) -> None:
    expected(forest, WIDTHS, order=order, replacement=replacement)
    baseline = fixed if order == "batched" else one_by_one
    baseline(forest, BASELINE, replacement=replacement)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def _tree(draws: random.Random) -> FrozenTree:
    """Return 50 first programs, most of which share the problem's difficulty, and 25 repairs of each that fails."""
    rate = draws.betavariate(0.5, 1.2)
    return [_first(draws, rate) for _ in range(50)]


def _first(draws: random.Random, rate: float) -> First:
    passed = draws.random() < rate
    chance = rate * draws.random() / 2
    repairs = [joint(draws.random() < chance, (draws.randint(50, 300),)) for _ in range(25 * (not passed))]
    return First(passed, (draws.randint(50, 200),), repairs)


# ---- the plain loop ----


def _loop(trees: list[FrozenTree], order: Order, replacement: bool, replicates: int) -> np.ndarray:
    """Return pass, cost and programs (T, W, 3), means over problems, of trees drawn one by one."""
    draws = random.Random(2023)
    # what is drawn are pairs of verdict and cost, as in a file that was read
    frozen = [
        [(f.passed, f.costs[0], [(r.passed, r.costs[0]) for _, (r,) in f.feedbacks]) for f in tree] for tree in trees
    ]
    take = draws.choices if replacement else draws.sample
    search = {"batched": _batched, "bfs": _bfs, "dfs": _dfs}[order]
    found = np.zeros((replicates, len(WIDTHS), 3))
    for replicate in range(replicates):
        for at, width in enumerate(WIDTHS):
            for tree in frozen:
                found[replicate, at] += search(take(tree, k=width.n_p), width.n_f, take)
    return found / len(trees)


def _batched(firsts: list[Any], n_fr: int, take: Callable[..., list[Any]]) -> tuple[float, float, float]:
    passed, cost, programs = False, 0.0, 0
    for right, tokens, _ in firsts:
        passed, cost, programs = passed or right, cost + tokens, programs + 1
    if passed:
        return 1, cost, programs
    for _, _, repairs in firsts:
        for right, tokens in take(repairs, k=n_fr):
            passed, cost, programs = passed or right, cost + tokens, programs + 1
    return passed, cost, programs


def _bfs(firsts: list[Any], n_fr: int, take: Callable[..., list[Any]]) -> tuple[float, float, float]:
    cost, programs = 0.0, 0
    for right, tokens, _ in firsts:
        cost, programs = cost + tokens, programs + 1
        if right:
            return 1, cost, programs
    for _, _, repairs in firsts:
        for right, tokens in take(repairs, k=n_fr):
            cost, programs = cost + tokens, programs + 1
            if right:
                return 1, cost, programs
    return 0, cost, programs


def _dfs(firsts: list[Any], n_fr: int, take: Callable[..., list[Any]]) -> tuple[float, float, float]:
    cost, programs = 0.0, 0
    for passed, spent, repairs in firsts:
        cost, programs = cost + spent, programs + 1
        if passed:
            return 1, cost, programs
        for right, tokens in take(repairs, k=n_fr):
            cost, programs = cost + tokens, programs + 1
            if right:
                return 1, cost, programs
    return 0, cost, programs


def _off(looped: np.ndarray, forest: Forest, order: Order, replacement: bool) -> str:
    """Say how far both estimators lie from the loop, in standard errors of the loop's mean: root mean square, most."""
    drawn = bootstrap(forest, WIDTHS, order=order, replacement=replacement)
    exact = expected(forest, WIDTHS, order=order, replacement=replacement)
    error = _joined(*drawn.deviation) / np.sqrt(len(looped))
    off = [
        ((looped.mean(axis=0) - values) / error)[error > 0]
        for values in (_joined(*drawn.mean), _joined(*(value.mean(axis=0) for value in exact)))
    ]
    return ", ".join(f"{np.sqrt((z**2).mean()):.2f} (most {np.abs(z).max():.1f})" for z in off)


def _joined(passed: np.ndarray, costs: np.ndarray) -> np.ndarray:
    return np.concatenate([passed[:, None], costs], axis=1)


if __name__ == "__main__":
    main()
