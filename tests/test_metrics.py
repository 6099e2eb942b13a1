"""Every formula beside a twin that counts by brute force, and the intervals' coverage."""

import math
import random
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from regreen.metrics import (
    interval_over_seeds,
    mcnemar_exact,
    mean_interval,
    paired_difference,
    paired_permutation,
    pass_at_k,
    pass_at_k_biased,
    pass_at_k_P,
    score,
)


@st.composite
def counts(draw, most=8):
    n = draw(st.integers(1, most))
    return n, draw(st.integers(0, n)), draw(st.integers(1, n))


@given(counts())
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_right_program(ncK):
    n, c, k = ncK
    subsets = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets), abs=1e-12)


@given(counts(most=5))
def test_the_biased_estimator_draws_with_replacement(ncK):
    n, c, k = ncK
    draws = list(product([True] * c + [False] * (n - c), repeat=k))
    assert pass_at_k_biased(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws), abs=1e-12)


@given(counts(most=200))
def test_pass_at_k_equals_the_papers_numerically_stable_product(ncK):
    n, c, k = ncK
    stable = 1.0 if n - c < k else 1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1))
    assert pass_at_k(n, c, k) == pytest.approx(stable, abs=1e-9)


@given(counts(most=60))
def test_pass_at_k_grows_with_k_and_with_the_right_programs(ncK):
    n, c, k = ncK
    assert c == n or pass_at_k(n, c, k) <= pass_at_k(n, c + 1, k)
    assert k == n or pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1)
    assert pass_at_k(n, c, 1) == pytest.approx(c / n)


def test_there_is_no_estimate_where_k_exceeds_n():
    assert pass_at_k(3, 1, 4) is None
    assert pass_at_k_P([10, 3], [1, 1], 4) is None
    assert score({"a": (10, 1), "b": (3, 1)}, 4) is None


def test_impossible_counts_are_refused():
    for n, c, k in ((3, 4, 1), (3, -1, 1), (3, 1, 0)):
        with pytest.raises(ValueError, match=r"must be at least 1|cannot have passed"):
            pass_at_k(n, c, k)


def test_large_counts_neither_overflow_nor_cancel():
    assert pass_at_k(100_000, 1, 50_000) == pytest.approx(0.5)
    assert pass_at_k(1000, 500, 900) == 1.0


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), min_size=1, max_size=6))
def test_a_score_is_the_mean_over_problems_whatever_their_order(rows):
    named = {f"p{i}": (n, min(n, c)) for i, (n, c) in enumerate(rows)}
    found = score(named, 1)
    assert found.value == pytest.approx(sum(c / n for n, c in named.values()) / len(named))
    assert found == score(dict(reversed(named.items())), 1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_the_interval_holds_the_mean_and_stays_within_bounds(values):
    found = mean_interval(values, resamples=500)
    assert -1e-12 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 1 + 1e-12


def test_the_bootstrap_quantiles_are_those_of_all_resamples_enumerated():
    values = [0.0, 0.25, 0.5, 1.0, 1.0]
    means = [np.mean(drawn) for drawn in product(values, repeat=len(values))]
    low, high = np.quantile(means, [0.025, 0.975])
    found = mean_interval(values, resamples=40_000)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.051), pytest.approx(high, abs=0.051))
    assert found.method == "bootstrap"


def test_the_same_seed_gives_the_same_digits_and_another_seed_others():
    generator = random.Random(3)
    values = [generator.random() for _ in range(40)]
    assert mean_interval(values, seed=1) == mean_interval(values, seed=1)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


def test_where_all_problems_agree_the_interval_is_exact_and_not_a_point():
    none, every = mean_interval([0.0] * 20), mean_interval([1.0] * 20)
    assert (none.low, none.method) == (0.0, "exact")
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 20))  # Clopper and Pearson's bound for 0 of 20
    assert (every.low, every.high) == (pytest.approx(1 - none.high), 1.0)


def test_copies_of_a_problem_in_one_cluster_do_not_narrow_the_interval():
    values = [0.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    copied = [value for value in values for _ in range(10)]
    labels = [i for i in range(len(values)) for _ in range(10)]
    once, clustered, naive = mean_interval(values), mean_interval(copied, clusters=labels), mean_interval(copied)
    assert (clustered.low, clustered.high) == (pytest.approx(once.low), pytest.approx(once.high))
    assert naive.high - naive.low < 0.6 * (once.high - once.low)


def test_the_interval_over_seeds_adds_the_variances_of_two_means_and_takes_satterthwaites_t():
    values = np.asarray([[0.0, 0.25, 1.0, 0.5], [0.5, 0.25, 0.75, 1.0], [1.0, 0.0, 1.0, 1.0]])
    of_seeds, of_problems = (stats.sem(values.mean(axis)) ** 2 for axis in (1, 0))
    degrees = (of_seeds + of_problems) ** 2 / (of_seeds**2 / 2 + of_problems**2 / 3)
    low, high = stats.t.interval(0.95, degrees, values.mean(), math.sqrt(of_seeds + of_problems))
    found = interval_over_seeds(values.tolist())
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high))


def test_over_seeds_of_one_value_a_problem_the_interval_is_students():
    means = [0.1, 0.3, 0.2, 0.25]
    low, high = stats.t.interval(0.95, 3, np.mean(means), stats.sem(means))
    found = interval_over_seeds([[mean] * 5 for mean in means])
    assert (found.low, found.high) == pytest.approx((low, high))
    surer = interval_over_seeds([[mean] * 5 for mean in means], level=0.99)
    assert (surer.low, surer.high) == pytest.approx(stats.t.interval(0.99, 3, np.mean(means), stats.sem(means)))


def test_one_seed_has_an_interval_over_problems_alone():
    values = [0.0, 1.0, 1.0, 0.0, 1.0, 0.5]
    low, high = stats.t.interval(0.95, 5, np.mean(values), stats.sem(values))
    found = interval_over_seeds([values])
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize(("value", "bounds"), [(1.0, (0.0, 1.0)), (1 / 3, (0.0, 1.0)), (0.0, (-1.0, 1.0))])
def test_where_nothing_varies_the_interval_over_seeds_is_that_of_one_of_them(value, bounds):
    row, labels = [value] * 10, [i // 2 for i in range(10)]
    found = interval_over_seeds([row] * 5, clusters=labels, bounds=bounds)
    one = mean_interval(row, clusters=labels, bounds=bounds)
    assert (found.low, found.high, found.method) == (pytest.approx(one.low), pytest.approx(one.high), "exact")
    surer = interval_over_seeds([row] * 5, clusters=labels, bounds=bounds, level=0.99)
    assert surer.high - surer.low > found.high - found.low > 0.3


def test_copies_of_a_problem_in_one_cluster_do_not_narrow_the_interval_over_seeds():
    values = [[0.0, 1.0, 0.5, 0.0], [1.0, 1.0, 0.0, 0.5]]
    copied, labels = [[v for v in row for _ in range(5)] for row in values], [i for i in range(4) for _ in range(5)]
    once, clustered = interval_over_seeds(values), interval_over_seeds(copied, clusters=labels)
    assert (clustered.low, clustered.high) == (pytest.approx(once.low), pytest.approx(once.high))


def test_seeds_of_different_problems_have_no_interval():
    for values in ([], [[0.0], [0.0, 1.0]], [[], []]):
        with pytest.raises(ValueError, match="at least one"):
            interval_over_seeds(values)


@pytest.mark.slow
def test_over_five_seeds_problems_alone_are_too_sure_and_both_are_right():
    """No difference in truth, and seeds that differ by 3 points: how often an interval leaves out 0."""
    generator = np.random.default_rng(0)
    alone = both = 0
    for trial in range(1000):
        noise = generator.normal(0, 0.35, (5, 300)) + generator.normal(0, 0.03, (5, 1)) + generator.normal(0, 0.15, 300)
        one = mean_interval(noise.mean(0).tolist(), bounds=(-3, 3), seed=trial, resamples=1000)
        two = interval_over_seeds(noise.tolist())
        alone += not one.low <= 0 <= one.high
        both += not two.low <= 0 <= two.high
    assert alone / 1000 > 0.12
    assert 0.02 < both / 1000 < 0.06


def test_no_problems_have_no_interval():
    with pytest.raises(ValueError, match="at least one problem"):
        mean_interval([])
    assert score({}, 1) is None


@given(st.integers(0, 7), st.integers(0, 7))
def test_mcnemar_counts_coin_flips_at_least_as_uneven(b, c):
    flips = list(product([0, 1], repeat=b + c))
    uneven = sum(max(sum(f), b + c - sum(f)) >= max(b, c) for f in flips)
    assert mcnemar_exact(b, c) == pytest.approx(uneven / len(flips))


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 5))
@settings(deadline=None)
def test_at_one_program_a_problem_the_permutation_is_mcnemars_test(b, c, ties):
    assume(b + c + ties > 0)
    first, second = [1.0] * b + [0.0] * c + [1.0] * ties, [0.0] * b + [1.0] * c + [1.0] * ties
    assert paired_permutation(first, second) == pytest.approx(mcnemar_exact(b, c))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=7))
@settings(deadline=None)
def test_the_permutation_counts_every_way_of_swapping_problems(pairs):
    differences = [b - a for a, b in pairs]
    swaps = product([1, -1], repeat=len(pairs))
    sums = [abs(sum(s * d for s, d in zip(signs, differences, strict=True))) for signs in swaps]
    first, second = zip(*((a / 4, b / 4) for a, b in pairs), strict=True)
    expected = sum(total >= abs(sum(differences)) for total in sums) / len(sums)
    assert paired_permutation(first, second) == pytest.approx(expected)


def test_drawn_permutations_agree_with_enumerated_ones():
    generator = random.Random(5)
    first = [generator.random() for _ in range(13)]
    second = [generator.random() for _ in range(13)]
    enumerated = paired_permutation(first, second)
    padded = paired_permutation([*first, *[0.0, 1e-9] * 4], [*second, *[1e-9, 0.0] * 4])  # too many to enumerate
    assert padded == pytest.approx(enumerated, abs=0.02)


def test_clusters_are_swapped_whole():
    first, second = [0.0] * 8, [1.0] * 8
    assert paired_permutation(first, second) == pytest.approx(2 / 2**8)
    assert paired_permutation(first, second, clusters=[0, 0, 0, 0, 1, 1, 1, 1]) == pytest.approx(0.5)


def test_a_paired_difference_is_signed_and_narrower_than_an_unpaired_one():
    generator = random.Random(1)
    first = [generator.random() for _ in range(100)]
    second = [min(1.0, value + 0.05) for value in first]
    found = paired_difference(first, second)
    assert 0 < found.low <= found.value <= found.high < 0.06
    assert paired_difference(second, first).value == pytest.approx(-found.value)


@pytest.mark.slow
@pytest.mark.parametrize("problems", [30, 164])
@pytest.mark.parametrize("clustered", [False, True])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(problems, clustered):
    generator = np.random.default_rng(problems)
    covered = 0
    for trial in range(1000):
        solved = generator.beta(0.4, 0.8, size=problems)
        values = generator.binomial(10, solved) / 10
        labels = None
        if clustered:
            values, labels = np.repeat(values, 3), list(np.repeat(np.arange(problems), 3))
        found = mean_interval(values.tolist(), clusters=labels, seed=trial, resamples=1000)
        covered += found.low <= 1 / 3 <= found.high
    assert 0.92 <= covered / 1000 <= 0.98
