"""Where and how the programs of recorded runs fail."""

import json
from itertools import permutations

import pytest

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.analysis import rank_correlation
from regreen.report import render, study_tables
from regreen.run import Run, Settings
from regreen.studies.difficulty import asserts, difficulty, solution_branches, solution_lines, statement_words, thirds
from regreen.studies.errors import errors
from tests.studies.asked import run, write

PASSED, WRONG, SYNTAX = Outcome.PASSED, Outcome.WRONG_ANSWER, Outcome.SYNTAX_ERROR


def write_run(path, ends, *, parameters=None, name="toy"):
    """A run whose problems' programs end so: an outcome, or the class of an exception."""
    with Run(path, Settings("evaluate", name, {"model": "m"}), about={"model": {"parameters": parameters}}) as opened:
        for at, row in enumerate(ends):
            opened.add_problem(Problem(f"p{at}", "", (Assert("assert f()"),)))
            for index, end in enumerate(row):
                outcome = end if isinstance(end, Outcome) else Outcome.EXCEPTION
                error = None if isinstance(end, Outcome) else end
                opened.add_program(Program(f"p{at}", index, "f = 1\n"))
                checks = (CheckResult(0, outcome, error_type=error),)
                opened.add_verdict((f"p{at}", index, "sample"), Verdict(outcome, checks))
    return path


@pytest.mark.parametrize("second", [[3, 1, 2, 5, 4], [1, 1, 2, 2, 2], [5, 4, 3, 2, 1]])
def test_a_rank_correlation_is_spearmans_and_its_test_counts_all_pairings(second):
    stats = pytest.importorskip("scipy.stats")
    first = [10, 20, 30, 40, 50]
    found = rank_correlation(first, second, resamples=4000)
    observed = stats.spearmanr(first, second).statistic
    assert found.value.value == pytest.approx(observed)
    every = [abs(stats.spearmanr(first, other).statistic) for other in permutations(second)]
    assert found.p == pytest.approx(sum(each >= abs(observed) - 1e-9 for each in every) / len(every), abs=0.03)
    assert found.value.low <= found.value.value <= found.value.high


def test_nothing_correlates_with_what_does_not_vary():
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None
    assert rank_correlation([1, 2, 3], [0.5, 0.5, 0.5]) is None


def test_thirds_hold_all_and_keep_equal_values_together():
    values = {f"p{at}": at // 2 for at in range(9)}
    groups = thirds(values)
    assert sorted(name for group in groups.values() for name in group) == sorted(values)
    assert [sorted({values[name] for name in group}) for group in groups.values()] == [[0], [1, 2], [3, 4]]
    assert list(groups) == ["0", "1 to 2", "3 to 4"]
    assert thirds({"a": 3, "b": 3}) == {"3": ["a", "b"]}


def test_problems_are_measured_as_a_reader_would():
    code = "def check(candidate):\n    assert candidate(1)\n    assert candidate(2)\n"
    solution = (
        'def f(x):\n    """Doc."""\n    # note\n    for i in x:\n        if i:\n            return [j for j in i]\n'
    )
    problem = Problem("p", "Sum  all the\nnumbers.", (Assert(code), Assert("assert f(1)")), solution=solution)
    assert (statement_words(problem), asserts(problem)) == (4, 3)
    assert (solution_lines(problem), solution_branches(problem)) == (4, 3)
    assert solution_lines(Problem("p", "", (Assert(""),))) is None
    assert solution_branches(Problem("p", "", (Assert(""),), solution="def f(")) is None


def hard_ones(count):
    """Problems whose solutions grow by a line each, in two categories."""
    body = "    x = 1\n"
    return [
        Problem(
            f"p{at}",
            "Sort the list." if at % 2 else "Reverse the string.",
            (Assert("assert f()"),),
            solution="def f():\n" + body * (at + 1),
            meta={"level": "easy" if at < count / 2 else "hard", "url": f"u{at}", "source": "toy"},
        )
        for at in range(count)
    ]


def test_the_solve_rate_falls_with_the_length_of_the_solution(tmp_path):
    """A problem with one line more has one right program less."""
    count = 8
    ends = [[PASSED] * (count - at) + [WRONG] * at for at in range(count)]
    found = difficulty(write_run(tmp_path / "run", ends), hard_ones(count))
    trend = found["trends"]["lines of the solution"]
    assert trend["value"] == pytest.approx(-1)
    assert trend["p"] < 0.05
    assert found["trends"]["asserts"] is None
    assert set(found["groups"]) == {"lines of the solution", "level", "subject"}
    easy, hard = (found["groups"]["level"][name]["pass@1"]["value"] for name in ("easy", "hard"))
    assert (easy, hard) == (pytest.approx((8 + 7 + 6 + 5) / 32), pytest.approx((4 + 3 + 2 + 1) / 32))
    assert {label: group["problems"] for label, group in found["groups"]["subject"].items()} == {"lists": 4, "texts": 4}
    assert "-1.000" in render(study_tables(found), "text")


def test_a_run_of_other_problems_is_refused(tmp_path):
    path = write_run(tmp_path / "run", [[PASSED]])
    with pytest.raises(InputError, match="give --benchmark, as toy"):
        difficulty(path, [Problem("other", "", (Assert(""),))])


def test_outcomes_are_shares_of_problems_and_their_slope_is_that_of_the_sizes(tmp_path):
    small = write_run(tmp_path / "small", [[SYNTAX, SYNTAX], ["NameError", WRONG]], parameters=1e6)
    large = write_run(tmp_path / "large", [[PASSED, WRONG], [WRONG, PASSED], [PASSED]], parameters=1e8)
    found = errors([small, large])
    assert found["problems"] == 2
    shares = {kind: [each["value"] for each in row["shares"]] for kind, row in found["outcomes"].items()}
    assert shares == {
        "passed": [0.0, 0.5],
        "wrong_answer": [0.25, 0.5],
        "syntax_error": [0.5, 0.0],
        "NameError": [0.25, 0.0],
    }
    assert found["outcomes"]["syntax_error"]["slope"]["value"] == pytest.approx(-0.25)
    assert "large (100M)" in render(study_tables(found), "text")
    assert found["plots"][0]["kind"] == "line"


def test_without_sizes_outcomes_stand_side_by_side_and_rare_exceptions_are_one_row(tmp_path):
    classes = [f"Error{at}" for at in range(8)]
    runs = [write_run(tmp_path / name, [classes + classes[:at]]) for at, name in ((6, "a"), (6, "b"))]
    found = errors(runs)
    assert found["outcomes"]["other exceptions"]["shares"][0]["value"] == pytest.approx(2 / 14)
    assert found["outcomes"]["Error0"]["slope"] is None
    assert found["plots"][0]["kind"] == "bar"


@pytest.mark.parametrize("given", [(1e6,), (1e6, 1e7, 1e8)])
def test_sizes_must_be_those_of_the_runs(tmp_path, given):
    runs = [write_run(tmp_path / name, [[PASSED]]) for name in ("a", "b")]
    with pytest.raises(InputError, match="expected one size for each"):
        errors(runs, parameters=given)


def test_runs_without_a_problem_in_common_are_refused(tmp_path):
    runs = [write_run(tmp_path / "a", [[PASSED]]), write_run(tmp_path / "b", [[], [PASSED]])]
    with pytest.raises(InputError, match="no problem has programs in all of them"):
        errors(runs)


def test_the_commands_print_tables_and_draw(tmp_path, capsys):
    lines = [
        {"id": f"p{at}", "statement": "word " * at, "checks": [{"kind": "assert", "code": "assert f()"}]}
        for at in range(1, 4)
    ]
    spec = write(tmp_path, "toy", lines)
    path = str(write_run(tmp_path / "run", [[], [PASSED], [WRONG], [PASSED]], name="toy"))
    figure = tmp_path / "f.svg"
    assert run(["study", "difficulty", path, "--benchmark", spec, "--figure", str(figure)], capsys)[0] == 0
    assert "words in the statement" in figure.read_text()
    code, said = run(["study", "errors", path, path, "--parameters", "1M,2M", "--json"], capsys)
    assert (code, json.loads(said)["models"][1]["parameters"]) == (0, 2e6)
    code, said = run(["study", "errors", path, "--parameters", "much"], capsys)
    assert code == 2
    assert "write it as 350M,2.7B" in said
