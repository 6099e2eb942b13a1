"""Rewards: the paper's numbers, and that nothing but a pass is worth a pass."""

import subprocess
import sys

import pytest
from hypothesis import given

from regreen.problem import Problem
from regreen.train.rewards import REWARDS, Adaptive, Coarse, FineGrained, Signal, Span, pass_ratio
from regreen.train.subtypes import category_of
from regreen.verdict import CheckResult, Outcome, Verdict
from tests.train.test_subtypes import OUTCOMES, verdict_of

PROBLEM = Problem("p", "", ())
OTHERS = set(Outcome) - {Outcome.PASSED, Outcome.WRONG_ANSWER, Outcome.SYNTAX_ERROR}


def of(name, verdict, source="a\nb\n"):
    return REWARDS[name](PROBLEM, source, verdict)


def test_the_coarse_reward_has_the_paper_s_four_values():
    assert of("coarse", verdict_of(Outcome.PASSED)) == Signal(1.0)
    assert of("coarse", verdict_of(Outcome.PASSED, Outcome.WRONG_ANSWER)) == Signal(-0.3)
    assert of("coarse", verdict_of(Outcome.SYNTAX_ERROR)) == Signal(-1.0)
    for outcome in OTHERS:
        assert of("coarse", verdict_of(Outcome.WRONG_ANSWER, outcome)) == Signal(-0.6)


@given(OUTCOMES)
def test_the_adaptive_reward_grows_with_the_share_of_checks_and_is_undefined_where_not_all_ran(outcomes):
    verdict = verdict_of(*outcomes)
    value = of("adaptive", verdict).value
    passes, fails = outcomes.count(Outcome.PASSED), outcomes.count(Outcome.WRONG_ANSWER)
    if passes + fails == len(outcomes):
        assert value == pytest.approx(-0.3 + 1.3 * passes / (passes + fails))
    else:
        assert value is None


def test_the_adaptive_reward_runs_from_the_coarse_failure_to_the_coarse_pass():
    none, every = verdict_of(*[Outcome.WRONG_ANSWER] * 4), verdict_of(*[Outcome.PASSED] * 4)
    assert [of("adaptive", v).value for v in (none, every)] == [of("coarse", v).value for v in (none, every)]


def test_the_fine_grained_reward_falls_on_a_line_on_all_or_on_nothing():
    line = verdict_of(Outcome.EXCEPTION, error_type="KeyError", line=2, line_text="b")
    assert of("fine", line) == Signal(-0.3, (Span(2, 3),))
    assert of("fine", verdict_of(Outcome.TIMEOUT)) == Signal(-0.3)
    assert of("fine", verdict_of(Outcome.WRONG_ANSWER)) == Signal(0.0)
    assert of("fine", verdict_of(Outcome.PASSED)) == Signal(0.0)


def test_every_number_can_be_another():
    failure = verdict_of(Outcome.PASSED, Outcome.WRONG_ANSWER)
    assert Coarse({"failure": 7.0})(PROBLEM, "", failure).value == 7
    assert Adaptive(least=0, rise=2)(PROBLEM, "", failure).value == 1
    assert FineGrained(-0.1)(PROBLEM, "", verdict_of(Outcome.TIMEOUT)).value == -0.1
    assert FineGrained(rules=())(PROBLEM, "", verdict_of(Outcome.TIMEOUT)).value == 0


@given(OUTCOMES)
def test_no_reward_gives_anything_else_what_it_gives_a_pass(outcomes):
    verdict, passed = verdict_of(*outcomes), verdict_of(*[Outcome.PASSED] * len(outcomes))
    if category_of(verdict) == "pass":
        assert set(outcomes) <= {Outcome.PASSED, None}
        return
    for name in ("coarse", "adaptive", "passed", "pass-ratio"):
        value = of(name, verdict).value
        assert value is None or value < of(name, passed).value
    assert of("fine", verdict).value <= of("fine", passed).value == 0


def test_a_check_that_was_not_run_has_not_passed():
    broken_off = Verdict(Outcome.TIMEOUT, (CheckResult(0, Outcome.PASSED), CheckResult(1, None), CheckResult(2, None)))
    assert pass_ratio(broken_off) == pytest.approx(1 / 3)
    assert pass_ratio(Verdict(Outcome.PASSED, ())) == 1


def test_nothing_here_loads_torch():
    names = ["subtypes", "rewards", "placing", "advantages", "weighing", "doors", "analysed"]
    code = f"import {', '.join(f'regreen.train.{name}' for name in names)}, sys\n"
    code += "print([m for m in ('torch', 'transformers', 'trl', 'datasets') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
