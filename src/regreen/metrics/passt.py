r"""pass@t of frozen repair trees, exactly: the expected pass rate, cost and programs of every smaller tree.

Source: Olausson et al. 2023 (arXiv 2306.09896v1), section 3.2, and v5, section 3.3 and appendix A. For a width
(n_p, n_f, n_r) the paper draws N_t trees from a frozen one and averages; what these averages tend to is computed here.

With ``in_turn`` for things drawn one at a time while all fail (see turns.py), from the bottom up:

    a feedback j of program i: a_ij = all of its n_r repairs fail, c_ij = its own cost and that of its repairs in turn
    a failing program i:       v_i = all of its n_f feedbacks (a_ij) fail, b_i = what they cost in turn (c_ij)
    depth-first:               n_p programs in turn, with failure v_i and cost mu_i + b_i (0 and mu_i if i passes)
    breadth-first:             n_p programs in turn by their own verdicts; if all fail, the blocks (v_i, b_i) of n_p
                               failing programs in turn
    batched:                   n_p programs; if all fail, everything below them, whatever passes

The pass rate is the same in every order. Joint sampling of n_fr is n_f = n_fr with one repair to a feedback that costs
nothing, so its s_i of M_i passing repairs give v_i = (1 - s_i/M_i)^n_fr or C(M_i - s_i, n_fr)/C(M_i, n_fr).

Differences from the paper:

- Expectations instead of means over N_t drawn trees: no noise, no seed. ``bootstrap`` has the paper's procedure.
- Without replacement by default (the choice is the caller's): unbiased, and pass@k where there is no repair. The
  paper's figures draw with replacement.
- The three search orders are apart; the paper's text has the batched one, its published code all three.
- Costs are any numbers. Which tokens count, and whether prompts do, is decided by who puts them in.
- A width that the frozen tree cannot fill without repeating is undefined under both rules (NaN), never clamped.
- Separate sampling without replacement (n_f of M_i feedbacks, and of each n_r of its own repairs) is the same
  computation one level further down; the paper only has n_r = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from regreen.metrics.forest import Bools, Floats, Forest, Order, Width
from regreen.metrics.turns import Turns, in_turn, mean_over


class Expected(NamedTuple):
    """Each problem's pass rate (P, W) and costs (P, W, C), the programs last; NaN where a width is undefined."""

    passed: Floats
    costs: Floats


class _Blocks(NamedTuple):
    """What is below each first program: how likely all of it fails (P, N), its cost in turn and in whole (P, N, C)."""

    fail: Floats
    in_turn: Floats
    whole: Floats


def expected(
    forest: Forest, widths: Sequence[Width], *, order: Order = "batched", replacement: bool = False
) -> Expected:
    """Return the expected pass rate and costs of trees of these widths drawn from frozen ones.

    Args:
        forest: the frozen trees of P problems.
        widths: how wide trees are drawn.
        order: of the search; it decides what is spent, not what passes.
        replacement: draw with replacement, at every level.
    """
    passed = np.full((len(forest.firsts.here), len(widths)), np.nan)
    costs = np.full((*passed.shape, forest.firsts.costs.shape[-1]), np.nan)
    for at, blocks in _blocks_of(forest, widths, replacement):
        n_p = [widths[place].n_p for place in at]
        found = _SEARCHES[order](forest, blocks, max(n_p), replacement)
        passed[:, at], costs[:, at] = 1.0 - found.fail[:, n_p], found.costs[:, n_p]
    allowed = forest.allows(widths)
    return Expected(np.where(allowed, passed, np.nan), np.where(allowed[..., None], costs, np.nan))


def _blocks_of(forest: Forest, widths: Sequence[Width], replacement: bool) -> Iterator[tuple[list[int], _Blocks]]:
    """Yield the places of all widths with the same repairs, and the blocks that they have in common."""
    for n_r in dict.fromkeys(width.n_r for width in widths):
        n_fs = dict.fromkeys(width.n_f for width in widths if width.n_r == n_r)
        below, whole = _below(forest, max(n_fs), n_r, replacement)
        for n_f in n_fs:
            found = below.fail[:, n_f], below.costs[:, n_f], n_f * whole
            blocks = _Blocks(*(_spread(values, forest.failing) for values in found))
            yield [at for at, width in enumerate(widths) if width[1:] == (n_f, n_r)], blocks


def _below(forest: Forest, most: int, n_r: int, replacement: bool) -> tuple[Turns, Floats]:
    """Return up to ``most`` feedbacks in turn of each failing program (S), and what one costs with all its repairs."""
    failing, axes = forest.failing, forest.firsts.costs.shape[-1]
    feedbacks, repairs = forest.feedbacks.of(failing), forest.repairs.of(failing)  # (S, F), (S, F, R)
    rows = repairs.here.shape[:2]
    flat = repairs.here.reshape(rows[0] * rows[1], repairs.here.shape[2])
    fail = np.logical_not(repairs.passed).reshape(flat.shape).astype(float)
    turns = in_turn(fail, repairs.costs.reshape(*flat.shape, axes), flat, n_r, replacement=replacement)
    a_SF, c_SFC = turns.fail[:, n_r].reshape(rows), turns.costs[:, n_r].reshape(*rows, axes) + feedbacks.costs
    whole_SFC = feedbacks.costs + n_r * mean_over(repairs.costs, repairs.here)
    below = in_turn(a_SF, c_SFC, feedbacks.here, most, replacement=replacement)
    return below, mean_over(whole_SFC, feedbacks.here)


def _spread(values: Floats, where: Bools) -> Floats:
    spread = np.zeros((*where.shape, *values.shape[1:]))
    spread[where] = values
    return spread


def _depth_first(forest: Forest, blocks: _Blocks, most: int, replacement: bool) -> Turns:
    costs = forest.firsts.costs + blocks.in_turn  # nothing is below a program that passes
    return in_turn(blocks.fail, costs, forest.firsts.here, most, replacement=replacement)


def _breadth_first(forest: Forest, blocks: _Blocks, most: int, replacement: bool) -> Turns:
    above = firsts_in_turn(forest, most, replacement=replacement)
    below = in_turn(blocks.fail, blocks.in_turn, forest.failing, most, replacement=replacement)
    return Turns(above.fail * below.fail, above.costs + above.fail[..., None] * below.costs)


def _batched(forest: Forest, blocks: _Blocks, most: int, replacement: bool) -> Turns:
    above = firsts_in_turn(forest, most, replacement=replacement)
    below = in_turn(blocks.fail, blocks.in_turn, forest.failing, most, replacement=replacement)
    firsts = mean_over(forest.firsts.costs, forest.firsts.here)[:, None]
    repairs = mean_over(blocks.whole, forest.failing)[:, None]
    n = np.arange(most + 1)[:, None]
    return Turns(above.fail * below.fail, n * firsts + above.fail[..., None] * n * repairs)


def firsts_in_turn(forest: Forest, most: int, *, replacement: bool) -> Turns:
    """Return first programs alone drawn one at a time until one passes."""
    failing = forest.failing.astype(float)
    return in_turn(failing, forest.firsts.costs, forest.firsts.here, most, replacement=replacement)


_SEARCHES: dict[Order, Callable[[Forest, _Blocks, int, bool], Turns]] = {
    "batched": _batched,
    "bfs": _breadth_first,
    "dfs": _depth_first,
}
