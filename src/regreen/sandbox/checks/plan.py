"""From checks to a plan: which calls the candidate makes, and what must hold of their results.

Most checks are of the shape ``assert f(1, 2) == 3``, loose or inside ``def check(candidate)``. Such a check need not be
executed at all: its arguments go to the candidate in one message, its results come back, and the condition, built
from a short list of harmless operations, is evaluated here. A problem with any other check is judged by running the
check's code in a process of its own (:mod:`regreen.sandbox.checks.checker`).
"""

from __future__ import annotations

import ast
import builtins
import marshal
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from regreen.sandbox.checks import compare
from regreen.sandbox.checks.asserts import OPERATORS, WITHIN, between
from regreen.sandbox.plain import Decoder

_SAFE_FUNCTIONS = ("abs", "bool", "float", "frozenset", "int", "len", "list", "round", "set", "sorted", "str", "tuple")
_SAFE_NAMES = {"__builtins__": {}, **{name: getattr(builtins, name) for name in _SAFE_FUNCTIONS}}
_OPERATORS = (ast.Add, ast.Sub, ast.Div, ast.FloorDiv)  # not Mod: a text on its left could ask for any width
_MAX_FOLDED = 100_000  # bits or items that arithmetic on literals may make


class NotStatic(Exception):
    """The check must be executed."""


@dataclass
class Condition:
    """One assertion: ``left OPERATOR right``, or the truth of ``left``; names ``_0``, ``_1`` .. are calls' results."""

    calls: list[int]
    left: CodeType
    right: CodeType | None = None
    operator: str = "truth"
    answer_left: bool = True
    message: str | None = None

    def evaluate(self, results: Mapping[int, Any]) -> tuple[bool, Any, Any]:
        """Return whether it holds, what was got and what was expected."""
        names = {f"_{index}": results[index] for index in self.calls}
        left = eval(self.left, _SAFE_NAMES, names)
        if self.right is None:
            return bool(left), left, True
        right = eval(self.right, _SAFE_NAMES, names)
        got, expected = (left, right) if self.answer_left else (right, left)
        return _OPERATIONS[self.operator](left, right), got, expected

    @property
    def minds_objects(self) -> bool:
        """True if it asks for a result's text, which may contain that of objects, or whether two results are one."""
        if self.operator in ("is", "is not"):
            return len(self.calls) > 1
        return any("str" in code.co_names for code in (self.left, self.right) if code is not None)


_OPERATIONS = {
    "equal": lambda a, b: bool(a == b),
    "not equal": lambda a, b: bool(a != b),
    "is": lambda a, b: a is b,
    "is not": lambda a, b: a is not b,
    "less": lambda a, b: bool(a < b),
    "at most": lambda a, b: bool(a <= b),
    "greater": lambda a, b: bool(a > b),
    "at least": lambda a, b: bool(a >= b),
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
    "false": lambda a, b: not a,
    WITHIN: lambda a, b: bool(b[0] <= a <= b[1]),
}


@dataclass
class CallCondition:
    """The condition of a call check: the result against a value, by a named rule."""

    calls: list[int]
    expected: Any
    operator: str
    message: str | None = None

    def evaluate(self, results: Mapping[int, Any]) -> tuple[bool, Any, Any]:
        """Return whether it holds, what was got and what was expected."""
        got = results[self.calls[0]]
        return compare.CALL[self.operator](got, self.expected), got, self.expected


@dataclass
class Plan:
    """All calls of a problem, and each check's conditions.

    A call is a function's name and its arguments, as an expression's code (so that a set is built just as the check
    would build it) or marshalled; without arguments, what the program binds to the name is meant itself.
    """

    checks: list[list[Condition | CallCondition]] = field(default_factory=list)
    calls: list[tuple[str, CodeType | bytes | None]] = field(default_factory=list)

    def add_call(self, name: str, arguments: CodeType | bytes | None) -> int:
        """Plan a call and return its index."""
        self.calls.append((name, arguments))
        return len(self.calls) - 1


_KEPT = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
_KEPT_CONTAINERS = (list, tuple, set, frozenset)


def _is_kept(value: Any) -> bool:
    """True if marshal brings the value back with its exact type."""
    kind = type(value)
    if kind is dict:
        return all(_is_kept(k) and _is_kept(v) for k, v in value.items())
    return all(map(_is_kept, value)) if kind in _KEPT_CONTAINERS else kind in _KEPT


def make_plan(checks: list[Any], entry_point: str | None, prelude: str) -> Plan | None:
    """Return the plan of assert sources (str) and call checks (dict), or None if a check must be executed."""
    plan = Plan()
    try:
        known = _defined(ast.parse(prelude)) if prelude else set()
        for check in checks:
            plan.checks.append(_CheckReader(plan, known, entry_point).read(check))
    except (NotStatic, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return plan


def _defined(tree: ast.Module) -> set[str]:
    """Names that code at module level binds, and "*" for a star import."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


class _CheckReader:
    """Reads one check into conditions, adding its calls to the plan."""

    def __init__(self, plan: Plan, known: set[str], entry_point: str | None) -> None:
        self._plan = plan
        self._known = known
        self._entry_point = entry_point
        self._candidate: dict[str, str] = {}  # the parameter of check() -> the function it is called with
        self._calls: list[int] = []

    def read(self, check: Any) -> list[Condition | CallCondition]:
        if isinstance(check, dict):
            decoder = Decoder()  # one for both: they may share values
            arguments = decoder.unpack(check["args"]), decoder.unpack(check["kwargs"])
            if not _is_kept(arguments):
                raise NotStatic
            call = self._plan.add_call(self._entry_point or "", marshal.dumps(arguments))
            return [CallCondition([call], Decoder().unpack(check["expected"]), check["compare"])]
        body = ast.parse(check).body
        function = next((s for s in body if isinstance(s, ast.FunctionDef)), None)
        if function is not None:
            body = self._unwrap(body, function)
        return [self._condition(s) for s in body if not _is_idle(s)]

    def _unwrap(self, body: list[ast.stmt], function: ast.FunctionDef) -> list[ast.stmt]:
        """Return what ``def check(candidate)`` does, as often as it is called, if all else is such calls."""
        rest = [s for s in body if s is not function and not _is_idle(s)]
        if not rest or len(function.args.args) != 1 or function.decorator_list or function.args.defaults:
            raise NotStatic
        if len({ast.dump(statement) for statement in rest}) != 1:
            raise NotStatic
        match rest[0]:
            case ast.Expr(ast.Call(ast.Name(function.name), [target], [])) if _target_name(target) != function.name:
                self._candidate[function.args.args[0].arg] = _target_name(target)
                return function.body * len(rest)
        raise NotStatic

    def _condition(self, statement: ast.stmt) -> Condition:
        if not isinstance(statement, ast.Assert):
            raise NotStatic
        self._calls = []
        message = str(statement.msg.value) if isinstance(statement.msg, ast.Constant) else None
        match between(statement.test) or statement.test:
            case (middle, ends):
                return Condition(self._calls, self._compile(middle), self._compile(ends), WITHIN, True, message)
            case ast.Compare(left, [operator], [right]):
                before = self._compile(left)
                calls_on_left = len(self._calls)
                after = self._compile(right)
                answer_left = calls_on_left > 0 or not self._calls
                kind = OPERATORS[type(operator)]
                return Condition(self._calls, before, after, kind, answer_left, message)
            case ast.UnaryOp(ast.Not(), operand):
                return Condition(self._calls, self._compile(operand), _FALSE, "false", True, message)
            case test:
                return Condition(self._calls, self._compile(test), message=message)

    def _compile(self, node: ast.expr) -> CodeType:
        expression = ast.Expression(self._safe(node))
        return compile(ast.fix_missing_locations(expression), "<check>", "eval")

    def _safe(self, node: ast.expr) -> ast.expr:
        """Return the expression with calls of the candidate replaced by names of results; nothing else may run."""
        call = self._candidate_call(node)
        if call is not None:
            return call
        if _is_literal(node):
            return node
        match node:
            case ast.Call(ast.Name(name), args, []) if name in _SAFE_FUNCTIONS and name not in self._known:
                return ast.Call(ast.Name(name, ast.Load()), [self._safe(arg) for arg in args], [])
            case ast.BinOp(left, operator, right) if isinstance(operator, _OPERATORS):
                return ast.BinOp(self._safe(left), operator, self._safe(right))
            case ast.Tuple(elts, ctx):
                return ast.Tuple([self._safe(e) for e in elts], ctx)
            case ast.List(elts, ctx):
                return ast.List([self._safe(e) for e in elts], ctx)
        return _as_node(fold(node))

    def _candidate_call(self, node: ast.expr) -> ast.expr | None:
        match node:
            case ast.Call(ast.Name(name), args, keywords) if self._is_candidate(name):
                if not all(map(_is_closed, args)) or not all(k.arg and _is_closed(k.value) for k in keywords):
                    raise NotStatic
                call = self._plan.add_call(self._candidate.get(name, name), _arguments(args, keywords))
            case ast.Name(name) if not self._candidate and self._is_candidate(name):
                call = self._plan.add_call(name, None)
            case _:
                return None
        self._calls.append(call)
        return ast.Name(f"_{call}", ast.Load())

    def _is_candidate(self, name: str) -> bool:
        if self._candidate:
            return name in self._candidate or name in self._candidate.values()
        # A program may define a name of Python's own, but only the entry point's counts: the checks keep theirs. The
        # prelude's names are the checks' too, and a star import could bind any.
        theirs = name in self._known or "*" in self._known or hasattr(builtins, name)
        return name == self._entry_point or not theirs


_FALSE = compile("False", "<check>", "eval")


def _is_idle(statement: ast.stmt) -> bool:
    """Statements that do nothing a plan would miss: docstrings, pass, METADATA = {...}, print of a constant."""
    match statement:
        case ast.Pass():
            return True
        case ast.Expr(ast.Constant()):
            return True
        case ast.Expr(ast.Call(ast.Name("print"), args, [])):
            return all(_is_literal(arg) for arg in args)
        case ast.Assign([ast.Name("METADATA")], value):
            return _is_literal(value)
    return False


def _target_name(node: ast.expr) -> str:
    match node:
        case ast.Name(name):
            return name
        case ast.Attribute(ast.Call(ast.Name(name), [], []), method):
            return f"{name}.{method}"
    raise NotStatic


_ARGUMENT_FUNCTIONS = (*_SAFE_FUNCTIONS, "bytearray", "bytes", "chr", "complex", "dict", "ord", "range")


def _is_closed(node: ast.expr) -> bool:
    """True for an expression of literals, arithmetic and a few functions, which means the same in any process."""
    match node:
        case ast.Constant():
            return True
        case ast.Tuple(elts) | ast.List(elts) | ast.Set(elts):
            return all(map(_is_closed, elts))
        case ast.Dict(keys, values):
            return all(k is not None and _is_closed(k) for k in keys) and all(map(_is_closed, values))
        case ast.UnaryOp(_, operand):
            return _is_closed(operand)
        case ast.BinOp(left, _, right):
            return _is_closed(left) and _is_closed(right)
        case ast.Call(ast.Name(name), args, []) if name in _ARGUMENT_FUNCTIONS:
            return all(map(_is_closed, args))
    return False


def _arguments(args: list[ast.expr], keywords: list[ast.keyword]) -> CodeType:
    """Code that makes ``(args, kwargs)`` anew; it is evaluated in the program's process."""
    names: list[ast.expr | None] = [ast.Constant(k.arg) for k in keywords]
    pair = ast.Tuple([ast.Tuple(args, ast.Load()), ast.Dict(names, [k.value for k in keywords])], ast.Load())
    return compile(ast.fix_missing_locations(ast.Expression(pair)), "<arguments>", "eval")


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _as_node(value: Any) -> ast.expr:
    """The expression that makes a folded value; it is built, since not every value is printed as an expression."""
    match value:
        case list():
            return ast.List([_as_node(v) for v in value], ast.Load())
        case tuple():
            return ast.Tuple([_as_node(v) for v in value], ast.Load())
        case dict():
            return ast.Dict([_as_node(k) for k in value], [_as_node(v) for v in value.values()])
        case set() | frozenset():
            return ast.Call(ast.Name(type(value).__name__, ast.Load()), [_as_node(list(value))], [])
    return ast.Constant(value)


def fold(node: ast.expr) -> Any:
    """Return the value of an expression of literals; raises :class:`NotStatic` for anything else, or anything large."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        pass
    match node:
        case ast.BinOp(left, operator, right):
            return _fold_operation(operator, fold(left), fold(right))
        case ast.UnaryOp(ast.USub(), operand):
            return _arithmetic(lambda a, _: -a, fold(operand), 0)
        case ast.List(elts):
            return [fold(e) for e in elts]
        case ast.Tuple(elts):
            return tuple(fold(e) for e in elts)
        case ast.Set(elts):
            return {fold(e) for e in elts}
        case ast.Dict(keys, values) if None not in keys:
            return {fold(k): fold(v) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.Call(ast.Name("float"), [ast.Constant(str(text))], []):
            return float(text)
        case ast.Call(ast.Name("set" | "list" | "tuple" | "frozenset" as name), [argument], []):
            return getattr(builtins, name)(fold(argument))
    raise NotStatic


def _fold_operation(operator: ast.operator, left: Any, right: Any) -> Any:
    match operator:
        case ast.Add() | ast.Sub() | ast.Div() | ast.FloorDiv() | ast.Mod() if not isinstance(left, str | bytes):
            return _arithmetic(_FOLDED[type(operator)], left, right)
        case ast.Add():
            return _arithmetic(_FOLDED[ast.Add], left, right)
        case ast.Mult() if _product_size(left, right) <= _MAX_FOLDED:
            return _arithmetic(_FOLDED[ast.Mult], left, right)
        case ast.Pow() if isinstance(right, int) and right >= 0 and _bits(left) * right <= _MAX_FOLDED:
            return _arithmetic(_FOLDED[ast.Pow], left, right)
    raise NotStatic


_FOLDED: dict[type[ast.operator], Any] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Mult: lambda a, b: a * b,
    ast.Pow: lambda a, b: a**b,
}


def _arithmetic(function: Any, left: Any, right: Any) -> Any:
    try:
        return function(left, right)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise NotStatic from error


def _product_size(left: Any, right: Any) -> int:
    """About how many bits a product has, or items at every depth."""
    if hasattr(left, "__len__") or hasattr(right, "__len__"):
        count, items = (left, right) if isinstance(left, int) else (right, left)
        return max(count, 0) * _size(items) if isinstance(count, int) and hasattr(items, "__len__") else 0
    return _bits(left) + _bits(right)


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return _size([*value, *value.values()])
    if isinstance(value, str | bytes):
        return len(value)
    return max(1, sum(map(_size, value))) if hasattr(value, "__len__") else 1


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 64
