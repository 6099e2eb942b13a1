"""What an online training is watched by: each number counted once more by hand, and the signs of a collapse."""

import json
import math

import pytest

from regreen.extract import Extraction
from regreen.train.online.drawing import Drawn, drawn_from_line
from regreen.train.online.watching import collapsed, notes_on, numbers_of
from regreen.train.weighing import Weighed
from regreen.verdict import CheckResult, Outcome, Verdict

PASSED, WRONG, SYNTAX = Outcome.PASSED, Outcome.WRONG_ANSWER, Outcome.SYNTAX_ERROR
STEADY = {"duplicates": 0.2, "category/syntax": 0.1, "entropy": 0.5, "mixed": 0.5, "passed": 0.4}


def drawn(problem, index, outcome, source="x = 1\n", role="sample", **more):
    verdict = Verdict(outcome, (CheckResult(0, outcome),))
    told = {"tokens": (1, 2), "logprobs": (-0.5, -1.5), **more}
    return Drawn(problem, index, role, 0, 1.0, text=source, found=Extraction(source, "reply"), verdict=verdict, **told)


def test_numbers_count_what_was_drawn():
    programs = [
        drawn("a", 0, PASSED), drawn("a", 1, PASSED), drawn("a", 2, WRONG, "y = 2\n"),
        drawn("b", 0, SYNTAX, "y y\nz\n", tokens=(1, 2, 3, 4), logprobs=(-1.0,) * 4),
        drawn("b", 0, PASSED, role="greedy"), drawn("a", 0, WRONG, role="greedy"),
    ]  # fmt: skip
    found = numbers_of(programs, [])
    assert found == {
        "drawn": 4, "passed": 0.5, "category/pass": 0.5, "category/failure": 0.25, "category/syntax": 0.25,
        "subtype/ignore": 0.75, "subtype/line": 0.25, "mixed": 0.5, "duplicates": 0.5, "length": 2.5,
        "greedy_passed": 0.5, "entropy": pytest.approx((3 * 2.0 + 4.0) / 10),
    }  # fmt: skip


def test_rewards_are_means_of_what_is_defined_and_advantages_of_their_size():
    weighed = [
        Weighed(None, {"coarse": 1.0, "adaptive": None}, {"coarse": 1.5}, 4.0, 9.0),
        Weighed(None, {"coarse": -0.5, "adaptive": 0.25}, {"coarse": -0.5}),
    ]
    found = numbers_of([drawn("a", 0, PASSED, logprobs=None)], weighed)
    assert found["reward/coarse"] == 0.25
    assert found["reward/adaptive"] == 0.25
    assert found["advantage/coarse"] == 1.0
    assert found["alpha"] == 4.0
    assert "entropy" not in found


@pytest.mark.parametrize(
    ("gone_wrong", "sign"),
    [
        ({"duplicates": 0.96}, "96% of a problem's programs are equal"),
        ({"category/syntax": 0.6}, "60% of the programs do not compile"),
        ({"entropy": 0.01}, "the entropy has sunk from 0.500 to 0.010"),
        ({"mixed": 0.0}, "all programs of every problem come to the same"),
    ],
)
def test_a_collapse_is_told_once_it_has_held_for_five_draws(gone_wrong, sign):
    history = [STEADY] * 3
    assert collapsed(history) is None
    bad = {**STEADY, **gone_wrong}
    assert collapsed(history + [bad] * 4) is None, "four may be chance"
    assert sign in collapsed(history + [bad] * 5)
    assert collapsed([*history, *[bad] * 5, STEADY]) is None, "it has come back"


def test_what_was_so_from_the_beginning_is_no_collapse():
    for gone_wrong in ({"duplicates": 0.96}, {"category/syntax": 0.6}, {"entropy": 0.01}, {"mixed": 0.0}):
        assert collapsed([{**STEADY, **gone_wrong}] * 9) is None


def test_a_policy_that_solves_everything_has_not_collapsed():
    solved = {**STEADY, "mixed": 0.0, "passed": 0.98}
    assert collapsed([STEADY] * 3 + [solved] * 5) is None


def test_a_program_that_was_written_down_is_read_again_to_the_same_bits():
    whole = drawn(
        "a", 3, WRONG, logprobs=(-math.pi, -1e-17), behaviour=(0.1 + 0.2, -1 / 3), reference=(-0.25, -0.5),
        believed=(0.125, 1e-30),
    )  # fmt: skip
    assert drawn_from_line(json.loads(json.dumps(whole.to_json()))) == whole
    bare = drawn("a", 3, WRONG, logprobs=None)
    assert drawn_from_line(json.loads(json.dumps(bare.to_json()))) == bare


def test_notes_say_when_it_collapsed_what_was_refused_and_that_nothing_passed():
    fine = {**STEADY, "refused": 0, "passed": 0.5}
    steps = [{**fine, "step": 1 + 2 * at} for at in range(4)]
    assert notes_on(steps) == []
    assert notes_on([{**step, "passed": 0.0, "refused": 2} for step in steps]) == [
        "8 programs were refused by the model",
        "of all programs that were drawn none passed: the problems may be too hard",
    ]
    gone = [{**fine, "duplicates": 0.95, "step": 9 + 2 * at} for at in range(7)]
    (note,) = notes_on([*steps, *gone])
    assert "collapsed: after step 16 95% of a problem's programs" in note, (
        "the fifth in a row, and the first to be told"
    )
