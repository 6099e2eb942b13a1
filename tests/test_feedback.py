"""feedback: the sentence about the first failing revealed check, and that it keeps hidden checks hidden."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen import Assert, Call, Check, InputError, Outcome, Problem, Stdio
from regreen.benchmarks import load as load_benchmark
from regreen.feedback import NO_PROGRAM, UNSEEN, error_name, error_sentence, error_sentences, first_failure, shorten
from regreen.formats import open_samples
from regreen.problem import with_revealed
from regreen.sandbox import Limits, LocalSandbox
from regreen.verdict import CheckResult, Verdict

CALLS = Problem("calls", "", (Call(([1, 2],), 3), Call(([],), 0, {"of": "x"})), revealed=(0, 1), entry_point="f")
LINES = Problem("lines", "", (Stdio("1 2\n", "3\n"),), revealed=(0,))
ASSERTS = Problem(
    "asserts",
    "",
    (Assert("assert f([1]) == 1\nassert abs(f([2]) - 2) < 0.1, 'far off'\nassert not f([])"),),
    revealed=(0,),
    entry_point="f",
)
HUMAN = Problem(
    "human",
    "",
    (
        Assert(
            "META = {}\n\ndef check(candidate):\n    assert candidate(1) is True\n    assert candidate(2)\n\ncheck(f)\n"
        ),
    ),
    revealed=(0,),
    entry_point="f",
)
LOOPED = replace(ASSERTS, checks=(Assert("for n in range(3):\n    assert f([n]) == n"),))
APPS = replace(CALLS, checks=(Call((5,), ["6"], compare="apps"),), revealed=(0,))
SPACED = replace(CALLS, checks=(Call(("a",), "  a  b "),), revealed=(0,))

SENTENCES = [
    (
        SPACED,
        "def f(x):\n    return ' a b'",
        "For the input f('a') the program returned ' a b', but '  a  b ' was expected.",
    ),
    (CALLS, "g = 1", "The function f is missing: name 'f' is not defined."),
    (CALLS, "def f(x) return 1", "The program does not compile: SyntaxError on line 1: expected ':'."),
    (
        CALLS,
        "def f(x, of=0):\n\n    return x[2]",
        "The program raised IndexError on line 3 for the input f([1, 2]): list index out of range.",
    ),
    (
        CALLS,
        "def f(x):\n    assert x != [1, 2]",
        "The program raised AssertionError on line 2 for the input f([1, 2]).",
    ),
    (CALLS, "def f(x, of=0):\n    return 3", "For the input f([], of='x') the program returned 3, but 0 was expected."),
    (
        CALLS,
        "def f(x, of=0):\n    while x: pass",
        "The program was not done in time for the input f([1, 2]): not done after 0.5 s of CPU time.",
    ),
    (CALLS, "def f(x):\n    return [0] * 10**10", "The program ran out of memory on line 2 for the input f([1, 2])."),
    (
        CALLS,
        "def f(x):\n    return 'x' * 9_000_000",
        "The program gave too much for the input f([1, 2]): the results are too large.",
    ),
    (
        CALLS,
        "import os\ndef f(x):\n    os._exit(0)",
        "The program ended before it was done for the input f([1, 2]): "
        "the program ended its own process, exit status 0.",
    ),
    (LINES, "print(4)", r"For the input '1 2\n' the program printed '4\n', but '3\n' was expected."),
    (
        LINES,
        "print(int(input()))",
        r"The program raised ValueError on line 1 for the input '1 2\n': "
        "invalid literal for int() with base 10: '1 2'.",
    ),
    (ASSERTS, "def f(x):\n    return 2", "For the input f([1]) the program returned 2, but 1 was expected."),
    (ASSERTS, "def f(x):\n    return 1", "The assertion abs(f([2]) - 2) < 0.1 failed: got 1, against 0.1."),
    (ASSERTS, "def f(x):\n    return sum(x) or 5", "The assertion not f([]) failed: got 5, expected False."),
    (
        ASSERTS,
        "def f(x):\n    return 1 if x == [1] else None",
        "The program gave a wrong result in the assertion abs(f([2]) - 2) < 0.1: "
        "unsupported operand type(s) for -: 'NoneType' and 'int'.",
    ),
    (
        ASSERTS,
        "def f(x):\n    return x[0]",
        "The program raised IndexError on line 2 in the assertion not f([]): list index out of range.",
    ),
    (HUMAN, "def f(x):\n    return 1", "The assertion f(1) is True failed: got 1, expected True."),
    (HUMAN, "def f(x):\n    return x == 1", "The assertion f(2) failed: got False, expected True."),
    (LOOPED, "def f(x):\n    return 0", "An assertion failed: got 0, expected 1."),
    (APPS, "def f(x):\n    return [[7]]", "For the input f(5) the program returned 7, but '6' was expected."),
]


@pytest.fixture(scope="module")
def quick() -> Any:
    with LocalSandbox(Limits(timeout=0.5)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(("problem", "source", "sentence"), SENTENCES)
def test_the_sentence_names_what_failed(quick: LocalSandbox, problem: Problem, source: str, sentence: str) -> None:
    assert error_sentence(problem, quick.judge_now(problem, source)) == sentence


def test_every_outcome_that_is_not_passed_has_its_row(quick: LocalSandbox) -> None:
    judged = {quick.judge_now(problem, source).outcome for problem, source, _ in SENTENCES}
    assert judged == set(Outcome) - {Outcome.PASSED}


def test_a_failure_that_nobody_may_see_is_only_said_to_be(quick: LocalSandbox) -> None:
    for problem, source, sentence in SENTENCES:
        hidden = replace(problem, revealed=())
        verdict = quick.judge_now(problem, source)
        syntax = verdict.outcome is Outcome.SYNTAX_ERROR
        assert error_sentence(hidden, verdict) == (sentence if syntax else UNSEEN)


def test_the_first_revealed_failure_speaks_though_a_hidden_check_failed_before(quick: LocalSandbox) -> None:
    problem = replace(CALLS, revealed=(1,))
    verdict = quick.judge_now(problem, "def f(x, of=0):\n    return 9")
    failure = first_failure(problem, verdict)
    assert failure is not None
    assert failure.index == 1
    assert error_sentence(problem, verdict) == "For the input f([], of='x') the program returned 9, but 0 was expected."


def test_a_program_that_passed_has_no_sentence() -> None:
    with pytest.raises(ValueError, match="has no failure"):
        error_sentence(CALLS, Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED), CheckResult(1, Outcome.PASSED))))


def test_an_answer_without_a_program_is_called_so() -> None:
    failed = CheckResult(0, Outcome.SYNTAX_ERROR, message="no program in the text")
    assert error_sentence(LINES, Verdict(Outcome.SYNTAX_ERROR, (failed,))) == NO_PROGRAM


@given(st.text(max_size=700))
def test_a_long_value_keeps_its_first_296_characters_and_its_last(text: str) -> None:
    short = shorten(text)
    if len(text) <= 300:
        assert short == text
    else:
        assert (len(short), short[1:297], short[297:300], short[-2]) == (302, text[:296], "...", text[-1])
        assert short[0] == short[-1] == '"'


# ---- hidden checks ----

SECRETS = st.integers(10**9, 10**10 - 1)  # no digits like these stand in a sentence by chance


@st.composite
def checks(draw: st.DrawFn, kind: str) -> Check:
    given, wanted = draw(SECRETS), draw(SECRETS)
    if kind == "stdio":
        return Stdio(f"{given}\n", f"{wanted}\n")
    return Call((given,), wanted) if kind == "call" else Assert(f"assert f({given}) == {wanted}")


@st.composite
def judged(draw: st.DrawFn) -> tuple[Problem, Verdict]:
    """Return a problem and a verdict whose every field tells what its check holds."""
    kind = draw(st.sampled_from(["stdio", "call", "assert"]))
    made = draw(st.lists(checks(kind), min_size=1, max_size=5))
    revealed = tuple(sorted(draw(st.sets(st.sampled_from(range(len(made)))))))
    problem = Problem("p", "", tuple(made), revealed=revealed, entry_point="f")
    outcomes = st.sampled_from([None, *(each for each in Outcome if each is not Outcome.SYNTAX_ERROR)])
    results = tuple(_telling(at, check, draw(outcomes)) for at, check in enumerate(made))
    failing = (each.outcome for each in results if each.outcome not in (None, Outcome.PASSED))
    return problem, Verdict(next(failing, Outcome.KILLED), results)


def _telling(at: int, check: Check, outcome: Outcome | None) -> CheckResult:
    all_of_it = repr(check)
    return CheckResult(at, outcome, all_of_it, all_of_it, "equal", all_of_it, all_of_it, 3, all_of_it, all_of_it, 1, 0)


def secrets(check: Check) -> set[str]:
    return {word for word in "".join(c if c.isdigit() else " " for c in repr(check)).split() if len(word) == 10}


@given(judged())
@settings(max_examples=300, deadline=None)
def test_no_literal_of_a_hidden_check_is_ever_said(case: tuple[Problem, Verdict]) -> None:
    problem, verdict = case
    said = error_sentence(problem, verdict)
    seen = set[str]().union(*(secrets(problem.checks[at]) for at in problem.revealed))
    for at, check in enumerate(problem.checks):
        if at not in problem.revealed:
            assert not any(secret in said for secret in secrets(check) - seen)
    failure = first_failure(problem, verdict)
    assert (said == UNSEEN) == (failure is None)
    if failure is not None and failure.outcome is Outcome.WRONG_ANSWER:
        assert any(secret in said for secret in secrets(problem.checks[failure.index]))


@given(judged())
@settings(deadline=None)
def test_a_sentence_is_one_line_that_ends_with_a_full_stop(case: tuple[Problem, Verdict]) -> None:
    said = error_sentence(*case)
    assert len(said.splitlines()) == 1
    assert said.endswith(".")


def test_what_is_revealed_can_be_chosen() -> None:
    problem = replace(CALLS, shown=(0,), revealed=(0, 1), checks=(*CALLS.checks, Call((7,), 8)))
    chosen = [with_revealed(problem, word).revealed for word in ("shown", "revealed", "all")]
    assert chosen == [(0,), (0, 1), (0, 1, 2)]
    with pytest.raises(InputError, match="reveal some: expected shown, revealed or all"):
        with_revealed(problem, "some")


# ---- the published data ----


@pytest.mark.data
def test_every_recorded_failure_has_a_sentence(data_root: Path, sandbox: LocalSandbox) -> None:
    path = data_root / "recorded" / "codet" / "codegen16b_humaneval_samples_0-49.jsonl.gz"
    problems = {p.id: with_revealed(p, "all") for p in load_benchmark("humaneval", data=data_root).problems()}
    programs = [row.program for row in open_samples(path, problems=problems).rows() if row.program.index == 0]
    pairs = [(problems[program.problem], program.source) for program in programs]
    forms = Counter[str]()
    for position, verdict in sandbox.judge_all(pairs):
        if not verdict.passed:
            said = error_sentence(pairs[position][0], verdict)
            assert len(said.splitlines()) == 1
            forms[" ".join(said.split()[:3])] += 1
    assert forms.total() > 100
    assert forms["An assertion failed:"] < 0.02 * forms.total()  # by HumanEval/38, whose assert stands in a loop


def several(outcomes: list[str], revealed: tuple[int, ...]) -> tuple[Problem, Verdict]:
    """A problem with a check for each outcome, and the verdict that has them."""
    checks = tuple(Call((at,), at) for at in range(len(outcomes)))
    problem = Problem("many", "", checks, revealed=revealed, entry_point="f")
    results = [CheckResult(at, Outcome(o), got="-1", expected=str(at)) for at, o in enumerate(outcomes)]
    first = next(Outcome(o) for o in outcomes if o != "passed")
    return problem, Verdict(first, tuple(results))


def test_as_many_failing_checks_are_told_as_asked_and_no_hidden_one() -> None:
    problem, verdict = several(["passed", "wrong_answer", "wrong_answer", "timeout", "wrong_answer"], (0, 1, 3, 4))
    told = error_sentences(problem, verdict, 9)
    assert [text.partition("f(")[2][0] for text in told] == ["1", "3", "4"]
    assert error_sentences(problem, verdict, 2) == told[:2]
    assert error_sentence(problem, verdict) == told[0]


def test_a_name_alone_says_assertion_time_or_anything_else_and_nothing_of_a_hidden_check() -> None:
    for outcome, name in (("wrong_answer", "AssertionError"), ("timeout", "TimeoutError"), ("exception", "Exception"),
                          ("memory_limit", "Exception"), ("syntax_error", "Exception")):  # fmt: skip
        assert error_name(*several([outcome], (0,))) == name
    assert error_name(*several(["wrong_answer", "timeout"], (1,))) == "TimeoutError"
    assert "not shown" in error_name(*several(["timeout", "passed"], (1,)))


def test_a_second_sentence_says_where_a_wrong_value_first_differs_and_only_where_both_are_whole() -> None:
    problem, verdict = several(["wrong_answer", "timeout", "wrong_answer"], (0, 1, 2))
    odd = replace(verdict.checks[2], got="[1, 2, 3]", expected="[1, 2]", rule="equal")
    cut = replace(odd, got="[1, 2, 3...")
    close = replace(odd, rule="close")
    for last, said in ((odd, " The first difference: 3 items where 2 were expected."), (cut, ""), (close, "")):
        judged = Verdict(verdict.outcome, (replace(verdict.checks[0], rule="equal"), verdict.checks[1], last))
        plain = error_sentences(problem, judged, 3)
        told = error_sentences(problem, judged, 3, difference=True)
        assert told[0] == f"{plain[0]} The first difference: -1 where 0 was expected."
        assert told[1] == plain[1]
        assert told[2] == plain[2] + said
