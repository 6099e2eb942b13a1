"""The real judge: what a verdict says of every way to end, and what the engine does around it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regreen.errors import InfrastructureError, InputError, TierError
from regreen.problem import Assert, Call, Check, Problem, Stdio
from regreen.sandbox import Capabilities, Limits, LocalSandbox, Sandbox, probe
from regreen.sandbox.capabilities import Point
from regreen.sandbox.checks.answers import ended_by
from regreen.sandbox.local import _choose, _Gate
from regreen.verdict import CheckResult, Outcome, Verdict

PASSED, WRONG, EXCEPTION, TIMEOUT = Outcome.PASSED, Outcome.WRONG_ANSWER, Outcome.EXCEPTION, Outcome.TIMEOUT
SYNTAX, MEMORY, OUTPUT, KILLED = Outcome.SYNTAX_ERROR, Outcome.MEMORY_LIMIT, Outcome.OUTPUT_LIMIT, Outcome.KILLED


def problem(*checks: str | Check, entry_point: str | None = "f", **more: Any) -> Problem:
    """A problem about ``f``; a text is an assert check."""
    full = tuple(Assert(check) if isinstance(check, str) else check for check in checks)
    return Problem("p", "", full, entry_point=entry_point, **more)


def outcomes(verdict: Verdict) -> list[Outcome | None]:
    return [check.outcome for check in verdict.checks]


def as_code(check: str) -> str:
    """The same check in a form that must be executed."""
    return f"if True:\n    {check}"


# ---- one check: every outcome, and what is told with it, in both ways ----

BOTH = pytest.mark.parametrize("way", [str, as_code], ids=["planned", "executed"])


@BOTH
def test_a_passed_check_says_which_rule_decided_and_how_many_asserts_it_holds(way: Any, sandbox: LocalSandbox) -> None:
    verdict = sandbox.judge_now(problem(way("assert f(1) == 2")), "def f(x):\n    print('noise')\n    return x + 1\n")
    (check,) = verdict.checks
    assert verdict.passed
    assert (verdict.mode, verdict.tier, verdict.failure) == ("separate", sandbox.tier, None)
    assert (check.rule, check.asserts_run, check.asserts_passed, check.output, check.got) == ("equal", 1, 1, None, None)
    assert 0 < verdict.cpu < 1
    assert 0 < verdict.wall < 10


@BOTH
def test_a_wrong_answer_tells_got_expected_message_and_output(way: Any, sandbox: LocalSandbox) -> None:
    source = "def f(x):\n    print('noise')\n    return [x]\n"
    (check,) = sandbox.judge_now(problem(way("assert f('a') == {1: 2.5}, 'so it is'")), source).checks
    assert check.outcome is WRONG
    assert (check.got, check.expected, check.message, check.rule) == ("['a']", "{1: 2.5}", "so it is", "equal")
    assert (check.asserts_run, check.asserts_passed, check.output) == (1, 0, "noise\n")
    assert (check.line, check.error_type) == (None, None)


@BOTH
def test_the_side_with_the_call_is_what_was_got(way: Any, sandbox: LocalSandbox) -> None:
    (check,) = sandbox.judge_now(problem(way("assert 3 == f(1)")), "def f(x): return 4").checks
    assert (check.got, check.expected) == ("4", "3")


@BOTH
def test_an_exception_tells_type_message_and_the_programs_innermost_line(way: Any, sandbox: LocalSandbox) -> None:
    source = "import json\ndef f(x):\n    return g(x)\ndef g(x):\n    return json.loads(x)   # here\n"
    verdict = sandbox.judge_now(problem(way("assert f('{') == 3")), source)
    (check,) = verdict.checks
    assert (verdict.outcome, check.outcome, check.error_type) == (EXCEPTION, EXCEPTION, "JSONDecodeError")
    assert (check.line, check.line_text) == (5, "return json.loads(x)   # here")
    assert check.message
    assert check.message.startswith("Expecting property name")
    assert (check.asserts_run, check.asserts_passed) == (1, 0)
    assert repr(verdict) == "<Verdict exception at line 5, 0 of 1 checks green, separate>"


@BOTH
def test_the_assert_that_fails_among_many_is_counted(way: Any, sandbox: LocalSandbox) -> None:
    lines = "assert f(1) == 1; assert f(2) == 2; assert f(3) == 3, 'third'; assert f(4) == 4"
    (check,) = sandbox.judge_now(problem(way(lines)), "def f(x): return min(x, 2)").checks
    assert (check.outcome, check.got, check.expected, check.message) == (WRONG, "2", "3", "third")
    assert (check.asserts_run, check.asserts_passed) == (3, 2)


@BOTH
def test_bad_syntax_fails_every_check_and_tells_the_line(way: Any, sandbox: LocalSandbox) -> None:
    checks = (way("assert f(1) == 1"), way("assert f(2) == 2"))
    verdict = sandbox.judge_now(problem(*checks), "def f(x):\n    return (x\n")
    assert outcomes(verdict) == [SYNTAX, SYNTAX]
    assert {(c.error_type, c.line, c.line_text) for c in verdict.checks} == {("SyntaxError", 2, "return (x")}


@pytest.mark.parametrize("source", ["\0", "def f(x):\n\treturn 1\n        return 2", "x = '\ud800'; return", "(" * 300])
def test_a_source_that_does_not_compile_is_a_syntax_error_whatever_the_reason(
    source: str, sandbox: LocalSandbox
) -> None:
    assert sandbox.judge_now(problem("assert f(1) == 1"), source).outcome is SYNTAX


def test_an_empty_source_lacks_the_function(sandbox: LocalSandbox) -> None:
    (check,) = sandbox.judge_now(problem("assert f(1) == 1"), "").checks
    assert (check.outcome, check.error_type) == (EXCEPTION, "NameError")
    assert check.message == "name 'f' is not defined"


@BOTH
def test_an_exception_at_import_fails_every_check(way: Any, sandbox: LocalSandbox) -> None:
    checks = (way("assert f(1) == 1"), way("assert f(2) == 2"))
    verdict = sandbox.judge_now(problem(*checks), "def f(x): return x\nprint('on the way')\n1 / 0\n")
    assert outcomes(verdict) == [EXCEPTION, EXCEPTION]
    assert {(c.error_type, c.line, c.output) for c in verdict.checks} == {("ZeroDivisionError", 3, "on the way\n")}


def test_a_syntax_error_that_the_program_raises_itself_is_an_exception(sandbox: LocalSandbox) -> None:
    verdict = sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x\neval('1 +')\n")
    assert (verdict.outcome, verdict.checks[0].error_type, verdict.checks[0].line) == (EXCEPTION, "SyntaxError", 2)


@BOTH
def test_after_a_time_out_the_other_checks_are_not_run(way: Any, hasty: LocalSandbox) -> None:
    checks = [way(f"assert f({n}) == {n}") for n in range(4)]
    verdict = hasty.judge_now(problem(*checks), "def f(x):\n    while x == 2: pass\n    return x\n")
    assert outcomes(verdict) == [PASSED, PASSED, TIMEOUT, None]
    assert verdict.outcome is TIMEOUT
    assert verdict.checks[2].message == "not done after 0.25 s of CPU time"
    assert verdict.checks[3] == CheckResult(3, None)


@BOTH
def test_a_program_that_does_not_finish_loading_leaves_the_other_checks_unrun(way: Any, hasty: LocalSandbox) -> None:
    verdict = hasty.judge_now(problem(way("assert f(1) == 1"), way("assert f(2) == 2")), "while True: pass")
    assert outcomes(verdict) == [TIMEOUT, None]


@BOTH
def test_a_program_that_ends_its_process_leaves_the_other_checks_unrun(way: Any, sandbox: LocalSandbox) -> None:
    checks = [way(f"assert f({n}) == {n}") for n in range(3)]
    verdict = sandbox.judge_now(problem(*checks), "import os\ndef f(x): return x if x != 1 else os._exit(0)\n")
    assert outcomes(verdict) == [PASSED, KILLED, None]
    assert verdict.checks[1].message == "the program ended its own process, exit status 0"


def test_a_crash_tells_the_signal(sandbox: LocalSandbox) -> None:
    source = "import ctypes\ndef f(x): return ctypes.string_at(0)\n"
    (check,) = sandbox.judge_now(problem("assert f(1) == 1"), source).checks
    assert (check.outcome, check.message) == (KILLED, "ended by SIGSEGV")


def test_every_signal_can_be_told_though_not_each_has_a_name() -> None:
    assert ended_by(9)["message"] == "ended by SIGKILL"
    assert all(ended_by(number)["outcome"] == "killed" for number in range(1, 65))


def test_a_sleeper_is_stopped_by_wall_time(hasty: LocalSandbox) -> None:
    verdict = hasty.judge_now(problem("assert f(1) == 1"), "import time\ndef f(x): time.sleep(60)\n")
    assert verdict.outcome is TIMEOUT
    assert verdict.checks[0].message == "not done after 1.0 s, most of it asleep"
    assert verdict.cpu < 0.25


@BOTH
def test_too_much_memory_is_told_as_such_and_the_other_checks_are_run(way: Any, hasty: LocalSandbox) -> None:
    checks = (way("assert f(1) == 1"), way("assert f(2) == 2"))
    source = "def f(x):\n    if x == 1: bytearray(1 << 30)\n    return x\n"
    verdict = hasty.judge_now(problem(*checks), source)
    assert outcomes(verdict) == [MEMORY, PASSED]
    assert (verdict.checks[0].error_type, verdict.checks[0].line) == ("MemoryError", 2)


@BOTH
def test_too_much_output_fails_a_program_that_is_right_otherwise(way: Any, hasty: LocalSandbox) -> None:
    verdict = hasty.judge_now(problem(way("assert f(1) == 1")), "def f(x):\n    print('x' * 20_000)\n    return x\n")
    assert verdict.outcome is OUTPUT
    assert verdict.checks[0].message == "wrote more than 10000 bytes"
    assert hasty.judge_now(problem(way("assert f(1) == 1")), "def f(x):\n    print('x' * 9_000)\n    return x\n").passed


def test_the_output_that_is_shown_is_cut(sandbox: LocalSandbox) -> None:
    (check,) = sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): print('x' * 50_000)").checks
    assert check.outcome is WRONG
    assert check.output == "x" * 2000


def test_long_values_and_messages_are_cut(sandbox: LocalSandbox) -> None:
    checks = ("assert f(1) == 'y' * 9000", "assert f(2) == 1", "assert f(3) == 2")
    source = "def f(x):\n    if x == 3: raise ValueError('z' * 9000)\n    return 'x' * 9000 if x == 1 else 10 ** 9000\n"
    for check in sandbox.judge_now(problem(*checks), source).checks:
        assert all(len(text) < 2100 for text in (check.got, check.expected, check.message) if text)


def test_all_checks_are_run_after_a_wrong_answer_and_an_exception(sandbox: LocalSandbox) -> None:
    checks = [f"assert f({n}) == 6 // {n or 1}" for n in range(4)]
    verdict = sandbox.judge_now(problem(*checks), "def f(x): return 6 // x if x != 3 else 7\n")
    assert outcomes(verdict) == [EXCEPTION, PASSED, PASSED, WRONG]
    assert verdict.outcome is EXCEPTION


def test_a_lying_object_is_equal_to_nothing(sandbox: LocalSandbox) -> None:
    source = "class Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
    for way in (str, as_code):
        (check,) = sandbox.judge_now(problem(way("assert f(1) == 3")), source + "def f(x): return Yes()\n").checks
        assert (check.outcome, check.got) == (WRONG, "<Yes object>")


def test_a_result_too_deep_for_the_judge_is_told_as_such(sandbox: LocalSandbox) -> None:
    source = "def f(n):\n    a = []\n    for _ in range(n): a = [a]\n    return a\n"
    verdict = sandbox.judge_now(problem("assert len(f(90)) == 1", "assert f(500) == 1", "assert f(5000) == 1"), source)
    assert outcomes(verdict) == [PASSED, OUTPUT, OUTPUT]
    assert all("deep" in (check.message or "") for check in verdict.checks[1:])


def test_a_large_set_of_values_with_one_hash_is_compared_elsewhere(sandbox: LocalSandbox) -> None:
    source = "def f(n): return {n * ((1 << 61) - 1) for n in range(n)}\n"
    assert sandbox.judge_now(problem("assert len(f(4000)) == 4000"), source).passed


def test_two_results_that_are_one_object_are_one_to_the_check(sandbox: LocalSandbox) -> None:
    checks = ("assert f(1) == f(1)", "assert f(1) is f(1)", "assert [f(1)] == [f(1)]", "assert f(1) is not f(2)")
    source = "kept = [map(int, ()), object(), len]\ndef f(n): return kept[n]\n"
    assert sandbox.judge_now(problem(*checks), source).passed


def test_the_text_of_an_object_is_the_objects_own(sandbox: LocalSandbox) -> None:
    source = "class Half:\n    def __str__(self): return '1/2'\ndef f(x): return Half()\n"
    assert sandbox.judge_now(problem("assert str(f(1)) == '1/2'"), source).passed
    assert sandbox.judge_now(problem("assert str(f(1)) == '<Half object>'"), source).outcome is WRONG


def test_a_result_that_is_an_iterator_is_walked_over_where_the_check_says_so(sandbox: LocalSandbox) -> None:
    """A plan cannot: it sees that and has the check executed."""
    checks = ("assert list(f(3)) == [0, 1, 2]", "assert f(3) != [0, 1, 2]", "assert sorted(f(2)) == [0, 1]")
    for how in ("map(int, range(n))", "(i for i in range(n))", "__import__('collections').deque(range(n))"):
        assert sandbox.judge_now(problem(*checks), f"def f(n): return {how}\n").passed
    assert sandbox.judge_now(problem(*checks), "def f(n): return [i for i in range(n)]\n").outcome is WRONG


# ---- call checks ----


def test_a_call_check_compares_by_its_rule(sandbox: LocalSandbox) -> None:
    checks = (
        Call((1,), 0.5), Call((1,), 0.5 + 1e-9, compare="close"), Call((1,), [0.5], compare="apps"),
        Call((1,), 0.6, compare="close"), Call((), 0.5, {"x": 1}),
    )  # fmt: skip
    verdict = sandbox.judge_now(problem(*checks), "def f(x): return x / 2\n")
    assert outcomes(verdict) == [PASSED, PASSED, PASSED, WRONG, PASSED]
    assert [check.rule for check in verdict.checks] == ["equal", "close", "apps", "close", "equal"]
    assert (verdict.checks[3].got, verdict.checks[3].expected) == ("0.5", "0.6")


def test_a_call_checks_arguments_keep_what_they_share(sandbox: LocalSandbox) -> None:
    shared = [1]
    arguments = [shared, [2], shared]
    assert sandbox.judge_now(problem(Call((arguments,), True)), "def f(x): return x[0] is x[2] is not x[1]").passed
    kwargs = {"a": [shared, [2], [3], shared], "b": shared}
    source = "def f(a, b): return a[0] is a[3] is b and a == [[1], [2], [3], [1]]"
    assert sandbox.judge_now(problem(Call((), True, kwargs)), source).passed


def test_a_call_checks_arguments_may_be_any_plain_data(sandbox: LocalSandbox) -> None:
    arguments = (bytearray(b"a"), {1: (2.5, {3})}, None, 10**5000)
    source = "def f(*values): return [type(v).__name__ for v in values]\n"
    assert sandbox.judge_now(problem(Call(arguments, ["bytearray", "dict", "NoneType", "int"])), source).passed


# ---- entry points and preludes ----


def test_the_entry_point_may_be_a_method_of_a_class_named_solution(sandbox: LocalSandbox) -> None:
    source = "class Solution:\n    def f(self, x): return self.g(x)\n    def g(self, x): return x + 1\n"
    for check in ("assert f(1) == 2", as_code("assert f(1) == 2"), Call((1,), 2)):
        assert sandbox.judge_now(problem(check), source).passed
        assert sandbox.judge_now(problem(check), "def f(x): return 2\n" + source).passed


@pytest.mark.parametrize("check", ["def check(c):\n    assert c(1) == 2\ncheck(Solution().f)", Call((1,), 2),
                                   "assert Solution().f(1) == 2"])  # fmt: skip
def test_a_method_may_be_named_as_the_entry_point(check: Any, sandbox: LocalSandbox) -> None:
    asked = problem(check, entry_point="Solution.f")
    assert sandbox.judge_now(asked, "class Solution:\n    def f(self, x): return x + 1\n").passed
    assert sandbox.judge_now(asked, "class Solution:\n    def f(self, x): return x\n").outcome is WRONG
    assert sandbox.judge_now(asked, "def f(x): return 2\n").outcome is EXCEPTION


@BOTH
def test_an_entry_point_with_a_builtins_name_is_the_programs(way: Any, sandbox: LocalSandbox) -> None:
    asked = problem(way("assert sum([1, 2]) == 4"), entry_point="sum")
    assert sandbox.judge_now(asked, "def sum(x): return 4\n").passed
    assert sandbox.judge_now(asked, "x = 1\n").outcome is not PASSED


@BOTH
def test_any_other_builtin_is_the_checks_own(way: Any, sandbox: LocalSandbox) -> None:
    source = "def len(x): return 3\ndef sorted(x): return [3]\ndef f(x): return [x]\n"
    asked = problem(way("assert len(f(1)) == 1"), way("assert sorted(f(1)) == [1]"), way("assert len(f(1)) == 3"))
    assert outcomes(sandbox.judge_now(asked, source)) == [PASSED, PASSED, WRONG]


HELPED = "import math\ndef poly(xs, x):\n    return sum(c * x ** i for i, c in enumerate(xs))\ndef f(xs):\n    ...\n"


def test_the_prelude_runs_before_the_program_and_its_helpers_are_the_checks_own_too(sandbox: LocalSandbox) -> None:
    asked = problem("assert math.fabs(poly([2, 1], f([2, 1]))) < 1e-6", prelude=HELPED)
    assert sandbox.judge_now(asked, "def f(xs): return math.trunc(-2.0) if poly([1], 5) == 1 else 0\n").passed
    assert sandbox.judge_now(asked, "def f(xs): return 7\n").outcome is WRONG


@pytest.mark.parametrize("lie", [
    "def poly(xs, x): return 0", "import builtins\nbuiltins.poly = lambda *a: 0", "math.fabs = lambda x: 0",
    "class math:\n    fabs = staticmethod(lambda x: 0)", "globals().update(poly=lambda *a: 0)",
    "import sys\nsys.modules['math'].fabs = lambda x: 0", "abs = lambda x: 0",
])  # fmt: skip
def test_a_program_cannot_pass_by_redefining_what_the_checks_use(lie: str, sandbox: LocalSandbox) -> None:
    asked = problem("assert math.fabs(poly([2, 1], f([2, 1]))) < 1e-6", prelude=HELPED)
    assert sandbox.judge_now(asked, f"{lie}\ndef f(xs): return 7\n").outcome is WRONG


def test_a_star_import_of_the_prelude_is_the_checks_own_too(sandbox: LocalSandbox) -> None:
    asked = problem("assert f(4) == sqrt(16)", prelude="from math import *\n")
    assert sandbox.judge_now(asked, "def f(x): return sqrt(x * x)\n").passed
    assert sandbox.judge_now(asked, "def sqrt(x): return 7\ndef f(x): return 7\n").outcome is WRONG


def test_a_prelude_that_does_not_compile_is_bad_input(sandbox: LocalSandbox) -> None:
    with pytest.raises(InputError, match="problem p: its prelude does not compile"):
        sandbox.judge_now(problem("assert f(1) == 1", prelude="def"), "def f(x): return x")
    assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed


def test_a_check_that_is_no_python_is_never_passed(sandbox: LocalSandbox) -> None:
    (check,) = sandbox.judge_now(problem("assert f(1) =="), "def f(x): return x").checks
    assert (check.outcome, check.error_type) == (WRONG, "SyntaxError")


def test_stdio_checks_do_not_mix_with_others(sandbox: LocalSandbox) -> None:
    with pytest.raises(InputError, match="stdio"):
        sandbox.judge_now(problem("assert f(1)", Stdio("", "")), "")


# ---- standard input and output ----


def stdio(*cases: tuple[str, str], rule: str = "exact") -> Problem:
    return Problem("p", "", tuple(Stdio(given, expected, rule) for given, expected in cases))


ADD = "import sys\nprint(sum(map(int, sys.stdin.read().split())))\n"


def test_each_stdio_check_is_a_run_of_its_own(sandbox: LocalSandbox) -> None:
    verdict = sandbox.judge_now(stdio(("1 2", "3"), ("4 5", "10"), ("0", "0")), ADD)
    assert outcomes(verdict) == [PASSED, WRONG, PASSED]
    assert (verdict.checks[1].got, verdict.checks[1].expected, verdict.checks[1].rule) == ("9\n", "10", "exact")
    assert verdict.cpu >= max(check.cpu or 0 for check in verdict.checks) > 0


@pytest.mark.parametrize(("rule", "printed", "holds"), [
    ("exact", "1  2 ", True), ("exact", "1 2", False), ("tokens", "1\n2", True), ("tokens", "1 2.0", False),
    ("floats", "1 2.0000001", True), ("floats", "1 2.1", False), ("apps", "2 1", True), ("apps", "2 3", False),
])  # fmt: skip
def test_a_stdio_check_compares_by_its_rule(rule: str, printed: str, holds: bool, sandbox: LocalSandbox) -> None:
    verdict = sandbox.judge_now(stdio(("", "1  2"), rule=rule), f"print({printed!r})")
    assert (verdict.outcome is PASSED) is holds
    assert verdict.checks[0].rule == rule


@pytest.mark.parametrize("source", [
    "if __name__ == '__main__': print('ok')", "import sys\nsys.stdout.buffer.write(b'ok')",
    "import os\nos.write(1, b'ok')", "import os\nos.write(1, b'ok')\nos._exit(0)",
    "print('ok')\nimport sys\nsys.exit()", "print('ok')\nraise SystemExit(0)",
    "import atexit\natexit.register(print, 'ok')",
    "import threading\nthreading.Thread(target=print, args=('ok',)).start()",
    "import sys\nprint('noise', file=sys.stderr)\nprint('ok')", "print('ok', end='')\nimport sys\nsys.stdout.flush()",
    "import sys\nassert sys.stdin.buffer.read() == b'in'\nprint('ok')", "assert input() == 'in'\nprint('ok')",
    "import sys\nassert [*sys.stdin] == ['in']\nprint('ok')", "assert open(0).read() == 'in'\nprint('ok')",
])  # fmt: skip
def test_a_stdio_program_ends_as_python_would_end_it(source: str, sandbox: LocalSandbox) -> None:
    assert sandbox.judge_now(stdio(("in", "ok\n")), source).passed


def test_a_stdio_program_fails_by_an_exception_or_its_exit_status_though_it_printed_the_answer(
    sandbox: LocalSandbox,
) -> None:
    (check,) = sandbox.judge_now(stdio(("", "1")), "print(1)\nint('x')\n").checks
    assert (check.outcome, check.error_type, check.line, check.output) == (EXCEPTION, "ValueError", 2, "1\n")
    (check,) = sandbox.judge_now(stdio(("", "1")), "print(1)\nexit_status = 3\nraise SystemExit(exit_status)\n").checks
    assert (check.outcome, check.error_type, check.message) == (EXCEPTION, "SystemExit", "exit status 3")


def test_a_stdio_program_that_reads_too_far_gets_python_s_own_error(sandbox: LocalSandbox) -> None:
    (check,) = sandbox.judge_now(stdio(("1\n", "1")), "input()\nprint(input())\n").checks
    assert (check.outcome, check.error_type, check.line) == (EXCEPTION, "EOFError", 2)


def test_stdio_limits_end_one_case_or_all(hasty: LocalSandbox) -> None:
    source = "x = input()\nif x == 'loop':\n    while 1: pass\nprint('x' * 20_000 if x == 'flood' else x)\n"
    cases = [("flood", ""), ("a", "a"), ("loop", ""), ("b", "b")]
    assert outcomes(hasty.judge_now(stdio(*cases), source)) == [OUTPUT, PASSED, TIMEOUT, None]


def test_each_stdio_case_has_the_time_limit_for_itself(hasty: LocalSandbox) -> None:
    source = "import time\nwhile time.process_time() < 0.15: pass\nprint(input())\n"
    verdict = hasty.judge_now(stdio(*[(str(n), str(n)) for n in range(3)]), source)
    assert verdict.passed
    assert verdict.cpu > 0.25


def test_bad_syntax_fails_every_stdio_case(sandbox: LocalSandbox) -> None:
    verdict = sandbox.judge_now(stdio(("", "1"), ("", "2")), "print(1")
    assert outcomes(verdict) == [SYNTAX, SYNTAX]
    assert [check.index for check in verdict.checks] == [0, 1]


def test_text_of_any_kind_goes_in_and_out(sandbox: LocalSandbox) -> None:
    text = "ünïcödé ☃ 𝄞\ttab\n"
    assert sandbox.judge_now(stdio((text, text)), "import sys\nsys.stdout.write(sys.stdin.read())").passed
    (check,) = sandbox.judge_now(stdio(("", "x")), "import os\nos.write(1, bytes([255, 254]))").checks
    assert (check.outcome, check.got) == (WRONG, "\ufffd\ufffd")
    large = "7" * 3_000_000
    with LocalSandbox(Limits(output=4 << 20), jobs=1, tier=sandbox.tier) as roomy:
        assert roomy.judge_now(stdio((large, large)), "print(input())").passed


# ---- shared: the checks' code beside the program ----

SHARED = problem("assert f(1) == 1", "assert f(2) == 2", meta={"mode": "shared"})


def test_a_problem_may_ask_for_checks_in_the_programs_process_and_the_verdict_says_so(sandbox: LocalSandbox) -> None:
    asked = problem("assert isinstance(f(1), Node) and f(1) == Node(1)", meta={"mode": "shared"})
    source = (
        "class Node:\n    def __init__(self, v): self.v = v\n    def __eq__(self, o): return self.v == o.v\n"
        "def f(x): return Node(x)\n"
    )
    verdict = sandbox.judge_now(asked, source)
    assert (verdict.outcome, verdict.mode) == (PASSED, "shared")


def test_a_shared_verdict_tells_as_much(hasty: LocalSandbox) -> None:
    source = "def f(x):\n    if x == 1: return 7\n    while 1: pass\n"
    verdict = hasty.judge_now(SHARED, source)
    assert (outcomes(verdict), verdict.mode) == ([WRONG, TIMEOUT], "shared")
    assert (verdict.checks[0].got, verdict.checks[0].expected, verdict.checks[0].asserts_run) == ("7", "1", 1)
    (check, _) = hasty.judge_now(SHARED, "def f(x):\n    return x / 0\n").checks
    assert (check.outcome, check.error_type, check.line) == (EXCEPTION, "ZeroDivisionError", 2)


FORGERIES = [
    {"outcome": "passed", "surprise": 1}, {"outcome": "grand"}, {"outcome": ["passed"]}, {"outcome": None}, [], None,
    {"outcome": "wrong_answer", "got": 1, "rule": [], "asserts_run": "many", "error": {"line": "x", "type": 3}},
    {"outcome": "passed", "index": 5, "cpu": "long", "asserts_run": 1 << 80}, {1: 2},
]  # fmt: skip


@pytest.mark.parametrize("forged", FORGERIES, ids=repr)
def test_a_shared_program_can_cheat_but_not_break_the_judge(forged: Any, sandbox: LocalSandbox) -> None:
    source = (
        "import os, marshal, struct\n"
        "for message in (('load', None, False), *[FORGED] * 9):\n"
        "    data = marshal.dumps(message, 2)\n    os.write(3, struct.pack('=I', len(data)) + data)\nos._exit(0)\n"
    )
    verdict = sandbox.judge_now(SHARED, source.replace("FORGED", repr(forged)))
    assert len(verdict.checks) == 2
    assert [check.index for check in verdict.checks] == [0, 1]
    assert all(check.cpu is None for check in verdict.checks)
    assert sandbox.judge_now(SHARED, "def f(x): return x").passed


# ---- the same program, the same verdict ----

LUCK = """
import random
def f(x):
    words = {'red', 'green', 'blue', 'cyan', str(x)}
    return [*words, hash('a'), random.random(), random.sample(range(1000), 3), [*{1.5, None, b'x', (1, 'a')}]]
"""


def test_luck_and_the_order_of_sets_are_the_same_every_time(sandbox: LocalSandbox, tier: str) -> None:
    said = {sandbox.judge_now(problem("assert f(1) == 0"), LUCK).checks[0].got for _ in range(3)}
    for _ in range(2):
        with LocalSandbox(jobs=1, tier=tier) as fresh:
            said.add(fresh.judge_now(problem("assert f(1) == 0"), LUCK).checks[0].got)
    if sandbox.capabilities.tier != "C" and all(p.ok for p in sandbox.capabilities.points):
        assert len(said) == 1, "with fixed addresses even the hash of None is the same"
    assert len({text.partition(", [")[0] for text in said if text}) == 1


def test_one_program_leaves_nothing_to_the_next(sandbox: LocalSandbox) -> None:
    mark = (
        "import builtins, os, sys\nbuiltins.mark = 1\nopen('mark', 'w').close()\nsys.modules['mark'] = sys\n"
        "def f(x): return x\n"
    )
    probe = (
        "import builtins, os, sys\ndef f(x):\n"
        "    return x + hasattr(builtins, 'mark') + ('mark' in sys.modules) + len(os.listdir('.'))\n"
    )
    for source in (mark, probe, mark, probe):
        assert sandbox.judge_now(problem("assert f(1) == 1"), source).passed


def test_many_problems_are_kept_apart(sandbox: LocalSandbox) -> None:
    problems = [problem(f"assert f(1) == {n}") for n in range(40)]
    for _ in range(2):
        assert all(sandbox.judge_now(p, f"def f(x): return {n}").passed for n, p in enumerate(problems))
        assert sandbox.judge_now(problems[3], "def f(x): return 4").outcome is WRONG


# ---- time: a little late, and alone ----


def test_a_program_a_little_late_is_judged_once_more_and_the_second_verdict_counts(tier: str) -> None:
    """It is busy up to a moment that lies after its limit; the second time that moment is over."""
    with LocalSandbox(Limits(timeout=0.5), jobs=1, tier=tier) as sandbox:
        assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed
        moment = time.time() + 0.53
        source = f"import time\ndef f(x):\n    while time.time() < {moment}: pass\n    return x\n"
        verdict = sandbox.judge_now(problem("assert f(1) == 1"), source)
        assert verdict.passed
        assert verdict.cpu <= 0.5


def test_a_program_that_is_late_both_times_is_too_slow(tier: str) -> None:
    with LocalSandbox(Limits(timeout=0.4), jobs=1, tier=tier) as sandbox:
        source = "import time\ndef f(x):\n    while time.process_time() < 0.42: pass\n    return x\n"
        verdict = sandbox.judge_now(problem("assert f(1) == 1"), source)
        assert verdict.outcome is TIMEOUT
        assert verdict.cpu < 0.42, "the second run was stopped at the limit"


def test_a_program_that_queues_for_a_processor_is_not_taken_for_a_sleeper(tier: str) -> None:
    """Its 0.2 s take more than the 1 s that a sleeper has."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(5)]
    try:
        with LocalSandbox(Limits(timeout=0.25), jobs=1, tier=tier) as sandbox:
            source = "import time\ndef f(x):\n    while time.process_time() < 0.2: pass\n    return x\n"
            assert sandbox.judge_now(problem("assert f(1) == 1"), source).passed
    finally:
        for process in busy:
            process.kill()
            process.wait()
        os.sched_setaffinity(0, cpus)


def test_one_who_waits_to_be_alone_is_let_in_though_others_come_and_go() -> None:
    gate = _Gate()
    done, inside = threading.Event(), []

    def come_and_go() -> None:
        while not done.is_set():
            with gate.shared():
                inside.append(1)
                time.sleep(0.001)
                inside.pop()

    others = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in others:
        thread.start()
    for _ in range(20):
        with gate.alone():
            assert not inside
    done.set()
    for thread in others:
        thread.join()


# ---- many programs ----


def test_a_batch_yields_every_position_once_with_the_right_verdict(tier: str) -> None:
    sources = [f"def f(x): return {n % 3}" for n in range(60)]
    with LocalSandbox(jobs=2, tier=tier) as sandbox:
        asked = problem("assert f(1) == 1")
        verdicts = dict(sandbox.judge_all((asked, source) for source in sources))
        assert sorted(verdicts) == list(range(60))
        assert all(verdicts[n].passed is (n % 3 == 1) for n in verdicts)
        assert list(sandbox.judge_all([])) == []


def test_a_batch_is_read_as_it_is_needed_and_a_reader_may_stop_early(sandbox: LocalSandbox) -> None:
    read = itertools.count()

    def endless() -> Iterator[tuple[Problem, str]]:
        for _ in read:
            yield problem("assert f(1) == 1"), "def f(x): return x"

    threads = threading.active_count()
    results = sandbox.judge_all(endless())
    for _ in range(3):
        assert next(results)[1].passed
    time.sleep(0.1)
    results.close()
    assert next(read) <= 3 + 4 + 2, "as many ahead as fit in the window"
    assert threading.active_count() == threads
    assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed


def test_a_batch_left_just_as_a_lane_answers_spoils_no_lane_for_the_next(tier: str) -> None:
    right = [(problem("assert f(1) == 1"), f"def f(x): return x  # {n}") for n in range(9)]
    with LocalSandbox(jobs=2, tier=tier) as sandbox:
        for n in range(60):
            results = sandbox.judge_all(right)
            next(results)
            time.sleep(n % 6 * 0.0003)  # lanes answer about now
            results.close()
            assert all(sandbox.judge_now(*pair).passed for pair in right[:2])


def test_an_exception_of_the_batchs_own_generator_comes_out(sandbox: LocalSandbox) -> None:
    def broken() -> Iterator[tuple[Problem, str]]:
        yield problem("assert f(1) == 1"), "def f(x): return x"
        raise LookupError("no more problems")

    threads = threading.active_count()
    with pytest.raises(LookupError, match="no more problems"):
        list(sandbox.judge_all(broken()))
    assert threading.active_count() == threads


def test_an_event_loop_judges_many_at_once(sandbox: LocalSandbox) -> None:
    async def judge(one: Sandbox) -> list[Verdict]:
        asked = problem("assert f(1) == 1")
        return await asyncio.gather(*(one.judge(asked, f"def f(x): return {n}") for n in range(5)))

    assert [verdict.passed for verdict in asyncio.run(judge(sandbox))] == [False, True, False, False, False]


# ---- when processes die ----


def lanes() -> set[int]:
    """The lanes' first processes among this process's children."""
    mine = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"lane_main.py" in folder.joinpath("cmdline").read_bytes():
                mine.add(int(folder.name))
        except OSError:
            continue
    return mine


def test_a_lane_keeps_to_one_processor_until_it_is_crowded_there(sandbox: LocalSandbox) -> None:
    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("one processor")
    with LocalSandbox(jobs=1, tier=sandbox.tier) as other:
        others = lanes()
        asked = problem("assert len(f(1)) == 1")
        source = "import os\ndef f(x): return os.sched_getaffinity(0)"
        assert other.judge_now(asked, source).passed
        (lane,) = lanes() - others
        (place,) = os.sched_getaffinity(lane)
        # A sleeping program looks just like one that has to wait.
        sleepy = "import time\ndef f(x):\n    time.sleep(0.2)\n    return 'x'"
        assert other.judge_now(asked, sleepy).passed
        assert os.sched_getaffinity(lane) == os.sched_getaffinity(0) > {place}
        assert not other.judge_now(asked, source).passed


def test_a_lane_that_was_killed_is_replaced_and_its_program_judged(tier: str) -> None:
    others = lanes()
    with LocalSandbox(jobs=1, tier=tier) as sandbox:
        asked = problem("assert f(1) == 1")
        assert sandbox.judge_now(asked, "def f(x): return x").passed
        for _ in range(2):
            (lane,) = lanes() - others
            os.kill(lane, signal.SIGKILL)
            assert sandbox.judge_now(asked, "def f(x): return x").passed
            assert sandbox.judge_now(asked, "def f(x): return 2").outcome is WRONG


def test_all_lanes_killed_at_once_are_all_replaced(tier: str) -> None:
    others = lanes()
    with LocalSandbox(jobs=2, tier=tier) as sandbox:
        pairs = [(problem("assert f(1) == 1"), "import time\ndef f(x):\n    time.sleep(0.1)\n    return x")] * 4
        assert all(verdict.passed for _, verdict in sandbox.judge_all(pairs))
        killed = lanes() - others
        assert len(killed) == 2
        for lane in killed:
            os.kill(lane, signal.SIGKILL)
        assert all(verdict.passed for _, verdict in sandbox.judge_all(pairs))


def test_two_breakdowns_on_one_program_are_an_infrastructure_fault_and_no_verdict(tier: str) -> None:
    others = lanes()
    over = threading.Event()

    def kill_lanes() -> None:
        while not over.wait(0.01):
            for lane in lanes() - others:
                os.kill(lane, signal.SIGKILL)

    with LocalSandbox(jobs=1, tier=tier) as sandbox:
        killer = threading.Thread(target=kill_lanes)
        killer.start()
        try:
            with pytest.raises(InfrastructureError):
                sandbox.judge_now(problem("assert f(1) == 1"), "import time\ntime.sleep(5)")
        finally:
            over.set()
            killer.join()
        assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed


def family(root: int) -> set[int]:
    """All descendants of a process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in found | {root}} - found:
        found |= more
    return found


def descriptors() -> list[str]:
    return sorted(os.readlink(path).split(":")[0] for path in Path("/proc/self/fd").iterdir() if path.exists())


def scratch_folders() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("regreen-*")}


LEAVERS = [
    "def f(x): return x",
    "while 1: pass",
    "from threading import Event, Thread\nThread(target=Event().wait, args=(60,)).start()",
    "open('left', 'w').write('x')",
]


def test_closing_leaves_no_process_descriptor_thread_or_file(tier: str) -> None:
    before = family(os.getpid()), descriptors(), scratch_folders(), threading.active_count()
    checks = ("assert f(1) == 1", as_code("assert f(1) == 1"))
    with LocalSandbox(Limits(timeout=0.2), jobs=2, tier=tier) as sandbox:
        pairs = [(problem(check), source) for check in checks for source in LEAVERS]
        assert len(list(sandbox.judge_all(pairs))) == len(pairs)
        asyncio.run(sandbox.judge(*pairs[0]))
        assert family(os.getpid()) > before[0]
    assert (family(os.getpid()), descriptors(), scratch_folders(), threading.active_count()) == before


def test_a_closed_sandbox_judges_nothing(tier: str) -> None:
    sandbox = LocalSandbox(jobs=1, tier=tier)
    sandbox.close()
    with pytest.raises(InfrastructureError, match="closed"):
        sandbox.judge_now(problem("assert f(1) == 1"), "")


# ---- tiers ----

NONE = Point("landlock", False, "the kernel has no Landlock", "B")


@pytest.mark.parametrize(("found", "asked", "chosen"), [
    ("A", "A", "A"), ("A", "B", "A"), ("A", "C", "C"), ("B", "B", "B"), ("B", "C", "C"), ("C", "C", "C"),
])  # fmt: skip
def test_the_strongest_tier_is_taken_that_is_not_below_the_one_asked_for(found: str, asked: str, chosen: str) -> None:
    assert _choose(Capabilities(found, ()), asked) == chosen


@pytest.mark.parametrize(("found", "asked"), [("B", "A"), ("C", "A"), ("C", "B")])
def test_below_the_tier_asked_for_there_is_no_sandbox_and_the_message_says_why(found: str, asked: str) -> None:
    with pytest.raises(TierError) as caught:
        _choose(Capabilities(found, (NONE, Point("seccomp", True, "works", "AB"))), asked)
    said = str(caught.value)
    for part in (f"tier {found}", f"tier {asked}", "landlock: the kernel has no Landlock", "regreen doctor"):
        assert part in said
    assert "\n" not in said
    assert "seccomp" not in said


def test_every_point_of_confinement_was_tried_and_says_what_was_found() -> None:
    found = probe()
    assert {point.name for point in found.points} >= {"namespaces", "seccomp", "landlock"}
    assert all(point.detail for point in found.points)
    assert found.to_json()["tier"] == found.tier
    assert set(found.to_json()["points"]) == {point.name for point in found.points}


ELSEWHERE = """
import ctypes, os
ctypes.CDLL(None).personality(8)  # from now on this machine says that it is another
from regreen.problem import Assert, Problem
from regreen.sandbox import LocalSandbox, probe
assert os.uname().machine != "x86_64" and probe().tier == "C"
with LocalSandbox(jobs=1, tier="C") as sandbox:
    problem = Problem("p", "", (Assert("assert f(1) == 1"),))
    print(*[sandbox.judge_now(problem, f"def f(x): return {n}").outcome for n in (1, 2)])
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs a machine that can pretend")
def test_on_a_processor_that_the_filter_does_not_know_programs_are_judged_at_tier_c() -> None:
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=False)
    assert done.stdout == "passed wrong_answer\n", done.stderr


# ---- numpy ----


NUMPY = [
    ("assert f([1, 2]) == 3", "import numpy as np\ndef f(xs): return np.cumsum(xs)[-1]\n"),
    ("assert f([1, -1]) == 0", "import numpy as np\ndef f(xs): return np.sum(xs)\n"),
    ("assert not f([0, 1])", "from numpy import all\ndef f(xs): return all(xs)\n"),
    ("assert f([1, 2]).tolist() == [2, 4]", "import numpy\ndef f(xs): return numpy.array(xs) * 2\n"),
    ("import numpy as np\nassert np.allclose(f([1]), [1.0])", "def f(xs): return xs\n"),
]


@pytest.mark.parametrize(("check", "source"), NUMPY)
def test_programs_and_checks_may_use_numpy_where_it_is_installed(
    check: str, source: str, sandbox: LocalSandbox
) -> None:
    pytest.importorskip("numpy")
    assert sandbox.judge_now(problem(check), source).passed
    wrong = "import numpy as np\ndef f(xs): return np.array([7, 7])\n"
    assert not sandbox.judge_now(problem(check), wrong).passed


def test_a_program_that_does_not_import_numpy_does_not_find_it_loaded(sandbox: LocalSandbox) -> None:
    pytest.importorskip("numpy")
    source = "import sys\ndef f(x): return 'numpy' in sys.modules\n"
    assert sandbox.judge_now(problem("assert f(1) == False"), source).passed
