"""Servers as processes, and what is sent to them."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.toy import hear_signals

ADD: dict[str, Any] = {"id": "add", "statement": "", "checks": [{"kind": "assert", "code": "assert add(1, 2) == 3"}]}
RIGHT, WRONG = "def add(a, b):\n    return a + b\n", "def add(a, b):\n    return a - b\n"
BUSY = "def add(a, b):\n    while True:\n        pass\n"


def asleep(seconds: float) -> str:
    """A right program that takes so long."""
    return f"import time\ntime.sleep({seconds})\n{RIGHT}"


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    url: str
    process: subprocess.Popen[str]

    def post(self, body: Any, place: str = "/judge") -> httpx.Response:
        return httpx.post(f"{self.url}{place}", json=body, timeout=60)

    def health(self) -> dict[str, Any]:
        return dict(httpx.get(f"{self.url}/health", timeout=60).json())

    def is_idle_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.health()["waiting"] and time.monotonic() < end:
            time.sleep(0.05)
        return not self.health()["waiting"]


@contextmanager
def started(*arguments: str, port: int = 0) -> Iterator[Server]:
    """A server with these arguments, killed at the end if it has not ended before."""
    command = [sys.executable, "-m", "regreen.cli", "serve", "--port", str(port), *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_signals
    )
    with process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert said, process.stderr and process.stderr.read()
            yield Server(said.partition(": ")[0], process)
        finally:
            process.kill()


def descendants(process: int) -> set[int]:
    """Return the processes that this one started, and those that they did."""
    parents = _parents()
    found, size = {process}, 0
    while len(found) > size:
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {process}


def alive() -> set[int]:
    """All processes that have not ended."""
    return set(_parents())


def _parents() -> dict[int, int]:
    """The parent of each process, but for those that ended and whom nobody has asked about."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = re.sub(r"^.*\) ", "", path.read_text(), flags=re.DOTALL).split()[:2]
        except OSError:  # it has just ended
            continue
        if state != "Z":
            parents[int(path.parent.name)] = int(parent)
    return parents
