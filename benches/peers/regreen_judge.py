"""Our judge; ``REGREEN_BENCH_MODE`` is ``separate`` or ``shared``."""

import os
import time

from common import main

from regreen.problem import Assert, Problem, Stdio
from regreen.sandbox import Limits, LocalSandbox

MODE = os.environ.get("REGREEN_BENCH_MODE", "separate")
WARM_UP = Problem("warm up", "", (Assert("assert f(1) == 1"),), entry_point="f")


def judge_all(items, jobs):
    limits = Limits(timeout=items[0]["timeout"] if items else 3.0)
    problems = {}
    pairs = [(problems.setdefault(_key(item), _problem(item)), item["program"]) for item in items]
    passed = [False] * len(items)
    with LocalSandbox(limits, jobs=jobs) as sandbox:
        list(sandbox.judge_all([(WARM_UP, "def f(x): return x")] * jobs))
        started = time.perf_counter()
        for position, verdict in sandbox.judge_all(pairs):
            passed[position] = verdict.passed
        judge_all.seconds = time.perf_counter() - started
    return passed


def _key(item):
    return item.get("tests"), item["prelude"], item.get("stdin"), item.get("stdout")


def _problem(item):
    if "stdin" in item:
        return Problem("bench", "", (Stdio(item["stdin"], item["stdout"]),))
    check = Assert(f"{item['tests']}\ncheck({item['entry_point']})\n")
    meta = {"mode": "shared"} if MODE == "shared" else {}
    return Problem("bench", "", (check,), entry_point=item["entry_point"], prelude=item["prelude"], meta=meta)


if __name__ == "__main__":
    main(judge_all)
