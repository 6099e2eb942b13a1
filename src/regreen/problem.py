"""Problem and its checks: ``Assert``, ``Call``, ``Stdio``.

A problem is a statement and the checks that decide whether a program solves it. As a line of JSON it reads::

    {"id", "statement", "checks": [...], "shown", "revealed", "entry_point", "prelude", "solution", "meta"}

with ``id``, ``statement`` and ``checks`` required. A value that JSON cannot hold is written
``{"$repr": "(1, {2})"}``: a Python literal, in which ``nan``, ``inf``, ``set()`` and complex numbers may stand.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from regreen.errors import InputError

CALL_RULES = ("equal", "close", "apps")
STDIO_RULES = ("exact", "tokens", "floats", "apps")


@dataclass(frozen=True, slots=True)
class Assert:
    """A piece of Python that raises if the program is wrong; it may hold many assert statements."""

    code: str


@dataclass(frozen=True, slots=True)
class Call:
    """Call the entry point with ``args`` and ``kwargs``; its result must equal ``expected`` by the rule ``compare``."""

    args: tuple[Any, ...]
    expected: Any
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    compare: str = "equal"


@dataclass(frozen=True, slots=True)
class Stdio:
    """Run the program with ``stdin``; its standard output must match ``expected`` by the rule ``compare``."""

    stdin: str
    expected: str
    compare: str = "exact"


Check = Assert | Call | Stdio


@dataclass(frozen=True, slots=True)
class Problem:
    """A statement, and the checks that a program must pass to solve it.

    ``shown`` are the indices of the checks that the first prompt may display; ``revealed``, a superset, those whose
    failure may enter feedback. All others are hidden: they score, and are never displayed. ``prelude`` is code that
    runs before the program in the program's process, and before the checks on the judge's side (imports, helper
    functions of the prompt). ``solution`` is a program that must be green.
    """

    id: str
    statement: str
    checks: tuple[Check, ...]
    shown: tuple[int, ...] = ()
    revealed: tuple[int, ...] = ()
    entry_point: str | None = None
    prelude: str = ""
    solution: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The published text that a completion continues, or nothing."""
        return str(self.meta.get("prompt", ""))

    def __repr__(self) -> str:
        return f"Problem({self.id!r}, {len(self.checks)} checks, {len(self.shown)} shown)"


def problem_to_line(problem: Problem) -> dict[str, Any]:
    """Return the problem as a JSON-ready dictionary, leaving out what is empty."""
    line: dict[str, Any] = {
        "id": problem.id,
        "statement": problem.statement,
        "checks": [_check_to_line(check) for check in problem.checks],
        "shown": list(problem.shown),
        "revealed": list(problem.revealed),
        "entry_point": problem.entry_point,
        "prelude": problem.prelude,
        "solution": problem.solution,
        "meta": dict(problem.meta),
    }
    required = ("id", "statement", "checks")
    return {key: value for key, value in line.items() if key in required or value not in (None, "", [], {})}


def problem_from_line(line: Any, *, where: str = "problem") -> Problem:
    """Build a problem from a decoded JSON line; ``where`` names its source in the :class:`InputError` of a bad one."""
    if not isinstance(line, dict):
        raise InputError(f"{where}: a problem must be a JSON object, not {type(line).__name__}")
    for name in ("id", "statement", "checks"):
        if name not in line:
            raise InputError(f"{where}: no field {name!r}; a problem needs id, statement and checks")
    unknown = set(line) - set(Problem.__dataclass_fields__)
    if unknown:
        raise InputError(f"{where}: unknown field {sorted(unknown)[0]!r}; put your own data under meta")
    for name in ("id", "statement", "entry_point", "prelude", "solution"):
        if not isinstance(line.get(name, ""), str | None if name in ("entry_point", "solution") else str):
            raise InputError(f"{where}: field {name!r} must be a string")
    if not isinstance(line["checks"], list) or not line["checks"]:
        raise InputError(f"{where}: field 'checks' must be a list with at least one check")
    checks = tuple(_check_from_line(c, f"{where}: check {i}") for i, c in enumerate(line["checks"]))
    shown = _indices(line.get("shown", []), len(checks), f"{where}: field 'shown'")
    revealed = _indices(line.get("revealed", shown), len(checks), f"{where}: field 'revealed'")
    if not set(shown) <= set(revealed):
        raise InputError(f"{where}: every check in 'shown' must be in 'revealed' too")
    entry_point = line.get("entry_point")
    if entry_point is None and any(isinstance(check, Call) for check in checks):
        raise InputError(f"{where}: a problem with call checks needs the field 'entry_point'")
    return Problem(
        id=line["id"],
        statement=line["statement"],
        checks=checks,
        shown=shown,
        revealed=revealed,
        entry_point=entry_point,
        prelude=line.get("prelude", ""),
        solution=line.get("solution"),
        meta=line.get("meta", {}),
    )


def with_shown(problem: Problem, show: str | int) -> Problem:
    """Return the problem with other checks shown: "none", "all", or the first N, those shown by default first.

    Raises:
        InputError: fewer checks than that, or neither a number, "none" nor "all".
    """
    every = [*problem.shown, *(at for at in range(len(problem.checks)) if at not in problem.shown)]
    count = {"none": 0, "all": len(every)}.get(str(show), show)
    if not str(count).isdecimal():
        raise InputError(f"show {show}: expected none, all or a number of checks")
    if int(count) > len(every):
        raise InputError(f"show {show}: problem {problem.id!r} has only {len(every)} checks; give {len(every)} or all")
    shown = tuple(sorted(every[: int(count)]))
    return replace(problem, shown=shown, revealed=tuple(sorted({*problem.revealed, *shown})))


def with_revealed(problem: Problem, reveal: str) -> Problem:
    """Return the problem with other checks revealed: those "shown", those "revealed" by the benchmark, or "all".

    Raises:
        InputError: none of these words.
    """
    revealed = {"shown": problem.shown, "revealed": problem.revealed, "all": tuple(range(len(problem.checks)))}
    if reveal not in revealed:
        raise InputError(f"reveal {reveal}: expected shown, revealed or all")
    return replace(problem, revealed=revealed[reveal])


def check_text(check: Check, entry_point: str | None) -> str:
    """Return a check as a person reads it: code, a call, or what is given on standard input."""
    match check:
        case Assert(code):
            return code
        case Call():
            return f"{call_text(check, entry_point)} == {_repr(check.expected)}"
    return check.stdin


def call_text(check: Call, entry_point: str | None) -> str:
    """Return the call that a check makes, as code."""
    arguments = [_repr(value) for value in check.args]
    arguments += [f"{name}={_repr(value)}" for name, value in check.kwargs.items()]
    return f"{entry_point}({', '.join(arguments)})"


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer of more digits than Python will print
        return "<a value too long to print>"


def value_to_json(value: Any) -> Any:
    """Return plain data as JSON; what JSON cannot hold exactly becomes ``{"$repr": literal}``."""
    if _is_json(value):
        return value
    return {"$repr": repr(value)}


def value_from_json(value: Any) -> Any:
    """Undo :func:`value_to_json`, at any depth; raises ValueError for a ``$repr`` that is no literal."""
    if isinstance(value, dict):
        if set(value) == {"$repr"}:
            return parse_literal(value["$repr"])
        return {key: value_from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [value_from_json(item) for item in value]
    return value


def parse_literal(text: str) -> Any:
    """Evaluate a Python literal in which ``nan``, ``inf``, ``set()``, ``frozenset()`` and complex numbers may stand."""
    try:
        return _literal(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a Python literal: {text[:60]!r}") from error


_NAMES = {"nan": math.nan, "inf": math.inf}


def _literal(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.Tuple(elts=elts):
            return tuple(_literal(e) for e in elts)
        case ast.List(elts=elts):
            return [_literal(e) for e in elts]
        case ast.Set(elts=elts):
            return {_literal(e) for e in elts}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_literal(k): _literal(v) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case ast.Call(func=ast.Name(id="frozenset"), args=args, keywords=[]) if len(args) <= 1:
            return frozenset(*(_literal(a) for a in args))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return +_number(operand)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _number(left) + _number(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _number(left) - _number(right)
    raise ValueError(f"not a Python literal: {ast.unparse(node)[:60]}")


def _number(node: ast.expr) -> Any:
    value = _literal(node)
    if type(value) not in (int, float, complex):
        raise ValueError(f"not a number: {value!r}")
    return value


def _is_json(value: Any) -> bool:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return True
    if kind is float:
        return math.isfinite(value)
    if kind is list:
        return all(_is_json(item) for item in value)
    if kind is dict:
        return set(value) != {"$repr"} and all(type(k) is str and _is_json(v) for k, v in value.items())
    return False


def _check_to_line(check: Check) -> dict[str, Any]:
    match check:
        case Assert(code):
            return {"kind": "assert", "code": code}
        case Call(args, expected, kwargs, compare):
            line = {
                "kind": "call",
                "args": [value_to_json(a) for a in args],
                "expected": value_to_json(expected),
            }
            if kwargs:
                line["kwargs"] = {name: value_to_json(value) for name, value in kwargs.items()}
            return line if compare == "equal" else {**line, "compare": compare}
        case Stdio(stdin, expected, compare):
            line = {"kind": "stdio", "stdin": stdin, "expected": expected}
            return line if compare == "exact" else {**line, "compare": compare}


_FIELDS = {
    "assert": ({"code"}, set[str]()),
    "call": ({"args", "expected"}, {"kwargs", "compare"}),
    "stdio": ({"stdin", "expected"}, {"compare"}),
}


def _check_from_line(line: Any, where: str) -> Check:
    kind = line.get("kind") if isinstance(line, dict) else None
    if kind not in _FIELDS:
        raise InputError(f"{where}: 'kind' must be assert, call or stdio, not {kind!r}")
    required, optional = _FIELDS[kind]
    got = set(line) - {"kind"}
    if not required <= got <= required | optional:
        wrong = sorted((required - got) or (got - required - optional))[0]
        raise InputError(
            f"{where}: field {wrong!r} is {'missing' if wrong in required else 'unknown'} in a {kind} check"
        )
    try:
        return _build_check(kind, line)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}") from error


def _build_check(kind: str, line: Mapping[str, Any]) -> Check:
    if kind == "assert":
        return Assert(_string(line, "code"))
    rules = CALL_RULES if kind == "call" else STDIO_RULES
    compare = line.get("compare", rules[0])
    if compare not in rules:
        raise ValueError(f"unknown rule {compare!r}; a {kind} check knows {', '.join(rules)}")
    if kind == "stdio":
        return Stdio(_string(line, "stdin"), _string(line, "expected"), compare)
    if not isinstance(line["args"], list) or not isinstance(line.get("kwargs", {}), dict):
        raise ValueError("'args' must be a list and 'kwargs' an object")
    kwargs = {name: value_from_json(value) for name, value in line.get("kwargs", {}).items()}
    args = tuple(value_from_json(value) for value in line["args"])
    return Call(args, value_from_json(line["expected"]), kwargs, compare)


def _string(line: Mapping[str, Any], name: str) -> str:
    if not isinstance(line[name], str):
        raise ValueError(f"field {name!r} must be a string")
    return str(line[name])


def _indices(value: Any, count: int, where: str) -> tuple[int, ...]:
    if not isinstance(value, Sequence) or any(type(i) is not int or not 0 <= i < count for i in value):
        raise InputError(f"{where} must list check indices between 0 and {count - 1}")
    return tuple(value)
