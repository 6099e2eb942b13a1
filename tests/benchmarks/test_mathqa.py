"""MathQA-Python: which rows are kept, what a program must set, and the published set and samples."""

import gzip
import json
import math
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from regreen.benchmarks import load
from regreen.benchmarks.mathqa import TOLERANCE, check_of
from regreen.errors import InputError, MissingDataError
from regreen.problem import Assert, Problem
from regreen.prompts import default_for
from regreen.prompts import load as template_of
from regreen.sandbox import LocalSandbox
from regreen.stated import stated

ROW = {
    "Problem": "a train covers 1,200 km in 2 hours . what is its speed ?",
    "Rationale": "1200 / 2",
    "options": "a ) 5 , b ) 600 km / h , c ) 1 / 2 , d ) none of these",
    "correct": "b",
    "annotated_formula": "divide(1200, 2)",
    "linear_formula": "divide(n0,n1)|",
    "category": "physics",
}


def kept(write: Any, *changes: dict[str, str], name: str = "mathqa") -> list[Problem]:
    rows = [{**ROW, **change} for change in changes]
    return list(load(f"{name}:dev", data=write("mathqa/dev.jsonl.gz", rows)).problems())


def test_a_row_becomes_a_problem_whose_program_sets_answer(write: Any, passed: Any) -> None:
    (problem,) = kept(write, {})
    assert problem.id == "MathQA/dev/row1"
    assert problem.statement == f"{ROW['Problem']} n0 = 1200.0 n1 = 2.0"
    assert problem.solution == "n0 = 1200.0\nn1 = 2.0\n\nanswer = n0 / n1\n"
    assert (problem.meta["operations"], problem.meta["category"]) == (["divide"], "physics")
    assert passed(problem, problem.solution) == [True]
    wrong = ("answer = 660.0", "answer = '600.0'", "print(600.0)", "answer = [600.0]", "answer = None", "answer = 600j")
    assert [passed(problem, source) for source in wrong] == [[False]] * len(wrong)


@pytest.mark.parametrize(("change", "why"), [
    ({"correct": "a"}, "another value"),
    ({"correct": "d"}, "no number after the letter"),
    ({"options": "b ) 0", "linear_formula": "subtract(n0,n0)"}, "zero"),
    ({"linear_formula": "tangent(n0)|"}, "no such operation"),
    ({"linear_formula": "divide(n0,n2)|"}, "no such number"),
    ({"linear_formula": "subtract(n1,n1)|divide(n0,#0)"}, "no value"),
    ({"linear_formula": "negate(n0)|power(#0,const_0.5)|sqrt(#1)|"}, "no real value"),
])  # fmt: skip
def test_a_row_that_does_not_come_out_is_left_out_and_the_next_keeps_its_number(
    write: Any, change: dict[str, str], why: str
) -> None:
    assert [problem.id for problem in kept(write, change, {})] == ["MathQA/dev/row2"], why


def test_a_fraction_among_the_options_is_one_number(write: Any) -> None:
    half = {"Problem": "3 of 6 ?", "correct": "c"}
    assert [problem.meta["answer"] for problem in kept(write, half)] == [0.5]


def test_the_check_takes_what_isclose_takes() -> None:
    draw = Random(0)
    for _ in range(2000):
        answer = draw.choice((-1, 1)) * 10 ** draw.uniform(-6, 9)
        got = answer * draw.choice((1, 1 + draw.uniform(-0.03, 0.03), -1))
        try:
            exec(check_of(answer), {"answer": got})
            holds = True
        except AssertionError:
            holds = False
        assert holds == math.isclose(got, answer, rel_tol=TOLERANCE), (answer, got)


def test_of_the_other_form_a_formula_is_asked_for_and_its_program_judged(write: Any, passed: Any) -> None:
    (problem,) = kept(write, {}, name="mathqa-dsl")
    assert (problem.meta["writes"], problem.meta["written"]) == ("formula", "divide(n0,n1)|")
    assert stated(problem, "divide(n0,n1)|") == problem.solution
    for formula, right in {
        "multiply(n0,const_0.5)": True, "divide(n0,n1)|add(#0,const_1)|": True, "divide(n1,n0)|": False,
        "answer = 600.0": False, "divide(n0,n9)": False, "600": False, "#0": False,
    }.items():  # fmt: skip
        assert passed(problem, stated(problem, formula)) == [right], formula


def test_without_data_the_message_says_where_the_files_are(write: Any, tmp_path: Path) -> None:
    write("other.jsonl", [ROW])
    with pytest.raises(MissingDataError, match=r"mathqa:test: .*mathqa/test\.json\*.*https://math-qa\.github\.io"):
        load("mathqa:test", data=tmp_path)


def test_one_file_is_not_taken_for_another_split(write: Any) -> None:
    """The test file for the validation split, from which the prompt's examples come, would show what is asked."""
    file = write("mathqa/test.jsonl.gz", [ROW]) / "mathqa" / "test.jsonl.gz"
    assert [problem.id for problem in load("mathqa:test", data=file).problems()] == ["MathQA/test/row1"]
    with pytest.raises(InputError, match=r"holds mathqa:test, and mathqa:dev is needed too; give --data the folder"):
        load("mathqa:dev", data=file)
    other = file.rename(file.with_name("mine.jsonl.gz"))
    assert len(list(load("mathqa:dev", data=other).problems())) == 1


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        yield from map(json.loads, file)


@pytest.fixture(scope="module")
def published(data_root: Path) -> list[tuple[dict[str, Any], Problem]]:
    """Every row of the published test set that is here, and the problem made of the same text."""
    problems = {problem.statement: problem for problem in load("mathqa:test", data=data_root).problems()}
    rows = lines(data_root / "mathqa" / "mathqa-python-test.jsonl.gz")
    return [(row, problems[row["prompt"].split('"""')[1].strip()]) for row in rows]


def body(code: str) -> str:
    """Return the body of a published function as a program, without comments, empty lines and its return."""
    kept_lines = (line.partition("  #")[0] for line in textwrap.dedent(code).splitlines())
    return "\n".join(line for line in kept_lines if line.strip() and line.strip() != "return answer")


@pytest.mark.data
@pytest.mark.parametrize(("split", "count"), {"dev": 2822, "test": 1883, "challenge": 403}.items())
def test_as_many_problems_are_kept_as_were_published(split: str, count: int, data_root: Path) -> None:
    problems = list(load(f"mathqa:{split}", data=data_root).problems())
    assert len({problem.statement for problem in problems}) == len(problems) == count
    assert len(list(load(f"mathqa-dsl:{split}", data=data_root).problems())) == count


@pytest.mark.data
def test_programs_are_the_published_ones_but_for_calls_of_scipy(published: Any) -> None:
    differ = [(row, problem) for row, problem in published if body(row["canonical_solution"]) != body(problem.solution)]
    assert (len(published), len(differ)) == (942, 11)
    assert all("scipy" in row["canonical_solution"] for row, _ in differ)


@pytest.mark.data
def test_published_programs_pass_and_recorded_few_shot_samples_do_in_26_of_942(
    published: Any, data_root: Path, sandbox: LocalSandbox
) -> None:
    """22 of the 26 are right to 1e-8, as the samples' own harness asks; four are wrong and within one per cent."""
    samples = {s["task_id"]: s for s in lines(data_root / "mathqa" / "mathqa-python-test_model-samples.jsonl.gz")}
    recorded = [(problem, body(samples[row["task_id"]]["completion"])) for row, problem in published]
    exact = [(strict(problem), source) for problem, source in recorded]
    assert count(sandbox, recorded) == 26
    assert count(sandbox, exact) == 22
    right = [(problem, body(row["canonical_solution"])) for row, problem in published]
    assert count(sandbox, right) == sum("scipy" not in source for _, source in right)


def strict(problem: Problem) -> Problem:
    answer = problem.meta["answer"]
    return Problem(problem.id, "", (Assert(f"assert abs(answer - {answer!r}) < 1e-8"),), entry_point="answer")


def count(sandbox: LocalSandbox, pairs: list[tuple[Problem, str]]) -> int:
    return sum(verdict.passed for _, verdict in sandbox.judge_all(pairs))


@pytest.mark.data
@pytest.mark.parametrize("name", ["mathqa", "mathqa-dsl"])
def test_the_default_prompt_shows_four_solved_problems_and_never_the_answer(name: str, data_root: Path) -> None:
    template = template_of(name)
    pool = {problem.id: problem for problem in load(template.pool or "", data=data_root).problems()}
    problem = next(iter(load(f"{name}:test", data=data_root).problems()))
    assert default_for(problem, chat=False) == name
    prompt = template.render(problem, examples=[pool[id] for id in template.examples])
    assert isinstance(prompt, str)
    assert prompt.endswith(f"# {problem.statement}\n")
    solved: Callable[[str], int] = lambda text: len(re.findall(r"^answer = |^\w+\(.*\)\|?$", text, re.MULTILINE))  # noqa: E731
    assert solved(prompt) == 4
