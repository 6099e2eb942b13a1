"""What runs come to: read from directories that are written here, record by record."""

import csv
import io
import json

import pytest

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.metrics import mcnemar_exact
from regreen.report import Table, page, render, report, share_cell, show, tables
from regreen.report.tables import temperature_table
from regreen.report.text import printable
from regreen.run import Run, Settings
from regreen.summary import View

WRONG = Verdict(
    Outcome.EXCEPTION,
    (
        CheckResult(
            0, Outcome.EXCEPTION, error_type="KeyError", message="'\x1b[31mred'", line=2, line_text="return d[k]"
        ),
    ),
)
GREEN = Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED),))


def write_run(path, passed, *, n=1, cluster=None, missing="skip", complete=True, **more):
    """Write a run in which problem i has passed[i] right programs of n."""
    settings = Settings("score", "toy", {"missing": missing, **more}, {"n": None})
    with Run(path, settings) as run:
        for at, right in enumerate(passed):
            meta = {"cluster": cluster(at)} if cluster else {}
            problem = Problem(f"p{at}", f"Problem [bold]{at}[/bold]", (Assert("assert f('k') == 1"),), meta=meta)
            run.add_problem(problem)
            for index in range(n):
                run.add_program(Program(problem.id, index, "def f(k):\n    return d[k]\n"))
                run.add_verdict((problem.id, index, "sample"), GREEN if index < right else WRONG)
        if complete:
            run.complete()
    return path


def test_the_report_of_one_run_is_its_summary(tmp_path):
    run = write_run(tmp_path / "a", [1, 0, 1, 1])
    found = report([run])
    assert found["scores"]["pass@1"]["value"] == 0.75
    assert (found["problems"], found["programs"], found["run"]) == (4, 4, str(run))
    assert found["exceptions"] == {"KeyError": 1}


def test_a_run_is_reported_with_the_ks_of_its_own_scores_unless_others_are_asked_for(tmp_path):
    run = write_run(tmp_path / "a", [1, 2], n=2)
    (run / "scores.json").write_text(json.dumps({"scores": {"pass@1": {}, "pass@2": {}}}))
    assert list(report([run])["scores"]) == ["pass@1", "pass@2"]
    assert list(report([run], View(ks=(2, 3)))["scores"]) == ["pass@2", "pass@3"]


def test_two_runs_with_one_program_a_problem_are_compared_by_mcnemars_test(tmp_path):
    first = write_run(tmp_path / "a", [1] * 10 + [0] * 12)
    second = write_run(tmp_path / "b", [1] * 9 + [0] + [1] * 11 + [0])
    difference = report([first, second])["paired"]["differences"]["pass@1"]
    assert difference["value"] == pytest.approx(10 / 22)
    assert (difference["test"], difference["only_first_solves"], difference["only_second_solves"]) == (
        "exact McNemar",
        1,
        11,
    )
    assert difference["p"] == mcnemar_exact(1, 11)
    assert difference["low"] < difference["value"] < difference["high"]
    assert difference["distinguishable"]


def test_several_programs_a_problem_or_clusters_are_compared_by_permutation(tmp_path):
    first, second = write_run(tmp_path / "a", [1, 2, 0], n=3), write_run(tmp_path / "b", [2, 2, 1], n=3)
    paired = report([first, second], View(ks=(1, 4)))["paired"]["differences"]
    assert paired["pass@1"]["test"] == "paired permutation over problems"
    assert (paired["pass@1"]["p"], paired["pass@1"]["distinguishable"]) == (0.5, False)
    assert paired["pass@4"]["value"] is None
    first = write_run(tmp_path / "c", [1] * 8, cluster=lambda at: at // 4)
    second = write_run(tmp_path / "d", [0] * 8, cluster=lambda at: at // 4)
    assert report([first, second])["paired"]["differences"]["pass@1"]["p"] == 0.5


def test_differences_for_several_k_are_told_from_chance_together(tmp_path):
    first, second = (write_run(tmp_path / name, [right] * 6, n=2) for name, right in (("a", 0), ("b", 1)))
    alone, both = (report([first, second], View(ks=ks))["paired"]["differences"] for ks in ((1,), (1, 2)))
    assert (alone["pass@1"]["p"], alone["pass@1"]["p_holm"], alone["pass@1"]["distinguishable"]) == (
        1 / 32,
        1 / 32,
        True,
    )
    assert [(each["p"], each["p_holm"], each["distinguishable"]) for each in both.values()] == [
        (1 / 32, 1 / 16, False)
    ] * 2
    text = render(tables(report([first, second], View(ks=(1, 2)))))
    assert "p = 0.0625 (paired permutation" in text
    assert "corrected for all k of the table (Holm)" in text


def test_problems_of_one_cluster_are_drawn_together_in_every_score(tmp_path):
    run = write_run(tmp_path / "a", [2, 2, 2, 0, 0, 0], n=2, cluster=lambda at: at // 3, temperature=[0.2, 0.8])
    found = report([run])
    every = [found["solved"], found["best_temperature"]["pass@1"], found["scores"]["pass@1"]]
    assert [(score["low"], score["high"]) for score in every] == [(0.0, 1.0)] * 3, "two clusters of one value each"


def test_runs_are_compared_over_the_problems_that_both_have(tmp_path):
    first, second = write_run(tmp_path / "a", [1, 0]), write_run(tmp_path / "b", [1, 1, 1])
    paired = report([first, second])["paired"]
    assert (paired["problems"], paired["only_first"], paired["only_second"]) == (2, 0, 1)
    assert "problems in one run only, left out: 1" in render(tables(report([first, second])))


def test_runs_on_problems_of_one_name_that_are_not_the_same_are_told_of(tmp_path):
    first, second = write_run(tmp_path / "a", [1, 0]), write_run(tmp_path / "b", [1, 1])
    assert "NOT THE SAME" not in render(tables(report([first, second])))
    lines = [json.loads(line) for line in (second / "problems.jsonl").read_text().splitlines()]
    lines[0]["checks"] = ["assert f() == 17"]
    (second / "problems.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "NOT THE SAME: the runs state or check 1 of them" in render(tables(report([first, second])))


def test_runs_that_have_no_problem_in_common_are_not_compared_and_it_is_said(tmp_path):
    first, second = write_run(tmp_path / "a", [1, 0]), write_run(tmp_path / "b", [1, 1])
    (second / "verdicts.jsonl").write_text("")
    assert "no problem has programs in both runs" in render(tables(report([first, second])))


def test_three_runs_stand_side_by_side_without_a_comparison(tmp_path):
    runs = [write_run(tmp_path / name, [1, 0]) for name in "abc"]
    found = report(runs)
    assert (len(found["runs"]), found["paired"]) == (3, None)


def test_tables_say_what_is_needed_to_read_them_rightly(tmp_path):
    text = render(tables(report([write_run(tmp_path / "a", [1, 0, 1], complete=False)], View(ks=(1, 5)))))
    assert "66.7 % [" in text
    assert "-, needs n >= 5" in text
    assert "95 % percentile bootstrap over problems" in text
    assert "not finished" in text
    text = render(tables(report([write_run(tmp_path / "b", [1, 1])])))
    assert "exact (Clopper-Pearson)" in text


def test_two_runs_that_cannot_be_told_apart_are_said_to_be_so(tmp_path):
    runs = [write_run(tmp_path / "a", [1, 0, 1]), write_run(tmp_path / "b", [1, 1, 0])]
    assert "not distinguishable" in render(tables(report(runs)))


def test_markdown_holds_what_a_person_reads_and_csv_plain_numbers(tmp_path):
    found = report([write_run(tmp_path / "a", [1, 0])], View(ks=(1, 5)))
    assert "| passed | 1 (50.0 %) |" in render(tables(found), "md")
    rows = list(csv.reader(io.StringIO(render(tables(found), "csv"))))
    assert ["passed", "1"] in rows
    ends = ("", " low", " high")
    assert rows[0] == ["Scores", "problems", "programs", *(f"pass@{k}{end}" for k in (1, 5) for end in ends)]
    score = found["scores"]["pass@1"]
    assert rows[1] == ["toy", "2", "2", *(str(score[name]) for name in ("value", "low", "high")), "", "", ""]


def test_every_number_of_a_csv_stands_below_its_name(tmp_path):
    run = write_run(tmp_path / "a", [4, 2, 0], n=4, temperature=[0.2, 0.8])
    found = report([run], View(ks=(1, 2)))
    rows = list(csv.DictReader(io.StringIO(render([temperature_table(found)], "csv"))))
    best = next(row for row in rows if row["Temperatures"] == "best")
    assert best == {
        "Temperatures": "best",
        "pass@1": "0.2",
        "pass@1 low": "",
        "pass@1 high": "",
        "pass@2": "0.2",
        "pass@2 low": "",
        "pass@2 high": "",
    }


def test_counts_in_a_csv_are_named_as_what_they_are(tmp_path):
    share = {"passed": 1, "failed": 2, "unknown": 3, "rate": None, "bounds": [1 / 6, 4 / 6]}
    made = Table("Passed", ["", "ours"], [["repairs", share_cell(share)]])
    assert list(csv.DictReader(io.StringIO(render([made], "csv")))) == [
        {"Passed": "repairs", "ours passed": "1", "ours failed": "2", "ours unknown": "3"}
    ]


def test_a_text_that_is_not_for_a_terminal_folds_nothing_and_has_no_blank_lines_to_spare():
    path = "a/" + "very/long/" * 11
    made = [Table("First", ["name", "more", "more"], [["x", path, path]]), Table("Second", ["n"], [["y"]])]
    text = render(made, "text")
    assert f"{path}   {path}" in text
    assert "\n\n\n" not in text
    assert text.endswith("y\n")


def test_many_kinds_of_exceptions_and_long_names_stay_readable(tmp_path):
    found = report([write_run(tmp_path / "a", [1])])
    found["exceptions"] = {f"E{i}\x1b" * (500 if i == 0 else 1): 2 + (i == 0) for i in range(100)}
    text = render(tables(found))
    assert "and 80 rarer kinds" in text
    assert max(map(len, text.splitlines())) < 200
    assert "\x1b" not in text


def test_a_program_is_shown_with_its_failing_line_and_check(tmp_path):
    run = write_run(tmp_path / "a", [1, 0, 2], n=2)
    text = page(show(run, "p0"))
    assert text.startswith("p0, program 1 (1 of 2 programs passed)")
    assert ">    2 |     return d[k]" in text
    assert "assert f('k') == 1" in text
    assert "KeyError" in text
    assert "Problem [bold]0[/bold]" in text
    assert "program 0" in page(show(run, "p2"))
    assert show(run, "p0", 0)["verdict"]["outcome"] == "passed"


def test_what_a_program_wrote_cannot_command_the_terminal(tmp_path):
    assert "\x1b" not in page(show(write_run(tmp_path / "a", [0]), "p0"))
    assert printable("a\x1b[2J\tb\n\u202e\ud800é") == "a\\x1b[2J\tb\n\\u202e\\ud800é"


def test_what_is_not_there_is_said_with_what_is(tmp_path):
    run = write_run(tmp_path / "a", [1, 0], n=2)
    with pytest.raises(InputError, match=r"no verdict on a problem 'p7'; did you mean p"):
        show(run, "p7")
    with pytest.raises(InputError, match="it has programs 0 to 1"):
        show(run, "p0", 9)
    with pytest.raises(InputError, match="'nothing'; ids look like p0, p1"):
        show(run, "nothing")
    with pytest.raises(InputError, match="it has program 0 alone"):
        show(write_run(tmp_path / "one", [1]), "p0", 1)
    for function in (lambda: show(tmp_path, "p0"), lambda: report([run, tmp_path])):
        with pytest.raises(InputError, match="not a run directory"):
            function()


def test_a_damaged_run_is_one_line_that_names_the_file(tmp_path):
    run = write_run(tmp_path / "a", [1, 0])
    (run / "scores.json").write_text('{"scores": {"best": 1}}')
    assert list(report([run])["scores"]) == ["pass@1"]
    (run / "programs.jsonl").unlink()
    with pytest.raises(InputError, match=r"programs\.jsonl: program 0 of p0 is not there"):
        show(run, "p0")
    (run / "verdicts.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match=r"verdicts\.jsonl:1: not a record of a run \(no field 'problem'"):
        report([run])
    (run / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match=r"manifest\.json: no field 'command'"):
        report([run])


def test_a_finished_run_whose_verdicts_were_lost_says_so(tmp_path):
    with Run(tmp_path / "r", Settings("score", "toy", {"missing": "skip"})) as run:
        run.add_problem(Problem("p", "Say it.", (Assert("assert f()"),)))
        run.add_program(Program("p", 0, "def f(): return 1"))
        run.complete()
    assert "records are missing: 1 programs have no verdict" in render(tables(report([tmp_path / "r"])), "text")
