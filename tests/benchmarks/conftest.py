"""What tests of benchmarks share: files of rows written on the spot, and running a check without a judge."""

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

from regreen.problem import Assert, Problem

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
def passed() -> Callable[[Problem, str], list[bool]]:
    """Run our own programs against assert checks in this process; for the tests' own code only."""

    def run(problem: Problem, source: str) -> list[bool]:
        return [_passes(problem, source, check.code) for check in problem.checks if isinstance(check, Assert)]

    return run


def _passes(problem: Problem, source: str, code: str) -> bool:
    names: dict[str, Any] = {"__name__": "program"}
    exec(problem.prelude, names)
    exec(source, names)
    try:
        exec(code, names)
    except Exception:
        return False
    return True


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Run code in a fresh interpreter and return what it printed."""

    def run(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    return run
