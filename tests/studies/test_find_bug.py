"""Telling a program with a bug from one without, and naming its line."""

import re

import pytest

from regreen import InputError, Problem
from regreen.benchmarks.katas import generate
from regreen.report import render, study_tables
from regreen.studies.bugs import slips
from regreen.studies.find_bug import body_question, find_bug, line_question
from tests.studies.asked import Rule, benchmark, line, run, source, study, write


def reader(request, prompt):
    """A model that finds what it is asked: the line of the sum, or the program whose sum is not the one wanted."""
    right = source(int(request.problem[1:])).strip()
    if "wrong_line" in prompt:
        return "def wrong_line():\n    return 2\n"
    first = prompt[prompt.index("A:\n") : prompt.index("B:\n")]
    return f"def wrong_program():\n    return {'B' if right in first else 'A'!r}\n"


def test_a_model_that_reads_finds_every_bug_and_stands_above_chance(tmp_path, sandbox):
    found = find_bug(study("find-bug", tmp_path, benchmark(tmp_path, 5), Rule(reader), sandbox))
    for question in found["questions"].values():
        assert (question["value"], question["answered"]["value"]) == (1.0, 1.0)
        assert (question["chance"], question["above"]["value"]) == (0.5, 0.5), "one of two lines, one of two programs"
    assert re.search(r"which line is wrong +100.0 %.* 50.0 %", render(study_tables(found), "text"))


def test_a_model_that_does_not_answer_is_told_from_one_that_errs(tmp_path, sandbox):
    def halting(request, prompt):
        return "def wrong_line():\n    return 1\n" if "wrong_line" in prompt else "I cannot say."

    found = find_bug(study("find-bug", tmp_path, benchmark(tmp_path, 3), Rule(halting), sandbox))
    values = [(question["value"], question["answered"]["value"]) for question in found["questions"].values()]
    assert values == [(0.0, 1.0), (0.0, 0.0)]


def test_the_order_of_two_programs_is_drawn_and_the_answer_goes_with_it(sandbox):
    answers = set()
    for kata in generate("test", count=12):
        slip = next(slips(kata.solution), None)
        if slip is None:
            continue
        question = body_question(kata, slip, 0)
        answer = question.checks[0].expected
        shown = question.statement.split("\n\nA:\n")[1].split("\n\nB:\n")["AB".index(answer)]
        assert shown.strip() == slip.source.strip()
        assert sandbox.judge_now(question, f"{question.prompt}{answer!r}\n").passed
        answers.add(answer)
    assert answers == {"A", "B"}


def test_the_line_asked_for_is_the_one_that_the_numbers_show(sandbox):
    problem = Problem("p", "Add one.", (), solution="\n\ndef f(x):\n    return x + 1\n")
    slip = next(each for each in slips(problem.solution) if "x - 1" in each.source)
    question = line_question(problem, slip, 0)
    assert "2:     return x - 1" in question.statement
    assert sandbox.judge_now(question, f"{question.prompt}2\n").passed
    assert not sandbox.judge_now(question, f"{question.prompt}1\n").passed


def test_a_benchmark_without_a_bug_to_show_is_refused(tmp_path, sandbox, capsys):
    spec = write(tmp_path, "same", [line("p0", 0, checks=1, shown=1, solution="def f0(x):\n    return x\n")])
    with pytest.raises(InputError, match="no solution in which one slip gives a wrong answer"):
        find_bug(study("find-bug", tmp_path, spec, Rule(reader), sandbox))
    script = write(tmp_path, "script", [{"text": "def wrong_line():\n    return 2\n"}])
    asked = ["-m", f"scripted:{script}", "-q", "-j", "1", "-o", str(tmp_path / "out")]
    code, said = run(["study", "find-bug", benchmark(tmp_path, 2), *asked], capsys)
    assert code == 0
    assert "Finding the bug" in said
