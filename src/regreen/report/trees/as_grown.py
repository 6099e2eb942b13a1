"""Trees as they were grown, beside fresh programs for the same tokens: what the live run itself says.

Two ways to stop and select. The *oracle* stops at the scoring checks: a problem is solved if any program passes. What
could be *deployed* knows the shown checks alone: of each arm the first program that passes them is taken, or else the
very first, and then scored; the same rule for repair and for resampling.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from regreen.metrics import mean_interval, paired_difference, paired_permutation
from regreen.records import Key, Record
from regreen.report.trees.grown import CONTROL, Grown, Judged
from regreen.report.trees.view import Prices
from regreen.tree import REFUSED, Node

_ALPHA = 0.05
ARMS: Mapping[str, str] = {f"{CONTROL}resample": "resample", f"{CONTROL}alone": "alone"}


def as_grown(grown: Grown, prices: Mapping[str, Prices] | None = None, *, seed: int = 0) -> Record | None:
    """Return trees against what was drawn beside them; None where nothing was, or the trees have no verdict of ours.

    Args:
        grown: trees and controls of a run.
        prices: with those of both models, what the explaining model wrote alone is cut where it has cost as much as the
            tree; without, it was drawn at equal tokens and stays whole.
        seed: of intervals and tests.

    Returns:
        For each arm ("resample": fresh programs after the same first ones; "alone": the explaining model writes
        programs) its tokens, and under ``oracle`` and ``deployable`` both sides' solved share, difference, p, verdict.
        Of "alone" also ``price``, both sides', and ``short``: for how many problems all that was drawn costs less than
        the tree, though none passed; None where a price is not known.
    """
    drawn = {name: _drawn(grown, role) for role, name in ARMS.items()}
    if not any(drawn.values()) or not grown.whole:
        return None
    names = [name for name, tree in grown.trees.items() if tree.roots and _is_known(grown, tree.roots[0])]
    trees = {name: [node.key for node in _in_order(grown, name)] for name in names}
    firsts = {name: [root.key for root in grown.trees[name].roots] for name in names}
    found: Record = {"problems": len(names), "with_shown": sum(_has_shown(grown, name) for name in names)}
    for arm, keys in drawn.items():
        if keys:
            before = firsts if arm == "resample" else {}
            other = {name: [*before.get(name, ()), *keys.get(name, ())] for name in names}
            cut = _at_equal_price(grown, names, other, prices or {}) if arm == "alone" else None
            found[arm] = _held_against(grown, trees, cut.programs if cut else other, seed)
            if arm == "alone":
                found[arm] |= {"price": cut and cut.price, "short": cut and cut.short}
    return found


def _is_known(grown: Grown, root: Node) -> bool:
    return root.key in grown.judged or root.outcome == REFUSED


def _drawn(grown: Grown, role: str) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = {}
    for key in sorted(key for key in grown.bills if key[2] == role):
        found.setdefault(key[0], []).append(key)
    return found


class _Cut(NamedTuple):
    """Programs up to the price of each problem's tree, both sides' price, and for how many problems that is too few."""

    programs: dict[str, list[Key]]
    price: list[float]
    short: int


def _at_equal_price(
    grown: Grown, names: Sequence[str], other: Mapping[str, Sequence[Key]], prices: Mapping[str, Prices]
) -> _Cut | None:
    """Cut programs where they have cost what their problem's tree did, the last beyond it; None without prices."""
    budgets = {
        name: sum(_price(grown, node.key, prices) for node in grown.trees[name].nodes.values()) for name in names
    }
    paid = {name: list(accumulate(_price(grown, key, prices) for key in other[name])) for name in names}
    if any(math.isnan(budget) for budget in budgets.values()) or any(math.isnan(p[-1]) for p in paid.values() if p):
        return None
    kept = {name: bisect_left(paid[name], budgets[name]) + 1 for name in names}
    programs = {name: list(other[name])[: kept[name]] for name in names}
    spent = sum(paid[name][: kept[name]][-1] for name in names if paid[name])
    short = sum(
        kept[name] > len(paid[name]) and not _any_passed(_known(grown, other[name])) for name in names if budgets[name]
    )
    return _Cut(programs, [sum(budgets.values()), spent], short)


def _price(grown: Grown, key: Key, prices: Mapping[str, Prices]) -> float:
    bill = grown.bills.get(key)  # an analyser's words and an error message have none, or cost nothing
    return 0.0 if bill is None or not bill.sampled else bill.price(prices)


def _in_order(grown: Grown, name: str) -> list[Node]:
    """Return a tree's programs as they were written: round by round, or depth first."""
    nodes = [node for node in grown.trees[name].nodes.values() if node.has_program]
    return sorted(nodes, key=lambda node: node.path if grown.depth_first else (len(node.path), node.path))


def _has_shown(grown: Grown, name: str) -> bool:
    return bool(grown.problems.get(name, {}).get("shown"))


def _held_against(
    grown: Grown, trees: Mapping[str, Sequence[Key]], other: Mapping[str, Sequence[Key]], seed: int
) -> Record:
    clusters = [grown.cluster(name) for name in trees]
    rules = {"oracle": _any_passed, "deployable": _selected_passed}
    whole = {name: [node.key for node in grown.trees[name].nodes.values()] for name in trees}  # words cost too
    found: Record = {"tokens": [_tokens(grown, whole), _tokens(grown, other)]}
    for rule, solves in rules.items():
        ours, theirs = ([float(solves(_known(grown, side[name]))) for name in trees] for side in (trees, other))
        difference = paired_difference(theirs, ours, clusters=clusters, seed=seed)
        p = paired_permutation(theirs, ours, clusters=clusters, seed=seed)
        found[rule] = {
            "trees": _estimate(ours, clusters, seed),
            "other": _estimate(theirs, clusters, seed),
            "difference": {"value": difference.value, "low": difference.low, "high": difference.high},
            "p": p,
            "verdict": _words(difference.value, p),
        }
    return found


def _known(grown: Grown, keys: Sequence[Key]) -> list[Judged]:
    return [grown.judged[key] for key in keys if key in grown.judged]  # a backend may have refused to write one


def _any_passed(programs: Sequence[Judged]) -> bool:
    return any(program.passed for program in programs)


def _selected_passed(programs: Sequence[Judged]) -> bool:
    """Score the first program that passes the shown checks, or else the first."""
    chosen = next((program for program in programs if program.shown), programs[0] if programs else None)
    return chosen is not None and chosen.passed


def _tokens(grown: Grown, side: Mapping[str, Sequence[Key]]) -> int:
    counts = (grown.bills[key].sampled for keys in side.values() for key in keys if key in grown.bills)
    return sum(0 if math.isnan(count) else int(count) for count in counts)


def _estimate(values: Sequence[float], clusters: Sequence[str], seed: int) -> Record:
    found = mean_interval(values, clusters=clusters, seed=seed)
    return {"value": found.value, "low": found.low, "high": found.high}


def _words(difference: float, p: float) -> str:
    if p >= _ALPHA:
        return "not distinguishable"
    return "repair better" if difference > 0 else "repair worse"
