"""Checks that are code, against proxies of the program: what a check sees must be what it would see in one process.

Each check here is of a shape that is executed, and each is run twice: by the judge, and, as the twin, beside the
program in this process.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from regreen.problem import Assert, Call, Problem
from regreen.sandbox import LocalSandbox
from regreen.sandbox.checks.plan import make_plan
from regreen.verdict import Outcome
from tests.sandbox.proxied import FAILS, HOLDS, PROGRAM
from tests.sandbox.values import PLAIN, cross

WRONG_ANSWER, EXCEPTION, PASSED, KILLED = Outcome.WRONG_ANSWER, Outcome.EXCEPTION, Outcome.PASSED, Outcome.KILLED


def judged(sandbox: LocalSandbox, *checks: str, program: str = PROGRAM, entry_point: str | None = "same") -> Any:
    problem = Problem("p", "", tuple(map(Assert, checks)), entry_point=entry_point)
    return sandbox.judge_now(problem, program)


def run_here(check: str) -> None:
    """The twin: program and check in one process, one namespace each as the judge has it."""
    names: dict[str, Any] = {}
    exec(PROGRAM, names)
    exec(check, names)


@pytest.mark.parametrize("name", HOLDS)
def test_a_check_that_holds_in_one_process_passes_over_the_proxy(name: str, sandbox: LocalSandbox) -> None:
    check = HOLDS[name]
    run_here(check)
    verdict = judged(sandbox, check)
    assert verdict.passed, verdict.checks
    assert verdict.mode == "separate"


@pytest.mark.parametrize("name", FAILS)
def test_a_check_that_fails_in_one_process_fails_over_the_proxy(name: str, sandbox: LocalSandbox) -> None:
    check, outcome = FAILS[name]
    with pytest.raises(BaseException):  # noqa: B017, PT011 - any will do
        run_here(check)
    assert judged(sandbox, check).outcome is outcome


def test_all_of_these_checks_are_executed_and_none_is_planned() -> None:
    planned = [name for name, check in HOLDS.items() if make_plan([check], "same", "") is not None]
    assert planned == []


def equals_itself(value: Any) -> bool:
    """NaN does not, and asking a signalling one is an error."""
    try:
        return bool(cross(value) == value)
    except ArithmeticError:
        return False


@given(PLAIN.filter(equals_itself))
@settings(max_examples=60)
def test_any_plain_value_goes_there_and_comes_back_equal(sandbox: LocalSandbox, value: Any) -> None:
    problem = Problem("p", "", (Call((bytearray(), value), (bytearray(), value)),), entry_point="same")
    verdict = sandbox.judge_now(problem, PROGRAM)
    assert verdict.passed, verdict.checks


# ---- what a failure tells ----


def test_an_exception_that_a_check_lets_through_tells_the_programs_line(sandbox: LocalSandbox) -> None:
    program = "def same(x):\n    y = x\n    return y.missing\n"
    (check,) = judged(sandbox, "x = same(1)\nassert x", program=program).checks
    assert (check.outcome, check.error_type, check.line, check.line_text) == (
        EXCEPTION, "AttributeError", 3, "return y.missing",
    )  # fmt: skip


def test_an_exception_of_the_programs_own_type_is_told_by_its_own_name(sandbox: LocalSandbox) -> None:
    (check,) = judged(sandbox, "x = own()").checks
    assert (check.outcome, check.error_type, check.message) == (EXCEPTION, "Own", "own")


def test_memory_that_runs_out_in_the_program_is_told_as_such(hasty: LocalSandbox) -> None:
    verdict = judged(hasty, "x = same(1)\nassert x", program="def same(x): return bytearray(1 << 30)\n")
    assert verdict.outcome is Outcome.MEMORY_LIMIT


def test_got_and_expected_are_those_of_the_assert_that_failed(sandbox: LocalSandbox) -> None:
    (check,) = judged(sandbox, "for i in range(9):\n    assert same(i * i) == i + 2, i").checks
    assert (check.got, check.expected, check.message) == ("0", "2", "0")
    (check,) = judged(sandbox, "x = same(1)\nassert x == 1\nassert raising('ValueError') == 1").checks
    assert (check.got, check.asserts_run, check.asserts_passed) == (None, 2, 1)


# ---- what a program cannot do ----


def test_a_fake_module_of_the_program_is_never_used(sandbox: LocalSandbox) -> None:
    check = "assert math.isclose(same(1), 2.0) or False"
    lies = (
        "import math\nmath.isclose = lambda *a, **k: True",
        "import types\nmath = types.ModuleType('math')\nmath.isclose = lambda *a, **k: True",
        "import sys, types\nmath = sys.modules['math'] = types.ModuleType('math')\nmath.isclose = lambda *a, **k: True",
        "class math(type(__import__('sys'))):\n    pass\nmath = math('math')\nmath.isclose = lambda *a, **k: True",
    )
    for lie in lies:
        assert judged(sandbox, check, program=f"{lie}\ndef same(x): return 3.0\n").outcome is WRONG_ANSWER
    assert judged(sandbox, check, program="import math\ndef same(x): return 2.0\n").passed


def test_a_module_that_is_not_of_the_standard_library_is_not_taken_over(sandbox: LocalSandbox) -> None:
    program = "import types\nhelper = types.ModuleType('helper')\nhelper.ok = lambda x: True\ndef same(x): return x\n"
    assert not judged(sandbox, "assert helper.ok(same(1)) or False", program=program).passed


LIES = [
    "class Liar:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n"
    "    def __hash__(self): return 3\n"
    "    def __lt__(self, o): return True\n    __gt__ = __le__ = __ge__ = __lt__\n    __contains__ = __eq__\n"
    "def same(x): return Liar()\n",
    "class Liar(int):\n    def __eq__(self, o): return True\n    def __lt__(self, o): return True\n"
    "    __gt__ = __lt__\n    __hash__ = int.__hash__\ndef same(x): return Liar(7)\n",
    "def same(x):\n    raise AssertionError\n",
]  # fmt: skip


@pytest.mark.parametrize("program", LIES, ids=["object", "int", "assertion"])
@pytest.mark.parametrize(
    "check",
    ["x = same(1)\nassert x == 3", "x = same(1)\nassert not x != 3", "x = same(1)\nassert 3 in [x]",
     "x = same(1)\nassert x in {3: 1}", "x = same(1)\nassert x < 3 < x"],
)  # fmt: skip
def test_a_lying_result_is_believed_in_nothing(program: str, check: str, sandbox: LocalSandbox) -> None:
    assert not judged(sandbox, check, program=program).passed


HOSTILE = [
    "('packed', 3, [])", "('error', {}, [])", "('error', None, [])", "('error', {'bases': 3}, [])", "'text'", "()",
    "('error', {'type': 'T', 'bases': ['SystemExit', 5], 'message': 3, 'line': [], 'args': {'r': 9}}, [])",
    "('error', {'type': 3, 'bases': ['SystemExit', 'x'], 'message': 3, 'line': [], 'args': None}, [])",
    "('packed', {'r': 7}, [])", "('packed', {'t': [3]}, [[1]] * 9)",
    "('packed', {'t': ['value', {'o': [0, 'x']}]}, [])",
    "('packed', {'t': ['module', 'antigravity']}, [])", "('packed', {'t': ['value', True]}, 7)",
    "('packed', {'t': ['value', {'o': 5}]}, [])", "('huge', 'x' * 10 ** 6, [])",
]  # fmt: skip


@pytest.mark.parametrize("message", HOSTILE)
def test_whatever_a_program_writes_to_the_checks_it_does_not_pass(message: str, sandbox: LocalSandbox) -> None:
    """It answers every request by itself, with messages of its own making."""
    program = (
        "import os, marshal, struct\ndef say(m):\n    data = marshal.dumps(m, 2)\n"
        "    os.write(3, struct.pack('=I', len(data)) + data)\nsay(('load', None, False))\n"
        f"for _ in range(50):\n    os.read(3, 1 << 16)\n    say({message})\n"
    )
    verdict = judged(
        sandbox,
        "x = same(1)\nassert x == 4711",
        "try:\n    y = same(2)\nexcept ValueError:\n    assert 0",
        program=program,
    )
    assert verdict.checks[0].outcome is not PASSED
    assert len(verdict.checks) == 2
    assert judged(sandbox, "x = same(1)\nassert x == 1").passed


def test_a_check_cannot_swallow_the_end_of_the_programs_process(sandbox: LocalSandbox) -> None:
    check = "try:\n    same(1)\nexcept BaseException:\n    pass"
    verdict = judged(sandbox, check, check, program="import os\ndef same(x): os._exit(0)\n")
    assert [c.outcome for c in verdict.checks] == [KILLED, None]


def test_a_check_that_passes_what_is_no_plain_data_is_not_passed_and_says_so(sandbox: LocalSandbox) -> None:
    (check,) = judged(sandbox, "x = same(object())").checks
    assert check.outcome is not PASSED
    assert check.message == "a check passes a object, which is no plain data, to the program"


def test_each_check_starts_with_names_of_its_own_and_the_program_as_it_was_left(sandbox: LocalSandbox) -> None:
    verdict = judged(sandbox, "mine = step()\nassert mine == 1", "assert 'mine' not in globals()\nassert step() == 2")
    assert verdict.passed
