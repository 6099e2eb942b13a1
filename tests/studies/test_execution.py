"""Predicting what programs return: which calls are asked for, what is shown, what is right, what guesses come to."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from regreen import InputError
from regreen.benchmarks import load
from regreen.cases import Case, cases
from regreen.evaluate import Choice
from regreen.models import open_model
from regreen.problem import Assert, Call, Problem, problem_to_line
from regreen.prompts import load as template_of
from regreen.report import every_table, render, report
from regreen.studies.asking import Study
from regreen.studies.execution import all_cases, asked, execution, guesses, per_case

HALF = Problem(
    "p/half",
    "Halve a number.",
    (Call((4,), 2.0), Call((5,), 2.5), Call((-1,), -0.5)),
    entry_point="half",
    solution='def half(x):\n    """Halve x."""\n    return x / 2\n',
)
JOIN = Problem(
    "p/join",
    "Join texts with a sign.",
    (
        Assert("assert join(['a', 'b'], sign='-') == 'a-b'"),
        Assert("assert join([], sign='-') == ''"),
        Assert("assert join(['a'], '+') == 'a'"),
    ),
    entry_point="join",
    solution="def join(xs, sign):\n    return sign.join(xs)\n",
)
ODD = Problem("p/odd", "Is it odd?", (Call((3,), True),), entry_point="odd", solution="def odd(x): return x % 2 == 1\n")


def ways(problem: Problem, most: int = 9) -> list[str]:
    return [case.worked for case in cases(problem, most)]


def test_cases_are_calls_with_plain_data_of_checks_of_either_kind():
    assert ways(HALF) == ["assert half(4) == 2.0", "assert half(5) == 2.5", "assert half(-1) == -0.5"]
    assert ways(JOIN, 2) == ["assert join(['a', 'b'], sign='-') == 'a-b'", "assert join([], sign='-') == ''"]
    assert cases(HALF, 1) == [Case("p/half", HALF.solution.strip(), "Halve a number.", "half(4)", "2.0", "4", "p/half")]
    assert ways(Problem("p", "", HALF.checks, entry_point="half")) == [], "there is no program"


CHECK = "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(2) == [x for x in []]\ncheck(f)"


@pytest.mark.parametrize(("code", "found"), [
    (CHECK, ["f(1)"]),
    ("assert f(Node(1)) == 2\nassert g(1) == 2\nassert f(1) != 2\nassert abs(f(1) - 2) < 1", []),
    ("assert f(1) == {1: float('inf')}\nassert f(2) == [1, (2,), {'a': None}]\nassert f(2) == 0", ["f(2)"]),
    ("assert f(3) == 4", []),
])  # fmt: skip
def test_what_is_no_case(code, found):
    """A call of the statement is none either, however it is spaced; of two of the same call the last is taken."""
    problem = Problem("p", "Add one: f( 3 ) is 4.", (Assert(code),), entry_point="f", solution="def f(x): return x + 1")
    assert [case.call for case in cases(problem, 9)] == found


def test_a_method_is_called_on_a_new_object():
    source = "class Solution:\n    def one(self, x): return 1\n"
    problem = Problem("p", "", (Call((2,), 1),), entry_point="Solution.one", solution=source)
    assert [case.call for case in cases(problem, 9)] == ["Solution().one(2)"]


def prompt(found: list[Case], at: int, what: str, count: int) -> str:
    return str(template_of("execution").render(asked(found, at, what, count)))


def test_every_condition_shows_what_it_says_and_never_the_value_asked_for():
    found = cases(HALF, 3)
    program, said = "def half(x):\n    return x / 2\n", "# Halve a number.\n"
    assert prompt(found, 0, "code", 0) == f"{program}\nassert half(4) =="
    assert prompt(found, 0, "code+statement", 1) == f"{said}{program}\nassert half(5) == 2.5\nassert half(4) =="
    worked = "assert half(5) == 2.5\nassert half(4) == 2.0\n"
    assert prompt(found, 2, "statement", 2) == f"{said}\n{worked}assert half(-1) =="
    shown = asked(found, 2, "statement", 2).statement
    assert shown == f"Halve a number.\n\n{worked}assert half(-1) ==", "it says no more than the prompt"


def study(out: Path, problems: list[Problem], answers: list[dict], **more) -> Study:
    """A study of a model that answers as it is told."""
    out.mkdir(exist_ok=True)
    (out / "b.jsonl").write_text("".join(json.dumps(problem_to_line(problem)) + "\n" for problem in problems))
    (out / "m.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    return Study("execution", str(out / "b.jsonl"), open_model(f"scripted:{out / 'm.jsonl'}"), out=out / "s", **more)


ANSWERS = [
    {"contains": ["assert half(4) =="], "text": " 2"},
    {"contains": ["assert half(5) =="], "text": " 2.5000001\n"},
    {"contains": ["assert half(-1) =="], "text": " -1 / 2"},
    {"contains": ["assert join(['a', 'b'], sign='-') =="], "text": " 'a-b'  # joined"},
    {"contains": ["assert join([], sign='-') =="], "text": ' ""'},
    {"text": " 'a'"},
]


def test_values_are_right_as_literals_with_tolerance_and_programs_if_all_of_theirs_are(tmp_path):
    found = execution(study(tmp_path, [HALF, JOIN, ODD], ANSWERS), pairs=(0,), shown=("code", "statement"))
    assert (found["problems"], found["cases"]) == (3, 7)
    code = found["conditions"][0]
    assert code["cases_right"]["value"] == pytest.approx(5 / 7), "-1 / 2 is no literal, and 'a' not True"
    assert code["programs_right"]["value"] == pytest.approx(1 / 3)
    assert code["no_literal"] == pytest.approx(1 / 7)
    assert found["added"] == {}


def test_all_conditions_ask_for_the_same_calls_and_a_second_time_nothing_is_asked(tmp_path):
    asks = study(tmp_path, [HALF, JOIN, ODD], ANSWERS)
    found = execution(asks)
    assert [(c["shown"], c["pairs"]) for c in found["conditions"]] == [
        (what, count) for what in ("code", "code+statement", "statement") for count in (0, 1, 2)
    ]
    assert (found["problems"], found["cases"]) == (2, 6)
    assert "1 more problems have too few calls" in render(every_table(report([tmp_path / "s"])), "text")
    (tmp_path / "m.jsonl").write_text('{"contains": ["nothing"], "text": ""}\n')
    again = Study("execution", asks.benchmark, asks.model, out=tmp_path / "s")
    assert execution(again) == found


def test_only_and_limit_choose_problems_and_not_calls(tmp_path):
    found = execution(study(tmp_path / "a", [HALF, JOIN], ANSWERS, choice=Choice(limit=1)), shown=("code",), pairs=(0,))
    assert (found["problems"], found["cases"]) == (1, 3)
    more = execution(study(tmp_path / "a", [HALF, JOIN], ANSWERS, choice=Choice(limit=2)), shown=("code",), pairs=(0,))
    assert (more["problems"], more["cases"]) == (2, 6), "a larger limit extends"
    found = execution(
        study(tmp_path / "b", [HALF, JOIN], ANSWERS, choice=Choice(only=("p/join",))), shown=("code",), pairs=(0,)
    )
    assert found["conditions"][0]["programs_right"]["value"] == 1.0


def test_other_problems_have_another_folder(tmp_path, monkeypatch):
    """ODD has one case: it is asked about where none is worked out."""
    monkeypatch.chdir(tmp_path)
    asks = replace(study(tmp_path, [HALF, ODD], ANSWERS), out=None)
    found = [execution(asks, shown=("code",), pairs=(count,)) for count in (0, 1)]
    assert [each["problems"] for each in found] == [2, 1]
    assert len({each["folder"] for each in found}) == 2


def test_guesses_are_the_other_programs_commonest_value_the_next_case_s_and_the_first_argument():
    def made(name: str, *pairs: tuple[str, str]) -> list[Case]:
        return [Case(name, "", "", f"f({first})", expected, first, name) for first, expected in pairs]

    chosen = {
        "a": made("a", ("1", "0"), ("2", "2.0")),
        "b": made("b", ("x", "0"), ("0", "0")),
        "c": made("c", ("", "1"), ("3", "1")),
    }
    found = guesses(chosen)
    assert found["most frequent value"] == {"a": [[True], [False]], "b": [[False], [False]], "c": [[False], [False]]}
    assert found["last worked case"] == {"a": [[False], [False]], "b": [[True], [True]], "c": [[True], [True]]}
    assert found["first argument"] == {"a": [[False], [True]], "b": [[False], [True]], "c": [[False], [False]]}
    assert "last worked case" not in guesses({"a": chosen["a"][:1]}), "a lone case would be its own"


def test_intervals_resample_problems_of_one_cluster_together(tmp_path):
    """Two problems of one cluster are one draw: the interval says as little as one program would."""
    pair = [replace(HALF, meta={"cluster": "c"}), replace(JOIN, meta={"cluster": "c"})]
    asks = {"shown": ("code",), "pairs": (0,)}
    together = execution(study(tmp_path / "a", pair, ANSWERS), **asks)["conditions"][0]
    apart = execution(study(tmp_path / "b", [HALF, JOIN], ANSWERS), **asks)["conditions"][0]
    assert together["cases_right"]["value"] == apart["cases_right"]["value"] == pytest.approx(5 / 6)
    assert (together["cases_right"]["method"], apart["cases_right"]["method"]) == ("exact", "bootstrap")


def test_shares_count_cases_and_whole_programs_over_answers():
    rights = {"a": [[True, False], [True, True]], "b": [[False, True]]}
    assert per_case(rights) == [0.5, 1.0, 0.5]
    assert all_cases(rights) == [0.5, 0.5]


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ({"shown": ("words",)}, "--shown words: expected code, code\\+statement, statement"),
        ({"pairs": (3,)}, "--pairs 3: .* has at most 3 cases"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is(tmp_path, asks, said):
    with pytest.raises(InputError, match=said):
        execution(study(tmp_path, [HALF], ANSWERS), **asks)
    assert not (tmp_path / "s").exists()


def test_a_benchmark_without_such_calls_or_statements_is_refused(tmp_path):
    other = Problem("p", "Say it.", (Assert("assert answer > 1"),), solution="answer = 2")
    with pytest.raises(InputError, match="no check calls a reference program with plain data"):
        execution(study(tmp_path, [other], ANSWERS))


ROW = {"id": "sample_0", "code": "def f(x):\n    return [x]", "input": "'a'", "output": "['a']"}


def test_cruxeval_s_functions_are_programs_without_statements(tmp_path):
    (tmp_path / "cruxeval").mkdir()
    (tmp_path / "cruxeval" / "cruxeval.jsonl").write_text(json.dumps(ROW) + "\n")
    (problem,) = load("cruxeval", data=tmp_path).problems()
    assert cases(problem, 3) == [Case("sample_0", ROW["code"], "", "f('a')", "['a']", "'a'", "sample_0")]
    found = execution(study(tmp_path, [problem], [{"text": " ['a']"}]))
    assert [(c["shown"], c["pairs"], c["cases_right"]["value"]) for c in found["conditions"]] == [("code", 0, 1.0)]
    with pytest.raises(InputError, match="no statements beside its programs"):
        execution(study(tmp_path, [problem], []), shown=("statement",))


def test_the_command_asks_the_tiny_model_and_draws(tmp_path):
    command = [
        sys.executable,
        "-m",
        "regreen.cli",
        "study",
        "execution",
        "katas:test",
        "-m",
        "tiny",
        "--limit",
        "2",
        "-q",
    ]
    asks = ["--max-tokens", "20", "--pairs", "0", "--shown", "code", "-n", "2", "--temperature", "0.8"]
    done = subprocess.run(
        [*command, *asks, "--figure", "f.svg"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    assert "6 calls of 2 programs" in done.stdout
    assert "<svg" in Path(tmp_path, "f.svg").read_text()


@pytest.mark.data
def test_most_problems_of_mbpp_and_humaneval_have_three_cases(data_root):
    for name, three in (("mbpp:test", 495), ("humaneval", 128)):
        found = [cases(problem, 3) for problem in load(name, data=data_root).problems()]
        assert sum(len(each) == 3 for each in found) == three
