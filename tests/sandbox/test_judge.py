"""The real judge: what a verdict says of every way to end."""

from __future__ import annotations

from typing import Any

import pytest

from regreen.errors import InputError
from regreen.problem import Call, Problem, Stdio
from regreen.sandbox import Limits, LocalSandbox
from regreen.sandbox.checks.answers import ended_by
from regreen.verdict import CheckResult, Outcome, Verdict
from tests.sandbox.problems import as_code, problem

PASSED, WRONG, EXCEPTION, TIMEOUT = Outcome.PASSED, Outcome.WRONG_ANSWER, Outcome.EXCEPTION, Outcome.TIMEOUT
SYNTAX, MEMORY, OUTPUT, KILLED = Outcome.SYNTAX_ERROR, Outcome.MEMORY_LIMIT, Outcome.OUTPUT_LIMIT, Outcome.KILLED


def outcomes(verdict: Verdict) -> list[Outcome | None]:
    return [check.outcome for check in verdict.checks]


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


def test_what_used_its_cpu_time_up_is_not_called_asleep_though_wall_time_stopped_it(hasty: LocalSandbox) -> None:
    used_up = "import time\ndef f(x):\n    while time.process_time() < 0.26: pass\n    time.sleep(60)\n"
    (check,) = hasty.judge_now(problem("assert f(1) == 1"), used_up).checks
    assert (check.outcome, check.message) == (TIMEOUT, "not done after 0.25 s of CPU time")


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
