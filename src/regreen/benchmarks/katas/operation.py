"""What a kata is made of: operations, each with phrasings, code idioms and constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast

Kind = Literal["int", "str", "ints", "strs", "dict", "bool"]
Constant = int | str | None
Function = Callable[[Any], Any]

TYPES: dict[Kind, str] = {
    "int": "int",
    "str": "str",
    "ints": "list[int]",
    "strs": "list[str]",
    "dict": "dict[str, int]",
    "bool": "bool",
}
LARGEST, LONGEST = 9_999, 60  # numbers; characters of a text, three times the items of a list
_TOO_LARGE: dict[Kind, str] = {  # as code, since a call for each value would cost more than the operation
    "int": f"not -{LARGEST} <= r <= {LARGEST}",
    "str": f"len(r) > {LONGEST}",
    "ints": f"len(r) > {LONGEST // 3} or r and not -{LARGEST} <= min(r) <= max(r) <= {LARGEST}",
    "strs": f"len(r) > {LONGEST // 3}",
    "dict": f"len(r) > {LONGEST // 3} or r and not -{LARGEST} <= min(r.values()) <= max(r.values()) <= {LARGEST}",
}
_CONSTANT = re.compile(r"\bK\b")
_VALUE = re.compile(r"\bx\b")
_OPEN = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.IfExp)


@dataclass(frozen=True, slots=True, eq=False)  # there is one of each: compared and hashed by identity, fast
class Operation:
    """A function of one value ``x``.

    ``phrases`` say what it does, each as an order; ``idioms`` are expressions that all do it, the commonest first. In
    both, ``K`` stands for one of the ``constants``, where there are any.
    """

    name: str
    takes: Kind
    gives: Kind
    phrases: tuple[str, ...]
    idioms: tuple[str, ...]
    constants: tuple[int | str, ...] = ()


def operation(name: str, kinds: str, phrases: str, idioms: str, *constants: int | str) -> Operation:
    """Return an operation from its row: ``kinds`` as "ints int"; phrases parted by ``|``, idioms by ``;``."""
    takes, gives = kinds.split()
    parts = tuple(part.strip() for part in phrases.split("|")), tuple(part.strip() for part in idioms.split(";"))
    return Operation(name, takes, gives, *parts, constants)  # type: ignore[arg-type]


@cache
def fill(text: str, constant: Constant) -> str:
    """Return a phrase or an idiom with its constant in it."""
    return text if constant is None else _CONSTANT.sub(lambda _: repr(constant), text)


class TooLarge(Exception):
    """A result that is too large to read, or to go on with."""


@cache
def function(code: str, gives: Kind) -> Function:
    """Return the function of ``x`` that an expression computes; it raises :class:`TooLarge` by itself."""
    guard = f"    if {_TOO_LARGE[gives]}: raise TooLarge\n" if gives in _TOO_LARGE else ""
    made: dict[str, Any] = {"TooLarge": TooLarge}
    exec(f"def f(x):\n    r = {code}\n{guard}    return r\n", made)
    return cast(Function, made["f"])


def nest(code: str, inner: str) -> str | None:
    """Return an expression with another in place of its ``x``; None where ``x`` stands there more than once."""
    if not _has_one_value(code):
        return None
    bare = _is_closed(inner) or "(x)" in code
    return _VALUE.sub(lambda _: inner if bare else f"({inner})", code)


@cache
def _has_one_value(code: str) -> bool:
    return len(_VALUE.findall(code)) == 1


@cache
def _is_closed(code: str) -> bool:
    """Tell whether an expression can stand anywhere without brackets around it."""
    return not isinstance(ast.parse(code, mode="eval").body, _OPEN)
