"""What it costs to ask the judge over HTTP, beside asking it directly and beside HTTP alone, in one run.

The server is a process of its own with as many jobs as the direct judge, so server, client and programs share the same
processors. The floor is a request that judges nothing (``GET /health``), from the same client as the single programs.
Contenders take turns in rounds, since a machine's speed drifts; ratios to direct judging are taken within a round, and
the table gives medians and, in brackets, the lowest and highest.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from regreen.problem import Assert, Problem, problem_to_line  # noqa: E402
from regreen.sandbox import LocalSandbox, RemoteSandbox, Sandbox  # noqa: E402

THREADS = 8  # of the client that sends one program a request
DIRECT, FLOOR = "direct", "HTTP alone (the floor)"
CHECK = "def check(candidate):\n    assert candidate(1, 2) == {x}\n    assert candidate(0, 0) == 0\n\ncheck(f)\n"

Pair = tuple[Problem, str]
Contender = Callable[[list[Pair]], int]


def main() -> None:
    options = _options()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, -j {options.jobs}")
    pairs = _pairs(options.programs)
    with _server(options.jobs) as url, LocalSandbox(jobs=options.jobs) as local, RemoteSandbox(url) as remote:
        contenders: dict[str, Contender] = {
            DIRECT: lambda work: _judged(local, work),
            "batches (--sandbox http://)": lambda work: _judged(remote, work),
            "a program a request": lambda work: _alone(url, work),
            FLOOR: lambda work: _nothing(url, work),
        }
        for contender in contenders.values():
            contender(pairs[:64])
        rounds = [
            {name: _speed(contender, pairs) for name, contender in contenders.items()} for _ in range(options.rounds)
        ]
    print(_table(rounds))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--programs", type=int, default=600)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    return parser.parse_args()


def _pairs(count: int) -> list[Pair]:
    """Programs of one line, ten for each problem: what a judge costs when the program costs nothing."""
    checks = [Assert(CHECK.format(x=3 * number)) for number in range(count // 10 + 1)]
    problems = [Problem(f"trivial/{at}", "", (check,), entry_point="f") for at, check in enumerate(checks)]
    source = "def f(a, b):\n    return (a + b) * {}  # {}\n"
    return [(problems[number // 10], source.format(number // 10, number)) for number in range(count)]


@contextmanager
def _server(jobs: int) -> Iterator[str]:
    command = [sys.executable, "-m", "regreen.cli", "serve", "--port", "0", "-j", str(jobs)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().partition(": ")[0]
        process.terminate()


# ---- the contenders: each returns how many passed, or were answered ----


def _judged(sandbox: Sandbox, pairs: Iterable[Pair]) -> int:
    return sum(verdict.passed for _, verdict in sandbox.judge_all(pairs))


def _alone(url: str, pairs: list[Pair]) -> int:
    bodies = [{"problem": problem_to_line(problem), "source": source} for problem, source in pairs]
    with httpx.Client() as client, ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(lambda body: client.post(f"{url}/judge", json=body, timeout=60).json(), bodies)
        return sum(answer["outcome"] == "passed" for answer in answers)


def _nothing(url: str, pairs: list[Pair]) -> int:
    with httpx.Client() as client, ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: client.get(f"{url}/health", timeout=60).is_success, pairs))


def _speed(contender: Contender, pairs: list[Pair]) -> float:
    """Programs, or requests, a second; all of them must pass."""
    began = time.perf_counter()
    done = contender(pairs)
    assert done == len(pairs), f"{done} of {len(pairs)}"
    return done / (time.perf_counter() - began)


def _table(rounds: list[dict[str, float]]) -> str:
    lines = [f"{'':30} {'a second':>22}  of direct"]
    for name in rounds[0]:
        speeds = [figures[name] for figures in rounds]
        ratios = [figures[name] / figures[DIRECT] for figures in rounds]
        lines.append(f"{name:30} {_three(speeds, '.0f'):>22}  {_three(ratios, '.2f')}")
    return "\n".join(lines)


def _three(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} [{min(values):{form}}, {max(values):{form}}]"


if __name__ == "__main__":
    main()
