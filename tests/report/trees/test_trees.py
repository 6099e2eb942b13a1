"""Reports of runs with repair trees, written here node by node."""

import csv
import io
import json
import random

import pytest

from regreen import Assert, CheckResult, InputError, Node, Outcome, Problem, Program, Verdict
from regreen.cli import main
from regreen.metrics import Forest, Width, expected, holm
from regreen.report import Prices, RepairView, draw, figures, render, report
from regreen.report.trees import tree_tables
from regreen.report.trees.cells import BETTER, NEITHER
from regreen.report.trees.grown import numbers, read_grown
from regreen.report.trees.summary import tree_summary
from regreen.run import Run, Settings

N_P, N_FR = 6, 3
SETTINGS = Settings("repair", "toy", {})


def verdict(passed, *, hidden=True, got="1"):
    """A verdict on two checks, of which the second is never revealed."""
    first = Outcome.PASSED if passed else Outcome.WRONG_ANSWER
    second = Outcome.PASSED if passed or hidden else Outcome.WRONG_ANSWER
    checks = (CheckResult(0, first, got=got), CheckResult(1, second, got=got))
    return Verdict(Outcome.PASSED if passed else Outcome.WRONG_ANSWER, checks)


def add(run, problem, name, kind, passed=None, *, hidden=False, tokens=10, got="1", source=None, **more):
    """Add a node, and its verdict where it holds a program."""
    source = source if source is not None else f"x = '{name}'\n"
    found = None if passed is None else verdict(passed, hidden=hidden, got=got)
    node = Node(
        problem, name, kind, source=source if passed is not None else "", tokens=tokens,
        model=more.pop("model", "m"), outcome=found and found.outcome.value, checks=found and 2, **more,
    )  # fmt: skip
    run.add_node(node)
    if found:
        run.add_program(Program(problem, node.key[1], node.source, role=node.key[2], tokens=tokens))
        run.add_verdict(node.key, found)


def problem(name, level="easy", **meta):
    checks = (Assert("assert f() == 1"), Assert("assert g() == 1"))
    return Problem(name, "Write f and g.", checks, (0,), (0,), meta={"difficulty": level, **meta})


def write_trees(path, problems=12, *, repaired=0.5, seed=0, n_p=N_P, n_fr=N_FR, **more):
    """Write a run whose first programs pass at half of the problems, and whose repairs pass so often."""
    draws = random.Random(seed)
    with Run(path, SETTINGS) as run:
        for at in range(problems):
            name, level = f"p{at}", "easy" if at % 2 else "hard"
            run.add_problem(problem(name, level))
            rate = 0.5 if at % 2 else 0.0
            for i in range(n_p):
                passed = draws.random() < rate
                add(run, name, str(i), "program", passed, tokens=10, prompt_tokens=100, cached_tokens=40, **more)
                for j in range(0 if passed else n_fr):
                    right = draws.random() < repaired
                    add(run, name, f"{i}.{j}", "joint", right, tokens=20, prompt_tokens=150, kept_tokens=15.0, **more)
        run.complete()
    return path


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    return write_trees(tmp_path_factory.mktemp("trees") / "r")


def cell_of(found, n_p, n_fr):
    return next(cell for cell in found["grid"] if (cell["n_p"], cell["n_fr"]) == (n_p, n_fr))


def test_every_cell_is_the_closed_form_of_the_trees_in_the_run(trees):
    found = report([trees])
    assert [(cell["n_p"], cell["n_fr"]) for cell in found["grid"]] == [(n, r) for n in (1, 2, 5) for r in (1, 3)]
    grown = read_grown(trees)
    forest = Forest.of([numbers(tree, "ours", {}) for tree in grown.trees.values()])
    exact = expected(forest, [Width(2, 3)])
    cell = cell_of(found, 2, 3)
    assert cell["pass"] == pytest.approx(exact.passed.mean())
    assert cell["tokens"] == pytest.approx(exact.costs[:, 0, 0].mean())
    assert cell["programs"] == pytest.approx(exact.costs[:, 0, -1].mean())
    assert (cell["k"], cell["low"] < cell["pass"] < cell["high"]) == (8, True)
    assert [point["k"] for point in found["baseline"]] == [1, 2, 3, 4, 5, 6]
    assert [cell["n_p"] for cell in found["dense"]] == [1, 2, 3, 4, 5, 6]
    passed, every = found["repair"]["success"]["passed"], found["repair"]["success"]["repairs"]
    assert found["repair_success_rate"] == passed / every


def test_several_repairs_of_each_explanation_are_drawn_where_they_stand_apart(tmp_path, capsys):
    draws = random.Random(1)
    with Run(tmp_path, SETTINGS) as run:
        for name in ("p0", "p1", "p2"):
            run.add_problem(problem(name))
            for i in range(3):
                add(run, name, f"{i}", "program", False)
                for j in range(2):
                    add(run, name, f"{i}.{j}", "feedback", tokens=7)
                    for k in range(3):
                        add(run, name, f"{i}.{j}.{k}", "repair", draws.random() < 0.3)
    cell = report([tmp_path], repair_view=RepairView(n_p=(2,), n_fr=(2,), n_r=3))["grid"][0]
    forest = Forest.of([numbers(tree, "ours", {}) for tree in read_grown(tmp_path).trees.values()])
    assert cell["pass"] == pytest.approx(expected(forest, [Width(2, 2, 3)]).passed.mean())
    assert (cell["n_r"], cell["k"]) == (3, 2 + 2 * 2 * 3)
    with pytest.raises(SystemExit):
        main(["report", str(tmp_path), "--np", "2", "--nfr", "1,2", "--nr", "2"])
    printed = capsys.readouterr().out
    assert "2 x 1 x 2" in printed
    assert "n_fr up to 2, each with n_r up to 3 (--nr); a cell beyond that is -" in printed


def test_costs_stand_on_every_axis_and_prices_need_a_price(trees):
    found = tree_summary(trees, RepairView(n_p=(1,), n_fr=(1,), prices={"m": Prices(1.0, 0.5, 4.0)}))
    spent = found["repair"]["spent"]
    firsts = 12 * N_P
    repairs = spent["programs"] - firsts
    assert spent["sampled"] == 10 * firsts + 20 * repairs
    assert spent["paper"] == 10 * firsts + 15 * repairs
    assert spent["prompt"] == 100 * firsts + 150 * repairs
    assert (spent["cached"], spent["calls"], spent["checks"]) == (40 * firsts, firsts + repairs, 2 * (firsts + repairs))
    price = (60 * 1.0 + 40 * 0.5 + 10 * 4.0) * firsts + (150 * 1.0 + 20 * 4.0) * repairs
    assert spent["price"] == pytest.approx(price / 1e6)
    assert tree_summary(trees)["repair"]["spent"]["price"] is None


def test_what_all_trees_cost_counts_every_round_of_repairs(tmp_path):
    with Run(tmp_path / "r", SETTINGS) as run:
        run.add_problem(problem("p"))
        for i in range(2):
            add(run, "p", f"{i}", "program", False)
            for j in range(2):
                add(run, "p", f"{i}.{j}", "joint", False)
                for k in range(2):
                    add(run, "p", f"{i}.{j}.{k}", "joint", False)
    spent = tree_summary(tmp_path / "r")["repair"]["spent"]
    assert (spent["programs"], spent["sampled"], spent["calls"], spent["checks"]) == (14, 140, 14, 28)


def test_a_cell_whose_cost_is_not_known_is_not_said_to_lie_beyond_the_baseline(tmp_path):
    with Run(tmp_path / "r", SETTINGS) as run:
        run.add_problem(problem("p"))
        for i in range(2):
            add(run, "p", f"{i}", "program", False, prompt_tokens=100)
            add(run, "p", f"{i}.0", "feedback", text="It is wrong.", model="other", prompt_tokens=100)
            add(run, "p", f"{i}.0.0", "repair", True, prompt_tokens=100)
    view = RepairView(n_p=(1,), n_fr=(1,), budget="price", prices={"m": Prices(1.0, 0.5, 4.0)})
    cell = tree_summary(tmp_path / "r", view)["grid"][0]
    assert (cell["pass"], cell["costs"]["price"], cell["beyond"], cell["verdict"]) == (1.0, None, False, "-")


def test_a_wider_cell_than_the_frozen_tree_is_not_clamped_and_what_is_possible_is_said(trees, capsys):
    found = tree_summary(trees, RepairView(n_p=(6, 7), n_fr=(3, 4)))
    assert [cell["pass"] is not None for cell in found["grid"]] == [True, False, False, False]
    assert found["grid"][3]["verdict"] == "-"
    assert found["repair"]["possible"] == {"n_p": 6, "n_fr": 3, "n_r": 1}
    with pytest.raises(SystemExit) as done:
        main(["report", str(trees), "--np", "7", "--nfr", "3"])
    printed = capsys.readouterr().out
    assert done.value.code == 0
    assert "the frozen trees allow n_p up to 6 and n_fr up to 3" in printed


def test_a_heat_map_marks_what_lies_beyond_the_baseline_and_leaves_empty_what_no_tree_can_fill(trees, tmp_path):
    found = report([trees], repair_view=RepairView(n_p=(1, 6), n_fr=(1, 3, 4)))
    assert [cell["beyond"] for cell in found["grid"]] == [False, False, False, True, True, False]
    heat = next(figure for figure in figures(found) if figure["kind"] == "heat")
    assert [[label for label, _ in line["points"]] for line in heat["lines"]] == [["n_fr = 1", "n_fr = 3"]] * 2
    assert [value is None for line in heat["lines"] for _, value in line["points"]] == [False, False, True, True]
    del heat["lines"][1]["points"][0]
    draw([heat], tmp_path / "heat.svg")
    drawn = (tmp_path / "heat.svg").read_text()
    assert drawn.count("<!-- * -->") == 1
    assert "<!-- nan -->" not in drawn


def test_repair_that_solves_what_resampling_cannot_is_better_and_a_useless_one_is_not(tmp_path):
    good = tree_summary(write_trees(tmp_path / "good", 24, repaired=0.9), RepairView(n_p=(2,), n_fr=(1,)))
    assert good["grid"][0]["verdict"] == BETTER
    stop = good["grid"][0]["baselines"]["same_stop"]
    assert 0 < stop["low"] < stop["effect"] < stop["high"]
    useless = tree_summary(write_trees(tmp_path / "bad", 24, repaired=0.0), RepairView(n_p=(2,), n_fr=(1,)))
    assert useless["grid"][0]["baselines"]["same_stop"]["effect"] < 0
    assert useless["grid"][0]["verdict"] != BETTER
    assert useless["grid"][0]["baselines"]["paper"]["effect"] > useless["grid"][0]["baselines"]["same_stop"]["effect"]


def test_what_is_reported_does_not_depend_on_the_order_in_which_trees_were_grown(tmp_path):
    """A run that was killed and went on has its problems in another order, and must have the same digits."""
    run = write_trees(tmp_path / "run")
    before = report([run], repair_view=RepairView(n_p=(2,), n_fr=(1,)))
    file = run / "trees.jsonl"
    of_problem = {}
    for line in file.read_text().splitlines():
        of_problem.setdefault(json.loads(line)["problem"], []).append(line)
    file.write_text("".join(f"{line}\n" for name in reversed(of_problem) for line in of_problem[name]))
    assert report([run], repair_view=RepairView(n_p=(2,), n_fr=(1,))) == before


def test_p_values_are_corrected_for_their_number():
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([0.6, 0.7]) == [1.0, 1.0]


@pytest.mark.parametrize("order", ["batched", "bfs", "dfs"])
def test_the_bootstrap_reports_what_the_closed_forms_do_with_its_deviation(trees, order):
    for replacement in ("with", "without"):
        view = {"n_p": (2,), "n_fr": (1,), "order": order, "replacement": replacement}
        exact = tree_summary(trees, RepairView(**view))["grid"][0]
        drawn = tree_summary(trees, RepairView(**view, estimator="bootstrap", trees=4000))["grid"][0]
        assert drawn["pass"] == pytest.approx(exact["pass"], abs=4 * drawn["deviation"]["pass"] / 4000**0.5)
        assert drawn["tokens"] == pytest.approx(exact["tokens"], abs=4 * drawn["deviation"]["sampled"] / 4000**0.5)


def test_levels_of_difficulty_stand_apart(trees):
    levels = report([trees])["repair"]["by_difficulty"]
    assert {name: level["problems"] for name, level in levels.items()} == {"hard": 6, "easy": 6}
    assert levels["hard"]["first"] == 0.0 < levels["easy"]["first"]
    assert len(levels["hard"]["grid"]) == 6


def test_flipped_problems_leave_every_arm_and_flips_both_ways_are_said(tmp_path):
    path = write_trees(tmp_path / "r", 6)
    whole = tree_summary(path)
    with Run(path, SETTINGS) as run:
        for index, right in enumerate([True, False]):
            run.add_program(Program("p1", index, "y", role="control:resample", tokens=7))
            run.add_verdict(("p1", index, "control:resample"), verdict(right))
    assert tree_summary(path)["repair"]["controls"]["resample"] == {
        "passed": 1, "programs": 2, "rate": 0.5, "problems": 1, "solved": 1, "tokens": 14,
    }  # fmt: skip
    first = read_grown(path).judged["p1", 0, "sample"].passed
    again = [("p1", 0, not first), ("p2", 0, False), ("p3", 0, read_grown(path).judged["p3", 0, "sample"].passed)]
    lines = [
        {"v": 1, "problem": name, "index": at, "role": "sample", "outcome": "passed" if right else "timeout"}
        for name, at, right in again
    ]
    (path / "rejudged.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = tree_summary(path)["repair"]
    assert (found["problems"], whole["repair"]["problems"]) == (5, 6)
    assert found["rejudged"]["left_out"] == ["p1"]
    assert found["rejudged"]["passed_then_failed"] + found["rejudged"]["failed_then_passed"] == 1
    assert found["controls"]["resample"] is None
    assert "judged again: 3 programs" in render(tree_tables(report([path])), "text")


def test_swapped_feedback_stands_beside_the_trees_own_repairs_of_the_same_programs(tmp_path):
    with Run(tmp_path / "r", SETTINGS) as run:
        run.add_problem(problem("p"))
        for i in range(2):
            add(run, "p", str(i), "program", False)
            add(run, "p", f"{i}.0", "joint", i == 0)
        for j in range(2):
            run.add_verdict(("p", 0, f"control:swapped:{j}"), verdict(j == 1))
    found = tree_summary(tmp_path / "r")["repair"]["controls"]["swapped"]
    assert (found["passed"], found["programs"], found["rate"]) == (1, 2, 0.5)
    assert found["own"] == {"passed": 1, "programs": 1, "rate": 1.0}


def test_success_on_never_revealed_checks_is_counted_alone(tmp_path):
    with Run(tmp_path / "r", SETTINGS) as run:
        run.add_problem(problem("p"))
        run.add_problem(Problem("all", "", (Assert("assert f()"),), (0,), (0,)))
        add(run, "p", "0", "program", False, hidden=False)
        add(run, "p", "0.0", "joint", False, hidden=True)
        add(run, "all", "0", "program", False)
        add(run, "all", "0.0", "joint", False)
    found = tree_summary(tmp_path / "r")
    assert found["grid"][0]["pass"] == 0.0
    assert (found["repair"]["hidden"]["problems"], found["repair"]["hidden"]["grid"][0]["pass"]) == (1, 1.0)


def test_a_chain_is_told_round_by_round(tmp_path):
    with Run(tmp_path / "r", SETTINGS) as run:
        for at, length in enumerate([1, 3, 3]):
            for depth in range(length):
                name = ".".join(["0"] * (depth + 1))
                right = depth == length - 1 and at < 2
                node = Node(f"p{at}", name, "joint" if depth else "program", source="x", recorded=right)
                run.add_node(node)
    found = tree_summary(tmp_path / "r")
    assert found["repair"]["verdicts"] == "recorded"
    told = [(r["programs"], r["passed"], r["solved"]) for r in found["repair"]["rounds"]]
    assert told == [(3, 1, pytest.approx(1 / 3)), (2, 0, pytest.approx(1 / 3)), (2, 1, pytest.approx(2 / 3))]
    assert found["repair"]["budget"] == "programs"
    with pytest.raises(InputError, match=r"7 of \d+ programs have no verdict \(ours\).*--verdicts recorded"):
        tree_summary(tmp_path / "r", RepairView(verdicts="ours"))


def test_first_programs_differ_by_syntax_and_by_what_they_return(tmp_path):
    with Run(tmp_path / "r", SETTINGS) as run:
        run.add_problem(problem("p"))
        sources = ["def f(): return 1\n", "def f():\n    # the same\n    return 1\n", "def f(): return 2\n"]
        for i, source in enumerate(sources):
            add(run, "p", str(i), "program", False, source=source, got="1" if i < 2 else "2")
    rows = tree_summary(tmp_path / "r", RepairView())["repair"]["diversity"]
    assert [row["syntax"] for row in rows] == [pytest.approx(1.0), pytest.approx(1 + 2 / 3), pytest.approx(2.0)]
    assert [row["outputs"] for row in rows] == [row["syntax"] for row in rows]


def test_words_of_another_model_are_searched_for_code_and_for_lines_of_the_change(tmp_path):
    texts = {
        "It subtracts.": (False, False),
        "Write `return a + b` instead.": (False, True),
        "Use:\n```\nreturn\n```": (True, False),
        "As in\n\n    def f(a, b):\n        return a+b\n\nyou see.": (True, True),
    }
    with Run(tmp_path / "r", SETTINGS) as run:
        run.add_problem(problem("p"))
        add(run, "p", "0", "program", False, source="def f(a, b):\n    return a - b\n")
        for j, text in enumerate(texts):
            add(run, "p", f"0.{j}", "feedback", text=text, model="other")
            add(run, "p", f"0.{j}.0", "repair", True, source="def f(a, b):\n    return a + b\n")
    found = tree_summary(tmp_path / "r")
    assert found["repair"]["feedback"] == {
        "models": ["other"], "texts": 4, "with_code": 0.5, "with_a_line_of_the_change": 0.5,
    }  # fmt: skip
    assert found["grid"][0]["costs"]["calls"] == 3.0
    assert "feedback of other: 50.0 % hold code" in render(tree_tables(report([tmp_path / "r"])), "text")


def test_the_tables_are_printed_as_text_markdown_and_numbers(trees, capsys):
    text = render(tree_tables(report([trees])), "text")
    for title in ("pass@t", "against resampling", "Normalised", "dense curve", "By difficulty", "Diversity", "Rounds"):
        assert title in text
    assert "not distinguishable" in text or BETTER in text
    for option in ("--json", "--csv", "--md"):
        with pytest.raises(SystemExit) as done:
            main(["report", str(trees), option, "--np", "1,2", "--nfr", "1", "--order", "dfs", "--price", "m=1,0.5,4"])
        assert done.value.code == 0
        printed = capsys.readouterr().out
        if option == "--json":
            found = json.loads(printed)
            assert [cell["n_p"] for cell in found["grid"]] == [1, 2]
            assert found["repair"]["order"] == "dfs"
            assert found["grid"][0]["costs"]["price"] > 0
        elif option == "--csv":
            assert any(row[:2] == ["1 x 1", "2"] for row in csv.reader(io.StringIO(printed)))
        else:
            assert "| 1 x 1 | 2 |" in printed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--budget", "price"], "--budget price needs --price"),
        (["--price", "m=1"], "write MODEL=in,cached,out"),
        (["--np", "none"], "is no list of numbers"),
        (["--verdicts", "recorded"], "have no verdict (recorded)"),
    ],
)
def test_options_that_cannot_be_met_are_refused_in_one_line(trees, options, said, capsys):
    with pytest.raises(SystemExit) as done:
        main(["report", str(trees), *options])
    assert done.value.code == 2
    assert said in capsys.readouterr().err


def test_a_report_without_trees_has_nothing_of_them(tmp_path):
    with Run(tmp_path / "r", Settings("score", "toy", {"missing": "skip"})) as run:
        run.add_problem(problem("p"))
        run.add_program(Program("p", 0, "x"))
        run.add_verdict(("p", 0, "sample"), verdict(True))
    found = report([tmp_path / "r"])
    assert "grid" not in found
    assert tree_tables(found) == []


def test_none_can_be_told_from_resampling_on_two_problems(tmp_path):
    found = tree_summary(write_trees(tmp_path / "r", 2, repaired=1.0), RepairView(n_p=(1,), n_fr=(1,)))
    assert found["grid"][0]["verdict"] == NEITHER
