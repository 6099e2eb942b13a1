"""Rows from programs and verdicts: what is learned from what passed and from what failed, and how it is mixed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.errors import InputError
from regreen.problem import Call, Problem, Stdio
from regreen.prompts import load
from regreen.similarity import edit_distance
from regreen.telling import Telling
from regreen.train.choosing import Chooser, human_failures, solutions_of
from regreen.train.pairs import Builder, Row, digest_of, facts_of, mixed
from regreen.verdict import CheckResult, Outcome, Verdict

HEADER = 'def f(x):\n    """Double it."""\n'
DOUBLE = Problem(
    "double", "Double it.", (Call((1,), 2), Call((3,), 6)), revealed=(0,), entry_point="f", meta={"prompt": HEADER}
)
SOLUTIONS = (f"{HEADER}    return 2 * x\n", f"{HEADER}    y = x\n    return y + y\n")
PASSED = Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED), CheckResult(1, Outcome.PASSED)))
FAILED = Verdict(
    Outcome.WRONG_ANSWER,
    (
        CheckResult(0, Outcome.WRONG_ANSWER, got="7", expected="2"),
        CheckResult(1, Outcome.WRONG_ANSWER, got="9", expected="6"),
    ),
)


def builder(telling=None, *, reveal=None, select="edit"):
    return Builder(load("codex"), load("refine"), telling or Telling(), reveal=reveal, select=select, seed=0)


def test_a_program_that_passes_is_the_answer_to_its_own_problem():
    row = builder().program(DOUBLE, 4, f"{HEADER}    return x + x\n", PASSED, SOLUTIONS)
    assert (row.kind, row.index, row.prompt, row.answer) == (
        "own",
        4,
        load("codex").render(DOUBLE),
        "    return x + x\n",
    )


def test_one_that_fails_is_shown_with_its_failure_and_a_solution_is_the_answer():
    row = builder().program(DOUBLE, 0, f"{HEADER}    return 2 + x\n", FAILED, SOLUTIONS)
    assert (row.kind, row.outcome, row.answer) == ("refine", "wrong_answer", "    return 2 * x\n")
    assert "# return 2 + x" in row.prompt
    assert "# For the input f(1) the program returned 7, but 2 was expected." in row.prompt
    assert "f(3)" not in row.prompt, "the second check is hidden"
    assert row.failures == ("For the input f(1) the program returned 7, but 2 was expected.",)
    revealed = builder(Telling(checks=2), reveal="all").program(DOUBLE, 0, f"{HEADER}    return 2\n", FAILED, SOLUTIONS)
    assert "f(3)" in revealed.prompt


def test_what_the_program_is_shown_as_is_what_refining_shows():
    """The rows' prompts are those of ``regreen refine``: same template, same words."""
    wrong = Telling().wrong(f"{HEADER}    return 2\n", Telling().words(DOUBLE, FAILED))
    row = builder().program(DOUBLE, 0, f"{HEADER}    return 2\n", FAILED, SOLUTIONS)
    assert row.prompt == load("refine").render(DOUBLE, wrong=wrong)


def test_whole_programs_end_with_the_template_s_stop_string():
    total = Problem("sum", "Add.", (Stdio("1 2", "3"),), revealed=(0,))
    made = Builder(load("apps"), load("refine-program"), Telling(), reveal=None, select="random", seed=0)
    verdict = Verdict(Outcome.WRONG_ANSWER, (CheckResult(0, Outcome.WRONG_ANSWER, got="4", expected="3"),))
    row = made.program(total, 0, "print(4)", verdict, ("print(3)",))
    assert row.answer == "print(3)\n\n### "
    assert load("refine-program").source(total, row.answer).source.strip() == "print(3)"


def test_what_cannot_be_a_row_is_counted():
    made = builder()
    assert made.program(DOUBLE, 0, "", FAILED, SOLUTIONS) is None
    assert made.program(DOUBLE, 0, "def f(x): return 2", FAILED, ()) is None
    assert made.program(DOUBLE, 0, "def g(x): return 2", PASSED, SOLUTIONS) is None
    assert made.left_out == {
        "without a program": 1, "without a solution": 1, "does not continue its prompt": 1,
    }  # fmt: skip


def test_people_s_wrong_programs_are_shown_without_feedback():
    wrong = [{"language": "python2", "source": "print 1"}, {"language": "python3", "source": f"{HEADER}    return 3\n"}]
    problem = replace(DOUBLE, meta={**DOUBLE.meta, "incorrect_solutions": wrong})
    (row,) = builder().human(problem, SOLUTIONS, 100)
    assert (row.kind, row.refines, row.outcome) == ("human", True, None)
    assert "# return 3\n\n    ### Execution Failure:\n    #\n" in row.prompt
    assert human_failures(DOUBLE, 100) == ()


def test_solutions_are_those_of_python_3_among_the_first_or_the_one():
    many = [{"language": "python3", "source": f"x = {n}"} for n in (1, 2, 2, 3)]
    problem = replace(DOUBLE, solution="x = 9", meta={"solutions": many})
    assert solutions_of(problem, 3) == ("x = 1", "x = 2")
    assert solutions_of(replace(problem, meta={"solutions": ["a", "b"]}), 9) == ("a", "b")
    assert solutions_of(replace(problem, meta={}), 3) == ("x = 9",)
    assert solutions_of(DOUBLE, 3) == ()


LETTERS = st.lists(st.text("ab ", min_size=1, max_size=6), min_size=1, max_size=5, unique=True)


@given(LETTERS, st.text("ab ", max_size=6), st.integers(0, 3))
def test_every_choice_is_a_solution_and_the_nearest_has_the_fewest_edits(solutions, wrong, seed):
    assert Chooser(solutions, "random", seed)(wrong) in solutions
    nearest = Chooser(solutions, "edit", seed)(wrong)
    assert edit_distance(nearest, wrong) == min(edit_distance(s, wrong) for s in solutions)


def test_bm25_takes_the_solution_that_shares_the_rarer_words():
    pytest.importorskip("bm25s")
    solutions = ("for item in items: total += item", "return sum(items)", "while items: total += items.pop()")
    for wrong, best in (("return sum(items) + 1", 1), ("while items: items.pop()", 2), ("for x in items: pass", 0)):
        assert Chooser(solutions, "bm25", 0)(wrong) == solutions[best]
    assert Chooser(solutions, "bm25", 0)("?") == solutions[0]


def row(kind, at):
    return Row(f"p{at}", at, kind, f"prompt {kind} {at}", "answer", "passed" if kind == "own" else None)


COUNTS = st.tuples(st.integers(1, 40), st.integers(0, 40), st.integers(0, 40))


@given(COUNTS, st.floats(0, 1), st.integers(0, 3))
def test_a_share_of_refinements_is_exact_to_a_row_and_wastes_none_of_the_scarcer(counts, share, seed):
    refine, own, solution = counts
    rows = [row("refine", at) for at in range(refine)] + [row("own", at) for at in range(own)]
    solutions = [row("solution", at) for at in range(solution)]
    if share < 1 and not own + solution:
        with pytest.raises(InputError, match="no rows are left"):
            mixed(rows, solutions, rho=None, share=share, seed=seed)
        return
    chosen = mixed(rows, solutions, rho=None, share=share, seed=seed)
    refining = sum(r.refines for r in chosen)
    assert abs(refining - share * len(chosen)) <= 1
    assert len(set(chosen)) == len(chosen)
    spare = refine - refining, own + solution - (len(chosen) - refining)
    assert share in (0, 1) or min(spare) <= 1


@given(COUNTS, st.floats(0, 1), st.integers(0, 3))
def test_rho_takes_every_row_and_its_share_of_phase_one(counts, rho, seed):
    refine, own, solution = counts
    rows = [row("refine", at) for at in range(refine)] + [row("own", at) for at in range(own)]
    solutions = [row("solution", at) for at in range(solution)]
    chosen = mixed(rows, solutions, rho=rho, share=None, seed=seed)
    assert chosen[: len(rows)] == rows
    assert len(chosen) == len(rows) + round(rho * solution)
    more = mixed(rows, solutions, rho=rho, share=None, seed=seed)
    assert digest_of(more) == digest_of(chosen)


def test_where_nothing_failed_it_is_said_plainly():
    with pytest.raises(InputError, match="no program failed, so there is nothing to refine"):
        mixed([row("own", 0)], [], rho=0.1, share=None, seed=0)
    assert mixed([row("own", 0)], [row("solution", 1)], rho=None, share=0.0, seed=0)


def test_a_set_says_what_it_holds():
    facts = facts_of([row("refine", 0), row("own", 1), row("own", 1), row("solution", 2)])
    assert (facts["rows"], facts["problems"], facts["share_refine"]) == (4, 3, 0.25)
    assert (facts["kinds"], facts["outcomes"]) == ({"refine": 1, "own": 2, "solution": 1}, {"passed": 2})
