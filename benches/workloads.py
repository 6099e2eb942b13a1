"""The four kinds of work that the judge is timed on, in a form that every contender can read.

A work item is a JSON object: ``prelude``, ``program``, ``tests`` (code that defines ``check``), ``entry_point``,
``inputs`` and ``expected`` (for a judge that compares values itself), or for a program over standard input ``stdin``
and ``stdout``; ``timeout`` in seconds; ``passes``, whether it must pass.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

Item = dict[str, Any]
TIMEOUT = 1.0

TRIVIAL = "def f{n}(a, b):\n    return (a + b) * {n}\n"
TRIVIAL_TESTS = "def check(candidate):\n    assert candidate(1, 2) == {x}\n    assert candidate(0, 0) == 0\n"
READERS = (
    "n = int(input())\nxs = list(map(int, input().split()))\nprint(sum(xs) % {m})\n",
    "import sys\ndata = sys.stdin.read().split()\nprint(sum(map(int, data[1:])) % {m})\n",
    "def main():\n    input()\n    total = 0\n    for x in input().split():\n        total += int(x)\n"
    "    print(total % {m})\n\n"
    "if __name__ == '__main__':\n    main()\n",
)
ENDLESS = ("while True:\n        pass", "import time\n    time.sleep(60)")


def trivial(count: int) -> list[Item]:
    """Functions of one line, ten programs for each problem: what a judge costs when the program costs nothing."""
    return [_trivial(n // 10, n) for n in range(count)]


def humaneval(count: int, data: Path) -> list[Item]:
    """HumanEval's own solutions under its own tests; calls are recorded for judges that take inputs."""
    with gzip.open(data / "humaneval" / "HumanEval.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    items = [_recorded(row) for row in rows]
    return [items[n % len(items)] for n in range(count)]


def stdin(count: int) -> list[Item]:
    """Short programs that read numbers and print one."""
    draw = random.Random(0)
    items = []
    for n in range(count):
        xs = [draw.randrange(10**6) for _ in range(50)]
        modulus = 1000 + n
        text = f"{len(xs)}\n{' '.join(map(str, xs))}\n"
        program = READERS[n % len(READERS)].format(m=modulus)
        items.append({"prelude": "", "program": program, "stdin": text, "stdout": f"{sum(xs) % modulus}\n",
                      "timeout": 3.0, "passes": True})  # fmt: skip
    return items


def timeouts(count: int) -> list[Item]:
    """Functions that never return, half of them busy and half asleep."""
    programs = (f"def f(a, b):\n    {ENDLESS[n % 2]}\n" for n in range(count))
    test = TRIVIAL_TESTS.format(x=3)
    return [{**_function(p, test, "f", [[1, 2]], [3]), "timeout": TIMEOUT, "passes": False} for p in programs]


def _trivial(problem: int, number: int) -> Item:
    program = f"{TRIVIAL.format(n=problem)}# {number}\n"
    tests = TRIVIAL_TESTS.format(x=3 * problem)
    return _function(program, tests, f"f{problem}", [[1, 2], [0, 0]], [3 * problem, 0])


def _function(program: str, tests: str, entry_point: str, inputs: list[Any], expected: list[Any]) -> Item:
    return {"prelude": "", "program": program, "tests": tests, "entry_point": entry_point, "inputs": inputs,
            "expected": expected, "timeout": 3.0, "passes": True}  # fmt: skip


def _recorded(row: dict[str, str]) -> Item:
    """Run the reference solution under its tests, keeping what it is given and what it returns."""
    entry_point = row["entry_point"]
    names: dict[str, Any] = {}
    exec(row["prompt"] + row["canonical_solution"] + "\n" + row["test"], names)
    inputs: list[Any] = []
    expected: list[Any] = []
    names["check"](_recorder(names[entry_point], inputs, expected))
    head = row["prompt"].partition(f"def {entry_point}(")[0]
    item = _function(row["prompt"] + row["canonical_solution"], row["test"], entry_point, [], [])
    return {**item, "prelude": head, "inputs": repr(inputs), "expected": repr(expected)}


def _recorder(function: Callable[..., Any], inputs: list[Any], expected: list[Any]) -> Callable[..., Any]:
    def record(*args: Any) -> Any:
        inputs.append(copy.deepcopy(list(args)))
        result = function(*args)
        expected.append(copy.deepcopy(result))
        return result

    return record
