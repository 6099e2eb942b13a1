"""oracle: where behaviour first differs from the reference solution's, and never by a hidden input."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen import Assert, Call, InputError, Problem, Stdio
from regreen.arms import Oracle
from regreen.benchmarks import load as load_benchmark
from regreen.formats import open_samples
from regreen.sandbox import Limits, LocalSandbox

LEAST = Problem(
    "least",
    "",
    (Call(([3, 1, 2],), 1), Call(([],), 0)),
    revealed=(0,),
    entry_point="f",
    solution="def f(x):\n    return sorted(x)[0] if x else 0\n",
)
LINES = Problem(
    "lines",
    "",
    (Stdio("1 2\n", "3\n"), Stdio("5 5\n", "10\n")),
    revealed=(0,),
    solution="print(sum(map(int, input().split())))\n",
)


@pytest.fixture(scope="module")
def quick() -> Iterator[LocalSandbox]:
    with LocalSandbox(Limits(timeout=0.5)) as sandbox:
        yield sandbox


def said(sandbox: LocalSandbox, problem: Problem, source: str) -> str:
    return asyncio.run(Oracle(sandbox)(problem, source, sandbox.judge_now(problem, source)))


def test_a_program_that_passes_what_is_revealed_is_told_an_input_near_it(quick: LocalSandbox) -> None:
    words = said(quick, LEAST, "def f(x):\n    return 1\n")
    assert words.startswith("For the input f([")
    assert words.endswith(" was expected.")
    assert "the program returned 1, but" in words


def test_what_is_said_of_an_input_is_true(quick: LocalSandbox) -> None:
    words = said(quick, LEAST, "def f(x):\n    return x[1]\n")
    call = words.removeprefix("For the input f(").partition(") the program returned")[0]
    least, got = sorted(eval(call))[0], eval(call)[1]
    assert words == f"For the input f({call}) the program returned {got}, but {least} was expected."


def test_where_the_sentence_names_the_first_difference_the_next_is_said(quick: LocalSandbox) -> None:
    words = said(quick, LEAST, "def f(x):\n    return 7\n")
    assert words.startswith("For the input f([")
    assert "f([3, 1, 2])" not in words


def test_where_there_is_no_other_difference_the_first_is_said_with_what_was_expected(quick: LocalSandbox) -> None:
    constant = replace(LEAST, checks=(Call((), 3),), solution="def f():\n    return 3\n")
    assert said(quick, constant, "def f():\n    return 1 / 0\n") == (
        "The program raised ZeroDivisionError on line 2 for the input f(): division by zero. Expected was 3."
    )


def test_a_program_that_behaves_as_the_reference_has_no_difference(quick: LocalSandbox) -> None:
    assert said(quick, LEAST, "def f(x):\n    return min(x, default=0)\n") == ""
    assert said(quick, LEAST, "def f(x)") == ""  # the error sentence says it all


def test_an_input_that_is_a_hidden_check_s_is_never_tried(quick: LocalSandbox) -> None:
    assert said(quick, LEAST, "def f(x):\n    return min(x)\n") == ""
    assert said(quick, replace(LEAST, checks=LEAST.checks[:1]), "def f(x):\n    return min(x)\n").startswith(
        "The program raised ValueError on line 2 for the input f([]): min()"
    )


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=12, unique=True), st.data())
@settings(max_examples=15, deadline=None)
def test_no_hidden_input_is_ever_named(quick: LocalSandbox, inputs: list[int], data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(range(len(inputs))))
    checks = tuple(Call((n,), n * n) if n % 2 else Assert(f"assert f({n}) == {n * n}") for n in inputs)
    problem = Problem("squares", "", checks, revealed=(at,), entry_point="f", solution="def f(n): return n * n\n")
    words = said(quick, problem, "def f(n): return -1\n")
    hidden = {n for position, n in enumerate(inputs) if position != at}
    assert words
    assert not any(f"f({n})" in words for n in hidden)


def test_inputs_are_read_off_revealed_asserts(quick: LocalSandbox) -> None:
    problem = replace(LEAST, checks=(Assert("assert f([3, 1, 2]) == 1\nassert f([2]) == 2"), LEAST.checks[1]))
    assert said(quick, problem, "def f(x):\n    return x[-1]\n").startswith("For the input f([")


def test_programs_that_read_are_tried_on_revealed_inputs_alone(quick: LocalSandbox) -> None:
    assert said(quick, LINES, "print(3)\n") == ""
    assert (
        said(quick, LINES, "print(4)\n") == r"For the input '1 2\n' the program printed '4\n', but '3\n' was expected."
    )
    twice = replace(LINES, checks=(LINES.checks[0], Stdio("1  2", "3")))
    assert said(quick, twice, "print(4)\n") == ""  # a hidden check has the same input


def test_inputs_on_which_the_reference_gives_nothing_are_left_out(quick: LocalSandbox) -> None:
    solution = "def f(n):\n    while n < 0: pass\n    return [1, 2][n] if n < 3 else object()\n"
    problem = Problem("odd", "", (Call((1,), 2),), revealed=(0,), entry_point="f", solution=solution)
    words = said(quick, problem, "def f(n):\n    return 2\n")
    assert words == "For the input f(0) the program returned 2, but 1 was expected."


def test_floats_that_are_nearly_equal_are_no_difference(quick: LocalSandbox) -> None:
    solution = "def f(x):\n    return x * 0.1\n"
    problem = Problem(
        "tenth", "", (Call((3.0,), 0.3, compare="close"),), revealed=(0,), entry_point="f", solution=solution
    )
    assert said(quick, problem, "def f(x):\n    return x / 10\n") == ""


def test_a_problem_without_a_solution_is_named(quick: LocalSandbox) -> None:
    with pytest.raises(InputError, match="problem 'least' has no solution, which the arm oracle needs"):
        said(quick, replace(LEAST, solution=None), "def f(x):\n    return 1\n")


HOSTILE = [
    ("import os\ndef f(x):\n    os._exit(0)\n", "The program ended before it was done for the input f([3, 1, 2])"),
    ("def f(x):\n    while True: pass\n", "The program was not done in time for the input f([3, 1, 2])"),
    ("def f(x):\n    while True: print('x' * 9999)\n", "The program"),
    ("class A(int):\n    def __eq__(self, other): return True\ndef f(x):\n    return A(9)\n", "For the input f(["),
    ("def f(x):\n    return f(x)\n", "The program raised RecursionError on line 2 for the input f(["),
    ("def f(x):\n    x.clear()\n    return 9\n", "For the input f(["),
    ("def f(x):\n    return [0] * 10**10\n", "The program ran out of memory on line 2 for the input f(["),
]


@pytest.mark.parametrize(("source", "begins"), HOSTILE)
def test_hostile_programs_are_told_what_they_did(quick: LocalSandbox, source: str, begins: str) -> None:
    assert said(quick, LEAST, source).startswith(begins)


def test_one_seed_gives_one_answer(quick: LocalSandbox) -> None:
    source = "def f(x):\n    return 1\n"
    verdict = quick.judge_now(LEAST, source)
    again = [asyncio.run(Oracle(quick, seed=seed)(LEAST, source, verdict)) for seed in (0, 0, 1, 2, 3)]
    assert again[0] == again[1]
    assert len(set(again)) > 1


@pytest.mark.data
def test_the_oracle_has_words_on_most_failing_programs_of_mbpp(data_root: Path, sandbox: LocalSandbox) -> None:
    problems = {problem.id: problem for problem in load_benchmark("mbpp", data=data_root).problems()}
    rows = open_samples(data_root / "recorded" / "mxeval" / "mbpp_samples_even.jsonl.gz", problems=problems).rows()
    pairs = [(problems[row.program.problem], row.program.source) for row in rows][::8]
    oracle, spoke = Oracle(sandbox), []
    for position, verdict in sandbox.judge_all(pairs):
        if not verdict.passed:
            spoke.append(bool(asyncio.run(oracle(*pairs[position], verdict))))
    assert len(spoke) > 5
    assert sum(spoke) / len(spoke) > 0.7
