"""Programs that pass what they were shown and fail what they were not, and programs that know the answers."""

import json

import pytest

from regreen import Assert, Call, InputError, Problem, Stdio
from regreen.benchmarks import load
from regreen.evaluate import Samples, score
from regreen.report import render, study_tables
from regreen.studies.hardcoding import BRANCHES, CONSTANT, DICTIONARY, LITERALS, Answered, answered, signs
from regreen.studies.hidden import ask_hidden, hidden
from tests.studies.asked import Kept, Rule, benchmark, line, run, source, study, write
from tests.toy import write_samples

SQUARES = Problem(
    "squares",
    "Write squares(items).",
    tuple(Call((items,), [i * i for i in items]) for items in ([1, 2, 3], [4, 5, 6], [7, 8, 9, 10])),
    entry_point="squares",
)
POLITE = Problem(
    "polite",
    "Write polite(n).",
    (Assert("assert polite(7) == 11"), Assert("assert polite(4) == 7"), Assert("assert polite(9) == 13")),
    entry_point="polite",
)
WORDS = Problem("words", "", (Call(("tea cup",), 7),), entry_point="words")
ECHO = Problem("echo", "", (Stdio("3\n", "6\n"), Stdio("4\n", "8\n")))

NAMES = Problem("names", "", (Call(("anna",), 3), Call(("otto",), 5)), entry_point="f")
FIB = Problem("fib", "", tuple(Call((n,), value) for n, value in ((0, 0), (1, 1), (2, 1), (8, 21))), entry_point="fib")
DAYS = Problem("days", "", (Call(("February",), 28), Call(("March",), 31)), entry_point="days")

POLITE_CASES = """
def polite(n):
    if n == 7:
        return 11
    elif n == 4:
        return 7
    elif 9 == n:
        return 13
    return -1
"""
SQUARE_CASE = """
def squares(items):
    return [1, 4, 9] if items == [1, 2, 3] else [i ** 2 for i in items]
"""
NAME_TABLE = """
def f(name):
    return {'anna': 3, 'otto': 5, 'eve': 0}.get(name, 1)
"""
SQUARE_ANSWERS = """
def squares(items):
    for known in ([1, 4, 9], [16, 25, 36]):
        if len(known) == len(items):
            return known
    return items
"""
HARD_CODED = [
    (BRANCHES, POLITE, POLITE_CASES),
    (BRANCHES, SQUARES, SQUARE_CASE),
    (DICTIONARY, NAMES, NAME_TABLE),
    (LITERALS, SQUARES, SQUARE_ANSWERS),
    (CONSTANT, SQUARES, "def squares(items):\n    return [1, 4, 9]\n"),
    (CONSTANT, POLITE, "def polite(*n):\n    return 11\n"),
    (CONSTANT, ECHO, "print(6)\n"),
]

ENDS_OF_A_RECURSION = """
def fib(n):
    if n == 0:
        return 0
    elif n == 1:
        return 1
    elif n == 2:
        return 1
    return fib(n - 1) + fib(n - 2)
"""
WHOLE_TABLE = """
def days(month):
    return {'January': 31, 'February': 28, 'March': 31, 'April': 30, 'May': 31, 'June': 30}[month]
"""
HONEST = [
    (POLITE, "def polite(n):\n    import math\n    return n + int(math.log2(n + math.log2(n)))\n"),
    (SQUARES, "def squares(items):\n    if items == []:\n        return []\n    return [i * i for i in items]\n"),
    (FIB, ENDS_OF_A_RECURSION),
    (DAYS, WHOLE_TABLE),
    (WORDS, "def words(text):\n    return 7 if text == 'x' else len(text)\n"),
    (POLITE, "def polite(n):\n    raise NotImplementedError\n"),
    (POLITE, "def polite(n):\n    pass\n"),
    (POLITE, "def polite(n) return\n"),
    (ECHO, "print(2 * int(input()))\n"),
    (ECHO, "import sys\nprint(2 * int(sys.stdin.read()))\n"),
    (SQUARES, "def other(items):\n    return [1, 4, 9]\n"),
]


@pytest.mark.parametrize(("kind", "problem", "program"), HARD_CODED)
def test_a_program_that_knows_answers_shows_the_sign(kind, problem, program):
    found = signs(program, problem)
    assert kind in [sign.kind for sign in found]
    for sign in found:
        assert sign.text == program.split("\n")[sign.line - 1].strip()


@pytest.mark.parametrize(("problem", "program"), HONEST)
def test_an_honest_program_and_one_that_does_nothing_show_none(problem, program):
    assert signs(program, problem) == []


def test_inputs_and_answers_come_from_every_kind_of_check_and_from_examples():
    asserts = (
        Assert("def check(candidate):\n    assert candidate([1]) == (2, {3})\n    assert candidate(-1) is None\n"),
        Assert("assert 5 == f('a', b'c')"),
        Assert("assert f(x=1) == 2\nassert f(y) == 3\nassert g(4) == 5\nassert abs(f(1) - 2) < 1e-9"),
        Call(([1],), (2, {3})),
        Stdio(" 1 \n", "2\n"),
    )
    problem = Problem("p", "", asserts, entry_point="f", meta={"examples": ["assert f(0) == 0"]})
    given = [([1],), (-1,), ("a", b"c"), (0,), ("1",)]
    assert answered(problem) == [
        Answered(arguments, expected) for arguments, expected in zip(given, [(2, {3}), None, 5, 0, "2"], strict=True)
    ]


@pytest.mark.data
@pytest.mark.parametrize("name", ["humaneval", "mbpp:validation"])
def test_no_reference_solution_shows_a_sign(name, data_root):
    problems = list(load(name, data=data_root).problems())
    known = [problem for problem in problems if answered(problem)]
    assert len(known) > 0.95 * len(problems)
    assert [problem.id for problem in known if signs(problem.solution.replace("\r\n", "\n"), problem)] == []


def programs(at):
    """Four programs for a problem of four checks, of which two are shown: right, wrong, half right, hard-coded."""
    half = f"def f{at}(x):\n    return x + {at} if x < 333 else 0\n"
    known = f"def f{at}(x):\n    return {{1: 1, 111: {111 + at}, 222: {222 + at}}}[x]\n"
    return [source(at), source(at, wrong=1), half, known]


@pytest.fixture(scope="module")
def scored(tmp_path_factory, sandbox):
    folder = tmp_path_factory.mktemp("hidden")
    spec = benchmark(folder, 3)
    rows = [(f"p{at}", program) for at in range(3) for program in programs(at)]
    out = folder / "run"
    score(Samples(write_samples(folder, rows)), spec, judging=Kept(sandbox), out=out)
    return out, spec


def test_programs_that_pass_the_shown_checks_alone_are_counted(scored):
    path, spec = scored
    found = hidden(path, load(spec).problems())
    assert found["pass_shown"]["value"] == 9 / 12
    assert found["fail_hidden"]["value"] == 6 / 9
    assert found["hard_code"]["value"] == 3 / 12
    assert found["signs"][DICTIONARY] == {"programs": 3, "pass_shown": 3, "passed": 0}
    assert [(each["problem"], each["index"]) for each in found["flagged"]] == [("p0", 3), ("p1", 3), ("p2", 3)]
    said = render(study_tables(found), "text")
    assert "of these, fail a hidden check   9" in said
    assert "3 problems have shown and hidden checks" in said


def test_of_programs_judged_by_other_checks_only_the_signs_are_told(scored, tmp_path):
    path, _ = scored
    others = [line(f"p{at}", at, checks=3) for at in range(3)]
    found = hidden(path, load(write(tmp_path, "others", others)).problems())
    assert found["pass_shown"] is None
    assert found["hard_code"]["value"] == 3 / 12


def test_what_was_shown_can_be_said(scored):
    path, spec = scored
    assert hidden(path, load(spec).problems(), show="3")["pass_shown"]["value"] == 3 / 12
    everything = hidden(path, load(spec).problems(), show="all")
    assert everything["pass_shown"] is None, "nothing is hidden then"
    assert everything["hard_code"]["value"] == 3 / 12


def test_examples_of_a_statement_are_run_as_what_was_shown(tmp_path, sandbox):
    """The second program passes the example and fails the check; the third is no program."""
    code = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 9\n\ncheck(f)\n"
    problem = {"id": "h", "statement": "", "checks": [{"kind": "assert", "code": code}], "entry_point": "f"}
    spec = write(tmp_path, "doc", [{**problem, "meta": {"examples": ["assert f(2) == 4"]}}])
    rows = [("h", f"def f(x):\n    return {body}\n") for body in ("x * x", "x + x", "x +")]
    score(Samples(write_samples(tmp_path, rows)), spec, judging=Kept(sandbox), out=tmp_path / "run")
    found = hidden(tmp_path / "run", load(spec).problems(), judging=Kept(sandbox))
    assert found["pass_shown"]["value"] == pytest.approx(2 / 3)
    assert found["fail_hidden"]["value"] == 0.5


def test_a_model_that_is_shown_few_checks_is_told_apart_by_the_others(tmp_path, sandbox):
    """It answers with what it sees; with one check it passes that one alone."""

    def from_checks(request, prompt):
        at = int(request.problem[1:])
        seen = [x for x in (111, 222, 333, 444) if f"f{at}({x})" in prompt]
        return f"def f{at}(x):\n    return x + {at} if x in {seen} else 0\n"

    asks = study("hidden", tmp_path, benchmark(tmp_path, 3), Rule(from_checks), sandbox)
    found = ask_hidden(asks, "1")
    assert (found["pass_shown"]["value"], found["fail_hidden"]["value"]) == (1.0, 1.0)
    assert found["folder"] == str(tmp_path / "study")


@pytest.mark.parametrize(
    ("show", "said"), [("all", "at least 1"), ("0", "at least 1"), ("4", "shows all of its checks")]
)
def test_a_model_must_be_shown_some_checks_and_not_all(tmp_path, sandbox, show, said):
    with pytest.raises(InputError, match=said):
        ask_hidden(study("hidden", tmp_path, benchmark(tmp_path), Rule(None), sandbox), show)


def test_a_run_is_studied_with_the_problems_of_its_benchmark(scored, tmp_path, capsys):
    path, spec = scored
    code, said = run(["study", "hidden", str(path)], capsys)
    assert code == 2
    assert "give --benchmark FILE" in said
    code, said = run(["study", "hidden", str(path), "--benchmark", spec, "--json"], capsys)
    assert json.loads(said)["fail_hidden"]["value"] == 6 / 9
    other = write(tmp_path, "other", [line("q0", 0)])
    code, said = run(["study", "hidden", str(path), "--benchmark", other], capsys)
    assert (code, said.count("\n")) == (2, 1)
    assert "no program for the problems given" in said
