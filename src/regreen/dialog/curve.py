"""How many problems are solved after each turn of a dialog, beside as many programs without hints.

Source: Austin et al. 2021 (arXiv 2108.07732), section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regreen.metrics import mean_interval, paired_difference, paired_permutation
from regreen.records import Record
from regreen.summary import correct, estimate_record
from regreen.tree import RepairTree


def turn_curve(
    trees: Mapping[str, RepairTree],
    fresh: Mapping[str, list[bool]],
    *,
    turns: int,
    clusters: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Record:
    """Return the share of problems solved by each turn, and that of the control.

    Args:
        trees: of each problem, its transcript.
        fresh: of each problem, whether each of its programs without hints passed, in order; they follow the first
            program of the transcript.
        turns: programs that the model might write.
        clusters: labels of problems that are resampled together; one without a label is its own cluster.
        seed: of the intervals.

    Returns:
        ``turns``: for each its number, ``pass`` and, with fresh programs, ``control``, ``difference``, its ``p``
        and ``p_holm``, corrected for all turns but the first, whose program is the same on both sides. There are none
        where no dialog has begun.
    """
    curve: list[Record] = []
    how: Any = {"clusters": [(clusters or {}).get(name, name) for name in trees], "seed": seed}
    for turn in range(1, turns + 1) if trees else ():
        hinted = [float(_solved(tree, turn)) for tree in trees.values()]
        line: Record = {"turn": turn, "pass": estimate_record(mean_interval(hinted, **how), 1)}
        if fresh:
            alone = [float(_solved(tree, 1) or any(fresh.get(name, [])[: turn - 1])) for name, tree in trees.items()]
            line["control"] = estimate_record(mean_interval(alone, **how), 1)
            line["difference"] = estimate_record(paired_difference(alone, hinted, **how), 1)
            line["p"] = paired_permutation(alone, hinted, **how)
        curve.append(line)
    if fresh and curve:
        curve[0]["p_holm"] = None
        correct(curve[1:])
    return {"problems": len(trees), "hints": sum(_hints(tree) for tree in trees.values()), "turns": curve}


def _solved(tree: RepairTree, turn: int) -> bool:
    """Tell whether one of the first programs of a transcript passed."""
    (way,) = tree.trajectories()
    return any(node.passed() for node in way.programs[:turn])


def _hints(tree: RepairTree) -> int:
    return sum(node.kind == "hint" for node in tree.nodes.values())
