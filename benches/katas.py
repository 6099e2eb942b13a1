"""How many katas are made in a second on one core, and how far that is from what cannot be saved.

The floor is the cost of a problem's own checks: its solution, already compiled, on each of its inputs once. In between
stands the cost of judging whether a drawn function is of the split and sound: its operations on 16 fixed inputs. CPU
seconds, in rounds in which the contenders take turns; the table gives the median and, in brackets, lowest and highest.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from regreen.benchmarks import katas  # noqa: E402
from regreen.problem import Call, Problem  # noqa: E402


def main() -> None:
    options = _options()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    list(katas.generate("train", count=500, seed=99))  # what is made once
    rounds = [_round(seed, options.problems) for seed in range(options.rounds)]
    print(f"{options.problems} problems a round, {options.rounds} rounds; problems a second of one core")
    for name in rounds[0]:
        speeds = [each[name] for each in rounds]
        print(f"{name:28} {statistics.median(speeds):>12,.0f}  ({min(speeds):,.0f} - {max(speeds):,.0f})")
    ratios = [each["floor: their checks, run"] / each["train"] for each in rounds]
    print(f"the floor is {statistics.median(ratios):.0f} times as fast ({min(ratios):.0f} - {max(ratios):.0f})")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--problems", type=int, default=2000)
    return parser.parse_args()


def _round(seed: int, count: int) -> dict[str, float]:
    problems: list[Problem] = []
    speeds = {"train": _speed(count, lambda: problems.extend(katas.generate("train", count=count, seed=seed)))}
    speeds["noisy"] = _speed(count, lambda: list(katas.generate("noisy", count=count, seed=seed)))
    few = min(count, 400)
    for split in ("test", "unsolved", "ambiguous", "ambiguous-train"):
        speeds[split] = _speed(few, lambda split=split: list(katas.generate(split, count=few, seed=seed)))
    programs = [_program(problem) for problem in problems]
    inputs = [[check.args[0] for check in problem.checks if isinstance(check, Call)] for problem in problems]
    speeds["floor: their checks, run"] = _speed(count, lambda: _evaluate(programs, inputs))
    return speeds


def _speed(count: int, work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return count / (time.process_time() - start)


def _program(problem: Problem) -> Callable[[Any], Any]:
    names: dict[str, Any] = {}
    exec(str(problem.solution), names)
    return names[str(problem.entry_point)]


def _evaluate(programs: list[Callable[[Any], Any]], inputs: list[list[Any]]) -> None:
    for program, values in zip(programs, inputs, strict=True):
        for value in values:
            program(value)


if __name__ == "__main__":
    main()
