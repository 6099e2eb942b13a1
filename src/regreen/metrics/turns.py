r"""Things drawn one at a time until one succeeds: how likely none does, and what is expected to be spent.

A repair, a feedback with its repairs, a first program with all below it: each is a thing with a probability of failing
and an expected cost, and the search goes to the next only while all have failed. So one computation serves all levels.

With replacement, let v be the mean probability of failing and c the mean cost. Then n draws all fail with probability
v^n and cost c (1 + v + ... + v^(n-1)).

Without, let E_m(t) be the mean, over all subsets of m of the first t things, of the product of their probabilities
(an elementary symmetric polynomial divided by its number of terms), and S_m(t) the mean over i of c_i times the same
over subsets of the others: what the draw number m + 1 is expected to cost. One more thing (x, c) gives::

    E_m(t) = (t - m)/t E_m(t-1) + m/t x E_{m-1}(t-1)
    S_m(t) = (t - 1 - m)/t S_m(t-1) + m/t x S_{m-1}(t-1) + 1/t c E_m(t-1)

The second is the first's derivative along c, so nothing is ever divided by an x. The weights of each line are positive
and add up to 1: whatever the sizes, nothing overflows and nothing cancels.

Shapes: ``_S`` rows of things, ``_N`` things, ``_n`` draws from 0 to ``most``, ``_C`` axes of cost.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from regreen.metrics.forest import Bools, Floats


class Turns(NamedTuple):
    """For 0, 1, 2 ... draws: how likely all fail (S, n), and the expected cost of those made (S, n, C)."""

    fail: Floats
    costs: Floats


def in_turn(fail: Floats, costs: Floats, here: Bools, most: int, *, replacement: bool) -> Turns:
    """Return what becomes of up to ``most`` draws from each row, made one at a time while all have failed.

    Args:
        fail: how likely each thing fails (S, N).
        costs: what it is expected to cost if it is drawn (S, N, C); it does not depend on what was drawn before.
        here: which things are there (S, N); others are not drawn.
        most: draws.
        replacement: draw with replacement.

    Returns:
        Entries for more draws without replacement than there are things hold 0 and a sum that stops: not to be used.
    """
    turns = _again if replacement else _once
    fail_Sn, each_CSn = turns(fail, np.moveaxis(costs, -1, 0), here, most)
    spent_SnC = np.zeros((len(fail), most + 1, costs.shape[-1]))
    np.cumsum(np.moveaxis(each_CSn, 0, -1), axis=1, out=spent_SnC[:, 1:])
    return Turns(fail_Sn, spent_SnC)


def mean_over(values: Floats, here: Bools) -> Floats:
    """Return the mean of (..., N, C) over the things of (..., N) that are there, 0 where none is."""
    count = np.maximum(here.sum(axis=-1), 1)
    return np.asarray(np.where(here[..., None], values, 0.0).sum(axis=-2) / count[..., None])


def _again(fail: Floats, costs_CSN: Floats, here: Bools, most: int) -> tuple[Floats, Floats]:
    v_S1 = mean_over(fail[..., None], here)
    fail_Sn = v_S1 ** np.arange(most + 1)
    return fail_Sn, fail_Sn[:, :most] * mean_over(costs_CSN[..., None], here)


def _once(fail: Floats, costs_CSN: Floats, here: Bools, most: int) -> tuple[Floats, Floats]:
    """Go through the things; the axes of cost come first, so that NumPy's innermost loops are long."""
    m = np.arange(most + 1)
    e_Sn, s_CSn = np.zeros((len(fail), most + 1)), np.zeros((len(costs_CSN), len(fail), most))
    e_Sn[:, 0] = 1.0
    seen_S1 = np.zeros((len(fail), 1))
    for at in range(fail.shape[1]):
        drawn_S1 = here[:, at, None]
        seen_S1 += drawn_S1
        t_S1 = np.maximum(seen_S1, 1.0)
        step_Sn = m / t_S1 * fail[:, at, None]
        new_CSn = np.maximum(t_S1 - 1 - m[:most], 0.0) / t_S1 * s_CSn
        new_CSn[..., 1:] += step_Sn[:, 1:most] * s_CSn[..., :-1]
        new_CSn += e_Sn[:, :most] / t_S1 * costs_CSN[..., at, None]
        new_Sn = np.maximum(t_S1 - m, 0.0) / t_S1 * e_Sn
        new_Sn[:, 1:] += step_Sn[:, 1:] * e_Sn[:, :-1]
        every = drawn_S1.all()
        e_Sn = new_Sn if every else np.where(drawn_S1, new_Sn, e_Sn)
        s_CSn = new_CSn if every else np.where(drawn_S1, new_CSn, s_CSn)
    return e_Sn, s_CSn
