"""Checks over standard input and output, and which of them a statement shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from regreen.problem import Check, Stdio


def as_text(value: Any) -> str:
    """Return a published input or output as text: some are lists of lines."""
    if isinstance(value, list):
        return "\n".join(as_text(line) for line in value)
    return value if isinstance(value, str) else str(value)


def stdio_checks(cases: Iterable[tuple[Any, Any]], compare: str = "exact") -> tuple[Stdio, ...]:
    """Return a check for each pair of input and output; a pair that is there twice counts once."""
    return tuple(dict.fromkeys(Stdio(as_text(stdin), as_text(expected), compare) for stdin, expected in cases))


def shown_in(statement: str, checks: Sequence[Check]) -> tuple[int, ...]:
    """Return the stdio checks whose input and output both stand in the statement, as whole lines."""
    text = _lines(statement)
    return tuple(
        index
        for index, check in enumerate(checks)
        if isinstance(check, Stdio) and _lines(check.stdin) in text and _lines(check.expected) in text
    )


def _lines(text: str) -> str:
    stripped = (line.strip() for line in text.strip().splitlines())
    return "\n".join(["", *(line for line in stripped if line), ""])
