r"""What repair must be held against: independent programs at an equal budget, in three ways.

Source: Olausson et al. 2023 (arXiv 2306.09896v5), section 3.3, for the first; the other two are ours.

- ``fixed`` (the paper's): k programs, all drawn and all paid for. At the k of a tree, n_p + n_p n_f n_r, this is its
  pass@k; placed at k times a program's cost it is the curve that pass@t is read against. It stops at nothing, while a
  batched tree pays for no repair where a first program passes: trees win against it even if repair does nothing.
- ``same_stop``: independent programs under the tree's own rule of stopping. Batched: n_p programs, then x more only if
  none passed. In the other orders: one at a time until one passes.
- ``placebo``: the same tree, each repair replaced by a program that was not used yet, at the repair's price.

With F failing programs of N, P(first a draws fail) is C(F, a)/C(N, a) without replacement and (F/N)^a with; the next
draw's expected cost comes from ``in_turn``. In a placebo tree all programs, first or in a repair's place, are
exchangeable draws, so the number a that came before a place decides everything.

Differences from the paper: it has the first baseline alone, and draws with replacement, which is biased low.

Shapes: ``_P`` problems, ``_W`` widths, ``_n`` draws from 0 on, ``_C`` axes of cost. What would need more programs than
a problem has is NaN under both rules of replacement.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regreen.metrics.forest import Bools, Floats, Forest, Ints, Order, Width
from regreen.metrics.passt import Expected, firsts_in_turn
from regreen.metrics.turns import Turns, mean_over


def fixed(forest: Forest, ks: Sequence[int], *, replacement: bool = False) -> Expected:
    """Return the pass rate and costs of k programs, all of which are paid for."""
    fail_Pk, _ = _at(forest, ks, replacement)
    mean_PC = mean_over(forest.firsts.costs, forest.firsts.here)
    costs = np.array(ks)[None, :, None] * mean_PC[:, None, :]
    return _known(forest, ks, 1.0 - fail_Pk, costs)


def one_by_one(forest: Forest, ks: Sequence[int], *, replacement: bool = False) -> Expected:
    """Return the pass rate and costs of up to k programs, drawn until one passes."""
    fail_Pk, costs_PkC = _at(forest, ks, replacement)
    return _known(forest, ks, 1.0 - fail_Pk, costs_PkC)


def same_stop(
    forest: Forest, n_p: int, extra: Sequence[int], *, order: Order = "batched", replacement: bool = False
) -> Expected:
    """Return the pass rate and costs of n_p programs and up to so many ``extra`` ones, stopped as a tree is."""
    ks = [n_p + x for x in extra]
    if order != "batched":
        return one_by_one(forest, ks, replacement=replacement)
    fail_Pk, _ = _at(forest, [n_p, *ks], replacement)
    first = n_p * mean_over(forest.firsts.costs, forest.firsts.here)
    rest = _after_failures(forest, n_p, replacement)
    costs = first[:, None] + fail_Pk[:, :1, None] * np.array(extra)[None, :, None] * rest[:, None]
    return _known(forest, ks, 1.0 - fail_Pk[:, 1:], costs)


def placebo(
    forest: Forest, widths: Sequence[Width], *, order: Order = "batched", replacement: bool = False
) -> Expected:
    """Return the pass rate and costs of trees whose repairs are fresh programs at the repairs' price."""
    ks = [width.programs for width in widths]
    turns, prices = _turns(forest, ks, replacement), _prices(forest)
    spent = [_placebo_costs(forest, turns, prices, width, order) for width in widths]
    fail_Pk = turns.fail[:, _within(turns, ks)]
    found = _known(forest, ks, 1.0 - fail_Pk, np.stack(spent, axis=1))
    allowed = forest.allows(widths)[..., None]
    return Expected(found.passed, np.where(allowed, found.costs, np.nan))


def _turns(forest: Forest, ks: Sequence[int], replacement: bool) -> Turns:
    """Return up to so many first programs in turn, as far as there are any."""
    most = min(max(ks), forest.firsts.here.shape[1])
    return firsts_in_turn(forest, most, replacement=replacement)


def _within(turns: Turns, draws: Sequence[int] | Ints) -> Ints:
    """Return the places of draws; those of more than there are hold something that is not to be used."""
    return np.asarray(np.minimum(draws, turns.fail.shape[1] - 1), dtype=np.intp)


def _at(forest: Forest, ks: Sequence[int], replacement: bool) -> tuple[Floats, Floats]:
    turns = _turns(forest, ks, replacement)
    return turns.fail[:, _within(turns, ks)], turns.costs[:, _within(turns, ks)]


def _known(forest: Forest, ks: Sequence[int], passed: Floats, costs: Floats) -> Expected:
    enough: Bools = np.array(ks) <= forest.firsts.here.sum(axis=1)[:, None]
    return Expected(np.where(enough, passed, np.nan), np.where(enough[..., None], costs, np.nan))


def _after_failures(forest: Forest, n_p: int, replacement: bool) -> Floats:
    """Return what one more program costs when n_p have failed (P, C): without replacement fewer failing are left."""
    firsts = forest.firsts
    if replacement:
        return mean_over(firsts.costs, firsts.here)
    right_P1 = (firsts.passed & firsts.here).sum(axis=1)[:, None]
    left_P1 = np.maximum(forest.failing.sum(axis=1)[:, None] - n_p, 0)
    failing, passing = (mean_over(firsts.costs, which) for which in (forest.failing, firsts.passed & firsts.here))
    return np.asarray((left_P1 * failing + right_P1 * passing) / np.maximum(left_P1 + right_P1, 1))


def _placebo_costs(forest: Forest, turns: Turns, prices: tuple[Floats, Floats], width: Width, order: Order) -> Floats:
    """Return the costs (P, C) of a placebo tree: of the first programs, and of the repairs' places."""
    before = _within(turns, _before_firsts(width, order) + 1)
    firsts = np.diff(turns.costs, axis=1)[:, before - 1].sum(axis=1)
    if order == "batched":
        firsts = width.n_p * mean_over(forest.firsts.costs, forest.firsts.here)
    reached_Pna = turns.fail[:, _within(turns, _before_repairs(width, order))]
    words, repair = prices
    first_of_words = np.arange(width.repairs) % width.n_r == 0
    spent = reached_Pna.sum(axis=(1, 2))[:, None] * repair
    return np.asarray(firsts + spent + reached_Pna[..., first_of_words].sum(axis=(1, 2))[:, None] * words)


def _before_firsts(width: Width, order: Order) -> Ints:
    """Return how many programs come before each first program."""
    return np.arange(width.n_p) * (1 + width.repairs if order == "dfs" else 1)


def _before_repairs(width: Width, order: Order) -> Ints:
    """Return how many programs, all failing, must have come before each repair (n, a) is made."""
    each, at = np.arange(width.n_p)[:, None], np.arange(width.repairs)
    if order == "dfs":
        return np.asarray(each * (1 + width.repairs) + 1 + at)
    return np.asarray(width.n_p + (each * width.repairs + at) * (order == "bfs"))


def _prices(forest: Forest) -> tuple[Floats, Floats]:
    """Return the mean price (P, C) of words and of a repair, every failing program and every feedback alike."""
    repairs = mean_over(forest.repairs.costs, forest.repairs.here)
    words, repair = (
        mean_over(mean_over(values, forest.feedbacks.here), forest.failing)
        for values in (forest.feedbacks.costs, repairs)
    )
    return words, repair
