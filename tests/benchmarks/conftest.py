"""What tests of benchmarks share: files of rows written on the spot, and the judge."""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from regreen.problem import Problem
from regreen.sandbox import LocalSandbox
from regreen.verdict import Outcome

# The libraries read these when they are imported: no test may reach the real hub, or an earlier download from it.
_HUB = tempfile.TemporaryDirectory(prefix="regreen-hub-")
os.environ.update(HF_HUB_OFFLINE="1", HF_HOME=_HUB.name)

Write = Callable[[str, Iterable[Mapping[str, Any]]], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write rows as JSON Lines below a data folder of this test's own, and return that folder."""
    monkeypatch.delenv("REGREEN_DATA", raising=False)

    def write_rows(name: str, rows: Iterable[Mapping[str, Any]]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
        return tmp_path

    return write_rows


@pytest.fixture
def passed(sandbox: LocalSandbox) -> Callable[[Problem, str], list[bool]]:
    """Judge a program and say of each check whether it passed."""

    def run(problem: Problem, source: str) -> list[bool]:
        return [check.outcome is Outcome.PASSED for check in sandbox.judge_now(problem, source).checks]

    return run


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Run code in a fresh interpreter and return what it printed."""

    def run(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    return run
