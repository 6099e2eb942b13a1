"""Problems from traced tests: what becomes of every kind of function, and that what is kept stands alone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from regreen import InputError, benchmarks
from regreen.curate.tally import Unfit
from regreen.curate.tracing import Tracing, trace
from regreen.curate.tracing.calls import read_calls
from regreen.evaluate import check

HELPERS = '''
"""Helpers of the package."""
from math import floor as _down

SCALE = {"k": 1000}
SCALE["M"] = SCALE["k"] ** 2


def rounded(value: float) -> int:
    return _down(value + 0.5)
'''

FUNCTIONS = '''
from __future__ import annotations

import datetime
import functools
import os.path
import random
import time
from typing import TYPE_CHECKING

from .helpers import SCALE, rounded as _rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

TOTAL = [0]
COUNT = 0
TABLE = None
MISSING = object()


def plain(a, b=2, *more, c=3, **named):
    """Add up."""
    return a + b + sum(more) + c + sum(named.values())


def from_helpers(text: str) -> int:
    """Return a number, from 1.5k."""
    return _rounded(float(text[:-1]) * SCALE[text[-1]])


def annotated(items: Sequence[int]) -> int:
    """Return the last."""
    return items[-1]


def sentinel(mapping, key, default=MISSING):
    """Look up."""
    return mapping.get(key, 0 if default is MISSING else default)


@functools.lru_cache
def cached(n):
    """Return a Fibonacci number.

    >>> cached(10)
    55
    """
    return n if n < 2 else cached(n - 1) + cached(n - 2)


def may_be_none(n):
    """Return n where it is even."""
    return n if n % 2 == 0 else None


def may_raise(n):
    """Divide 12 by n."""
    return 12 / n


def catches(n):
    """Divide, or return None."""
    try:
        return may_raise(n)
    except ZeroDivisionError:
        return None


def only_raises(n):
    """Raise."""
    raise ValueError(n)


def nested_data(tree):
    """Return the tree turned round."""
    return {tuple(v): [k, {"a": v}] for k, v in tree.items()}


def not_a_number(n):
    """Return n, or nan below zero."""
    return n if n >= 0 else float("nan")


def sets(items):
    """Return what is there once, and more often."""
    return set(items), frozenset(i for i in items if items.count(i) > 1)


def big(n):
    """Return 3 ** n."""
    return 3**n


def huge(n):
    """Return 10 ** n."""
    return 10**n


def draws(n):
    """Draw."""
    return random.Random(n).random()


def clock(n):
    """Return n, after 1970."""
    return n * (time.time() > 0)


def today(n):
    """Return the year in n years."""
    return datetime.date.today().year + n


def exists(path):
    """Tell whether a file is there."""
    return os.path.exists(path)


def joined(a, b):
    """Join two paths."""
    return os.path.join(a, b)


def generator(n):
    """Count."""
    yield from range(n)


async def coroutine(n):
    """Return n."""
    return n


def closure(n):
    """Return what adds n."""
    def add(m):
        """Add n."""
        return m + n
    return add


class Thing:
    def method(self, n):
        """Return n."""
        return n


def of_objects(thing):
    """Return 1."""
    return 1


def mutates(items):
    """Sort in place, and return the least."""
    items.sort()
    return items[0]


def global_state(n):
    """Add to a total."""
    TOTAL[0] += n
    return TOTAL[0]


def counts(n):
    """Count calls."""
    global COUNT
    COUNT += 1
    return COUNT + n


def lazy(n):
    """Return n squared, from a table made when it is needed."""
    global TABLE
    if TABLE is None:
        TABLE = [at * at for at in range(10)]
    return TABLE[n]


def inconsistent(n):
    """Add the number of calls."""
    TOTAL.append(n)
    return len(TOTAL)


def prints(n):
    """Print n."""
    print(n)
    return n


def nothing(n):
    """Return nothing."""


def takes_nothing():
    """Return 4."""
    return 4


def constant(n):
    """Return True."""
    return True


def undocumented(n):
    return n


class Names(dict):
    pass


def subclass(n):
    """Return names."""
    return Names(n=n)


plus_one = lambda n: n + 1
'''

CALLS = """
import asyncio, sys, threading
from project.functions import *
from project.functions import Thing
import project

assert not any("regreen" in place for place in sys.path), sys.path

for n in (1, 2, 3):
    plain(n); draws(n); clock(n); today(n); list(generator(n)); asyncio.run(coroutine(n)); closure(n)(1)
    Thing().method(n); of_objects(Thing()); mutates([n, 2]); global_state(n); counts(n); lazy(n); inconsistent(5)
    prints(n); nothing(n); takes_nothing(); constant(n); undocumented(n); subclass(n); plus_one(n)
    exists("/" * n if n < 3 else "/no/such/file"); joined("a", str(n)); huge(n * 5000); big(n * 1000)
    not_a_number(n - 2); sets([n, 1, 1])
    nested_data({n: [1, n]}); may_be_none(n); annotated([n]); sentinel({"a": n}, "a"); sentinel({}, "a", n)
    for call in (may_raise, catches, only_raises):
        try:
            call(n - 1)
        except Exception:
            pass
plain(1, 2, 3, c=4, d=5)
from_helpers("1.5k"), from_helpers("2M")
other = threading.Thread(target=cached, args=(10,))
other.start(); other.join()
"""

NOT_KEPT = {
    "only_raises": "raised an exception",
    "huge": "its data are too large",
    "draws": "draws at random",
    "clock": "looks at the clock",
    "today": "looks at the clock",
    "exists": "reads or writes outside",
    "prints": "reads or writes outside",
    "generator": "a generator",
    "coroutine": "async",
    "closure.<locals>.add": "nested in a function",
    "closure": "its result is not plain data",
    "Thing.method": "a method",
    "of_objects": "an argument is not plain data",
    "mutates": "changes its arguments",
    "global_state": "its verdict changes when judged again",
    "counts": "its verdict changes when judged again",
    "inconsistent": "other results for the same arguments",
    "nothing": "returns nothing",
    "takes_nothing": "takes nothing",
    "constant": "a constant would pass its checks",
    "undocumented": "has no docstring",
    "subclass": "its result is not plain data",
    "<lambda>": "a lambda",
}
KEPT = {
    "plain", "from_helpers", "annotated", "sentinel", "cached", "may_be_none", "may_raise", "catches", "nested_data",
    "not_a_number", "sets", "lazy", "big", "joined",
}  # fmt: skip


def other_python(version):
    """An interpreter of this version, from the path or from pyenv, or skip."""
    places = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}*/bin/python{version}")]
    for place in filter(None, places):
        if subprocess.run([place, "-c", ""], capture_output=True).returncode == 0:
            return str(place)
    pytest.skip(f"no Python {version}")


def make_project(folder):
    (folder / "project").mkdir()
    for name, text in (("__init__", ""), ("helpers", HELPERS), ("functions", FUNCTIONS)):
        (folder / "project" / f"{name}.py").write_text(text)
    (folder / "test_all.py").write_text(CALLS)
    return folder


@pytest.fixture(scope="module", params=["this", "3.13"])
def traced(request, tmp_path_factory):
    """What tracing the project says, and the problems by name: by a profile function, and by sys.monitoring."""
    python = sys.executable if request.param == "this" else other_python(request.param)
    folder = make_project(tmp_path_factory.mktemp("traced"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = trace([python, "test_all.py"], folder / "problems.jsonl")
    problems = benchmarks.load(folder / "problems.jsonl").problems()
    return found, {problem.entry_point: problem for problem in problems}


def test_every_kind_of_function_is_kept_or_dropped_for_its_reason(traced):
    found, problems = traced
    dropped = {name: why for why, names in found["dropped"].items() for name in names}
    assert dropped == {f"project.functions.{name}": why for name, why in NOT_KEPT.items()} | {
        "project.helpers.rounded": "has no docstring"
    }
    assert set(problems) == KEPT
    assert found["seen"] == len(NOT_KEPT) + len(KEPT) + 1
    assert found["exit"] == 0


def test_checks_are_the_calls_as_they_were_made_and_defaults_stay_defaults(traced):
    _, problems = traced
    calls = {(check.args, tuple(check.kwargs.items())): check.expected for check in problems["plain"].checks}
    assert calls == {((1,), ()): 6, ((2,), ()): 7, ((3,), ()): 8, ((1, 2, 3), (("c", 4), ("d", 5))): 15}
    assert {repr(check.args) for check in problems["sentinel"].checks[:2]} == {"({'a': 1}, 'a')", "({}, 'a', 1)"}


def test_a_raised_exception_is_not_a_returned_none(traced):
    _, problems = traced
    assert {check.args: check.expected for check in problems["may_raise"].checks} == {(1,): 12.0, (2,): 6.0}
    assert {check.args: check.expected for check in problems["catches"].checks} == {(0,): None, (1,): 12.0, (2,): 6.0}
    assert {check.args: check.expected for check in problems["may_be_none"].checks} == {(1,): None, (2,): 2, (3,): None}


def test_recursion_and_threads_are_followed_and_examples_of_the_docstring_are_shown(traced):
    problem = traced[1]["cached"]
    assert {check.args[0]: check.expected for check in problem.checks}.items() >= {10: 55, 9: 34, 1: 1, 0: 0}.items()
    assert [problem.checks[at].args for at in problem.shown] == [(10,)]


def test_a_problem_is_a_signature_with_its_docstring_and_brings_what_it_needs_from_other_modules(traced):
    problem = traced[1]["from_helpers"]
    assert problem.statement == problem.prompt
    assert problem.statement == 'def from_helpers(text: str) -> int:\n    """Return a number, from 1.5k."""\n'
    assert problem.solution.startswith(problem.statement)
    for needed in ("from math import floor as _down", 'SCALE["M"]', "def rounded", "_rounded = rounded"):
        assert needed in problem.prelude
    assert "import random" not in problem.prelude
    assert "from collections.abc import Sequence" in traced[1]["annotated"].prelude


def test_all_that_is_kept_is_green(traced, tmp_path):
    found, problems = traced
    checked = check(str(found["out"]), out=tmp_path / "run")
    assert (checked["passed"], checked["failed"]) == (len(problems), [])


@pytest.mark.parametrize(
    ("command", "tracing", "said"),
    [
        (["no-such-program"], Tracing(), "cannot be started"),
        ([sys.executable, "-I", "-c", "1"], Tracing(), "no Python that could be traced"),
        ([sys.executable, "-c", "1/0"], Tracing(), "exit code 1; give --package"),
        ([sys.executable, "-c", "1"], Tracing(("json",)), "no function of json was called"),
    ],
)
def test_a_command_that_shows_nothing_is_refused_with_what_to_type(tmp_path, monkeypatch, command, tracing, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        trace(command, Path("problems.jsonl"), tracing=tracing)
    assert list(tmp_path.iterdir()) == []


LIBRARY = '''
def twice(n):
    """Return twice n."""
    return 2 * n
'''
PROCESSES = """
import os, subprocess, sys
import library
assert os.environ["MINE"] == "loaded", "the project's own sitecustomize is imported too"
for n in (1, 2):
    child = os.fork()
    if not child:
        library.twice(n)
        os._exit(0)
    os.waitpid(child, 0)
os.closerange(3, 100)
library.twice(3)
subprocess.run([sys.executable, "-c", "import library; library.twice(4)"], check=True)
sys.setprofile(None)
os.execv(sys.executable, [sys.executable, "-c", "import library; library.twice(5)"])
"""


def test_processes_that_are_forked_started_or_replaced_are_followed_to_whatever_end(tmp_path, monkeypatch):
    mine = "import os; os.environ['MINE'] = 'loaded'"
    for name, text in (("library", LIBRARY), ("run", PROCESSES), ("site/sitecustomize", mine)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{tmp_path}")
    found = trace([sys.executable, "run.py"], tmp_path / "problems.jsonl")
    assert found["exit"] == 0
    (problem,) = benchmarks.load(tmp_path / "problems.jsonl").problems()
    assert sorted(check.args[0] for check in problem.checks) == [1, 2, 3, 4, 5]


def test_only_pythons_too_old_to_trace_are_an_error_and_torn_lines_are_passed_over(tmp_path):
    calls = tmp_path / "calls.txt"
    calls.write_text("('python', '3.9.1')\n('/a.py', 'a', 'f', 1, 'a la")
    with pytest.raises(InputError, match=r"3\.9\.1; tracing needs Python 3\.11 or later"):
        read_calls(calls)


def test_processes_that_saw_different_results_speak_against_a_function(tmp_path):
    calls = tmp_path / "calls.txt"
    lines = [("python", "3.11.7"), *(("/a.py", "a", "f", 1, "((1,), {})", result) for result in "223")]
    calls.write_text("".join(f"{line!r}\n" for line in lines))
    (function,) = read_calls(calls)
    with pytest.raises(Unfit, match="other results for the same arguments"):
        function.require_calls()
