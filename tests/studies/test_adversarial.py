"""A misleading name and a wrong check in the prompt: what a model follows."""

import re
from random import Random

import pytest

from regreen import Assert, Call, InputError, Problem, Stdio
from regreen.benchmarks.katas import generate
from regreen.report import render, study_tables
from regreen.studies.adversarial import NAMES, TRUE, WRONG, adversarial, misleading_name, wrong_check, wrong_twin
from regreen.studies.rewording import commented, preceded, renamed
from tests.studies.asked import Rule, benchmark, run, source, study, write

KATA = next(generate("test", count=1))


def believer(request, prompt):
    """A program that answers as the text says, but as a check says where the prompt shows one that differs."""
    at = int(request.problem[1:])
    name = re.search(r"defines `(\w+)`", prompt)[1]
    told = {int(x): int(y) for x, y in re.findall(rf"{name}\((\d+)\) == (-?\d+)", prompt)}
    wrong = {x: y for x, y in told.items() if y != x + at}
    code = f"    if x in {wrong}:\n        return {wrong}[x]\n" if wrong else ""
    return f"def {name}(x):\n{code}    return x + {at if name.startswith('f') and name[1:].isdigit() else 0}\n"


def test_a_model_that_believes_checks_and_names_is_told_from_the_plain_prompt(tmp_path, sandbox):
    asks = study("adversarial", tmp_path, benchmark(tmp_path, 5, shown=1), Rule(believer), sandbox)
    found = adversarial(asks)
    true = {name: each[TRUE]["pass@1"]["value"] for name, each in found["conditions"].items()}
    wrong = {name: each[WRONG]["pass@1"]["value"] for name, each in found["conditions"].items()}
    assert true == {"plain": 1.0, "misleading name": pytest.approx(1 / 5), "one wrong check": 0.0}
    assert (wrong["plain"], wrong["one wrong check"]) == (0.0, 1.0)
    assert found["conditions"]["one wrong check"]["special_cases"]["value"] == 1.0
    assert found["conditions"]["one wrong check"][TRUE]["gain"]["value"] == -1.0
    assert "5 problems whose prompt shows a check" in render(study_tables(found), "text")


def test_problems_that_show_no_check_cannot_mislead(tmp_path, sandbox, capsys):
    spec = benchmark(tmp_path, 3, shown=0)
    with pytest.raises(InputError, match="no prompt shows a check that can be made wrong"):
        adversarial(study("adversarial", tmp_path, spec, Rule(believer), sandbox))
    script = write(tmp_path, "script", [{"text": source(0)}])
    code, said = run(["study", "adversarial", spec, "-m", f"scripted:{script}", "-q"], capsys)
    assert (code, said.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (Call((1,), [1, 2]), "expected=[1, 2]"),
        (Assert("import math\nassert f((1, 2)) == (3, 4)"), "== (3, 4)"),
        (Stdio("1\n", "17\n"), "expected='17"),
    ],
)
def test_a_wrong_check_has_the_same_input_and_another_answer(check, right):
    problem = Problem("p", "", (check,), entry_point="f")
    wrong = wrong_check(problem, 0, Random(3))
    assert right in repr(check)
    assert right not in repr(wrong)
    assert wrong_check(problem, 0, Random(3)) == wrong


@pytest.mark.parametrize(
    "code", ["assert f(1) is None", "assert f(1) == g(2)", "assert f(1) == 1 and f(2) == 2", "x ="]
)
def test_an_assert_without_one_literal_answer_is_left_as_it_is(code):
    assert wrong_check(Problem("p", "", (Assert(code),)), 0, Random(0)) is None


def test_the_example_in_a_docstring_is_made_wrong_too():
    plain, wrong = wrong_twin(KATA, 0)
    assert plain.prompt == KATA.prompt != wrong.prompt
    assert plain.shown == (0,)
    assert wrong.shown == (len(KATA.checks),)
    assert plain.checks == wrong.checks
    right, other = (f"\n    {check.expected!r}\n" for check in (KATA.checks[0], wrong.checks[-1]))
    assert wrong.prompt == KATA.prompt.replace(right, other)


def test_a_renamed_problem_is_solved_by_its_renamed_solution(sandbox):
    word = Problem(
        "p",
        "Make make(x), which can make more: `make(2)`.",
        (Assert("assert make(2) == 3"), Call((1,), 2)),
        entry_point="make",
        prelude="def make_more(x):\n    return x\n",
        solution="def make(x):\n    return make_more(x) + 1\n",
    )
    found = renamed(word, "is_prime")
    assert found.statement == "Make is_prime(x), which can make more: `is_prime(2)`."
    for problem in (found, renamed(KATA, "factorial")):
        assert sandbox.judge_now(problem, problem.solution).passed


def test_a_misleading_name_says_nothing_that_the_statement_says():
    found = misleading_name(Problem("p", "Is it prime? Reverse, sort, count the vowels.", (Assert(""),)))
    assert found in ("factorial", "find_maximum", "remove_duplicates")
    assert misleading_name(Problem("p", " ".join(NAMES).replace("_", " "), (Assert(""),))) in NAMES


def test_words_come_before_a_statement_and_inside_a_docstring():
    plain = Problem("p", "Add.", (Assert(""),))
    assert preceded(plain, "Ann asks.").statement == "Ann asks. Add."
    assert commented(plain, "Be right.").statement == "Be right.\n\nAdd."
    kata = preceded(KATA, "Ann asks.")
    assert f"Ann asks. {KATA.statement}" in kata.prompt
    prompt = 'def g():\n    """No."""\n\ndef f():\n    """\n    Add.\n    """\n'
    published = Problem("h", prompt, (Assert(""),), meta={"prompt": prompt})
    said = preceded(published, "Ann asks.")
    assert said.prompt == said.statement == 'def g():\n    """No."""\n\ndef f():\n    """Ann asks. Add.\n    """\n'
    assert commented(published, "Be right.").prompt == f"# Be right.\n{prompt}"
