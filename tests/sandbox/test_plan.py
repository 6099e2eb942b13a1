"""Plans: which checks become calls and conditions, and that a plan says what executing the check would say."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.problem import Assert, Call, Problem
from regreen.sandbox import LocalSandbox
from regreen.sandbox.checks.plan import Condition, Plan, make_plan
from regreen.sandbox.lane import spec_of
from regreen.verdict import Outcome


def plan_of(*checks: str, entry_point: str | None = "f", prelude: str = "") -> Plan | None:
    return make_plan(list(checks), entry_point, prelude)


PLANNED = [
    "assert f(1, 2) == 3",
    "assert 3 == f(1, 2)",
    "assert f(1) != 2, 'a message'",
    "assert f(1)",
    "assert not f(1)",
    "assert f(1) is None",
    "assert f(1) is not True",
    "assert f(1) < 2.5",
    "assert 2 >= f(1)",
    "assert f(1) in (1, 2)",
    "assert 1 not in f([1])",
    "assert f(a=1, b=[2]) == 1",
    "assert f(1) == f(2)",
    "assert f(1) == g(2)",  # another function of the program
    "assert sorted(f([2, 1])) == [1, 2]",
    "assert set(f(1)) == {1}",
    "assert abs(f(1) - 0.5) < 1e-6",
    "assert round(f(1.0), 2) == 0.33",
    "assert (f(1), f(2)) == (1, 2)",
    "assert [f(1), len(f(2))] == [1, 2]",
    "assert f(1) + f(2) == 3",
    "assert f({'a': [(1, 2), {3}]}, 2 ** 10, 'a' * 3, -1.5, 1 + 2j) == b'x'",
    "assert f(set([1]), list((1,)), dict(), range(3), float('inf')) == -float('inf')",
    "assert f(1) == {1: float('nan')}",
    "assert f(1) == ...",
    "assert f(1) == 2 ** 10 - 1",
    "assert f(1) == [0] * 3",
    "assert value == 3",  # a name that the program binds
    "",
    "pass",
    "'a docstring'\nassert f(1) == 1",
    "assert True",
    "METADATA = {}\n\ndef check(candidate):\n    assert candidate(1) == 2\n    assert candidate(2) == 3\n\ncheck(f)",
    "def check(candidate):\n    'doc'\n    print('checking')\n    assert f(1) == candidate(1)\ncheck(f)",
    "def check(c):\n    assert c(1) == 2\n\ncheck(Solution().method)",
    "def check(c):\n    assert c(1) == 2\ncheck(f)\ncheck(f)",
]

EXECUTED = [
    "x = f(1)\nassert x == 1",
    "for i in range(3):\n    assert f(i) == i",
    "import math\nassert math.isclose(f(1), 2)",
    "assert f(f(1)) == 1",
    "assert f(x) == 1",
    "assert f(*[1]) == 1",
    "assert f(**{'a': 1}) == 1",
    "assert f(lambda: 1) == 1",
    "assert f([i for i in range(3)]) == 1",
    "assert f(1)[0] == 1",
    "assert f(1).x == 1",
    "assert f('a').upper() == 'A'",
    "assert f(1) == 1 and f(2) == 2",
    "assert 1 < f(1) < 3",
    "assert (1 if f(1) else 0) == 1",
    "assert f(1) * 3 == 3",
    "assert f(1) ** 2 == 3",
    "assert f(1) % 2 == 0",
    "assert 'ab' * f(1) == 'abab'",
    "assert all(x for x in f(1))",
    "assert any(f(1))",
    "assert sum(f(1)) == 3",
    "assert isinstance(f(1), int)",
    "try:\n    f(1)\nexcept ValueError:\n    pass",
    "with open('x') as t:\n    assert f(t) == 1",
    "assert f(1) == 1\nf(2)",
    "del f",
    "def check(c):\n    assert c(1) == 2",  # never called
    "def check(c):\n    x = c(1)\n    assert x == 2\ncheck(f)",
    "def check(c, d=1):\n    assert c(1) == 2\ncheck(f)",
    "def check(c):\n    assert c(1) == 2\ncheck(f)\ncheck(g)",
    "def check(c):\n    assert c(1) == 2\ncheck(lambda x: 2)",
    "def check(c):\n    assert g(1) == 2\ncheck(f)",  # only its parameter is the program's
    "assert sorted(f(1), key=len) == 1",
    "assert print == f(1)",
    "assert f(1) == 1 << 3",
    "assert f(1) == 2 ** -1",
    "not Python",
    "async def check(c): pass",
]


@pytest.mark.parametrize("check", PLANNED)
def test_a_check_of_calls_and_conditions_is_planned(check: str) -> None:
    plan = plan_of(check)
    assert plan is not None
    assert len(plan.checks) == 1


@pytest.mark.parametrize("check", EXECUTED)
def test_a_check_that_does_more_is_executed(check: str) -> None:
    assert plan_of(check) is None
    assert plan_of("assert f(1) == 1", check) is None, "one such check is enough: all checks see one process"


def test_a_plan_lists_the_calls_in_the_order_in_which_the_checks_make_them() -> None:
    plan = plan_of("assert f(1) == g(2)\nassert f(3)", "assert h(4) == 1")
    assert plan is not None
    assert [name for name, _ in plan.calls] == ["f", "g", "f", "h"]
    assert [[condition.calls for condition in check] for check in plan.checks] == [[[0, 1], [2]], [[3]]]


def test_a_method_under_check_is_called_by_its_full_name() -> None:
    plan = plan_of("def check(c):\n    assert c(1) == 2\ncheck(Solution().method)")
    assert plan is not None
    assert [name for name, _ in plan.calls] == ["Solution.method"]


def test_the_preludes_names_are_the_checks_own_unless_one_is_the_entry_point() -> None:
    prelude = "import math\ndef poly(x):\n    return x\ndef f(x): ...\n"
    assert plan_of("assert f(1) == 1", prelude=prelude) is not None
    assert plan_of("assert poly(f(1)) == 1", prelude=prelude) is None
    assert plan_of("assert poly(1) == 1", prelude=prelude) is None
    assert plan_of("assert math == 1", prelude=prelude) is None


def test_a_star_import_of_the_prelude_may_bind_any_name_but_the_entry_point() -> None:
    assert plan_of("assert f(1) == 1", prelude="from math import *\n") is not None
    assert plan_of("assert f(4) == sqrt(16)", prelude="from math import *\n") is None


def test_a_builtins_name_is_the_programs_only_as_the_entry_point() -> None:
    plan = plan_of("assert sum([1]) == len([1])", entry_point="sum")
    assert plan is not None
    assert [name for name, _ in plan.calls] == ["sum"]


def test_a_shadowed_safe_function_is_not_taken_for_pythons() -> None:
    assert plan_of("assert sorted(f(1)) == 1", prelude="def sorted(x): return 1\n") is None


def test_call_checks_are_planned_with_exact_arguments_only() -> None:
    def mode(*args: Any) -> bool:
        spec = spec_of(Problem("p", "", (Call(args, 1),), entry_point="f"))
        return make_plan(spec["checks"], "f", "") is not None

    assert mode(1, [2.0], {"a": (3,)}, {4}, b"5")
    assert not mode(bytearray(b"x"))


def test_a_literal_is_made_anew_at_each_evaluation() -> None:
    plan = plan_of("assert [f(1)] == [3, [0] * 2]")
    assert plan is not None
    condition = plan.checks[0][0]
    assert isinstance(condition, Condition)
    (_, first, _), (_, second, _) = condition.evaluate({0: 3}), condition.evaluate({0: 3})
    assert first == second
    assert first is not second


MONSTERS = [
    "10**10**10", "9**9**9**9", "-9**9**9", "2**100001", "'a' * 10**9", "10**9 * 'a'", "[0] * 10**9", "(1, 2) * 10**8",
    "b'x' * 10**9", "[[[0] * 1000] * 1000] * 1000", "[(0,) * 300] * 300 * 300", "((1,) * 1000,) * 1000",
    "[{1: [0] * 1000}] * 1000", "1.5**10**9", "list('a' * 10**9)", "set([0] * 10**9)", "0.1 ** -10**9", "1 << 10**10",
    "10**5000 * 10**5000 * 10**99999",
]  # fmt: skip


@pytest.mark.parametrize("expression", MONSTERS)
def test_arithmetic_that_would_explode_is_not_done_while_planning(expression: str) -> None:
    assert plan_of(f"assert f(1) == {expression}") is None
    plan_of(f"assert f({expression}) == 1")
    plan_of(f"assert f(1) == [{expression}]")


@pytest.mark.parametrize("monster", ["10**10**10", "'a' * 10**10", "[0] * 10**12", "1 << 10**12"])
def test_a_check_with_such_arithmetic_ends(hasty: LocalSandbox, monster: str) -> None:
    problem = Problem("p", "", (Assert(f"assert f({monster}) == 1"),), entry_point="f")
    assert not hasty.judge_now(problem, "def f(x):\n    return 2\n").passed


# ---- a plan against plain execution ----

PROGRAMS = [
    "def f(a=0, b=1):\n    return [a, b, a + b]\ndef g(x): return x\nvalue = 3\n",
    "def f(a=0, b=1):\n    return [a, b]\ndef g(x): return f(x)\nvalue = [0, 1]\n",
    "def f(a=0, b=1):\n    return (b for b in [a, b])\ndef g(x): return {x}\nvalue = None\n",
    "def f(a=0, b=1):\n    return {a: b}\ndef g(x): raise ValueError(x)\nvalue = 0\n",
    "def f(a=0, b=1):\n    return str(a) + str(b)\ndef g(x): return None\n",
    "def f(a=0, b=1):\n    return a / b\ndef g(x): return -x\nvalue = 1.0\n",
    "calls = 0\ndef f(a=0, b=1):\n    global calls, value\n    calls += 1\n    value = calls\n    return calls\n"
    "def g(x): return value\nvalue = 0\n",
    "class V:\n    def __len__(self): return 2\n    def __iter__(self): return iter([0, 1])\n"
    "    def __bool__(self): return False\n    def __str__(self): return '01'\n"
    "def f(a=0, b=1): return V()\ndef g(x): return V\nvalue = V()\n",
    "kept = map(int, '01')\ndef f(a=0, b=1): return kept\ndef g(x): return map(int, [0, 1])\nvalue = kept\n",
]
LITERALS = st.sampled_from(
    ("0", "1", "3", "-1", "0.5", "'01'", "[0, 1]", "[0, 1, 1]", "{0: 1}", "{1}", "None", "(0, 1)", "[]", "2 ** 3 - 5",
     "[0] * 2", "-float('inf')", "True", "set([0, 1])")
)  # fmt: skip
CALLS = st.sampled_from(("f()", "f(0, 1)", "f(1, b=0)", "f(b=2)", "f([1], [2])", "g(3)", "g(0)", "value", "missing(1)"))
SIDES = st.sampled_from(
    ("{}", "{}", "len({})", "sorted({})", "list({})", "set({})", "tuple({})", "str({})", "{} + [1]", "{} - 1",
     "[{}, 1]", "({},)", "abs(len({}) - 2)", "bool({})", "{} / 2", "{} // 2", "round({}, 1)")
)  # fmt: skip
SIGNS = st.sampled_from(("==", "!=", "<", "<=", ">", ">=", "in", "not in"))


@st.composite
def asserts(draw: st.DrawFn) -> str:
    """Draw one assert of a shape that is planned."""
    answer = draw(SIDES).format(draw(CALLS))
    match draw(st.integers(0, 6)):
        case 0:
            return f"assert {answer}"
        case 1:
            return f"assert not {answer}"
        case 2:
            return f"assert {answer} is {draw(st.sampled_from(('None', 'not None', 'True', 'not False')))}"
        case 3:
            return f"assert {draw(CALLS)} {draw(st.sampled_from(('==', '!=')))} {draw(CALLS)}"
        case 4:
            low, high = draw(st.sampled_from((("-1", "1"), ("0.5", "3"), ("'0'", "'01'"), ("[0]", "[0, 2]"))))
            return f"assert {low} <= {answer} <= {high}"
    other = draw(LITERALS | st.builds(str.format, SIDES, CALLS))
    sides = (answer, other) if draw(st.booleans()) else (other, answer)
    return f"assert {sides[0]} {draw(SIGNS)} {sides[1]}"


def holds(check: str, names: dict[str, Any]) -> bool:
    """The twin: execute the check beside the program."""
    try:
        with warnings.catch_warnings(action="ignore"):
            exec(check, names)
    except Exception:
        return False
    return True


@given(st.sampled_from(PROGRAMS), st.lists(asserts(), min_size=1, max_size=4), st.booleans())
@settings(max_examples=400)
def test_a_plan_says_what_executing_the_checks_says(
    sandbox: LocalSandbox, program: str, lines: list[str], wrapped: bool
) -> None:
    """One assert a check, loose or inside a function; state that the program keeps from check to check included.

    Up to the first check that fails, there: its assert may make fewer calls than the plan, which makes them all.
    """
    checks = [f"def check(f):\n    {line}\ncheck(f)" if wrapped and not _names_more(line) else line for line in lines]
    assert plan_of(*checks) is not None
    names: dict[str, Any] = {}
    exec(program, names)
    wanted = [holds(check, names) for check in checks]
    problem = Problem("p", "", tuple(map(Assert, checks)), entry_point="f")
    verdict = sandbox.judge_now(problem, program)
    count = wanted.index(False) + 1 if "global" in program and False in wanted else len(wanted)
    passed = [check.outcome is Outcome.PASSED for check in verdict.checks]
    assert passed[:count] == wanted[:count], verdict.checks
    assert verdict.mode == "separate"


def _names_more(line: str) -> bool:
    """Inside ``check(f)`` the function under test alone may be called."""
    return any(name in line for name in ("g(", "value", "missing"))


@given(st.sampled_from(PROGRAMS), st.lists(asserts(), min_size=2, max_size=5))
@settings(max_examples=100)
def test_of_many_asserts_in_one_check_the_first_that_fails_is_told(
    sandbox: LocalSandbox, program: str, lines: list[str]
) -> None:
    names: dict[str, Any] = {}
    exec(program, names)
    wanted = [holds(line, names) for line in lines]
    (check,) = sandbox.judge_now(Problem("p", "", (Assert("\n".join(lines)),), entry_point="f"), program).checks
    passed = wanted.index(False) if False in wanted else len(wanted)
    assert (check.asserts_passed, check.asserts_run) == (passed, min(passed + 1, len(wanted)))


# ---- what a result can do to a condition ----


@pytest.mark.parametrize(("condition", "result"), [
    ("list(f(1)) == [1]", "range(10**12)"),
    ("'a' in f(1)", "range(10**15)"),
    ("set(f(1)) == {1}", "range(10**12)"),
    ("int(f(1)) == 1", "Decimal('1E+9999999999')"),
    ("round(f(1)) == 1", "Decimal('1E+9999999999')"),
    ("f(1) % 2 == 0", "'%02000000000d'"),
    ("str(f(1)) == '1'", "10**100000"),
    ("int(f(1)) == 1", "'9' * 10**5"),
    ("f(1) == f(1)", "loop()"),
    ("f(1) == 3", "bomb()"),
    ("sorted(f(1)) == [1]", "bomb()"),
    ("list(f(1)) == [1]", "itertools.count()"),
])  # fmt: skip
def test_a_small_result_cannot_make_a_condition_large(hasty: LocalSandbox, condition: str, result: str) -> None:
    program = (
        "import itertools\nfrom decimal import Decimal\n"
        "def loop():\n    a = []\n    a.append(a)\n    return a\n"
        "def bomb():\n    a = [bytearray()]\n    for _ in range(60): a = [a, a]\n    return a\n"
        f"def f(x):\n    return {result}\n"
    )
    problem = Problem("p", "", (Assert(f"assert {condition}"),), entry_point="f")
    assert not hasty.judge_now(problem, program).passed
