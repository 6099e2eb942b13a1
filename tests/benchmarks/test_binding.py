"""Operations bound to variables: statements, and mistakes that are told apart."""

import pytest

from regreen import InputError, benchmarks
from regreen.benchmarks import binding
from regreen.benchmarks.binding import Step, Work
from regreen.evaluate import Choice, check

NAMES = ("x", "y", "z", "w")
PUBLISHED = Work(NAMES, (Step("+", 3, ("y",)), Step("-", 4, ("x", "w"))), NAMES)


@pytest.fixture(scope="module")
def problems():
    """Three problems of every pair of counts."""
    return list(binding.generate(each=3))


def test_the_published_example_is_of_this_form():
    assert ", then ".join(step.said() for step in PUBLISHED.steps) == "add 3 to y, then subtract 4 from both x and w"
    assert PUBLISHED.of((10, 2, 5, 7)) == (10 - 4) * (2 + 3) * 5 * (7 - 4)


def test_every_single_mistake_is_made_once():
    given = (10, 2, 5, 7)
    found = [(kind, wrong.of(given)) for kind, wrong in binding.mistakes(PUBLISHED)]
    forgotten = {6 * 2 * 5 * 3, 10 * 5 * 5 * 7, 10 * 5 * 5 * 3, 6 * 5 * 5 * 7}
    wrong_variable = {9 * 2 * 5 * 3, 6 * 2 * 8 * 3, 6 * 2 * 5 * 6, 10 * 1 * 5 * 3, 10 * 5 * 1 * 3, 6 * 1 * 5 * 7}
    wrong_variable |= {6 * 5 * 1 * 7}
    left_out = {5 * 5 * 3, 6 * 5 * 3, 6 * 5 * 5}
    expected = {"forgotten": forgotten, "wrong variable": wrong_variable, "left out of the product": left_out}
    for kind, results in expected.items():
        assert {result for found_kind, result in found if found_kind == kind} == results
    assert len(found) == 4 + 7 + 4


def test_checks_set_every_mistake_apart_and_kinds_from_each_other(problems):
    for problem in problems:
        right = tuple(check.expected for check in problem.checks)
        inputs = [check.args for check in problem.checks]
        kinds = {}
        for kind, wrong in binding.mistakes(binding.work_of(problem)):
            kinds.setdefault(tuple(map(wrong.of, inputs)), set()).add(kind)
        assert right not in kinds
        assert all(len(found) == 1 for found in kinds.values())


def test_what_a_problem_cannot_tell_apart_is_not_taken():
    inputs = [(5, 7), (11, 3)]
    last = Work(("x", "y"), (Step("*", 3, ("x",)),), ("x", "y"))
    assert not binding.tells(last, inputs), "the product is the same where y is multiplied"
    assert binding.tells(Work(("x", "y"), (Step("+", 3, ("x",)),), ("x", "y")), inputs)
    assert not binding.tells(Work(("x", "y"), (Step("-", 5, ("x",)),), ("x", "y")), inputs), "a result is 0"


def test_problems_are_reproducible_different_and_of_every_pair_of_counts(problems):
    assert benchmarks.digest(problems).startswith("50a5035fa93b9cc5"), "published figures are on these very problems"
    assert list(binding.generate(each=2)) == problems[:48]
    assert len({problem.prompt for problem in problems}) == 72
    counts = {(problem.meta["operations"], problem.meta["variables"]) for problem in problems[:24]}
    assert counts == {(o, v) for o in binding.OPERATIONS for v in binding.VARIABLES}


def test_a_statement_says_what_its_solution_does(problems):
    for problem in problems:
        said = " ".join(problem.prompt.split())
        for sign, number, names in problem.meta["steps"]:
            assert str(number) in said
            assert all(f"{name} = {name} {sign} {number}\n" in problem.solution for name in names)
            assert len(names) == 1 or f"both {' and '.join(names)}" in said


def test_the_benchmark_is_there_by_name_and_every_solution_is_green(tmp_path):
    assert next(iter(benchmarks.load("binding:test").problems())).meta["variables"] == 2
    found = check("binding", choice=Choice(limit=48), out=tmp_path / "r")
    assert (found["problems"], found["failed"]) == (48, [])


def test_too_many_problems_are_refused():
    with pytest.raises(InputError, match="1 operations on 2 variables; ask for fewer"):
        list(binding.generate(each=60))
