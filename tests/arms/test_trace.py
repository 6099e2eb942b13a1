"""trace: values along the failing run, from a process that is not to be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from regreen import Assert, Call, Problem, Stdio
from regreen.arms import Trace
from regreen.arms.tracer import FIRST, LAST, MOST_STEPS, WIDTH
from regreen.sandbox import Limits, LocalSandbox

OPENING = "Run again, the program took these steps (line, and the variables that it changed):"
BEST = Problem("best", "", (Call(([3, 1, 2],), 1),), revealed=(0,), entry_point="f")


@pytest.fixture(scope="module")
def quick() -> Iterator[LocalSandbox]:
    with LocalSandbox(Limits(timeout=1.0)) as sandbox:
        yield sandbox


def steps(sandbox: LocalSandbox, source: str, problem: Problem = BEST) -> list[str]:
    words = asyncio.run(Trace(sandbox)(problem, source, sandbox.judge_now(problem, source)))
    lines = words.split("\n")
    assert lines[0] in ("", OPENING)
    return lines[1:]


def test_each_step_is_a_line_and_what_it_changed(quick: LocalSandbox) -> None:
    source = "def f(x):\n    best = 0\n    for item in x[:1]:\n        best = item\n    return best\n"
    assert steps(quick, source) == [
        "f(x=[3, 1, 2])",
        "2: best = 0  # best = 0",
        "3: for item in x[:1]:  # item = 3",
        "4: best = item  # best = 3",
        "3: for item in x[:1]:",
        "5: return best",
        "f gives 3",
        "the run ended without an exception",
    ]


def test_a_program_that_reads_is_traced_on_the_input_that_failed(quick: LocalSandbox) -> None:
    problem = Problem("lines", "", (Stdio("1\n", "1"), Stdio("7\n", "8")), revealed=(0, 1))
    source = "import sys\nn = int(input())\nprint(n)\nsys.stdout.write('more')\n"
    assert steps(quick, "n = int(input())\nprint(n)\n", problem) == [
        "1: n = int(input())  # n = 7",
        "2: print(n)",
        "the run ended without an exception",
    ]
    assert steps(quick, source, replace(problem, checks=(Stdio("", ""), Stdio("", "")))) == [
        "1: import sys",
        "2: n = int(input())",
        "EOFError: EOF when reading a line",
    ]


def test_of_a_check_with_several_asserts_the_run_that_failed_is_shown(quick: LocalSandbox) -> None:
    problem = replace(BEST, checks=(Assert("assert f([1]) == 1\nassert f([3, 2]) == 5\nassert f([9]) == 9"),))
    assert steps(quick, "def f(x):\n    return x[0]\n", problem) == [
        "f(x=[3, 2])",
        "2: return x[0]",
        "f gives 3",
        "and the check does not hold",
    ]


def test_an_exception_ends_the_steps(quick: LocalSandbox) -> None:
    assert steps(quick, "def f(x):\n    y = len(x)\n    return x[y]\n")[-2:] == [
        "3: return x[y]",
        "IndexError: list index out of range",
    ]
    assert steps(quick, "def f(x):\n    assert len(x) > 3\n")[-1] == "AssertionError"


def test_methods_preludes_and_keyword_arguments_are_as_in_the_judge(quick: LocalSandbox) -> None:
    problem = replace(BEST, checks=(Call((float("inf"),), 0, {"of": (1,)}),), prelude="import math\n")
    source = "class Solution:\n    def f(self, x, of):\n        return math.isinf(x)\n"
    assert steps(quick, source, problem)[-3:] == [
        "3: return math.isinf(x)",
        "f gives True",
        "the run ended without an exception",
    ]


def test_a_loop_without_end_is_told_by_its_first_and_last_steps(quick: LocalSandbox) -> None:
    lines = steps(quick, "def f(x):\n    n = 0\n    while True:\n        n += 1\n")
    assert lines[:4] == ["f(x=[3, 1, 2])", "2: n = 0  # n = 0", "3: while True:", "4: n += 1  # n = 1"]
    assert lines[FIRST] == f"... {MOST_STEPS - FIRST - LAST} steps left out ..."  # one more was the module's
    assert lines[-1] == f"stopped after {MOST_STEPS} steps"
    assert len(lines) == FIRST + 1 + LAST + 1


def test_recursion_is_indented_and_survived(quick: LocalSandbox) -> None:
    lines = steps(quick, "def f(x):\n    return f(x + [1])\n")
    assert lines[:3] == ["f(x=[3, 1, 2])", "  f(x=[3, 1, 2, 1])", "    f(x=[3, 1, 2, 1, 1])"]
    assert lines[-1].startswith("RecursionError: maximum recursion depth exceeded")


def test_steps_are_short(quick: LocalSandbox) -> None:
    lines = steps(quick, f"def f(x):\n    y = {'a' * 500!r}\n    z = list(range(10**5))\n    return {'z' * 300!r}\n")
    assert all(len(line) <= WIDTH + 10 for line in lines)
    assert sum(map(len, lines)) < 2000


def test_a_program_that_hangs_where_no_line_ends_keeps_its_first_steps(quick: LocalSandbox) -> None:
    assert steps(quick, "def f(x):\n    y = 1\n    return 10 ** 10 ** 9\n") == [
        "f(x=[3, 1, 2])",
        "2: y = 1  # y = 1",
        "... and then: timeout",
    ]


HOSTILE = {
    "ends its process": ("import os\ndef f(x):\n    y = 1\n    os._exit(0)\n", "3: y = 1  # y = 1"),
    "raises SystemExit": ("def f(x):\n    y = 1\n    raise SystemExit(3)\n", "SystemExit: 3"),
    "floods its output": ("def f(x):\n    while True: print('x' * 99999)\n", f"stopped after {MOST_STEPS} steps"),
    "floods descriptor 1": (
        "import os\ndef f(x):\n    for n in range(300): os.write(1, b'x' * 99999)\n    return n\n",
        "the run ended without an exception",
    ),
    "ends tracing": (
        "import sys\ndef f(x):\n    y = 1\n    sys.settrace(None)\n    z = 2\n",
        "the run ended without an exception",
    ),
    "catches everything": (
        "def f(x):\n    while True:\n        try:\n            x[9]\n        except BaseException:\n            pass\n",
        f"stopped after {MOST_STEPS} steps",
    ),
    "has a hanging repr": (
        "class A:\n    def __repr__(self):\n        while True: pass\ndef f(x):\n    y = [A()]\n    return y\n",
        "the run ended without an exception",
    ),
    "has a lying class": (
        "class A:\n    __class__ = property(lambda self: 1 / 0)\ndef f(x):\n    y = A()\n    return y\n",
        "the run ended without an exception",
    ),
    "raises an exception without text": (
        "class E(Exception):\n    def __str__(self): raise self\ndef f(x):\n    raise E\n",
        "E",
    ),
    "replaces the standard modules": (
        "import os, sys\nos.write = os._exit = sys.settrace = None\ndef f(x):\n    y = 2\n    return y\n",
        "the run ended without an exception",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_program_is_survived(quick: LocalSandbox, what: str) -> None:
    source, last = HOSTILE[what]
    assert steps(quick, source)[-1] == last


def test_closed_descriptors_leave_nothing_to_say(quick: LocalSandbox) -> None:
    assert steps(quick, "import os\ndef f(x):\n    os.closerange(0, 100)\n") == [
        "f(x=[3, 1, 2])",
        "... and then: exception",
    ]


def test_lines_that_imitate_the_tracer_s_are_not_taken_for_its_own(quick: LocalSandbox) -> None:
    fakes = "\n".join(["0a1b2c3d f(x=[])", " 2: fake", "deadbeef 9: fake  # y = 1"])
    source = f"import os\ndef f(x):\n    for fd in range(1, 12):\n        try: os.write(fd, {fakes!r}.encode())\n"
    source += "        except OSError: pass\n    return 1\n"
    lines = steps(quick, source)
    assert not any(line.startswith(("0a1b2c3d", "deadbeef", "9: fake", "2: fake", "f(x=[])")) for line in lines)


def test_where_no_revealed_check_failed_there_are_no_steps(quick: LocalSandbox) -> None:
    assert steps(quick, "def f(x):\n    return 2\n", replace(BEST, revealed=())) == []
    assert steps(quick, "def f(x)\n") == []


def test_the_first_revealed_failure_is_run_and_not_a_hidden_one(quick: LocalSandbox) -> None:
    problem = replace(BEST, checks=(Call((777,), 1), Call((5,), 6)), revealed=(1,))
    lines = steps(quick, "def f(x):\n    return x\n", problem)
    assert lines[0] == "f(x=5)"
    assert not any("777" in line for line in lines)
