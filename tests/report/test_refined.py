"""What a run of refinements comes to, beside a twin that reads the run's files and counts."""

import ast
import statistics

import pytest

from regreen.evaluate import Judging, Sampling
from regreen.metrics import holm
from regreen.records import read_records
from regreen.refine import Refining, refine
from regreen.report import every_table, render, report
from regreen.report.refined import solved_by_problem
from tests.refine.models import Coin, Writer, write

N, PROBLEMS, ROUNDS = 3, 6, 3


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refined")
    refine(
        str(write(folder, PROBLEMS)), Coin(), sampling=Sampling(N, (0.2,), prompt="codex"),
        refining=Refining(rounds=ROUNDS, until="problem"), judging=Judging(sandbox="local:C"), out=folder / "run",
    )  # fmt: skip
    return folder / "run"


@pytest.fixture(scope="module")
def found(run):
    return report([run])["refine"]


@pytest.fixture(scope="module")
def passed(run):
    """By problem, index and role, whether the program passed."""
    records = (record for _, record in read_records(run / "verdicts.jsonl"))
    return {(r["problem"], r["index"], r["role"]): r["outcome"] == "passed" for r in records}


@pytest.fixture(scope="module")
def source(run):
    records = (record for _, record in read_records(run / "programs.jsonl"))
    return {(r["problem"], r["index"], r["role"]): r["source"] for r in records}


CHAINS = [(f"p{problem}", index) for problem in range(PROBLEMS) for index in range(N)]


def repair(number):
    return "repair:" + ".".join("0" * number) if number else "sample"


def mean(values):
    """Mean over problems of the mean over chains."""
    of = {}
    for problem, value in values:
        of.setdefault(problem, []).append(value)
    return statistics.mean(statistics.mean(each) for each in of.values())


def test_what_is_solved_by_each_round_is_what_the_files_say(found, passed):
    assert [line["round"] for line in found["rounds"]] == list(range(ROUNDS + 1))
    for line in found["rounds"]:
        number = line["round"]
        roles = {
            "refined": [repair(at) for at in range(number + 1)],
            "resampled": ["sample", *(f"control:resample:{at}" for at in range(1, number + 1))],
        }
        solved = {
            arm: [(p, any(passed.get((p, i, role), False) for role in of)) for p, i in CHAINS]
            for arm, of in roles.items()
        }
        for arm, values in solved.items():
            assert line[arm]["value"] == pytest.approx(mean(values))
        gain = mean(solved["refined"]) - mean(solved["resampled"])
        assert line["difference"] is None if not number else line["difference"]["value"] == pytest.approx(gain)
        assert line["programs"] == sum((p, i, repair(number)) in passed for p, i in CHAINS)
        assert line["passed"] == sum(passed.get((p, i, repair(number)), False) for p, i in CHAINS)
        assert line["refined"]["low"] <= line["refined"]["value"] <= line["refined"]["high"]


def test_each_problem_s_share_averages_to_the_reported_rate(run, found):
    for line in found["rounds"]:
        for arm in ("refined", "resampled"):
            shares = solved_by_problem(run, line["round"], arm=arm)
            assert len(shares) == PROBLEMS
            assert statistics.mean(shares.values()) == pytest.approx(line[arm]["value"])


@pytest.mark.parametrize("form", ["terminal", "text", "md", "csv"])
def test_the_tables_are_printed_in_every_form(run, form):
    printed = render(every_table(report([run])), form)
    assert "the same problem's, on another wrong program" in printed


def test_the_relative_gain_is_that_of_the_last_round_over_the_first_programs(found):
    for arm in ("refined", "resampled"):
        first, last = (found["rounds"][at][arm]["value"] for at in (0, -1))
        assert found["gain"][arm] == pytest.approx((last - first) / first)


def test_each_control_is_paired_with_true_feedback_on_the_same_programs(found, passed):
    assert set(found["ladder"]) == {"within", "swapped", "named", "untold", "stranger"}
    for name, rung in found["ladder"].items():
        tried = [(p, i) for p, i in CHAINS if (p, i, f"control:{name}:0") in passed]
        other = mean([(p, passed[p, i, f"control:{name}:0"]) for p, i in tried])
        true = mean([(p, passed[p, i, "repair:0"]) for p, i in tried])
        assert (rung["programs"], rung["problems"]) == (len(tried), len({p for p, _ in tried}))
        assert (rung["rate"]["value"], rung["true"]["value"]) == pytest.approx((other, true))
        assert rung["effect"]["value"] == pytest.approx(true - other)
    assert found["effect"] == found["ladder"]["within"]["effect"]
    failing = sum(not passed[p, i, "sample"] for p, i in CHAINS)
    assert found["ladder"]["untold"]["programs"] == failing


def test_every_p_is_corrected_for_all_of_its_table_and_the_corrected_one_is_printed(run, found):
    families = [found["rounds"], [*found["ladder"].values()]]
    families += [[line["hidden"], line["deployable"]] for line in found["rounds"]]
    for family in families:
        assert [line["p_holm"] for line in family] == holm([line["p"] for line in family])
    printed = {table.title: table for table in every_table(report([run]))}
    for title, family in (("Refinement", found["rounds"]), ("Controls", found["ladder"].values())):
        assert [row[-1].numbers for row in printed[title].rows] == [[line["p_holm"]] for line in family]
        assert any("(Holm)" in note for note in printed[title].notes)


def test_two_controls_are_told_from_the_truth_together(tmp_path):
    class Told(Coin):
        def body(self, problem, place):
            return "    return 2 * x\n" if place == "0.0" else super(Coin, self).body(problem, place)

    refine(
        str(write(tmp_path, 6)), Told(), sampling=Sampling(1, (0.2,), prompt="codex"),
        refining=Refining(rounds=1, controls=("named", "untold")), judging=Judging(sandbox="local:C"),
        out=tmp_path / "r",
    )  # fmt: skip
    ladder = report([tmp_path / "r"])["refine"]["ladder"]
    assert {name: (rung["p"], rung["p_holm"]) for name, rung in ladder.items()} == {
        "named": (1 / 32, 1 / 16),
        "untold": (1 / 32, 1 / 16),
    }


def test_copies_are_counted_by_round_and_beside_fresh_programs(found, source, passed):
    for line in found["copies"]:
        number = line["round"]
        pairs = [
            (p, source[p, i, repair(number - 1)], source[p, i, repair(number)])
            for p, i in CHAINS
            if (p, i, repair(number)) in source
        ]
        assert line["programs"] == len(pairs)
        assert line["syntax"]["value"] == pytest.approx(
            mean([(p, ast.dump(ast.parse(a)) == ast.dump(ast.parse(b))) for p, a, b in pairs])
        )
    failing = [(p, i) for p, i in CHAINS if not passed[p, i, "sample"]]
    fresh = [(p, source[p, i, "sample"] == source[p, i, "control:resample:1"]) for p, i in failing]
    assert found["fresh_copies"]["raw"]["value"] == pytest.approx(mean(fresh))
    assert found["copies"][0]["raw"]["value"] > 0, "the coin has few sides, so that some are the same"


def test_every_refinement_is_one_transition(found):
    assert sum(line["count"] for line in found["transitions"]) == sum(line["programs"] for line in found["rounds"][1:])
    assert {line["before"] for line in found["transitions"]} == {"wrong_answer"}


def test_a_deployable_choice_knows_the_shown_checks_alone(found, passed):
    """Every program passes the shown check, so that the first is always taken: refining changes nothing."""
    last = found["rounds"][-1]
    first = mean([(p, passed[p, i, "sample"]) for p, i in CHAINS])
    assert last["deployable"]["refined"]["value"] == pytest.approx(first)
    assert first < last["refined"]["value"]
    assert last["hidden"]["refined"]["value"] == last["refined"]["value"], "no program passes hidden checks alone"


def test_the_tables_say_where_feedback_saw_the_scoring_checks_and_need_no_controls(tmp_path):
    refine(
        str(write(tmp_path, 2)), Writer(), sampling=Sampling(1, (0.2,), prompt="codex"),
        refining=Refining(rounds=1, reveal="all", controls=()), judging=Judging(sandbox="local:C"), out=tmp_path / "r",
    )  # fmt: skip
    found = report([tmp_path / "r"])
    assert (found["refine"]["ladder"], found["refine"]["fresh_copies"], found["refine"]["effect"]) == ({}, None, None)
    printed = render(every_table(found))
    assert "feedback saw the scoring checks" in printed
    assert "Controls" not in printed


def test_a_run_in_which_everything_passes_is_reported_too(tmp_path):
    class Right(Coin):
        def body(self, problem, place):
            return "    return 2 * x\n"

    refine(
        str(write(tmp_path, 2)), Right(), sampling=Sampling(1, (0.2,), prompt="codex"),
        judging=Judging(sandbox="local:C"), out=tmp_path / "r",
    )  # fmt: skip
    found = report([tmp_path / "r"])
    assert [line["round"] for line in found["refine"]["rounds"]] == [0]
    assert "Refinement" in render(every_table(found))
