"""What a function needs of its package, found name by name, and when it cannot stand alone."""

import sys

import pytest

from regreen.curate.tally import Unfit
from regreen.curate.tracing.modules import Library
from regreen.curate.tracing.recorder import Unusable, _given, text_of
from regreen.curate.tracing.selection import select

OTHER = """
import math as m
from .third import again as twice, LIMIT

BASE = 10


def helper(x):
    return twice(x) + BASE + m.floor(x) + LIMIT
"""
THIRD = """
LIMIT = 3


def again(x):
    return 2 * x
"""


def selected(folder, source):
    """The selection of the function ``f`` at the end of a module ``package.main``."""
    package = folder / "package"
    package.mkdir(exist_ok=True)
    for name, text in (("__init__", ""), ("main", source), ("other", OTHER), ("third", THIRD)):
        (package / f"{name}.py").write_text(text)
    library = Library()
    module = library.module("package.main", package / "main.py")
    line = next(at for at, text in enumerate(source.splitlines(), 1) if text.startswith("def f("))
    return select(library, module, module.function("f", line)), source


def run(selection, source, *args):
    """What the function gives when prelude and function run alone."""
    names = {"__name__": "alone"}
    exec(selection.prelude(), names)
    exec(source[source.index("def f(") :], names)
    return names["f"](*args)


def test_helpers_are_followed_through_modules_and_stand_in_the_order_that_they_need(tmp_path):
    selection, source = selected(
        tmp_path, "from .other import helper as h, BASE\n\nTWICE = h(BASE)\n\n\ndef f(x):\n    return h(x) + TWICE\n"
    )
    assert run(selection, source, 1) == (2 + 10 + 1 + 3) + (20 + 10 + 10 + 3)
    assert "import math as m" in selection.prelude()


@pytest.mark.parametrize(
    "change",
    [
        "T.append(4)",
        "T[0] = 4",
        "T[0] += 3",
        "for at in range(1):\n    T[at] = 4",
        "add(4)",
        "T.extend(x for x in [4])",
    ],
)
def test_what_changes_a_table_as_the_module_is_loaded_comes_along(tmp_path, change):
    source = (
        f"T = [1]\n\n\ndef add(x):\n    T.append(x)\n\n\n{change}\nprint('not wanted')\n\n\ndef f():\n    return T\n"
    )
    selection, source = selected(tmp_path, source)
    assert 4 in run(selection, source)
    assert "print" not in selection.prelude()


@pytest.mark.parametrize("idle", ["add.__doc__ = T", "use(T)", "del add", "F = 2"])
def test_what_changes_nothing_that_is_needed_stays_behind(tmp_path, idle):
    source = f"T = (1, 2)\n\n\ndef add(x):\n    return T\n\n\n{idle}\n\n\ndef f():\n    return T\n"
    assert selected(tmp_path, source)[0].prelude() == "T = (1, 2)"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import numpy as np\n\n\ndef f(x):\n    return np.sum(x)\n", "not standard"),
        ("def f(x):\n    import numpy\n    return numpy.sum(x)\n", "not standard"),
        ("from . import other\n\n\ndef f(x):\n    return other.helper(x)\n", "as a whole"),
        ("import package.other\n\n\ndef f(x):\n    return package.other.helper(x)\n", "as a whole"),
        ("def f(x):\n    from .other import helper\n    return helper(x)\n", "as a whole"),
        ("from .other import *\n\n\ndef f(x):\n    return helper(x)\n", "nowhere bound"),
        ("def f(x):\n    return nothing(x)\n", "nowhere bound"),
        ("from .other import helper\n\nBASE = 4\n\n\ndef f(x):\n    return helper(x) + BASE\n", "of one name"),
        ("from .other import helper\nimport cmath as m\n\n\ndef f(x):\n    return helper(x) + m.pi\n", "of one name"),
    ],
)
def test_a_function_that_cannot_stand_alone_says_why(tmp_path, source, why):
    with pytest.raises(Unfit, match=why):
        selected(tmp_path, source)


def test_a_failing_import_under_try_leaves_its_fallback(tmp_path):
    fallback = "try:\n    from .no_such import g\nexcept ImportError:\n    def g(x):\n        return x\n"
    source = f"{fallback}\n\ndef f(x):\n    return g(x)\n"
    selection, source = selected(tmp_path, source)
    assert run(selection, source, 3) == 3


def test_local_names_are_not_taken_for_the_module_s(tmp_path):
    source = "x = undefined = 1\n\n\ndef f(x):\n    y = [x for x in [x]]\n    return y\n"
    assert selected(tmp_path, source)[0].prelude() == ""


def test_a_name_that_its_module_deletes_later_is_there(tmp_path):
    source = "import re\n\n\ndef f(x, match=re.compile('a').match):\n    return bool(match(x))\n\n\ndel re\n"
    assert selected(tmp_path, source)[0].prelude() == "import re"


def test_annotations_come_along_where_they_can_and_else_mean_nothing(tmp_path):
    head = "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    "
    there, _ = selected(tmp_path, f"{head}from decimal import Decimal\n\n\ndef f(x: Decimal):\n    return x\n")
    assert (there.bare, there.prelude()) == (False, "from decimal import Decimal")
    gone, _ = selected(tmp_path, f"{head}from numpy import array\n\n\ndef f(x: array):\n    return x\n")
    assert (gone.bare, gone.prelude()) == (True, "")


def signature(code):
    names = {"sys": sys, "_given": _given}
    exec(f"def f({code}):\n    here = dict(locals())\n    return _given(sys._getframe(), f.__code__), here\n", names)
    return names["f"]


@pytest.mark.parametrize(
    ("code", "args", "kwargs"),
    [
        ("a, b=[], c=3", (1,), {}),
        ("a, b=[], c=3", (1,), {"c": 4}),
        ("a, b=[], /, c=3", (1,), {"c": 5}),
        ("a, b=None, c=3, /", (1, None, 4), {}),
        ("a, b=None, *more, c=3, d=None, **named", (1, None, 2), {"d": 1, "e": 2}),
        ("a, b=None, *more, c=3, **named", (), {"a": 1, "z": 2, "c": 0}),
        ("*, a=None, b", (), {"b": 2}),
        ("*more, **named", (1, 2), {"x": 3}),
        ("", (), {}),
    ],
)
def test_a_recorded_call_binds_what_the_call_bound(code, args, kwargs):
    function = signature(code)
    (again_args, again_kwargs), bound = function(*args, **kwargs)
    assert function(*again_args, **again_kwargs)[1] == bound
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    assert not any(value is default for default in defaults for value in again_kwargs.values())


class Mine(int):
    pass


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (Mine(3), "not plain"),
        ([{"a": (object(),)}], "not plain"),
        (range(3), "not plain"),
        ([0] * 5_000, "too large"),
        (["x" * 9_000] * 3, "too large"),
        ([10**5_000], "too large"),
        ([[0] * 1_500] * 1_500, "too large"),
    ],
)
def test_what_is_not_plain_or_too_large_is_not_written_down(value, why):
    with pytest.raises(Unusable, match=why):
        text_of(value, "not plain")


def test_a_list_in_itself_or_very_deep_is_too_large():
    around = []
    around.append(around)
    deep = []
    for _ in range(1_900):
        deep = [deep]
    for value in (around, deep):
        with pytest.raises(Unusable, match="too large"):
            text_of(value, "not plain")
