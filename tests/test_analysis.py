"""BLEU against correctness and scaling fits, beside twins that count by brute force."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.analysis import (
    auc,
    bleu_against_correctness,
    bleu_scorer,
    code_tokens,
    overlap,
    scaling_fit,
    without_prose,
)

VALUES = st.lists(st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0]), min_size=1, max_size=8)


@given(VALUES, VALUES)
def test_auc_counts_pairs(right, wrong):
    pairs = [1.0 if r > w else 0.5 if r == w else 0.0 for r in right for w in wrong]
    assert auc(right, wrong) == pytest.approx(sum(pairs) / len(pairs))
    assert auc(wrong, right) == pytest.approx(1 - auc(right, wrong))


def test_auc_needs_both_kinds():
    with pytest.raises(ValueError, match="both right and wrong"):
        auc([1.0], [])


@given(VALUES, VALUES)
def test_overlap_is_one_minus_the_largest_gap_between_step_functions(first, second):
    def share(values, most):
        return sum(value <= most for value in values) / len(values)

    gap = max(abs(share(first, x) - share(second, x)) for x in np.arange(-1, 8, 0.25))
    assert overlap(first, second) == pytest.approx(1 - gap)


def test_overlap_is_1_for_equal_and_0_for_separate_distributions():
    assert overlap([1.0, 2.0], [2.0, 1.0]) == 1.0
    assert overlap([1.0, 2.0], [3.0]) == 0.0


def test_prose_is_removed_by_its_shape_even_from_code_that_does_not_parse():
    source = 'def f(x:\n    """Say\n    what."""\n    y = """kept"""  # why\n\n    # alone\n    return "#", y\n'
    assert without_prose(source) == 'def f(x:\n    y = """kept"""\n    return "#", y'
    assert code_tokens("a_1+=f(2)") == ["a_1", "+", "=", "f", "(", "2", ")"]


def test_bleu_is_100_for_the_reference_in_other_clothes_and_0_for_nothing_shared():
    pytest.importorskip("sacrebleu")
    score = bleu_scorer()
    reference = "def f(x):\n    return [y + 1 for y in x]\n"
    assert score('def f(x):\n  """Doc."""\n  return [ y+1 for y in x ]', reference) == pytest.approx(100.0)
    assert score("import os", reference) < 10
    assert score("", reference) == 0.0
    assert score("def f(x):\n    return [z + 2 for z in x]\n", reference) < 100


def test_bleu_against_correctness_is_a_mean_over_problems_with_both_kinds():
    pytest.importorskip("sacrebleu")
    reference = "def f(x):\n    return x + 1\n"
    near, far = "def f(x):\n    return x + 2\n", "print(3)\n"
    programs = {
        "a": [(reference, True), (near, False), (far, False)],
        "b": [(far, True), (near, False)],
        "c": [(far, False)],
        "no reference": [(near, True), (far, False)],
    }
    found = bleu_against_correctness(programs, dict.fromkeys("abc", reference))
    assert found["problems"] == 2
    assert found["by_problem"] == {"a": {"auc": 1.0, "overlap": 0.0}, "b": {"auc": 0.0, "overlap": 0.0}}
    assert found["auc"]["value"] == 0.5
    assert (found["auc"]["low"], found["auc"]["high"]) == (0.0, 1.0)
    assert (found["right"]["programs"], found["wrong"]["programs"]) == (2, 4)
    assert found["right"]["quartiles"] == sorted(found["right"]["quartiles"])
    clustered = bleu_against_correctness(programs, dict.fromkeys("abc", reference), clusters={"a": 0, "b": 0})
    assert clustered["auc"]["method"] == "exact"


def test_without_a_problem_of_both_kinds_there_is_nothing_to_say():
    pytest.importorskip("sacrebleu")
    with pytest.raises(ValueError, match="at least one problem"):
        bleu_against_correctness({"a": [("x", True)]}, {"a": "x"})


SIZES = st.lists(st.floats(1e3, 1e12), min_size=2, max_size=5, unique_by=lambda size: round(math.log10(size), 2))


@given(SIZES, st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_the_fit_is_that_of_polyfit_and_r_squared_that_of_its_residuals(sizes, seed):
    scores = np.random.default_rng(seed).random((len(sizes), 6))
    found = scaling_fit(sizes, scores.tolist(), resamples=50)
    x, y = np.log10(sizes), scores.mean(axis=1)
    slope, intercept = np.polyfit(x, y, 1)
    assert found.slope.value == pytest.approx(slope, rel=1e-6, abs=1e-9)
    assert found.intercept.value == pytest.approx(intercept, rel=1e-6, abs=1e-9)
    explained = 1 - ((y - intercept - slope * x) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert found.r_squared.value == pytest.approx(explained, abs=1e-6)


def test_the_interval_resamples_problems_for_all_models_at_once():
    generator = random.Random(4)
    easy = [generator.random() for _ in range(60)]
    scores = [
        [0.5 * value for value in easy],
        [0.5 * value + 0.1 for value in easy],
        [0.5 * value + 0.2 for value in easy],
    ]
    found = scaling_fit([1e7, 1e8, 1e9], scores)
    assert found.slope.value == pytest.approx(0.1)
    assert (found.slope.low, found.slope.high) == (pytest.approx(0.1), pytest.approx(0.1))  # paired: all move together
    assert found.intercept.low < found.intercept.value - 0.01 < found.intercept.value + 0.01 < found.intercept.high
    assert found.r_squared.value == pytest.approx(1.0)


def test_the_bootstrap_of_a_fit_is_that_of_polyfit_on_drawn_problems():
    generator = np.random.default_rng(8)
    sizes, scores = [1e6, 1e7, 1e9], generator.random((3, 12)) + np.asarray([[0.0], [0.1], [0.4]])
    found = scaling_fit(sizes, scores.tolist(), resamples=4000)
    drawn = [generator.integers(12, size=12) for _ in range(4000)]
    slopes = [np.polyfit(np.log10(sizes), scores[:, at].mean(axis=1), 1)[0] for at in drawn]
    low, high = np.quantile(slopes, [0.025, 0.975])
    assert (found.slope.low, found.slope.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_clusters_are_resampled_whole_and_the_seed_decides_the_digits():
    generator = np.random.default_rng(2)
    once = generator.random((2, 10))
    copied, labels = np.repeat(once, 5, axis=1), [at for at in range(10) for _ in range(5)]
    single, clustered = scaling_fit([10, 100], once.tolist()), scaling_fit([10, 100], copied.tolist(), clusters=labels)
    assert clustered.slope.low == pytest.approx(single.slope.low)
    naive = scaling_fit([10, 100], copied.tolist())
    assert naive.slope.high - naive.slope.low < 0.6 * (single.slope.high - single.slope.low)
    assert scaling_fit([10, 100], once.tolist(), seed=1) != single == scaling_fit([10, 100], once.tolist())


def test_equal_scores_have_no_variance_to_explain():
    found = scaling_fit([10, 100, 1000], [[0.5, 0.7]] * 3, resamples=20)
    assert (found.slope.value, found.r_squared.value) == (pytest.approx(0.0, abs=1e-12), 0.0)


def test_what_cannot_be_fitted_is_refused():
    for sizes, scores in (([10, 10], [[1.0], [0.0]]), ([10], [[1.0]]), ([0, 10], [[1.0], [0.0]])):
        with pytest.raises(ValueError, match="at least two sizes"):
            scaling_fit(sizes, scores)
    with pytest.raises(ValueError, match="a row for each model"):
        scaling_fit([10, 100], [[1.0]])
