"""open_trees: each harness's rows become nodes of trees, with the verdicts that speak of them and no others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regreen.errors import InputError
from regreen.formats import TREE_FORMS, TreeReading, open_trees
from regreen.problem import Assert, Problem
from regreen.tree import Node, RepairTree

PROMPT = "def one():\n"
OWN = {"task_id": "HumanEval/0", "prompt": PROMPT, "entry_point": "one", "test": "def check(f):\n    assert f() == 1\n"}
FIRST, SECOND, THIRD = "def one():\n    return 0\n", "    return 2\n", "def one():\n    return 1\n"
PROBLEMS = [Problem(f"HumanEval/{i}", "", (Assert("assert one() == 1"),)) for i in range(3)]
APPS = [Problem(f"apps/{split}/12", "", (Assert("assert True"),)) for split in ("train", "test")]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*rows: Any) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def nodes(reading: TreeReading) -> list[Node]:
    found = [node for row in reading.rows() for node in row.nodes]
    assert reading.skipped == []
    return found


def told(reading: TreeReading) -> list[tuple[str, str, str | None, bool | None]]:
    return [(node.node, node.kind, node.text, node.recorded) for node in nodes(reading)]


def test_a_reflexion_row_is_a_chain_whose_last_program_alone_has_a_verdict(write: Write) -> None:
    chain = {"implementations": [FIRST, SECOND, THIRD], "reflections": ["no", "still no"], "solution": THIRD}
    reading = open_trees(write({**OWN, **chain, "is_solved": True}), "reflexion")
    assert told(reading) == [
        ("0", "program", FIRST, None),
        ("0.0", "feedback", "no", None),
        ("0.0.0", "repair", SECOND, None),
        ("0.0.0.0", "feedback", "still no", None),
        ("0.0.0.0.0", "repair", THIRD, True),
    ]


def test_a_body_is_put_after_the_prompt_as_the_harness_did(write: Write) -> None:
    chain = {"implementations": [FIRST, SECOND], "reflections": ["no"], "solution": SECOND, "is_solved": False}
    assert [node.source for node in nodes(open_trees(write({**OWN, **chain}), "reflexion"))] == [
        FIRST,
        "",
        PROMPT + SECOND,
    ]


def test_programs_that_reflexion_ran_but_did_not_keep_are_nodes_without_text(write: Write) -> None:
    row = {**OWN, "reflections": ["no", "still no"], "solution": THIRD, "is_solved": True}
    programs = [node for node in nodes(open_trees(write(row), "reflexion")) if node.has_program]
    assert [(node.node, node.text, node.source, node.recorded) for node in programs] == [
        ("0", None, "", None),
        ("0.0.0", None, "", None),
        ("0.0.0.0.0", THIRD, THIRD, True),
    ]


def test_a_row_without_reflections_is_one_program_with_its_verdict(write: Write) -> None:
    row = {**OWN, "solution": FIRST, "is_solved": False}
    assert told(open_trees(write(row), "reflexion")) == [("0", "program", FIRST, False)]


def test_the_solution_of_a_uniform_cost_search_is_its_first_program_and_the_verdict_is_of_another(write: Write) -> None:
    solved = {**OWN, "solution": FIRST, "is_solved": True}
    assert told(open_trees(write({**solved, "reflections": ["no", "of another"]}), "reflexion-ucs")) == [
        ("0", "program", FIRST, None),
        ("0.0", "feedback", "no", None),
        ("0.0.0", "repair", None, True),
    ]
    assert told(open_trees(write({**solved, "reflections": []}), "reflexion-ucs")) == [("0", "program", FIRST, True)]


def test_lats_kept_the_first_program_and_the_chosen_one(write: Write) -> None:
    row = {**OWN, "implementations": [FIRST, THIRD], "reflections": ["no", "of a child", "MCTS reflections"]}
    assert told(open_trees(write({**row, "is_solved": True, "solution": THIRD}), "lats")) == [
        ("0", "program", FIRST, None),
        ("0.0", "feedback", "no", None),
        ("0.0.0", "repair", THIRD, True),
    ]


def test_lats_s_programs_have_the_names_of_typing(write: Write) -> None:
    (row,) = open_trees(write({**OWN, "solution": FIRST}), "lats").rows()
    assert row.problem.prelude == "from typing import *\n"


def test_what_lats_solved_at_once_has_no_program(write: Write) -> None:
    assert told(open_trees(write({**OWN, "acc": 1.0}), "lats")) == [("0", "program", None, None)]


def ldb(*programs: str, **more: Any) -> dict[str, Any]:
    told = [["assert one() == 1 # Real Execution Output: 0", "assert one()"] for _ in programs[1:]] + [[]]
    row = {**OWN, "seed": programs[0], "given_tests": [], "implementations": programs, "test_feedback": told}
    return {**row, "debug_iter": len(programs) - 1, "is_passing": True, "is_solved": True, **more}


def test_an_ldb_row_is_a_chain_of_programs_and_failed_visible_tests(write: Write) -> None:
    assert told(open_trees(write(ldb(FIRST, THIRD)), "ldb")) == [
        ("0", "program", FIRST, None),
        ("0.0", "feedback", "assert one() == 1 # Real Execution Output: 0\nassert one()", None),
        ("0.0.0", "repair", THIRD, True),
    ]


def program(source: str, passed: Any, repairs: Any = None, **more: Any) -> dict[str, Any]:
    row = {"original_completion": f"```\n{source}```", "executed_completion": source, "tokens_generated": 7}
    return {**row, "binary": passed, "fault": "passed" if passed is True else "wrong", "repairs": repairs, **more}


def repair(source: str, passed: bool, said: str = "It is off by one.") -> dict[str, Any]:
    return {"explanation": said, "repaired_program": source, "binary": passed, "tokens_generated": 20}


def test_a_self_repair_row_is_a_tree_of_joint_samples_with_verdicts_and_tokens(write: Write) -> None:
    repairs = [repair(SECOND, False), repair(THIRD, True)]
    row = {"task_id": "HumanEval/1", "completions": [program(THIRD, True), program(FIRST, False, repairs)]}
    found = nodes(open_trees(write(row), "self-repair", problems=PROBLEMS))
    assert [(n.problem, n.node, n.kind, n.source, n.tokens, n.recorded) for n in found] == [
        ("HumanEval/1", "0", "program", THIRD, 7, True),
        ("HumanEval/1", "1", "program", FIRST, 7, False),
        ("HumanEval/1", "1.0", "joint", SECOND, 20, False),
        ("HumanEval/1", "1.1", "joint", THIRD, 20, True),
    ]
    assert found[0].text == f"```\n{THIRD}```"
    assert found[2].text == f"It is off by one.\n\n{SECOND}"


def test_repairs_for_listed_explanations_stand_below_their_feedback(write: Write) -> None:
    repairs = [repair(SECOND, False, "a."), repair(THIRD, True, "b."), repair(THIRD, True, "a.")]
    row = {"task_id": "1", "completions": [program(FIRST, False, repairs, explanations=["a.", "b."])]}
    found = nodes(open_trees(write(row), "self-repair", problems=PROBLEMS))
    assert [(n.node, n.kind) for n in found] == [
        ("0", "program"),
        ("0.0", "feedback"),
        ("0.0.0", "repair"),
        ("0.1", "feedback"),
        ("0.1.0", "repair"),
        ("0.0.1", "repair"),
    ]
    RepairTree("HumanEval/1", found)  # parents come first


def test_a_lone_repair_is_a_mark_for_passing_when_run_again_only_where_others_have_several(write: Write) -> None:
    lone = program(FIRST, False, [repair(THIRD, True)])
    several = program(FIRST, False, [repair(THIRD, True)] * 2)
    marked = open_trees(
        write({"task_id": "0", "completions": [lone]}, {"task_id": "1", "completions": [several]}),
        "self-repair",
        problems=PROBLEMS,
    )
    assert [(n.node, n.recorded) for n in nodes(marked)] == [("0", True), ("0", False), ("0.0", True), ("0.1", True)]
    meant = open_trees(write({"task_id": "0", "completions": [lone]}), "self-repair", problems=PROBLEMS)
    assert [(n.node, n.recorded) for n in nodes(meant)] == [("0", False), ("0.0", True)]


@pytest.mark.parametrize(
    ("fields", "passed"), [({"binary": "True"}, True), ({"binary": "False"}, False), ({"fault": "passed"}, True)]
)
def test_legacy_ways_of_writing_a_verdict_are_read(write: Write, fields: dict[str, Any], passed: bool) -> None:
    row = {"task_id": 0, "completions": [{**program(FIRST, False), **fields}]}
    assert nodes(open_trees(write(row), "self-repair", problems=PROBLEMS))[0].recorded is passed


def test_an_apps_path_finds_its_problem(write: Write) -> None:
    row = {"prob_path": "/somewhere/APPS/test/0012", "completions": [program(FIRST, False)]}
    assert nodes(open_trees(write(row), "self-repair", problems=APPS))[0].problem == "apps/test/12"


def test_a_problem_s_second_row_has_its_next_first_programs(write: Write) -> None:
    assert [node.node for node in nodes(open_trees(write(ldb(FIRST, THIRD), ldb(FIRST)), "ldb"))] == [
        "0",
        "0.0",
        "0.0.0",
        "1",
    ]


def test_a_benchmark_s_problems_take_the_place_of_the_rows_own(write: Write) -> None:
    (row,) = open_trees(write(ldb(FIRST)), "ldb", problems=PROBLEMS).rows()
    assert row.problem is PROBLEMS[0]


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(gzip.compress(json.dumps(ldb(FIRST)).encode()))
    assert len(nodes(open_trees(path, "ldb"))) == 1


COMPLETION = program(FIRST, False)
BAD = [
    ("reflexion", {**OWN, "reflections": []}, "no field 'solution'"),
    ("reflexion", {**OWN, "solution": ["assert one()"]}, "field 'solution' must be a string, not a list"),
    ("reflexion", {**OWN, "solution": "", "implementations": ["", ""], "reflections": []}, "2 programs and 0 texts"),
    ("reflexion", {**OWN, "solution": "", "is_solved": "yes"}, "field 'is_solved' must be true or false"),
    ("reflexion-ucs", {**OWN, "solution": ""}, "no field 'reflections'"),
    ("lats", {**OWN, "implementations": ["", "", ""], "reflections": [""]}, "3 programs and 1 texts about them"),
    ("ldb", {**OWN, "implementations": [""]}, "field 'test_feedback' must hold an entry for each of the 1 programs"),
    ("ldb", ldb("", "", test_feedback=[1, 2]), "field 'test_feedback' must hold texts, or lists of texts"),
    ("ldb", ldb("", "", debug_iter=0), "2 programs but debug_iter 0: the row holds more than one chain"),
    ("ldb", [1], "expected a JSON object with prompt, entry_point, test"),
    ("self-repair", {"task_id": "0"}, "field 'completions' must be a list of objects; found task_id"),
    ("self-repair", {"completions": []}, "no field 'task_id'"),
    ("self-repair", {"task_id": "9", "completions": []}, "no problem '9' in the benchmark"),
    ("self-repair", {"task_id": "0", "completions": [{**COMPLETION, "binary": None}]}, "no field 'binary' that says"),
    ("self-repair", {"task_id": "0", "completions": [{**COMPLETION, "binary": 1}]}, "'binary' must be true or false"),
    ("self-repair", {"task_id": "0", "completions": [{**COMPLETION, "tokens_generated": 1.5}]}, "must be a number of"),
    ("self-repair", {"task_id": "0", "completions": [{**COMPLETION, "repairs": [{}]}]}, "no field 'repaired_program'"),
]


@pytest.mark.parametrize(("form", "row", "message"), BAD)
def test_a_bad_row_is_skipped_and_named_and_the_good_ones_come(write: Write, form: str, row: Any, message: str) -> None:
    chain = ldb(FIRST, reflections=[], solution=FIRST)
    good = {"task_id": "2", "completions": [COMPLETION]} if form == "self-repair" else chain
    reading = open_trees(write(row, good), form, problems=PROBLEMS)
    assert len(list(reading.rows())) == 1
    [line] = reading.skipped
    assert "rows.jsonl:1: " in line
    assert message in line


def test_what_cannot_be_opened_is_one_line(write: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown form 'ucs'; expected one of: self-repair, reflexion, "):
        open_trees(write({}), "ucs")
    with pytest.raises(InputError, match=r"self-repair rows bring no checks of their own; name their problems with --"):
        open_trees(write({}), "self-repair")
    with pytest.raises(InputError, match=r"gone: no such file"):
        open_trees(tmp_path / "gone", "ldb")


LEAVES = st.sampled_from([None, True, 0, "", "HumanEval/0", "one", [], [""], ["", "x"], [1], [[""]], {}, [{}]])
COMPLETIONS = st.lists(st.dictionaries(st.sampled_from(["binary", "fault", "repairs", "executed_completion"]), LEAVES))
NAMES = """
    task_id prob_path prompt entry_point test solution is_solved reflections implementations test_feedback debug_iter
    completions hallucination test_list description starter_code
"""


@given(st.sampled_from(sorted(TREE_FORMS)), st.dictionaries(st.sampled_from(NAMES.split()), LEAVES | COMPLETIONS))
@example("self-repair", {"completions": [{"repairs": True}]})
def test_no_row_of_any_shape_raises_anything(
    tmp_path_factory: pytest.TempPathFactory, form: str, row: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_text(json.dumps(row))
    reading = open_trees(path, form, problems=PROBLEMS)
    assert len(list(reading.rows())) + len(reading.skipped) == 1
