import json
from pathlib import Path
from typing import Any

import pytest

from regreen.benchmarks import load
from regreen.errors import InputError
from regreen.problem import Call, Stdio

STATEMENT = "Add two numbers.\n\n-----Examples-----\nInput\n1 2\n\nOutput\n3\n\nInput\n2 2\n\nOutput\n4\n"
STDIN = {
    "id": 7,
    "question": STATEMENT,
    "solutions": json.dumps(["print(sum(map(int, input().split())))", "second"]),
    "input_output": json.dumps({"inputs": ["1 2\n", "10 20\n", "2 2\n"], "outputs": ["3\n", "30\n", "4\n"]}),
    "difficulty": "interview",
    "url": "https://example.org/7",
    "starter_code": "",
}
CALLED = {
    **STDIN,
    "id": 8,
    "starter_code": "class Solution:\n    def keep(self, x: List[int]) -> List[int]:\n        ",
    "input_output": json.dumps({"fn_name": "keep", "inputs": [[[1, 2]], [{"1": 2}]], "outputs": [[[1, 2]], {"1": 2}]}),
}
SELECTED = {
    "name": "3554",
    "id": 3554,
    "description": "Say it.",
    "difficulty": "introductory",
    "sample_io": [{"input": "1\na", "output": [1]}, {"input": "9\nz", "output": [9]}],
    "test_list": [{"input": "2\n3", "output": [2]}, {"input": "1\na", "output": [1]}],
    "starter_code": "\ndef say(number, text):\n\t",
}


def loaded(write: Any, *rows: Any, name: str = "apps/test.jsonl.gz") -> list[Any]:
    return list(load("apps:test", data=write(name, rows)).problems())


def test_stdin_rows_become_exact_stdio_checks(write: Any) -> None:
    (problem,) = loaded(write, STDIN)
    assert problem.checks == (Stdio("1 2\n", "3\n"), Stdio("10 20\n", "30\n"), Stdio("2 2\n", "4\n"))
    assert (problem.id, problem.entry_point) == ("apps/test/7", None)
    assert problem.solution.startswith("print(sum")
    assert problem.meta["difficulty"] == "interview"


def test_the_examples_of_the_statement_are_shown_and_no_other(write: Any) -> None:
    (problem,) = loaded(write, STDIN)
    assert problem.shown == problem.revealed == (0, 2)


def test_input_and_output_may_be_data_and_ids_texts(write: Any) -> None:
    row = {**STDIN, "input_output": json.loads(STDIN["input_output"]), "solutions": ["print(1)"]}
    row = {"problem_id": "0007", "metadata": {"difficulty": "hard"}, **{k: v for k, v in row.items() if k != "id"}}
    del row["difficulty"]
    (problem,) = loaded(write, row)
    assert (problem.id, problem.meta["difficulty"], len(problem.checks)) == ("apps/test/7", "hard", 3)


def test_inputs_that_are_lists_of_lines_are_joined(write: Any) -> None:
    tests = {"inputs": [["1", "2"]], "outputs": [["3", ""]]}
    (problem,) = loaded(write, {**STDIN, "input_output": json.dumps(tests)})
    assert problem.checks == (Stdio("1\n2", "3\n"),)


def test_call_based_rows_become_calls_by_the_published_rule(write: Any) -> None:
    (problem,) = loaded(write, CALLED)
    assert problem.checks == (
        Call(([1, 2],), [[1, 2]], compare="apps"),
        Call(({1: 2},), {1: 2}, compare="apps"),
    )
    assert problem.entry_point == "keep"
    assert problem.statement.endswith("def keep(self, x: List[int]) -> List[int]:\n")


def test_the_prelude_gives_the_names_that_the_published_harness_gives(write: Any) -> None:
    (problem,) = loaded(write, CALLED)
    names: dict[str, Any] = {}
    exec(problem.prelude, names)
    assert {"List", "deque", "lru_cache", "heappush", "math", "sys"} <= set(names)


def test_rows_without_tests_are_left_out(write: Any) -> None:
    assert [p.id for p in loaded(write, {**STDIN, "input_output": ""}, {**STDIN, "id": 9})] == ["apps/test/9"]


def test_a_row_that_is_there_twice_word_for_word_counts_once(write: Any) -> None:
    assert len(loaded(write, STDIN, STDIN)) == 1
    with pytest.raises(InputError, match="there twice"):
        loaded(write, STDIN, {**STDIN, "url": "other"})


def test_selected_rows_judge_by_the_test_list_and_show_the_samples_in_it(write: Any) -> None:
    (problem,) = loaded(write, SELECTED, name="apps/selected150_even-ids.jsonl.gz")
    assert problem.checks == (Call((2, "3"), [2], compare="apps"), Call((1, "a"), [1], compare="apps"))
    assert problem.shown == (1,)
    assert problem.meta["samples"] == [("1\na", [1]), ("9\nz", [9])]


def test_selected_rows_without_starter_code_run_over_stdin(write: Any) -> None:
    tests = [{"input": "1\n", "output": ["2\n"]}, {"input": "3\n", "output": ["4\n"]}]
    row = {**SELECTED, "starter_code": "", "sample_io": tests[:1], "test_list": tests}
    (problem,) = loaded(write, row, name="apps/selected150.jsonl")
    assert problem.checks == (Stdio("1\n", "2\n"), Stdio("3\n", "4\n"))
    assert problem.shown == (0,)


def test_a_selected_row_with_too_few_arguments_names_its_line(write: Any) -> None:
    row = {**SELECTED, "test_list": [{"input": "2", "output": [2]}]}
    with pytest.raises(InputError, match=r"selected150\.jsonl:1: 2 arguments expected"):
        loaded(write, row, name="apps/selected150.jsonl")


@pytest.mark.data
def test_every_stdin_problem_of_the_public_selection_shows_samples(data_root: Path) -> None:
    problems = list(load("apps:test", data=data_root).problems())
    stdin = [problem for problem in problems if problem.entry_point is None]
    assert len(problems) == 77
    assert all(problem.shown for problem in stdin)
