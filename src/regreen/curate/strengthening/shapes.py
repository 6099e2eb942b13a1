"""How a problem's checks ask, read off them, so that a new check asks in the same way on another input.

``assert set(f(1)) == {2}`` compares sets whatever the input; ``assert abs(f(1) - 0.5) < 1e-3`` allows as much error. A
new check that forgot this would fail right programs. Where one of a problem's checks asks in a way that is not known
here (``assert f(1) in (2, 3)``), nothing is known of the problem's right answers, and it is left as it is.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from regreen.arms.cases import literal_call
from regreen.problem import Assert, Call, Check, Problem, Stdio, call_text
from regreen.sandbox.checks import compare
from regreen.syntax import parse

_AROUND = ("abs", "float", "frozenset", "int", "len", "list", "round", "set", "sorted", "str", "tuple")
_CLOSE = ("isclose", "math.isclose")
_NEARNESS: dict[str, Any] = {"__builtins__": {}, "abs": abs, "isclose": math.isclose, "math": math}
_PLAIN = "_CALL_ == _EXPECTED_"


class Unreadable(Exception):
    """A check asks in a way that cannot be carried over to another input; the message says which, in a few words."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a check asks of a call's result.

    ``value`` is what is compared, as code in which ``_CALL_`` stands for the call; ``test`` is the condition, in which
    ``_EXPECTED_`` stands for the value's literal too. A plain one, the call's result against a value, becomes a call
    check compared by ``rule``. ``setup`` is code before the assert.
    """

    value: str = "_CALL_"
    test: str = _PLAIN
    rule: str = "close"
    setup: str = ""

    def same(self, value: Any, expected: Any) -> bool:
        """Tell whether a value passes the check in which another is expected."""
        if self.value != "_CALL_" or self.is_plain:
            return compare.CALL[self.rule](value, expected)
        return bool(eval(self.test, _NEARNESS, {"_CALL_": value, "_EXPECTED_": expected}))

    @property
    def is_plain(self) -> bool:
        """True if the call's own result is compared with a value."""
        return self.test == _PLAIN

    def asks(self, call: Call, entry_point: str, never: str) -> Check:
        """Return a check that fails for every program, and whose verdict tells the value."""
        if self.is_plain:
            return replace(call, expected=never, compare="equal")
        return self._assert(f"{_filled(self.value, call_text(call, entry_point))} == {never!r}")

    def check(self, call: Call, entry_point: str, expected: Any) -> Check:
        """Return the check that the value of a call must pass."""
        if self.is_plain:
            return replace(call, expected=expected, compare=self.rule)
        return self._assert(_filled(self.test, call_text(call, entry_point), repr(expected)))

    def _assert(self, test: str) -> Assert:
        return Assert(f"{self.setup}\nassert {test}".lstrip())


def read_shapes(problem: Problem) -> tuple[Shape, list[Call]]:
    """Return how a problem's checks ask, and the calls they make, as far as their arguments are literals.

    Raises:
        Unreadable: no such call, or a check that asks in a way not known here.
    """
    if any(isinstance(check, Stdio) for check in problem.checks):
        raise Unreadable("reads standard input")
    found = [pair for check in problem.checks for pair in _read(check, problem.entry_point)]
    if not problem.entry_point or not found:
        raise Unreadable("no call with literal arguments")
    shapes = list(dict.fromkeys(shape for shape, _ in found))
    return min(shapes, key=lambda shape: shape.is_plain), [call for _, call in found]


def _read(check: Check, entry_point: str | None) -> Iterator[tuple[Shape, Call]]:
    if isinstance(check, Call):
        yield Shape(rule="apps" if check.compare == "apps" else "close"), replace(check, expected=None)
    elif isinstance(check, Assert):
        yield from _read_code(check.code, {str(entry_point), "candidate"})


def _read_code(code: str, names: set[str]) -> Iterator[tuple[Shape, Call]]:
    tree = parse(code) or ast.Module([], [])
    setup = "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        calls = list(_calls_of(node.test, names))
        if calls and (read := literal_call(calls[0])) is not None:
            yield _shape(node.test, calls, setup), read


def _calls_of(node: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in names:
            yield inner


def _shape(test: ast.expr, calls: list[Any], setup: str) -> Shape:
    """Return the shape of a condition with one call; raises Unreadable."""
    if len(calls) > 1:
        raise Unreadable("a check with several calls")
    call = calls[0]
    call.hole = "_CALL_"
    match test:
        case ast.Compare(left, [ast.Eq()], [right]):
            value = left if _holds(left, call) else right
            if _is_around(value, call):
                return _of_value(_code(value), setup)
        case ast.Compare(
            ast.Call(ast.Name("abs"), [ast.BinOp(left, ast.Sub(), right)], []), [ast.Lt() | ast.LtE()], [most]
        ):
            return _near(test, left, right, [most], setup)
        case ast.Call(func, [first, second, *rest], words) if ast.unparse(func) in _CLOSE:
            return _near(test, first, second, [*rest, *(word.value for word in words)], setup)
        case ast.Compare(inner, [ast.Is()], [ast.Constant()]) if inner is call:
            return Shape()
    if test is call or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and test.operand is call):
        return _of_value("bool(_CALL_)", setup)
    raise Unreadable("a check that may allow several answers")


def _holds(node: ast.AST, call: ast.expr) -> bool:
    return any(inner is call for inner in ast.walk(node))


def _is_around(node: ast.expr, call: ast.expr) -> bool:
    """True for the call itself, and for a few functions of it: ``sorted(set(call))``, ``round(call, 2)``."""
    if node is call:
        return True
    match node:
        case ast.Call(ast.Name(name), [first, *rest], []) if name in _AROUND:
            return _is_around(first, call) and all(isinstance(argument, ast.Constant) for argument in rest)
    return False


def _of_value(code: str, setup: str) -> Shape:
    return Shape() if code == "_CALL_" else Shape(code, f"{code} == _EXPECTED_", setup=setup)


def _near(test: ast.expr, left: Any, right: Any, bounds: list[ast.expr], setup: str) -> Shape:
    """Return the shape of a condition that a call, the one of both sides that is marked, is near a number."""
    sides = [side for side in (left, right) if not hasattr(side, "hole")]
    if len(sides) != 1 or not all(isinstance(bound, ast.Constant) for bound in bounds):
        raise Unreadable("a check that may allow several answers")
    sides[0].hole = "_EXPECTED_"
    return Shape(test=_code(test), setup=setup)


class _Holes(ast.NodeTransformer):
    def visit(self, node: ast.AST) -> Any:
        hole = getattr(node, "hole", None)
        return ast.Name(hole) if hole else super().visit(node)


def _code(node: ast.expr) -> str:
    """Return an expression as code, with names for what was marked as a hole."""
    return ast.unparse(_Holes().visit(deepcopy(node)))


def _filled(code: str, call: str, expected: str = "") -> str:
    return re.sub("_CALL_|_EXPECTED_", lambda hole: call if hole[0] == "_CALL_" else expected, code)
