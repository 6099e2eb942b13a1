"""What a form is made of: how a row is recognised, and how programs are read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from regreen.problem import Assert, Problem

Fields = Mapping[str, Any]
Which = Literal["first", "last"]
Rows = Callable[[Any], Iterator[tuple[str, Any]]]


class BadRow(ValueError):
    """A row that cannot be used: what is wrong with it and what was expected."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a file and where it stands; ``value`` is a :class:`BadRow` if it could not be decoded."""

    where: str
    value: Any


@dataclass(frozen=True, slots=True)
class Draft:
    """A program as the file gives it, before its problem is found and its index is counted.

    ``continues`` says that ``source`` goes on where the problem's prompt ends. ``problem`` is set where the row brings
    its own checks. ``details`` are further fields of the :class:`~regreen.program.Program`.
    """

    id: str | int
    source: str
    continues: bool = False
    recorded: bool | None = None
    problem: Problem | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """How rows are read: which program of a chain, what cuts a continuation, the benchmark's ids in order."""

    which: Which
    cut: Callable[[str], str]
    order: Sequence[str]


@dataclass(frozen=True, slots=True)
class Form:
    """One shape of file.

    ``about`` says what its rows look like, ``holds`` what programs they give (with ``{which}`` of a chain). ``fits``
    recognises a row or, where ``rows`` is given, a whole JSON document that ``rows`` takes apart into pairs of a place
    and a row. ``drafts`` reads one row's programs and raises :class:`BadRow`. ``own_checks`` says that rows bring the
    checks they were judged by.
    """

    name: str
    about: str
    holds: str
    fits: Callable[[Any], bool]
    drafts: Callable[[Any, Settings], Iterable[Draft]]
    own_checks: bool = False
    rows: Rows | None = None


def has(*names: str) -> Callable[[Any], bool]:
    """Return a test that is true of an object with all the fields named."""
    return lambda row: isinstance(row, dict) and all(name in row for name in names)


def text(row: Fields, name: str) -> str:
    """Return a field that must be a string."""
    value = _get(row, name)
    if not isinstance(value, str):
        raise BadRow(f"field {name!r} must be a string, not {_kind(value)}")
    return value


def texts(row: Fields, name: str) -> list[str]:
    """Return a field that must be a list of strings."""
    value = _get(row, name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadRow(f"field {name!r} must be a list of strings")
    return value


def identifier(row: Fields, *names: str) -> str | int:
    """Return the first of the named fields that the row has: a problem's id, a string or a whole number."""
    name = next((name for name in names if name in row), names[0])
    value = _get(row, name)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise BadRow(f"field {name!r} must be a problem's id, not {_kind(value)}")
    return value


def verdict(row: Fields, name: str) -> bool | None:
    """Return a recorded verdict: true, false, or None where the row has none."""
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRow(f"field {name!r} must be true or false, not {_kind(value)}")
    return value


def own_problem(row: Fields, prelude: str = "") -> Problem:
    """Build the problem of a row that brings a ``test`` as HumanEval does: one check, which calls its ``check``."""
    entry_point = text(row, "entry_point")
    code = f"{text(row, 'test')}\ncheck({entry_point})\n"
    return Problem(
        id=str(identifier(row, "task_id", "name")),
        statement=text(row, "prompt"),
        checks=(Assert(code),),
        entry_point=entry_point,
        prelude=prelude,
    )


def field_names(row: Fields) -> str:
    """Return the names of a row's first fields, for a message of one line."""
    return ", ".join(name[:40] if name.isprintable() else repr(name[:40]) for name in list(row)[:6]) or "none"


def _get(row: Fields, name: str) -> Any:
    if name not in row:
        raise BadRow(f"no field {name!r}; found {field_names(row)}")
    return row[name]


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "true or false", str: "an empty string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
