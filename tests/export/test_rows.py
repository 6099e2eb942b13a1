"""A run for other tools: rows that TRL's own loader takes, and a table of all programs."""

import json
import subprocess
import sys

import pytest

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.export import export_parquet, export_rows, frame
from regreen.run import Run, Settings

GREEN = Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED),))
RED = Verdict(
    Outcome.WRONG_ANSWER, (CheckResult(0, Outcome.PASSED), CheckResult(1, Outcome.WRONG_ANSWER, got="1", expected="2"))
)
CHAT = [{"role": "user", "content": "Write f."}]


def write_run(path, programs, *, prompt="def f():\n"):
    """Write a run of (problem, text, passed); a text of None held no program."""
    with Run(path, Settings("evaluate", "toy", {})) as run:
        key = run.add_prompt(prompt)
        for index, (name, text, passed) in enumerate(programs):
            run.add_problem(Problem(name, "f", (Assert("assert f()"),), meta={"difficulty": "hard"}))
            run.add_program(Program(name, index, text or "", text=text or "no", prompt=key, temperature=0.8))
            run.add_verdict((name, index, "sample"), GREEN if passed else RED)
    return path


def rows(run, form, tmp_path, **more):
    count = export_rows(run, form, tmp_path / "out.jsonl", **more)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(found) == count
    return found


PROGRAMS = [
    ("a", "x", True),
    ("a", "x", True),
    ("a", "y", True),
    ("a", "z", False),
    ("a", None, False),
    ("b", "w", False),
]


def test_right_programs_are_to_be_imitated_once_each(tmp_path):
    found = rows(write_run(tmp_path / "r", PROGRAMS), "sft", tmp_path)
    assert found == [{"prompt": "def f():\n", "completion": text} for text in ("x", "y")]


def test_a_chat_stays_a_chat(tmp_path):
    run = write_run(tmp_path / "r", PROGRAMS[:1], prompt=CHAT)
    assert rows(run, "sft", tmp_path) == [{"prompt": CHAT, "completion": [{"role": "assistant", "content": "x"}]}]


def test_right_programs_are_preferred_to_wrong_ones_of_the_same_problem(tmp_path):
    run = write_run(tmp_path / "r", PROGRAMS)
    found = rows(run, "preference", tmp_path)
    assert sorted((row["chosen"], row["rejected"]) for row in found) == [("x", "z"), ("y", "z")]
    assert len(rows(run, "preference", tmp_path, pairs=1)) == 1
    assert rows(run, "preference", tmp_path, pairs=1) == rows(run, "preference", tmp_path, pairs=1), "seeded"


def test_prompts_name_the_problem_by_which_completions_are_judged(tmp_path):
    found = rows(write_run(tmp_path / "r", PROGRAMS), "grpo", tmp_path)
    assert found == [{"prompt": "def f():\n", "problem": name} for name in ("a", "b")]


def test_what_there_is_nothing_of_is_said(tmp_path):
    run = write_run(tmp_path / "r", PROGRAMS[3:])
    for form, said in (("sft", "no program passed"), ("preference", "draw more")):
        with pytest.raises(InputError, match=said):
            rows(run, form, tmp_path)
    with Run(tmp_path / "none", Settings("score", "toy", {})) as scored:
        scored.add_program(Program("a", 0, "x"))
    with pytest.raises(InputError, match="a model was asked"):
        rows(tmp_path / "none", "sft", tmp_path)


def test_trl_takes_every_form(tmp_path):
    datasets, trl = pytest.importorskip("datasets"), pytest.importorskip("trl.data_utils")
    run = write_run(tmp_path / "r", PROGRAMS, prompt=CHAT)
    for form in ("sft", "preference", "grpo"):
        rows(run, form, tmp_path)
        loaded = datasets.load_dataset(
            "json", data_files=str(tmp_path / "out.jsonl"), split="train", cache_dir=str(tmp_path)
        )
        assert trl.is_conversational(loaded[0])


def test_a_table_has_a_row_for_every_program(tmp_path):
    pytest.importorskip("pandas")
    run = write_run(tmp_path / "r", PROGRAMS)
    found = frame(run)
    assert list(found.passed) == [True, True, True, False, False, False]
    assert found.groupby("problem").passed.mean().to_dict() == {"a": 0.6, "b": 0.0}
    last = found.iloc[-1]
    assert (last.failed, last.got, last.expected, last.checks, last.checks_passed) == (1, "1", "2", 2, 1)
    assert (last.difficulty, last.temperature) == ("hard", 0.8)


def test_parquet_holds_the_same_table(tmp_path):
    pandas, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    run = write_run(tmp_path / "r", PROGRAMS)
    assert export_parquet(run, tmp_path / "out.parquet") == 6
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "out.parquet"), frame(run), check_dtype=False)


def test_the_command_says_how_many_rows_it_wrote(tmp_path):
    run = write_run(tmp_path / "r", PROGRAMS)
    command = [sys.executable, "-m", "regreen.cli", "export", run, "--to", "preference", "-o", tmp_path / "p.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().endswith("p.jsonl: 2 rows")
