"""Advantages, each beside a twin that counts by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.train.advantages import EPS, advantages, grpo, leave_one_out, less_mean, mixed_groups

NUMBERS = st.floats(-2, 2, allow_nan=False).map(lambda x: round(x, 3))
VALUES = st.lists(st.one_of(st.none(), NUMBERS), min_size=2, max_size=7)
FULL = st.lists(NUMBERS, min_size=2, max_size=7)


def near(found, twin):
    assert [value is None for value in found] == [value is None for value in twin]
    assert [v for v in found if v is not None] == pytest.approx([v for v in twin if v is not None], abs=1e-9)


def plainly(values, baseline_of):
    """A reward less its baseline, both looked up one by one."""
    found = []
    for at, value in enumerate(values):
        others = baseline_of(at)
        found.append(None if value is None or others is None else value - others)
    return found


def mean(values):
    total, count = 0.0, 0
    for value in values:
        if value is not None:
            total, count = total + value, count + 1
    return total / count if count else None


@given(VALUES, st.one_of(st.none(), NUMBERS))
def test_the_newest_greedy_program_is_taken_from_each(values, greedy):
    near(advantages(values, "greedy-latest", greedy=greedy), plainly(values, lambda at: greedy))


@given(VALUES)
def test_without_a_baseline_rewards_stay_what_they_are(values):
    assert advantages(values, "none") == values


@given(VALUES, st.lists(st.one_of(st.none(), NUMBERS), max_size=4))
def test_best_so_far_looks_at_earlier_programs_alone(values, earlier):
    def best(at):
        before = earlier + values[:at]
        if not before:
            return 0.0
        said = sorted(value for value in before if value is not None)
        return said[-1] if said else None

    near(advantages(values, "best-so-far", earlier=earlier), plainly(values, best))
    changed = [*values[:-1], 99.0]
    assert (
        advantages(changed, "best-so-far", earlier=earlier)[:-1]
        == advantages(values, "best-so-far", earlier=earlier)[:-1]
    )


def test_after_one_pass_best_so_far_leaves_nothing_to_gain():
    assert advantages([1.0, 1.0, -0.3], "best-so-far") == [1.0, 0.0, pytest.approx(-1.3)]


@given(VALUES)
def test_the_mean_is_that_of_all_and_leave_one_out_that_of_the_others(values):
    near(advantages(values, "mean"), plainly(values, lambda at: mean(values)))
    near(advantages(values, "leave-one-out"), plainly(values, lambda at: mean(values[:at] + values[at + 1 :])))


@given(FULL)
def test_the_mean_that_holds_the_reward_itself_scales_leave_one_out_by_1_less_1_over_n(values):
    near(less_mean(values), [value * (1 - 1 / len(values)) for value in leave_one_out(values)])


@given(FULL)
def test_grpo_divides_by_the_group_s_deviation(values):
    centre = sum(values) / len(values)
    spread = math.sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))
    near(grpo(values), [(value - centre) / (spread + EPS) if len(set(values)) > 1 else 0.0 for value in values])


@given(st.integers(2, 9), NUMBERS)
def test_of_a_group_of_equals_grpo_learns_nothing(count, value):
    assert grpo([value] * count) == [0.0] * count


def test_rewards_that_differ_by_rounding_alone_are_not_blown_up():
    assert max(map(abs, grpo([0.3, 0.1 + 0.2]))) < 1e-9


@given(VALUES)
def test_grpo_passes_over_what_is_undefined(values):
    said = [value for value in values if value is not None]
    found = [value for value in grpo(values) if value is not None]
    assert found == (grpo(said) if len(said) > 1 else [])


def test_a_group_of_one_cannot_be_compared_with_itself():
    for baseline in ("leave-one-out", "grpo"):
        with pytest.raises(ValueError, match="at least two"):
            advantages([1.0], baseline)
    with pytest.raises(ValueError, match="known are"):
        advantages([1.0], "best")


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=4), max_size=6))
def test_dynamic_sampling_keeps_the_groups_with_some_passes_and_some_not(groups):
    twin = [group for group in groups if 0 < sum(group) < len(group)]
    assert mixed_groups(groups, lambda group: group) == twin
