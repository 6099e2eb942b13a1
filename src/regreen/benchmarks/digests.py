"""One number for everything that decides verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from regreen.problem import Assert, Call, Check, Problem


def digest(problems: Iterable[Problem]) -> str:
    """Return the SHA-256 over all that decides verdicts: ids, checks, entry points and preludes, in their order.

    It does not change with statements, solutions or ``meta``, nor from one process to the next.
    """
    total = hashlib.sha256()
    for problem in problems:
        for part in (problem.id, problem.entry_point, problem.prelude, *map(_parts, problem.checks)):
            data = _canonical(part).encode("utf-8", "surrogatepass")
            total.update(b"%d:" % len(data))
            total.update(data)
        total.update(b";")
    return total.hexdigest()


def _parts(check: Check) -> tuple[Any, ...]:
    if isinstance(check, Assert):
        return "assert", check.code
    if isinstance(check, Call):
        return "call", check.args, dict(check.kwargs), check.expected, check.compare
    return "stdio", check.stdin, check.expected, check.compare


def _canonical(value: Any) -> str:
    """Return a value as text; unlike ``repr``, the same in every process (sets) and for any length (integers)."""
    if type(value) is int:
        return format(value, "x")
    if isinstance(value, dict):
        return _named(value, sorted(f"{_canonical(k)}:{_canonical(v)}" for k, v in value.items()))
    if isinstance(value, set | frozenset):
        return _named(value, sorted(map(_canonical, value)))
    if isinstance(value, list | tuple):
        return _named(value, map(_canonical, value))
    return repr(value)


def _named(value: Any, items: Iterable[str]) -> str:
    return f"{type(value).__name__}({','.join(items)})"
