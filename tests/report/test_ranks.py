"""Tables of rankings."""

from regreen import Assert, CheckResult, Outcome, Problem, Program, Verdict
from regreen.rank import rank
from regreen.report import render, report
from regreen.report.ranks import rank_tables, ranking_tables
from regreen.run import Run, Settings


def write_run(path):
    with Run(path, Settings("evaluate", "toy", {}, {"n": None})) as run:
        for at in range(4):
            run.add_problem(Problem(f"p{at}", "", (Assert("assert f()"),), shown=(0,), revealed=(0,)))
            for index in range(2):
                outcome = Outcome.PASSED if index == 0 and at < 3 else Outcome.EXCEPTION
                run.add_program(Program(f"p{at}", index, f"x = {index}"))
                run.add_verdict((f"p{at}", index, "sample"), Verdict(outcome, (CheckResult(0, outcome),)))
    return path


def test_a_run_that_was_not_ranked_has_no_tables(tmp_path):
    assert rank_tables(report([write_run(tmp_path / "r")])) == []


def test_the_tables_hold_each_rankers_curve_and_gain_and_say_what_must_be_known(tmp_path):
    found = rank(write_run(tmp_path / "r"))
    chosen, gain = ranking_tables(found)
    assert [row[0] for row in chosen.rows] == ["random", "shown", "majority", "oracle"]
    assert list(chosen.header) == ["", "k = 1", "k = 2"]
    assert [row[0] for row in gain.rows] == ["shown", "majority", "oracle"]
    assert list(gain.header) == ["", "k = 2"]
    text = render([chosen, gain], "text")
    assert "75.0 % [" in text
    assert "+37.5 % [" in text
    assert "all scoring checks are shown in 4 problems" in text
    assert "majority: agreement among the k drawn" in text
    assert render(rank_tables(report([tmp_path / "r"])), "text") == text
    assert "k = 2 low" in render([chosen], "csv")
