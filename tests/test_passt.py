"""pass@t: closed forms beside the search run over every draw, and beside the bootstrap."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.metrics import Feedback, First, Forest, Repair, Width, bootstrap, expected, joint, pass_at_k
from regreen.metrics.turns import in_turn
from tests.forests import SEARCHES, every_draw, frozen_trees, made_up, searching

ORDERS = sorted(SEARCHES)


@st.composite
def cells(draw, trees):
    """Draw a tree and a width that fits into it."""
    tree = draw(trees)
    most = Forest.of([tree]).most
    width = Width(draw(st.integers(1, most.n_p)), draw(st.integers(0, 2 if most.n_f < 0 else most.n_f)))
    return tree, width._replace(n_r=draw(st.integers(1, 2 if most.n_r < 0 else most.n_r)) if width.n_f else 1)


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("order", ORDERS)
@given(cell=cells(frozen_trees()))
@settings(max_examples=40, deadline=None)
def test_the_closed_forms_are_the_mean_over_every_way_to_draw_and_search(cell, order, replacement):
    tree, width = cell
    if replacement and width.programs > 6:
        width = width._replace(n_p=1)
    found = expected(Forest.of([tree]), [width], order=order, replacement=replacement)
    enumerated = every_draw(searching(tree, width, order), replacement=replacement)
    assert [found.passed[0, 0], *found.costs[0, 0]] == pytest.approx(enumerated, abs=1e-12)


def within_four_errors(drawn, exact):
    """True if every mean is within 4 standard errors; what happens less than once in all trees has an error of once."""
    trees = len(drawn.passed)
    pairs = zip(drawn.mean, drawn.deviation, (value.mean(axis=0) for value in exact), strict=True)
    once = [1.0, np.abs(drawn.costs).max(axis=(0, 1))]
    return all(
        np.all(np.abs(mean - value) <= 4 * np.maximum(deviation / math.sqrt(trees), unit / trees) + 1e-9)
        for (mean, deviation, value), unit in zip(pairs, once, strict=True)
    )


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("order", ORDERS)
@given(trees=st.lists(frozen_trees(most=(4, 3, 3)), min_size=1, max_size=3), seed=st.integers(0, 9))
@settings(max_examples=12, deadline=None, derandomize=True)
def test_the_bootstrap_tends_to_the_closed_forms(trees, seed, order, replacement):
    forest = Forest.of(trees)
    most = forest.most
    widths = [Width(n_p, n_f) for n_p in (1, most.n_p) for n_f in range(2 if most.n_f < 0 else most.n_f + 1)]
    widths += [Width(most.n_p, abs(most.n_f), abs(most.n_r))]
    drawn = bootstrap(forest, widths, order=order, replacement=replacement, trees=20_000, seed=seed)
    exact = expected(forest, widths, order=order, replacement=replacement)
    assert within_four_errors(drawn, exact)
    for own, value in zip(drawn.by_problem, exact, strict=True):
        assert own == pytest.approx(value, abs=0.4)


def test_both_estimators_agree_on_trees_of_the_published_size():
    forest = Forest.of(made_up(6, 50, 25, repaired=0.02))
    widths = [Width(25, 10), Width(1, 10), Width(10, 3), Width(25, 1), Width(5)]
    for order in ORDERS:
        for replacement in (True, False):
            drawn = bootstrap(forest, widths, order=order, replacement=replacement, trees=4000)
            exact = expected(forest, widths, order=order, replacement=replacement)
            assert within_four_errors(drawn, exact)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.data())
def test_without_replacement_and_repair_the_pass_rate_is_pass_at_k(passed, data):
    n_p = data.draw(st.integers(1, len(passed)))
    forest = Forest.of([[First(one, (1.0,)) for one in passed]])
    for order in ORDERS:
        found = expected(forest, [Width(n_p)], order=order)
        assert found.passed[0, 0] == pytest.approx(pass_at_k(len(passed), sum(passed), n_p), abs=1e-12)


@given(frozen_trees(most=(5, 4, 3)))
@settings(deadline=None)
def test_the_order_of_the_search_moves_the_cost_and_never_the_pass_rate(tree):
    forest = Forest.of([tree])
    widths = [Width(forest.most.n_p, min(1, abs(forest.most.n_f)))]
    for replacement in (True, False):
        found = [expected(forest, widths, order=order, replacement=replacement) for order in ("batched", "bfs", "dfs")]
        assert [f.passed[0, 0] for f in found] == pytest.approx([found[0].passed[0, 0]] * 3, abs=1e-12)
        programs = [f.costs[0, 0, -1] for f in found]
        assert programs[0] >= programs[1] - 1e-9


@given(frozen_trees(most=(4, 3, 1), separate=False))
@settings(deadline=None)
def test_joint_sampling_is_the_specifications_closed_form_with_replacement(tree):
    n, n_p, n_fr = len(tree), 3, 2
    forest = Forest.of([tree * 3])  # as many as are drawn; with replacement copies change nothing
    failing = [first for first in tree if not first.passed]
    if any(len(first.feedbacks) < n_fr for first in failing):
        return
    w = [1 - sum(f.repairs[0].passed for f in first.feedbacks) / len(first.feedbacks) for first in failing]
    tau = [sum(f.repairs[0].costs[0] for f in first.feedbacks) / len(first.feedbacks) for first in failing]
    mu = sum(first.costs[0] for first in tree) / n
    q = sum(x**n_fr for x in w) / n
    found = {o: expected(forest, [Width(n_p, n_fr)], order=o, replacement=True) for o in ORDERS}
    assert found["dfs"].passed[0, 0] == pytest.approx(1 - q**n_p)
    spent = mu + sum(t * sum(x**j for j in range(n_fr)) for t, x in zip(tau, w, strict=True)) / n
    assert found["dfs"].costs[0, 0, 0] == pytest.approx(spent * sum(q**j for j in range(n_p)))
    whole = n_p * n_fr * sum(tau) / max(1, len(failing))
    assert found["batched"].costs[0, 0, 0] == pytest.approx(n_p * mu + (len(failing) / n) ** n_p * whole)


def test_what_a_frozen_tree_cannot_fill_is_undefined_under_both_rules_and_the_most_is_said():
    few = [First(False, (1.0,), [joint(True, (1.0,))] * 2), First(False, (1.0,), [joint(False, (1.0,))])]
    many = [First(True, (1.0,)), First(False, (1.0,), [joint(True, (1.0,))] * 5), First(True, (1.0,))]
    forest = Forest.of([few, many])
    assert forest.most_P == [Width(2, 1, 1), Width(3, 5, 1)]
    assert forest.most == Width(2, 1, 1)
    widths = [Width(2, 1), Width(3, 1), Width(1, 2), Width(1, 1, 2), Width(3)]
    for replacement in (True, False):
        for found in (
            expected(forest, widths, replacement=replacement),
            bootstrap(forest, widths, replacement=replacement, trees=5).mean,
        ):
            known = ~np.isnan(np.atleast_2d(found.passed))
            assert known[0].tolist() == [True, False, False, False, False]
    assert (~np.isnan(expected(forest, widths).passed[1])).tolist() == [True, True, True, False, True]


def test_problems_that_every_program_solves_have_no_end_of_repairs():
    forest = Forest.of([[First(True, (2.0,))] * 3])
    assert forest.most == Width(3, -1, -1)
    found = expected(forest, [Width(3, 10)], order="dfs")
    assert (found.passed[0, 0], found.costs[0, 0].tolist()) == (1.0, [2.0, 1.0])


def test_no_trees_are_refused():
    for trees in ([], [[]]):
        with pytest.raises(ValueError, match="at least one tree"):
            Forest.of(trees)


def test_thousands_of_draws_neither_overflow_nor_cancel():
    n = 4000
    fail = np.ones((1, n))
    fail[0, ::2] = 1e-3
    turns = in_turn(fail, np.ones((1, n, 1)), np.ones((1, n), dtype=bool), 300, replacement=False)
    again = in_turn(fail, np.ones((1, n, 1)), np.ones((1, n), dtype=bool), 300, replacement=True)
    assert np.all(np.diff(turns.fail[0]) <= 0)
    assert turns.fail[0, 2] == pytest.approx(again.fail[0, 2], rel=1e-3)
    all_right = turns.fail[0, 300]
    exact = sum(math.comb(2000, a) * math.comb(2000, 300 - a) / math.comb(4000, 300) * 1e-3**a for a in range(301))
    assert all_right == pytest.approx(exact, rel=1e-10)


def test_the_same_seed_draws_the_same_trees_and_more_problems_move_none():
    trees = made_up(3, 6, 4)
    one, two = (bootstrap(Forest.of(trees[:n]), [Width(2, 2)], trees=50).by_problem for n in (2, 3))
    assert one.passed.tolist() == two.passed[:2].tolist()
    other = bootstrap(Forest.of(trees), [Width(2, 2)], trees=50, seed=1).by_problem
    assert other.costs.tolist() != two.costs.tolist()


def test_a_cost_that_is_not_known_leaves_the_other_axes_alone():
    tree = [First(False, (math.nan, 3.0), [Feedback((1.0, 0.0), [Repair(True, (1.0, 4.0))])])]
    found = expected(Forest.of([tree]), [Width(1, 1)])
    assert np.isnan(found.costs[0, 0, 0])
    assert found.costs[0, 0, 1:].tolist() == [7.0, 2.0]
