"""A toy benchmark of three problems, files of programs for it, and what scripted models are made from."""

import asyncio
import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from regreen import InfrastructureError

PROBLEMS = [
    {
        "id": "toy/add",
        "statement": "Write add(a, b).",
        "checks": [
            {"kind": "assert", "code": "assert add(1, 2) == 3"},
            {"kind": "assert", "code": "assert add(0, 0) == 0"},
        ],
        "entry_point": "add",
        "solution": "def add(a, b):\n    return a + b\n",
        "meta": {"date": "2023-05-01", "scores": {"base": [0], "plus": [0, 1]}},
    },
    {
        "id": "toy/first",
        "statement": "Write first(items).",
        "checks": [{"kind": "call", "args": [[4, 5]], "expected": 4}],
        "entry_point": "first",
        "solution": "def first(items):\n    return items[0]\n",
        "meta": {"date": "2024-05-01"},
    },
    {
        "id": "toy/echo",
        "statement": "Print what you read.",
        "checks": [{"kind": "stdio", "stdin": "hello\n", "expected": "hello\n"}],
        "solution": "print(input())\n",
        "meta": {"date": "2024-06-01"},
    },
]

GOOD = {problem["id"]: problem["solution"] for problem in PROBLEMS}
BAD = {
    "toy/add": "def add(a, b):\n    return 3\n",
    "toy/first": "def first(items):\n    return items[9]\n",
    "toy/echo": "print('hello', 'you')\n",
}


def hear_signals() -> None:
    """Undo, in a process about to start, the deafness to signals that nohup and background jobs hand down to tests."""
    for ending in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ending, signal.SIG_DFL)


def interrupt_asking(folder: Path, command: str, benchmark: Path) -> tuple[int, str]:
    """Press Ctrl-C while a command waits for a slow model; return its exit code and what it said."""
    (folder / "slow_models.py").write_text("from tests.test_asking import Slow as make\n")
    asked = [sys.executable, "-m", "regreen.cli", command, benchmark, "-m", "slow_models:make", "--sandbox", "local:C"]
    environment = {"PYTHONPATH": f"{folder}:{':'.join(sys.path)}", "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        asked, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=hear_signals
    )
    deadline = time.monotonic() + 30
    while not list(folder.glob("runs/*/prompts.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def write_problems(folder: Path, problems: list[dict] = PROBLEMS) -> Path:
    path = folder / "toy.jsonl"
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    return path


def write_samples(folder: Path, programs: list[tuple[str, str]], name: str = "samples.jsonl", **more: list) -> Path:
    path = folder / name
    rows = [{"task_id": problem, "solution": source} for problem, source in programs]
    for field, values in more.items():
        for row, value in zip(rows, values, strict=True):
            row[field] = value
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


def programs(*good_counts: int, n: int = 4) -> list[tuple[str, str]]:
    """For each problem in order, so many right programs and the rest of n wrong ones."""
    rows = []
    for problem, good in zip(GOOD, good_counts, strict=False):
        rows += [(problem, GOOD[problem] if i < good else BAD[problem]) for i in range(n)]
    return rows


class Answering:
    """A model that answers request by request by its ``_answer``, until it has given ``fail_after`` answers."""

    decides, facts = {}, {}

    def __init__(self, *, name, batch=3, parallel=2, fail_after=None):
        self.name, self.batch, self.parallel = name, batch, parallel
        self._left = fail_after

    async def sample(self, requests):
        await asyncio.sleep(0)
        return [self._counted(request) for request in requests]

    def _counted(self, request):
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise InfrastructureError("the model is gone")
        return self._answer(request)
