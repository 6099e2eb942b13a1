"""The same programs get the same verdicts, run after run, on an idle machine and on a loaded one."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regreen import benchmarks, formats
from regreen.extract import STOP_SETS, stop_at
from regreen.problem import Problem
from regreen.sandbox import LocalSandbox

pytestmark = [pytest.mark.slow, pytest.mark.data]


@pytest.fixture(scope="module")
def programs(data_root: Path) -> list[tuple[Problem, str]]:
    """The 8,200 recorded samples of CodeGen-16B."""
    problems = {p.id: p for p in benchmarks.load("humaneval", data=data_root).problems()}
    cut = functools.partial(stop_at, stops=STOP_SETS["humaneval"])
    path = data_root / "recorded" / "codet" / "codegen16b_humaneval_samples_0-49.jsonl.gz"
    rows = formats.open_samples(path, problems=list(problems.values()), cut=cut).rows()
    return [(problems[row.program.problem], row.program.source) for row in rows]


@contextlib.contextmanager
def load(times: int) -> Iterator[None]:
    """Keep every core busy ``times`` over."""
    busy = [sys.executable, "-c", "while True: pass"]
    count = times * len(os.sched_getaffinity(0))
    processes = [subprocess.Popen(busy) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def outcomes(programs: list[tuple[Problem, str]]) -> dict[int, list[str | None]]:
    """Every program's outcome and every check's, from a sandbox of its own."""
    with LocalSandbox() as sandbox:
        return {place: [v.outcome, *(c.outcome for c in v.checks)] for place, v in sandbox.judge_all(programs)}


def test_verdicts_do_not_change_over_five_runs_two_of_them_under_load(programs: list[tuple[Problem, str]]) -> None:
    assert len(programs) == 8200
    first = outcomes(programs)
    for times in (4, 0, 4, 0):
        with load(times):
            again = outcomes(programs)
        assert {place: (first[place], again[place]) for place in first if first[place] != again[place]} == {}
