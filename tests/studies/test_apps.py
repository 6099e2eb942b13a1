"""Strict accuracy, raw and filtered by the shown checks, with the bracket of time-outs."""

from itertools import combinations
from statistics import fmean

import pytest

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.report import render, study_tables
from regreen.run import Run, Settings
from regreen.studies.apps import Counted, apps
from tests.studies.asked import run

PASSED, WRONG, LATE = Outcome.PASSED, Outcome.WRONG_ANSWER, Outcome.TIMEOUT
RIGHT = (PASSED, PASSED, PASSED)
EXAMPLE_ONLY = (PASSED, WRONG, WRONG)
NOTHING = (WRONG, WRONG, WRONG)
SLOW = (PASSED, LATE, None)
SLOW_AND_WRONG = (PASSED, WRONG, LATE)

ENDS = {
    "easy": ("introductory", (0,), [RIGHT, EXAMPLE_ONLY, NOTHING, NOTHING]),
    "slow": ("competition", (0,), [SLOW, SLOW_AND_WRONG, NOTHING, NOTHING]),
    "lost": ("competition", (0,), [NOTHING] * 4),
    "blind": ("interview", (), [RIGHT, NOTHING, NOTHING, NOTHING]),
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A run on four problems of three checks, of which the first is shown, except by the last problem."""
    path = tmp_path_factory.mktemp("apps") / "run"
    with Run(path, Settings("evaluate", "apps", {})) as opened:
        for name, (difficulty, shown, ends) in ENDS.items():
            checks = tuple(Assert(f"assert f({at})") for at in range(3))
            opened.add_problem(Problem(name, "", checks, shown, shown, meta={"difficulty": difficulty}))
            for index, outcomes in enumerate(ends):
                opened.add_program(Program(name, index, "f = 1\n"))
                results = tuple(CheckResult(at, outcome) for at, outcome in enumerate(outcomes))
                worst = next((outcome for outcome in outcomes if outcome is not PASSED), PASSED)
                opened.add_verdict((name, index, "sample"), Verdict(worst, results))
    return path


def test_accuracy_is_strict_and_the_filter_leaves_what_passes_the_shown_checks(judged):
    found = apps(judged, ks=[1, 4])
    scores = found["scores"]["all"]
    assert scores["raw"]["pass@1"]["value"] == pytest.approx(fmean([1 / 4, 0, 0, 1 / 4]))
    assert scores["filtered"]["pass@1"]["value"] == pytest.approx(fmean([1 / 2, 0, 0, 1 / 4]))
    assert scores["filtered"]["pass@4"]["value"] == scores["raw"]["pass@4"]["value"] == fmean([1, 0, 0, 1])
    assert scores["gain"]["value"] == pytest.approx(fmean([1 / 4, 0, 0, 0]))
    assert scores["average"]["value"] == pytest.approx(fmean([4 / 12, 2 / 12, 0, 3 / 12]))


def test_the_bracket_counts_programs_that_are_late_and_never_wrong(judged):
    scores = apps(judged)["scores"]["competition"]
    assert scores["raw_bracket"]["pass@1"]["value"] == pytest.approx(fmean([1 / 4, 0]))
    assert scores["filtered_bracket"]["pass@1"]["value"] == pytest.approx(fmean([1 / 2, 0]))
    assert scores["raw"]["pass@1"]["value"] == 0.0


def test_difficulties_stand_in_their_order_and_the_rule_is_told(judged):
    found = apps(judged)
    assert list(found["scores"]) == ["all", "introductory", "interview", "competition"]
    assert [scores["problems"] for scores in found["scores"].values()] == [4, 1, 1, 2]
    said = render(study_tables(found), "text")
    assert "counts as failed (1 of 4 problems)" in said
    assert "show no check and keep all programs: 1" in said


def test_filtered_scores_are_those_of_all_draws_among_what_is_left():
    counted = Counted((True, False, True, False), (True, True, True, False), (True, True, False, True), 0.5)
    left = [True, False, False]
    for k in (1, 2, 3):
        assert counted.filtered(k) == pytest.approx(fmean(any(draw) for draw in combinations(left, k)))
    assert counted.filtered(4) == 1.0, "fewer than k are left: all of them are drawn"
    for k in (1, 2):
        every = combinations(counted.bracket, k)
        assert counted.raw(k, bracket=True) == pytest.approx(fmean(any(draw) for draw in every))


def test_a_k_beyond_the_programs_is_refused(judged, capsys):
    with pytest.raises(InputError, match="pass@5 needs 5 programs"):
        apps(judged, ks=[1, 5])
    assert run(["study", "apps", str(judged), "-k", "5"], capsys)[0] == 2
    code, said = run(["study", "apps", str(judged), "-k", "1,4"], capsys)
    assert code == 0
    assert "filtered pass@4, with time-outs" in said
