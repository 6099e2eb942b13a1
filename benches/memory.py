"""What the engine costs over a long run: 16,000 programs judged, its memory's peak, and what it leaves behind."""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import workloads

from regreen.problem import Assert, Problem
from regreen.sandbox import Limits, LocalSandbox

BAR = 200  # megabytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=16_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    before = _world()
    started = time.perf_counter()
    outcomes: Counter[str] = Counter()
    with LocalSandbox(Limits(), jobs=options.jobs) as sandbox:
        for _, verdict in sandbox.judge_all(_pairs(options.programs)):
            outcomes[verdict.outcome.value] += 1
        engine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        lanes = _memory(_descendants())
    seconds = time.perf_counter() - started
    print(f"{sum(outcomes.values())} programs in {seconds:.1f} s with -j {options.jobs}: {dict(outcomes)}")
    print(f"engine's resident memory: peak {engine} MB (bar {BAR} MB); judges and zygotes now {lanes} MB")
    print(f"left behind: {_left(before, _world()) or 'no process, no descriptor, no temporary file'}")


def _pairs(count: int) -> Iterator[tuple[Problem, str]]:
    """Yield programs for 200 problems: right, wrong, raising, and noisy ones."""
    items = workloads.trivial(2000)[::10]
    endings = ("", "def {0}(a, b): return None\n", "def {0}(a, b): raise ValueError(a)\n", "print('noise' * 100)\n")
    problems = [
        Problem(str(n), "", (Assert(f"{i['tests']}\ncheck({i['entry_point']})\n"),), entry_point=i["entry_point"])
        for n, i in enumerate(items)
    ]
    for n in range(count):
        item = items[n % len(items)]
        ending = endings[n // len(items) % len(endings)].format(item["entry_point"])
        yield problems[n % len(items)], f"{item['program']}{ending}# {n}\n"


def _world() -> dict[str, set[str]]:
    return {
        "processes": _descendants(),
        "descriptors": {str(fd) for fd in range(1024) if _is_open(fd)},
        "files": {name for name in os.listdir(tempfile.gettempdir()) if "regreen" in name},
    }


def _left(before: dict[str, set[str]], after: dict[str, set[str]]) -> str:
    return ", ".join(f"{kind} {sorted(more)}" for kind in after if (more := after[kind] - before[kind]))


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _descendants() -> set[str]:
    parents = {path.name: _field(path.name, "PPid") for path in Path("/proc").glob("[0-9]*")}
    family = {str(os.getpid())}
    while more := {pid for pid, parent in parents.items() if str(parent) in family} - family:
        family |= more
    return family - {str(os.getpid())}


def _memory(pids: set[str]) -> int:
    return sum(_field(pid, "VmRSS") for pid in pids) // 1024


def _field(pid: str, name: str) -> int:
    try:
        lines = Path("/proc", pid, "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name + ":")), 0)


if __name__ == "__main__":
    main()
