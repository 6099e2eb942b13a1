"""The three baselines beside the searches that they stand for, run over every draw, and the budget."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.metrics import (
    Feedback,
    First,
    Forest,
    Repair,
    Width,
    at_budget,
    expected,
    fixed,
    joint,
    one_by_one,
    pass_at_k,
    placebo,
    same_stop,
)
from tests.forests import SEARCHES, Spending, every_draw, frozen_trees


def values(found, at=0):
    return [found.passed[0, at], *found.costs[0, at]]


@given(tree=frozen_trees(most=(5, 1, 1)), n_p=st.integers(1, 3), extra=st.integers(0, 3), replacement=st.booleans())
@settings(deadline=None)
def test_baselines_without_repair_are_the_mean_over_every_draw(tree, n_p, extra, replacement):
    forest, k = Forest.of([tree]), n_p + extra

    def all_paid(draw):
        spending, pool = Spending(), list(tree)
        for _ in range(k):
            spending.program(draw(pool))
        return spending

    def stopped(draw):
        spending, pool = Spending(), list(tree)
        for _ in range(k):
            if spending.program(draw(pool)):
                break
        return spending

    def stopped_after_n_p(draw):
        spending, pool = Spending(), list(tree)
        for at in range(k):
            if at == n_p and spending.passed:
                break
            spending.program(draw(pool))
        return spending

    twins = {
        all_paid: fixed(forest, [k], replacement=replacement),
        stopped: one_by_one(forest, [k], replacement=replacement),
        stopped_after_n_p: same_stop(forest, n_p, [extra], replacement=replacement),
    }
    for search, found in twins.items():
        if k > len(tree):
            assert np.isnan(values(found)).all()
        else:
            assert values(found) == pytest.approx(every_draw(search, replacement=replacement), abs=1e-12)
    assert values(same_stop(forest, n_p, [extra], order="dfs", replacement=replacement)) == pytest.approx(
        values(one_by_one(forest, [k], replacement=replacement)), nan_ok=True
    )


class Fresh:
    """A pool of first programs that repairs are taken from too: they keep their price, and lose their verdict."""

    def __init__(self, draw, pool):
        self.draw, self.pool = draw, pool

    def __call__(self, pool):
        drawn = self.draw(pool)
        return Repair(self.draw(self.pool).passed, drawn.costs) if isinstance(drawn, Repair) else drawn


@pytest.mark.parametrize("order", ["batched", "bfs", "dfs"])
@given(
    tree=frozen_trees(most=(6, 2, 2)),
    width=st.sampled_from([Width(1, 1), Width(2, 1), Width(1, 2), Width(1, 1, 2), Width(2)]),
    replacement=st.booleans(),
)
@settings(deadline=None, max_examples=40)
def test_a_placebo_tree_is_the_search_with_fresh_programs_in_the_repairs_places(tree, width, replacement, order):
    forest = Forest.of([tree])
    found = placebo(forest, [width], order=order, replacement=replacement)
    if width.programs > len(tree):
        assert np.isnan(values(found)).all()
    elif forest.allows([width])[0, 0]:

        def search(draw):
            pool, spending = list(tree), Spending()
            SEARCHES[order](pool, width, Fresh(draw, pool), spending)
            return spending

        assert values(found) == pytest.approx(every_draw(search, replacement=replacement), abs=1e-12)


def test_a_placebo_tree_passes_as_often_as_its_programs_drawn_alone_and_a_batched_one_costs_what_the_tree_does():
    failing = First(False, (4.0,), [Feedback((1.0,), [Repair(True, (9.0,))])] * 2)
    tree = [First(True, (2.0,)), *[failing] * 7]
    forest, widths = Forest.of([tree]), [Width(2, 2), Width(4, 1), Width(3)]
    found, real = placebo(forest, widths), expected(forest, widths)
    assert found.passed[0] == pytest.approx([pass_at_k(8, 1, width.programs) for width in widths])
    assert found.costs[0, :2] == pytest.approx(real.costs[0, :2])
    assert found.passed[0, 0] < real.passed[0, 0]


def test_the_budget_is_read_between_two_points_and_each_problem_is_moved_along_the_slope():
    passed, costs = np.array([[0.0, 0.4, 0.6], [0.2, 0.4, 0.4]]), np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0]])
    assert at_budget(passed, costs, np.array([2.0, 4.0])) == pytest.approx([0.4, 0.4])
    found = at_budget(passed, costs, np.array([1.5, 3.5]))
    assert found == pytest.approx([0.2, 0.3])
    uneven = at_budget(passed, costs, np.array([2.5, 2.5]))  # the same mean, otherwise shared
    assert uneven == pytest.approx([0.2 + 0.3, 0.3 - 0.3])
    assert uneven.mean() == pytest.approx(found.mean())


def test_there_is_nothing_to_read_beyond_the_curve_or_at_an_unknown_cost():
    passed, costs = np.array([[0.1, 0.4]]), np.array([[1.0, 2.0]])
    assert at_budget(passed, costs, np.array([2.1])) is None
    assert at_budget(passed, costs, np.array([0.9])) is None
    assert at_budget(passed, costs, np.array([np.nan])) is None
    assert at_budget(passed, np.array([[1.0, np.nan]]), np.array([1.0])) is None
    assert at_budget(passed, costs, np.array([2.0 + 1e-12])) == pytest.approx([0.4])


def test_a_curve_that_stands_still_is_read_at_its_end():
    passed, costs = np.array([[1.0, 1.0, 1.0]]), np.array([[2.0, 2.0, 2.0]])
    assert at_budget(passed, costs, np.array([2.0])) == pytest.approx([1.0])


@given(frozen_trees(most=(6, 1, 1), separate=False))
def test_a_batched_tree_whose_repairs_cost_as_programs_do_has_the_budget_of_the_same_stop(tree):
    tree = [first._replace(costs=(1.0,), feedbacks=[joint(True, (1.0,))] * (not first.passed)) for first in tree]
    n_p = max(1, len(tree) // 2)
    if 2 * n_p > len(tree):
        return
    forest = Forest.of([tree])
    spent = expected(forest, [Width(n_p, 1)]).costs[:, 0, 0]
    assert spent == pytest.approx(same_stop(forest, n_p, [n_p]).costs[:, 0, 0])
