"""The published files: every row is read, and the recorded verdicts are all there."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from regreen.extract import HUMANEVAL_STOPS, extract, stop_at
from regreen.formats import open_samples
from regreen.problem import Assert, Problem

pytestmark = pytest.mark.data

AGENTS = ("reflexion", "llmdebugger", "mapcoder")


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def runs(data_root: Path) -> list[dict[str, Any]]:
    index = json.loads((data_root / "recorded" / "index.json").read_text())
    return [run for run in index if run["method"] != "test generation"]


def humaneval(data_root: Path) -> list[Problem]:
    rows = lines(data_root / "humaneval" / "HumanEval.jsonl.gz")
    return [Problem(row["task_id"], "", (Assert(row["test"]),), meta={"prompt": row["prompt"]}) for row in rows]


def test_the_recorded_runs_of_agents_bring_their_verdicts_and_checks(data_root: Path) -> None:
    counts: Counter[str] = Counter()
    for run in runs(data_root):
        if run["file"].startswith(AGENTS) and run["benchmark"] != "apps-150":
            reading = open_samples(data_root / "recorded" / run["file"])
            rows = list(reading.rows())
            assert run["file"].startswith(reading.form)
            assert reading.skipped == []
            assert all(row.problem and row.program.index == 0 for row in rows)
            assert (len(rows), sum(bool(row.recorded) for row in rows)) == (run["rows"], run["solved_recorded"])
            counts[reading.form] += len(rows)
    assert counts.total() == 6117


def test_the_apps_runs_bring_165_verdicts_over_stdin(data_root: Path) -> None:
    readings = [open_samples(path) for path in sorted((data_root / "recorded" / "mapcoder").glob("*apps*"))]
    assert sum(row.recorded is not None for reading in readings for row in reading.rows()) == 165
    assert all("a function problem" in line for reading in readings for line in reading.skipped)


def test_first_programs_are_found_wherever_a_chain_was_recorded(data_root: Path) -> None:
    path = data_root / "recorded" / "llmdebugger" / "ldb_mbpp_starcoder.jsonl.gz"
    firsts = list(open_samples(path, which="first").rows())
    assert len(firsts) == 500
    assert sum(row.recorded is not None for row in firsts) >= 326


def test_other_models_humaneval_completions_are_read(data_root: Path) -> None:
    problems = humaneval(data_root)
    for path in sorted((data_root / "recorded" / "llm-humaneval-benchmarks").iterdir()):
        reading = open_samples(path, problems=problems)
        assert (reading.form, sum(1 for _ in reading.rows()), reading.skipped) == ("human-eval", 164, [])


def test_codegen_s_continuations_become_8200_programs_in_which_no_line_starts_another(data_root: Path) -> None:
    path = data_root / "recorded" / "codet" / "codegen16b_humaneval_samples_0-49.jsonl.gz"
    reading = open_samples(path, problems=humaneval(data_root), cut=partial(stop_at, stops=HUMANEVAL_STOPS))
    prompts = {problem.id: problem.meta["prompt"] for problem in humaneval(data_root)}
    rows = list(reading.rows())
    assert len(rows) == 8200
    assert {row.program.index for row in rows} == set(range(50))
    bodies = (row.program.source.removeprefix(prompts[row.program.problem]) for row in rows)
    assert not any(stop in body for body in bodies for stop in HUMANEVAL_STOPS)


def test_cruxeval_predictions_are_8000_with_the_published_share_right(data_root: Path) -> None:
    problems = [Problem(row["id"], "", (Assert(""),)) for row in lines(data_root / "cruxeval" / "cruxeval.jsonl.gz")]
    name = "cruxeval/codellama-7b_temp0.2_output_{}.json.gz"
    plain = open_samples(data_root / name.format("generations"), problems=problems)
    scored = open_samples(data_root / name.format("scored"), problems=problems)
    verdicts = [row.recorded for row in scored.rows()]
    assert len(verdicts) == 8000
    assert 100 * sum(map(bool, verdicts)) / 8000 == pytest.approx(34.2125)
    assert [row.program for row in plain.rows()] == [row.program for row in scored.rows()]


def test_livecodebench_and_mxeval_files_are_read(data_root: Path) -> None:
    path = data_root / "recorded" / "livecodebench" / "o1-mini-2024-09-12.jsonl.gz"
    problems = [Problem(row["question_id"], "", (Assert(""),)) for row in lines(path)]
    graded = [row.recorded for row in open_samples(path, problems=problems).rows()]
    assert (len(graded), sum(map(bool, graded))) == (880, 602)
    own = open_samples(data_root / "recorded" / "mxeval" / "mbpp_samples_even.jsonl.gz")
    assert (own.form, sum(1 for row in own.rows() if row.problem)) == ("mxeval", 487)


def test_extraction_finds_the_program_that_mapcoder_s_harness_found(data_root: Path) -> None:
    rows = lines(data_root / "recorded" / "mapcoder" / "chatgpt_humaneval_cot.jsonl.gz")
    found = [(extract(row["responses"][-1]), row["source_codes"][-1]) for row in rows]
    assert all(ours.source.split() == theirs.split() for ours, theirs in found)
    assert Counter(ours.rule for ours, _ in found) == {"fence": 111, "whole": 53}
