from collections.abc import Callable
from dataclasses import replace

from regreen.benchmarks import digest
from regreen.problem import Assert, Call, Problem, Stdio

PROBLEM = Problem("p", "say", (Assert("assert f()"), Call((1,), 2), Stdio("in", "out")), entry_point="f")


def test_everything_that_decides_a_verdict_changes_the_digest() -> None:
    others = [
        replace(PROBLEM, id="q"),
        replace(PROBLEM, prelude="import math"),
        replace(PROBLEM, entry_point="g"),
        replace(PROBLEM, checks=PROBLEM.checks[:2]),
        replace(PROBLEM, checks=(PROBLEM.checks[1], PROBLEM.checks[0], PROBLEM.checks[2])),
        replace(PROBLEM, checks=(Assert("assert f()"), Call((True,), 2), Stdio("in", "out"))),
        replace(PROBLEM, checks=(Assert("assert f()"), Call((1.0,), 2), Stdio("in", "out"))),
        replace(PROBLEM, checks=(Assert("assert f()"), Call((1,), 2, compare="close"), Stdio("in", "out"))),
        replace(PROBLEM, checks=(Assert("assert f()"), Call((1,), 2), Stdio("in", "out", "tokens"))),
    ]
    assert len({digest([problem]) for problem in [PROBLEM, *others]}) == len(others) + 1


def test_what_decides_no_verdict_leaves_the_digest() -> None:
    other = replace(PROBLEM, statement="tell", solution="def f(): ...", shown=(0,), revealed=(0,), meta={"date": "x"})
    assert digest([other]) == digest([PROBLEM])


def test_the_order_and_bounds_of_problems_matter() -> None:
    other = replace(PROBLEM, id="q")
    assert digest([PROBLEM, other]) != digest([other, PROBLEM])
    assert digest([]) != digest([PROBLEM])


def test_sets_and_long_integers_have_one_digest_in_every_process(run_python: Callable[[str], str]) -> None:
    code = (
        "from regreen.benchmarks import digest; from regreen.problem import Call, Problem;"
        "words = {chr(97 + i) * 3 for i in range(20)};"
        "print(digest([Problem('p', 's', (Call((words, 10**6000), {'k': words, 1: '\\ud800'}),), entry_point='f')]))"
    )
    assert run_python(code) == run_python(code)
