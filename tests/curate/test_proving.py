"""Solutions judged several times, in several orders: what is green once may be red in another order."""

from regreen import Call, Problem
from regreen.curate.proving import FAILS, TOO_SLOW, VARIES, WRONG, prove, reordered
from regreen.sandbox import Limits, LocalSandbox

SOLUTIONS = {
    "pure": ("def f(n):\n    return n\n", None),
    "wrong": ("def f(n):\n    return 2 * n\n", WRONG),
    "broken": ("def f(n):\n    return m\n", FAILS),
    "no python": ("def f(n", FAILS),
    "endless": ("def f(n):\n    while True:\n        pass\n", TOO_SLOW),
    "counting": ("c = 0\ndef f(n):\n    global c\n    c += 1\n    return c\n", VARIES),
    "first call": ("seen = []\ndef f(n):\n    seen.append(n)\n    return n if seen[0] == 1 else 0\n", VARIES),
}


def problem(name, source):
    return Problem(name, "", tuple(Call((n,), n) for n in (1, 2, 3)), entry_point="f", solution=source)


def test_each_solution_that_is_not_always_green_has_its_reason():
    problems = [problem(name, source) for name, (source, _) in SOLUTIONS.items()]
    with LocalSandbox(Limits(timeout=0.2)) as sandbox:
        found = prove(problems, sandbox)
    assert found == {name: why for name, (_, why) in SOLUTIONS.items() if why is not None}


def test_orders_are_as_recorded_reversed_then_drawn_from_the_seed():
    it = Problem("a", "", tuple(Call((n,), n) for n in range(20)), entry_point="f", shown=(0,), revealed=(0,))
    orders = [[check.args[0] for check in reordered(it, repeat, 7).checks] for repeat in range(4)]
    assert orders[0] == list(range(20))
    assert orders[1] == list(range(19, -1, -1))
    assert len({tuple(order) for order in orders}) == 4
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert reordered(it, 2, 7) == reordered(it, 2, 7) != reordered(it, 2, 8)
