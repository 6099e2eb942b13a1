"""Scoring and checking as functions, on a toy benchmark and the real judge."""

from dataclasses import replace
from datetime import date

import pytest

from regreen import InputError
from regreen.evaluate import Choice, Judging, Samples, check, score
from regreen.records import read_records
from regreen.summary import View
from tests.toy import BAD, GOOD, PROBLEMS, programs, write_problems, write_samples

JUDGING = Judging(timeout=2.0, sandbox="local:C")


@pytest.fixture
def toy(tmp_path):
    return str(write_problems(tmp_path))


def scored(tmp_path, toy, rows, *, samples=None, out="run", **more):
    path = write_samples(tmp_path, rows)
    return score(samples or Samples(path), toy, judging=JUDGING, out=tmp_path / out, **more)


def values(found):
    return {name: estimate["value"] for name, estimate in found.items()}


def test_a_score_is_the_mean_of_the_problems_unbiased_estimates(tmp_path, toy):
    found = scored(tmp_path, toy, programs(4, 2, 0), view=View(ks=(1, 2, 5)))
    assert values(found["scores"]) == {"pass@1": 0.5, "pass@2": pytest.approx((1 + 5 / 6 + 0) / 3), "pass@5": None}
    assert found["scores"]["pass@5"]["needs"] == "n >= 5"
    assert (found["benchmark"], found["problems"], found["programs"]) == ("toy", 3, 12)
    outcomes = {name: n for name, n in found["outcomes"].items() if n}
    assert outcomes == {"passed": 6, "exception": 2, "wrong_answer": 4}
    assert found["exceptions"] == {"IndexError": 2}
    assert (found["bad_lines"], found["missing"]) == ([], [])


def test_the_biased_estimator_comes_on_request(tmp_path, toy):
    found = scored(tmp_path, toy, programs(4, 2, 0), view=View(ks=(2,), biased=True))
    assert values(found["biased"]) == {"pass@2": pytest.approx((1 + 0.75 + 0) / 3)}


def test_missing_problems_are_named_and_left_out_unless_they_are_to_fail(tmp_path, toy):
    rows = programs(4, 2)
    found = scored(tmp_path, toy, rows)
    assert (found["missing"], found["problems"], values(found["scores"])) == (["toy/echo"], 2, {"pass@1": 0.75})
    failing = Samples(write_samples(tmp_path, rows), missing="fail")
    found = scored(tmp_path, toy, rows, samples=failing, out="other", view=View(ks=(1, 4)))
    assert (found["missing"], found["problems"]) == (["toy/echo"], 3)
    assert values(found["scores"]) == {"pass@1": 0.5, "pass@4": pytest.approx(2 / 3)}


def test_base_and_plus_scores_come_from_one_run(tmp_path, toy):
    found = scored(tmp_path, toy, [("toy/add", GOOD["toy/add"]), ("toy/add", BAD["toy/add"])])
    assert values(found["by_checks"]["base"]) == {"pass@1": 1.0}
    assert values(found["by_checks"]["plus"]) == {"pass@1": 0.5}


def test_scores_before_and_after_the_models_cutoff(tmp_path, toy):
    found = scored(tmp_path, toy, programs(4, 2, 0), view=View(cutoff=date(2024, 5, 1)))
    before, after = found["by_date"]["before 2024-05-01"], found["by_date"]["from 2024-05-01"]
    assert (before["problems"], values(before["scores"])) == (1, {"pass@1": 1.0})
    assert (after["problems"], values(after["scores"])) == (2, {"pass@1": 0.25})


def test_a_cutoff_needs_dates(tmp_path):
    undated = [{**problem, "meta": {}} for problem in PROBLEMS]
    toy = str(write_problems(tmp_path, undated))
    with pytest.raises(InputError, match="needs problems with a date"):
        scored(tmp_path, toy, programs(1), view=View(cutoff=date(2024, 5, 1)))


def test_recorded_verdicts_are_held_against_ours(tmp_path, toy):
    rows = programs(2, 2, n=2)
    path = write_samples(tmp_path, rows, passed=[True, False, True, None])
    found = score(Samples(path), toy, judging=JUDGING, out=tmp_path / "run")
    difference = {"problem": "toy/add", "index": 1, "recorded": "failed", "outcome": "passed"}
    assert found["recorded"] == {"agree": 2, "differ": 1, "differences": [difference]}
    assert len(list(read_records(tmp_path / "run" / "recorded.jsonl"))) == 3


def test_the_same_call_prints_the_same_and_judges_nothing_again(tmp_path, toy):
    first = scored(tmp_path, toy, programs(4, 2, 0))
    written = (tmp_path / "run" / "verdicts.jsonl").read_bytes()
    assert scored(tmp_path, toy, programs(4, 2, 0)) == first
    assert (tmp_path / "run" / "verdicts.jsonl").read_bytes() == written


def test_a_larger_n_or_limit_extends_a_run_to_what_it_would_have_been_at_once(tmp_path, toy):
    path = write_samples(tmp_path, programs(3, 2, 1))
    small = score(Samples(path, n=2), toy, choice=Choice(limit=2), judging=JUDGING, out=tmp_path / "run")
    assert (small["problems"], small["programs"]) == (2, 4)
    grown = score(Samples(path), toy, judging=JUDGING, out=tmp_path / "run")
    whole = score(Samples(path), toy, judging=JUDGING, out=tmp_path / "whole")
    for found in (grown, whole):
        del found["run"], found["seconds"]
    assert grown == whole
    with pytest.raises(InputError, match="n is all there, 2 here"):
        score(Samples(path, n=2), toy, judging=JUDGING, out=tmp_path / "run")


def test_other_programs_under_the_same_directory_are_refused(tmp_path, toy):
    scored(tmp_path, toy, programs(4, 2, 0))
    with pytest.raises(InputError, match="samples is "):
        scored(tmp_path, toy, programs(4, 2, 1))
    path = write_samples(tmp_path, programs(4, 2, 0))
    with pytest.raises(InputError, match=r"timeout is 2\.0 there, 9\.0 here"):
        score(Samples(path), toy, judging=replace(JUDGING, timeout=9.0), out=tmp_path / "run")


def test_another_number_of_jobs_continues_the_same_run(tmp_path, toy):
    path = write_samples(tmp_path, programs(1))
    first = score(Samples(path), toy, judging=replace(JUDGING, jobs=1), out=tmp_path / "run")
    assert score(Samples(path), toy, judging=replace(JUDGING, jobs=2), out=tmp_path / "run") == first


def test_only_picks_problems_and_an_unknown_one_is_refused(tmp_path, toy):
    found = scored(tmp_path, toy, programs(4, 2, 0), choice=Choice(only=("toy/first",)))
    assert (found["problems"], found["programs"], found["missing"]) == (1, 4, [])
    with pytest.raises(InputError, match=r"--only toy/frist: no such problem; ids look like toy/add"):
        scored(tmp_path, toy, programs(1), out="other", choice=Choice(only=("toy/frist",)))


def test_bad_lines_are_listed_and_the_good_ones_scored(tmp_path, toy):
    path = write_samples(tmp_path, programs(2, 2, 2, n=2))
    with path.open("a") as file:
        file.write('not json\n{"task_id": "toy/add"}\n')
    found = score(Samples(path), toy, judging=JUDGING, out=tmp_path / "run")
    assert (found["programs"], found["skipped"]) == (6, 2)
    assert [line.split(": ")[0] for line in found["bad_lines"]] == [f"{path}:7", f"{path}:8"]


def test_a_file_without_a_single_good_line_begins_no_run(tmp_path, toy):
    path = tmp_path / "samples.jsonl"
    path.write_text('{"task_id": "toy/unknown", "solution": "x"}\n')
    with pytest.raises(InputError, match=r"no program in .*1 bad lines.*samples\.jsonl:1"):
        score(Samples(path), toy, judging=JUDGING, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_rows_with_their_own_checks_need_no_benchmark(tmp_path):
    rows = [("r/1", GOOD["toy/add"]), ("r/2", GOOD["toy/add"]), ("r/1", BAD["toy/add"])]
    test = "def check(f):\n    assert f(2, 2) == 4\n"
    fields = {"prompt": ["p"] * 3, "entry_point": ["add"] * 3, "test": [test] * 3, "is_solved": [True, False, False]}
    path = write_samples(tmp_path, rows, **fields)
    found = score(Samples(path), judging=JUDGING, out=tmp_path / "run")
    assert (found["benchmark"], found["problems"], found["programs"]) == ("reflexion", 2, 3)
    assert values(found["scores"]) == {"pass@1": 0.75}
    assert (found["form"], found["own_checks"]) == ("reflexion", True)
    assert found["read_as"] == "reflexion: the last program of each row; judged by the rows' own checks"
    assert (found["recorded"]["agree"], found["recorded"]["differ"]) == (2, 1)
    found = score(Samples(path), "reflexion", choice=Choice(limit=1), judging=JUDGING, out=tmp_path / "one")
    assert (found["problems"], found["programs"]) == (1, 2)


def test_rows_with_their_own_checks_are_judged_by_them_whatever_the_benchmark(tmp_path, toy):
    test = "def check(f):\n    assert f(2, 2) == 5\n"
    fields = {"prompt": ["p"], "entry_point": ["add"], "test": [test], "is_solved": [False]}
    path = write_samples(tmp_path, [("toy/add", GOOD["toy/add"])], **fields)
    found = score(Samples(path), toy, judging=JUDGING, out=tmp_path / "run")
    assert (found["benchmark"], found["outcomes"]["passed"], found["missing"]) == ("toy", 0, [])


def test_one_id_with_two_sets_of_checks_is_a_bad_line(tmp_path):
    tests = ["def check(f):\n    assert f(2, 2) == 4\n", "def check(f):\n    assert f(2, 2) == 5\n"]
    fields = {"prompt": ["p"] * 2, "entry_point": ["add"] * 2, "test": tests}
    path = write_samples(tmp_path, [("r/1", GOOD["toy/add"])] * 2, **fields)
    found = score(Samples(path), judging=JUDGING, out=tmp_path / "run")
    assert found["programs"] == 1
    assert "other checks here" in found["bad_lines"][0]


def test_samples_that_bring_no_checks_need_a_benchmark(tmp_path):
    with pytest.raises(InputError, match="--benchmark"):
        score(Samples(write_samples(tmp_path, programs(1))), judging=JUDGING, out=tmp_path / "run")


def test_a_runs_own_samples_score_as_the_run_did(tmp_path, toy):
    first = scored(tmp_path, toy, programs(4, 2, 0))
    again = score(Samples(tmp_path / "run" / "samples.jsonl"), toy, judging=JUDGING, out=tmp_path / "again")
    assert again["scores"] == first["scores"]


def test_a_checked_benchmark_lists_what_is_not_green(tmp_path):
    problems = [*PROBLEMS[:2], {**PROBLEMS[2], "solution": "print(1)\n"}]
    found = check(str(write_problems(tmp_path, problems)), judging=JUDGING, out=tmp_path / "run")
    assert (found["benchmark"], found["problems"], found["passed"]) == ("toy", 3, 2)
    assert found["failed"] == [{"problem": "toy/echo", "outcome": "wrong_answer"}]
    assert (found["separate"], found["shared"]) == (3, [])


def test_a_benchmark_without_solutions_cannot_be_checked(tmp_path):
    problems = [{name: value for name, value in problem.items() if name != "solution"} for problem in PROBLEMS]
    with pytest.raises(InputError, match="no problem has a solution"):
        check(str(write_problems(tmp_path, problems)), judging=JUDGING, out=tmp_path / "run")


@pytest.mark.parametrize("judging", [Judging(sandbox="cloud"), Judging(timeout=0), Judging(sandbox="local:D")])
def test_limits_and_sandboxes_that_cannot_be_are_refused(tmp_path, toy, judging):
    with pytest.raises(InputError, match=r"expected local|must be more than 0"):
        score(Samples(write_samples(tmp_path, programs(1))), toy, judging=judging, out=tmp_path / "run")


@pytest.mark.data
def test_humanevals_solutions_are_green(tmp_path, data_root):
    found = check("humaneval", choice=Choice(data=data_root), judging=JUDGING, out=tmp_path / "run")
    assert found["passed"] == found["problems"] == 164
    assert found["separate"] >= 160


@pytest.mark.data
def test_a_recorded_run_comes_out_as_recorded(tmp_path, data_root):
    path = data_root / "recorded" / "reflexion" / "simple_humaneval_gpt-3.5-turbo.jsonl.gz"
    found = score(Samples(path), judging=Judging(timeout=6.0, sandbox="local:C"), out=tmp_path / "run")
    assert (found["recorded"]["agree"], found["recorded"]["differ"], found["outcomes"]["passed"]) == (164, 0, 42)
