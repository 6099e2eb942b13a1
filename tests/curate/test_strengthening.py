"""Stronger checks: read off the old ones, answered in the sandbox, kept for what they tell apart."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from regreen import Assert, Call, InputError, Outcome, Problem, Stdio
from regreen.arms.cases import input_key
from regreen.benchmarks import load
from regreen.curate.strengthening import Strengthening, Stronger, strengthen, strengthen_problem
from regreen.curate.strengthening.answers import Answer, Asking
from regreen.curate.strengthening.choosing import agreed, cover, is_disputed, killed_by
from regreen.curate.strengthening.inputs import near_inputs
from regreen.curate.strengthening.kept import Kept
from regreen.curate.strengthening.mutants import mutants
from regreen.curate.strengthening.promises import keeps, promises
from regreen.curate.strengthening.shapes import Unreadable, read_shapes
from regreen.curate.strengthening.writing import calls_in
from regreen.options import Choice
from regreen.problem import problem_from_line, problem_to_line
from regreen.run import Run, Settings
from regreen.sandbox import LocalSandbox
from regreen.verdict import CheckResult, Verdict

LARGEST = Problem(
    "own/largest",
    "Return the largest of a list, 0 of an empty one.",
    (Assert("assert largest([1, 2]) == 2"), Assert("assert largest([3, 1, 9]) == 9")),
    shown=(0,),
    entry_point="largest",
    solution="def largest(items):\n    return max(items, default=0)\n",
)
LAST = "def largest(items):\n    return items[-1] if items else 0\n"  # right where the largest is the last
HOW = Strengthening(inputs=40, mutants=0)


def judged(sandbox: LocalSandbox, problem: Problem, source: str) -> bool:
    return sandbox.judge_now(problem, source).passed


def test_a_new_check_fails_a_wrong_program_that_passed_and_no_right_one(sandbox: LocalSandbox) -> None:
    other = "def largest(items):\n    best = 0\n    return sorted(items)[-1] if items else best\n"
    assert judged(sandbox, LARGEST, LAST)
    found = strengthen_problem(LARGEST, [LAST, other], sandbox, HOW)
    assert (found.new, found.killed["recorded"], found.untouched) == (1, 1, None)
    assert found.problem.checks[:2] == LARGEST.checks
    assert (found.problem.shown, found.problem.revealed) == (LARGEST.shown, LARGEST.revealed)
    assert found.problem.meta["scores"] == {"base": [0, 1], "strong": [0, 1, 2]}
    passed = [judged(sandbox, found.problem, source) for source in (LARGEST.solution or "", other, LAST)]
    assert passed == [True, True, False]
    assert strengthen_problem(LARGEST, [LAST, other], sandbox, HOW).problem == found.problem


def test_mutants_of_the_solution_serve_where_there_are_no_programs(sandbox: LocalSandbox) -> None:
    weak = Problem(
        "own/clip", "Clip.", (Call((5,), 5), Call((-4,), 0)), entry_point="clip",
        solution="def clip(x):\n    return 0 if x < 0 else 9 if x > 9 else x\n",
    )  # fmt: skip
    found = strengthen_problem(weak, [], sandbox, Strengthening(inputs=60, mutants=20))
    assert found.new
    assert found.killed["mutants"] >= found.passed["mutants"] // 3
    assert judged(sandbox, found.problem, weak.solution or "")


def test_a_problem_with_nothing_to_tell_apart_stays_as_it_is_and_says_why(sandbox: LocalSandbox) -> None:
    same = strengthen_problem(LARGEST, ["def largest(items):\n    return max(items or [0])\n"], sandbox, HOW)
    assert (same.untouched, same.problem.checks) == ("nothing killed", LARGEST.checks)
    assert strengthen_problem(LARGEST, [], sandbox, HOW).untouched == "no program to tell apart"
    echo = Problem("own/echo", "Echo.", (Stdio("a", "a"),), solution="print(input())")
    assert strengthen_problem(echo, ["print('a')"], sandbox, HOW).untouched == "reads standard input"


def test_inputs_are_dropped_where_the_reference_raises_is_slow_or_says_another_thing_each_time(
    sandbox: LocalSandbox,
) -> None:
    raises = Problem(
        "own/odd", "Odd.", (Call((3,), 3),), entry_point="f",
        solution="import random\ndef f(x):\n    if x == 3:\n        return 3\n    if x > 4:\n        raise ValueError\n"
        "    if x == 2:\n        return sum(range(9**8))\n    return random.random()\n",
    )  # fmt: skip
    found = strengthen_problem(raises, ["def f(x):\n    return 3\n"], sandbox, Strengthening(inputs=12, mutants=0))
    assert found.untouched == "nothing killed"
    assert {"raises", "slow", "not the same each time"} <= {reason for reason, n in found.dropped.items() if n}


def test_without_a_reference_the_programs_agreement_is_expected_and_marked(sandbox: LocalSandbox) -> None:
    right = [f"def largest(items):\n    a{i} = 0\n    return max(items, default=a{i})\n" for i in range(3)]
    unsolved = Problem("own/largest", LARGEST.statement, LARGEST.checks, entry_point="largest")
    found = strengthen_problem(unsolved, [*right, LAST], sandbox, HOW)
    assert (found.new, found.unverified, found.killed["recorded"]) == (1, 1, 1)
    assert found.problem.meta["strengthened"] == {"added": [2], "unverified": [2]}
    both = strengthen_problem(LARGEST, [*right, LAST], sandbox, HOW)
    assert both.compared > 0
    assert both.wrong == 0
    liars = [source.replace("max", "min").replace("items,", "items[-1:],") for source in right]
    assert strengthen_problem(LARGEST, [*liars, right[0]], sandbox, HOW).wrong > 0


def test_an_input_on_which_most_programs_answer_otherwise_than_the_reference_is_left_out(sandbox: LocalSandbox) -> None:
    many = [f"def largest(items):\n    a{i} = 0\n    return items[-1] if items else a{i}\n" for i in range(4)]
    found = strengthen_problem(LARGEST, many, sandbox, HOW)
    assert found.untouched == "nothing killed"
    assert found.dropped["disputed"]
    trusting = strengthen_problem(LARGEST, many, sandbox, Strengthening(inputs=40, mutants=0, agree=0.0))
    assert trusting.killed["recorded"] == 4


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("assert set(f([1, 2])) == {1, 2}", "def f(x):\n    return [1, 2]\n", "def f(x):\n    return x[::-1]\n"),
        ("assert abs(f([3]) - 3) < 0.5", "def f(x):\n    return 3\n", "def f(x):\n    return sum(x) + 0.25\n"),
        (
            "import math\nassert math.isclose(f([3]), 3, rel_tol=0.1)",
            "def f(x):\n    return 3\n",
            "def f(x):\n    return sum(x) * 1.05\n",
        ),
        ("def check(candidate):\n    assert round(candidate([3]), 1) == 3.0\ncheck(f)", "def f(x):\n    return 3\n",
         "def f(x):\n    return sum(x) + 0.01\n"),
        ("assert f([1])", "def f(x):\n    return len(x) % 2\n", "def f(x):\n    return len(x)\n"),
    ],
)  # fmt: skip
def test_a_new_check_asks_in_the_way_of_the_old_ones(sandbox: LocalSandbox, code: str, wrong: str, right: str) -> None:
    solution = (
        "def f(x):\n    return x\n" if "set" in code or "assert f([1])" in code else "def f(x):\n    return sum(x)\n"
    )
    problem = Problem("own/f", "", (Assert(code), Assert(code)), entry_point="f", solution=solution)
    found = strengthen_problem(problem, [wrong, right], sandbox, Strengthening(inputs=40, mutants=0))
    assert found.killed["recorded"] == 1
    assert [judged(sandbox, found.problem, source) for source in (solution, right, wrong)] == [True, True, False]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("assert f(1) in (2, 3)", "several answers"),
        ("assert f(1) == 2 or f(1) == 3", "several calls"),
        ("assert f(1) > 0", "several answers"),
        ("assert g(f(1)) == 2", "several answers"),
        ("x = 1\nassert f(x) == 2", "literal"),
    ],
)
def test_a_check_that_may_allow_several_answers_is_not_carried_over(code: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_shapes(Problem("own/f", "", (Assert(code),), entry_point="f"))


def test_answers_behind_an_input_that_stops_a_program_are_asked_for_anew(sandbox: LocalSandbox) -> None:
    problem = Problem("own/f", "", (Call((1,), 1),), entry_point="f")
    shape, _ = read_shapes(problem)
    asking = Asking(problem, shape, [Call((n,), None) for n in (1, 2, 3, 4)], sandbox)
    source = "import os\ndef f(x):\n    if x == 2:\n        os._exit(0)\n    return [x] if x < 4 else 1 / 0\n"
    told = [(answer.value, answer.happened) for answer in asking.answers(source)]
    assert told == [([1], None), (None, "stopped"), ([3], None), (None, "raises")]


def test_no_list_stands_twice_in_an_input() -> None:
    for call in near_inputs([Call(([[1, 2], [3, 4]], [[5]]), None), Call(([[6]], [[6]]), None)], 200, seed=0):
        inner = [each for argument in call.args for each in argument if isinstance(each, list)]
        assert len({id(each) for each in inner}) == len(inner), "a program that changes one would change the other"


def test_inputs_are_all_different_none_known_and_the_same_for_a_seed() -> None:
    known = [Call(([1, 2], "ab"), None), Call(([], "c"), None)]
    made = near_inputs(known, 50, seed=1)
    keys = [input_key(call) for call in [*known, *made]]
    assert len(made) == 50
    assert len(set(keys)) == len(keys)
    assert made == near_inputs(known, 50, seed=1)
    assert made != near_inputs(known, 50, seed=2)
    assert all(type(call.args[0]) is list and type(call.args[1]) is str for call in made)
    assert near_inputs([], 5, seed=1) == []


@pytest.mark.parametrize(
    ("known", "kept", "broken"),
    [
        ([([2, 1], [0, 3]), ([5, 5, 9], [1, 1, 2])], ([1], [2]), ([1], [2, 3])),
        ([("ab", "cd"), ("x", "y")], ("", ""), ("a", "")),
        ([("(()",), (")",)], ("((",), ("(a",)),
        ([("ab1",), ("z",)], ("q77",), ("Q",)),
        ([(["a,"], 2), (["b", "c"], 1)], (["d,,"], 3), (["a;"], 2)),
        ([({"a": ("b",)},), ({"c": ("d",)},)], ({"e": ("f", "g")},), ({"e": ("F",)},)),
    ],
)
def test_what_all_known_inputs_have_in_common_is_a_promise(known: list[Any], kept: Any, broken: Any) -> None:
    promised = promises([Call(args, None) for args in known])
    assert all(keeps(Call(args, None), promised) for args in [*known, kept])
    assert not keeps(Call(broken, None), promised)
    assert keeps(Call(broken, None), promises([Call(known[0], None)])), "one input promises nothing"
    drawn = near_inputs([Call(args, None) for args in known], 20, seed=0, promised=promised)
    assert all(keeps(call, promised) for call in drawn)


def test_mutants_differ_from_the_solution_in_one_place_and_none_is_the_solution() -> None:
    source = "def f(x):\n    while x:\n        x -= 1\n    return x + 1 if x < 3 else min(x, 2)\n"
    made = mutants(source, 100, seed=0)
    assert len(set(made)) == len(made) > 8
    assert all("while x:\n        x -= 1" in other for other in made), "what need not end is left alone"
    assert "def f(x):\n    while x:\n        x -= 1\n    return x - 1 if x < 3 else min(x, 2)" in made
    assert mutants(source, 3, seed=0) == [other for other in made if other in mutants(source, 3, seed=0)]
    assert mutants("def f(:", 3, seed=0) == []


def test_the_cover_kills_as_many_as_all_inputs_and_is_no_larger_than_needed_by_much() -> None:
    for seed in range(50):
        random = Random(seed)
        kills = [frozenset(random.sample(range(6), random.randint(0, 3))) for _ in range(6)]
        chosen = cover(kills, [1] * 6, most=6)
        assert frozenset().union(*(kills[at] for at in chosen)) == frozenset().union(*kills)
        least = next(
            size for size in range(7) for some in itertools.combinations(kills, size)
            if frozenset().union(*some) == frozenset().union(*kills)
        )  # fmt: skip
        assert len(chosen) <= least + 1
    assert cover([frozenset({1}), frozenset({1})], [9, 2], most=3) == [1], "the shorter of two"
    assert cover([frozenset({1}), frozenset({2})], [1, 1], most=1) == [0]


def test_who_is_believed_is_counted() -> None:
    one, two, raised, unknown = Answer(1), Answer(2), Answer(happened="raises"), Answer(happened="stopped")
    assert killed_by(one, [one, two, raised, unknown, Answer(1.0000001)]) == {1, 2}
    assert is_disputed(one, [two, two, raised], 0.5)
    assert not is_disputed(one, [two, unknown], 0.5)
    assert not is_disputed(one, [two, two, two], 0.0)
    assert agreed([one, one, two], 0.5) == one
    assert agreed([one, two, Answer(3)], 0.0) is None
    assert agreed([one, one], 0.5) is None, "two are too few"
    assert agreed([raised] * 3, 0.5) is None
    assert agreed([one, one, two], 0.7) is None


def test_calls_are_found_in_what_a_model_writes() -> None:
    text = "Here you go:\n1. `f([], 1)`\n- f((1, 2), of=-1)  # a pair\nassert f('x') == 3\nf(y)\ng(2)\nf(\n"
    assert [call.args for call in calls_in(text, "f")] == [([], 1), ((1, 2),), ("x",)]


def write_run(folder: Path, sources: list[str], problem: Problem = LARGEST) -> Path:
    passed = Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED),))
    with Run(folder, Settings("score", "own", {})) as run:
        from regreen import Program

        for index, source in enumerate(sources):
            run.add_program(Program(problem.id, index, source))
            run.add_verdict((problem.id, index, "sample"), passed)
    return folder


def test_the_command_writes_a_file_that_check_finds_green_and_score_takes(tmp_path: Path) -> None:
    write_run(tmp_path / "run", [LAST])
    Path(tmp_path, "own.jsonl").write_text(json.dumps(problem_to_line(LARGEST)) + "\n")
    Path(tmp_path, "script.jsonl").write_text(json.dumps({"text": "largest([7, 4, 2])\nlargest(x)"}) + "\n")
    Path(tmp_path, "samples.jsonl").write_text(json.dumps({"task_id": LARGEST.id, "solution": LAST}) + "\n")

    def regreen(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "regreen.cli", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    asked = ["curate", "strengthen", "own.jsonl", "-o", "new.jsonl", "--programs", "run", "-q"]
    done = regreen(*asked, "--inputs", "0", "--generator", "scripted:script.jsonl")
    assert "own: 1 of 1 problems have new checks" in done.stdout
    (problem,) = load(tmp_path / "new.jsonl").problems()
    assert problem.checks[2] == Call(([7, 4, 2],), 7, compare="close")
    assert "1 of 1 solutions green" in regreen("check", "new.jsonl", "-q").stdout
    scores = json.loads(regreen("score", "samples.jsonl", "--benchmark", "new.jsonl", "--json", "-q").stdout)
    assert [scores["scores"]["pass@1"]["value"], scores["by_checks"]["base"]["pass@1"]["value"]] == [0.0, 1.0]
    refused = regreen(*asked, "--only", "own/other")
    assert (refused.returncode, "no such problem" in refused.stderr) == (2, True)


def test_a_killed_process_goes_on_where_it_was_and_other_settings_are_refused(tmp_path: Path) -> None:
    out, stopped = tmp_path / "o", Strengthening(inputs=10, mutants=5)
    whole = strengthen("katas:test", out, choice=Choice(limit=3), how=stopped)
    assert not Path(f"{out}.part").exists()
    decides = {"some": "settings"}
    with Kept(out, decides) as kept:
        kept.add(Stronger(LARGEST, untouched="nothing killed", dropped=Counter({"raises": 2})))
    with Path(f"{out}.part").open("a") as file:
        file.write('{"problem": {"id": "torn')
    with Kept(out, decides) as kept:
        read = problem_from_line(problem_to_line(LARGEST))
        assert kept.get(LARGEST.id) == Stronger(read, untouched="nothing killed", dropped=Counter({"raises": 2}))
        assert kept.get("own/other") is None
    with pytest.raises(InputError, match="begun with other settings"):
        strengthen("katas:test", out, choice=Choice(limit=3), how=stopped)
    Path(f"{out}.part").unlink()
    assert strengthen("katas:test", out, choice=Choice(limit=3), how=stopped) == whole


@pytest.mark.data
def test_new_checks_of_real_problems_are_green_and_fail_a_program_that_passed(
    data_root: Path, sandbox: LocalSandbox
) -> None:
    problem = next(p for p in load("humaneval", data=data_root).problems() if p.id == "HumanEval/34")
    careless = "def unique(l):\n    return list(set(l))\n"  # in order for the known inputs alone
    found = strengthen_problem(problem, [careless], sandbox, Strengthening(mutants=0))
    assert judged(sandbox, problem, careless)
    assert not judged(sandbox, found.problem, careless)
    assert judged(sandbox, found.problem, problem.solution or "")


def test_what_gives_nothing_to_tell_apart_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path / "run", [LAST])
    katas, out = Choice(limit=2), tmp_path / "o"
    with pytest.raises(InputError, match="no program that passed for these problems"):
        strengthen("katas:test", out, runs=[tmp_path / "run"], choice=katas)
    with pytest.raises(InputError, match="nothing to tell apart"):
        strengthen("katas:test", out, choice=katas, how=HOW)
    with pytest.raises(InputError, match="there is no folder"):
        strengthen("katas:test", tmp_path / "no" / "o", choice=katas)
    assert not out.exists()
