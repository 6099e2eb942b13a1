"""Bad input: bad rows are skipped and named, good ones still come, and what is unusable is one clear line."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.errors import InputError
from regreen.formats import open_samples
from regreen.formats.reading import FORMS, Reading
from regreen.problem import Assert, Problem

PROBLEMS = [Problem(f"HumanEval/{i}", "", (Assert("assert True"),)) for i in range(3)]
GOOD = b'{"task_id": "HumanEval/0", "completion": "pass"}\n'


def read(path: Path, content: bytes) -> Reading:
    path.write_bytes(content)
    return open_samples(path, problems=PROBLEMS)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"{oops\n", "not JSON (Expecting property name enclosed in double quotes at column 2); expected one"),
        (b'{"task_id": "\xff"}\n', "not UTF-8 (byte 0xff at offset 13)"),
        (b'["HumanEval/0"]\n', "expected a JSON object with task_id, completion: continues the prompt"),
        (b'{"task_id": "HumanEval/0"}\n', "neither 'completion' nor 'solution'; expected one of them beside 'task_id'"),
        (b'{"completion": "pass"}\n', "no field 'task_id'; found completion"),
        (b'{"task_id": null, "completion": "pass"}\n', "field 'task_id' must be a problem's id, not null"),
        (b'{"task_id": "HumanEval/0", "completion": null}\n', "field 'completion' must be a string, not null"),
        (b'{"task_id": "HumanEval/0", "completion": ["pass"]}\n', "field 'completion' must be a string, not a list"),
        (b'{"task_id": "HumanEval/0", "completion": "", "passed": 1}\n', "field 'passed' must be true or false"),
        (b'{"task_id": "HumanEval/9", "completion": ""}\n', "no problem 'HumanEval/9' in the benchmark; the"),
        (b"[" * 100_000 + b"\n", "JSON that cannot be read"),
        (b"9" * 10_000 + b"\n", "JSON that cannot be read"),
    ],
)  # fmt: skip
def test_a_bad_line_is_skipped_and_named_and_the_good_ones_come(tmp_path: Path, bad: bytes, message: str) -> None:
    path = tmp_path / "samples.jsonl"
    reading = read(path, GOOD + b"\n" + bad + GOOD)
    assert [row.program.index for row in reading.rows()] == [0, 1]
    [line] = reading.skipped
    assert line.startswith(f"{path}:3: ")
    assert message in line


def test_a_file_may_begin_with_bad_lines(tmp_path: Path) -> None:
    reading = read(tmp_path / "samples.jsonl", b"# my samples\n\n\xff\n" + GOOD)
    assert len(list(reading.rows())) == 1
    assert len(reading.skipped) == 2


def test_a_byte_order_mark_and_windows_line_ends_are_no_error(tmp_path: Path) -> None:
    reading = read(tmp_path / "samples.jsonl", b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n"))
    assert len(list(reading.rows())) == 1
    assert reading.skipped == []


def test_a_compressed_file_that_breaks_off_gives_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl.gz"
    reading = read(path, gzip.compress(GOOD * 3)[:-9])
    assert len(list(reading.rows())) == 3
    assert "the compressed file breaks off here" in reading.skipped[0]


def test_a_bad_row_of_a_list_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    reading = read(path, json.dumps([{"question_id": "0", "code_list": [""]}, {"question_id": "0"}]).encode())
    assert len(list(reading.rows())) == 1
    assert reading.skipped == [f"{path}[1]: no field 'code_list'; found question_id"]


def test_more_bigcode_lists_than_problems_are_named(tmp_path: Path) -> None:
    reading = read(tmp_path / "generations.json", json.dumps([[""]] * 4).encode())
    assert len(list(reading.rows())) == 3
    assert "[3]: one list per problem, in the benchmark's order, but the benchmark has 3" in reading.skipped[0]


def test_generated_tests_are_not_taken_for_programs(tmp_path: Path) -> None:
    row = {"task_id": "0", "prompt": "", "entry_point": "f", "test": "", "solution": ["assert f() == 1"]}
    reading = read(tmp_path / "tests.jsonl", json.dumps(row).encode())
    assert list(reading.rows()) == []
    assert reading.skipped[0].endswith("field 'solution' must be a string, not a list")


def test_a_program_s_file_that_is_not_text_is_skipped(tmp_path: Path) -> None:
    for name, content in (("0.py", b"\xff"), ("1.py", b"x = 1")):
        (tmp_path / "HumanEval_0").mkdir(exist_ok=True)
        (tmp_path / "HumanEval_0" / name).write_bytes(content)
    reading = open_samples(tmp_path, problems=PROBLEMS)
    assert [row.program.source for row in reading.rows()] == ["x = 1"]
    assert "0.py: not UTF-8" in reading.skipped[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; expected one of: "),
        (b"\n \n", "the file is empty; expected one of: "),
        (b'{"id": 1, "text": "x"}\n', ":1: fields id, text fit no form; expected one of: "),
        (b"[]", ":1: fits no form; expected one of: "),
        (b"[1, 2]", ":1: fits no form; expected one of: "),
        (b"def f(): pass\n", ":1: not JSON (Expecting value at column 1); expected one of: "),
        (b"\xff\xfe", ":1: not UTF-8 (byte 0xff at offset 0); expected one of: "),
        (b"\x1f\x8bnot gzip", ":1: the compressed file breaks off here"),
    ],
)
def test_an_unusable_file_is_one_line_that_says_what_is_known(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path / "samples.jsonl", content)
    assert message in str(caught.value)
    assert "human-eval (task_id, completion" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl: no such file or folder; expected a file of programs"):
        open_samples(tmp_path / "gone.jsonl", problems=PROBLEMS)


def test_a_pipe_is_refused_instead_of_hanging(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="a pipe is read only once"):
        open_samples(tmp_path / "pipe", problems=PROBLEMS)


def test_a_folder_without_programs_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no programs in this folder; expected DIR/HumanEval_0/0\.py"):
        open_samples(tmp_path, problems=PROBLEMS)


def test_rows_without_checks_need_a_benchmark(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_bytes(GOOD)
    with pytest.raises(
        InputError, match="human-eval rows bring no checks of their own; name their problems with --bench"
    ):
        open_samples(tmp_path / "samples.jsonl")


def test_an_unknown_form_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown form 'humaneval'; expected one of: .*human-eval"):
        open_samples(tmp_path, problems=PROBLEMS, form="humaneval")


def test_a_file_that_does_not_have_the_form_asked_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "samples.jsonl").write_bytes(GOOD)
    with pytest.raises(InputError, match=r"fit no form; expected one of: bigcode \("):
        open_samples(tmp_path / "samples.jsonl", problems=PROBLEMS, form="bigcode")


def test_memory_does_not_grow_with_the_number_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(GOOD * 20_000)
    tracemalloc.start()
    assert sum(1 for _ in open_samples(path, problems=PROBLEMS).rows()) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = """
    task_id name id completion solution prompt entry_point test seed given_tests implementations source_codes is_solved
    hallucination test_list starter_code description samples question_id code_list graded_list problem index source role
    reflections raw_generations raw_scored_generations passed
"""
NAMES = st.sampled_from(FIELDS.split()) | st.text(max_size=3)


@given(st.lists(st.dictionaries(NAMES, JSON | st.just("HumanEval/0")) | JSON, max_size=4), st.booleans())
def test_no_row_of_any_shape_raises_anything_but_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], as_lines: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.json"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) if as_lines else json.dumps(rows))
    for form in (None, *(form.name for form in FORMS)):
        try:
            reading = open_samples(path, problems=PROBLEMS, form=form)
        except InputError as error:
            said = [str(error)]
        else:
            assert all(isinstance(row.program.source, str) for row in reading.rows())
            said = reading.skipped
        assert not any("\n" in line for line in said)
