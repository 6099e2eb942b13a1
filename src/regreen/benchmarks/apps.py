"""APPS: programming contests, over standard input or by calling a function (Hendrycks et al. 2021).

Three published forms of a row are read: the data set's own, with ``input_output`` as JSON text; the same with
``input_output`` as data; and MapCoder's selection, with ``sample_io`` and ``test_list``. Problems without any test
cannot be judged and are left out. A problem passes if every test passes: strict accuracy.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from regreen.benchmarks import preludes
from regreen.benchmarks.rows import Row
from regreen.benchmarks.source import Hub, Source
from regreen.benchmarks.stdio import as_text, shown_in, stdio_checks
from regreen.errors import InputError
from regreen.problem import Call, Check, Problem, Stdio, parse_literal


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row that has tests; a row that is there twice, word for word, counts once."""
    seen: set[int] = set()
    for row in rows:
        key = hash(json.dumps(row.fields, sort_keys=True, default=str))
        if key not in seen:
            seen.add(key)
            yield from _selected(row) if "test_list" in row.fields else _published(row)


def _published(row: Row) -> Iterator[Problem]:
    tests = row.json("input_output") or {}
    name = tests.get("fn_name")
    cases = list(zip(tests.get("inputs", ()), tests.get("outputs", ()), strict=True))
    checks: Sequence[Check] = [_call(*case) for case in cases] if name else stdio_checks(cases)
    if checks:
        yield _build(row, row.text("question"), checks, shown_in(row.text("question"), checks), name, _details(row))


def _details(row: Row) -> dict[str, Any]:
    nested = row.fields.get("metadata") or {}
    solutions = row.json("solutions") or []
    details = {name: row.fields.get(name, nested.get(name)) for name in ("difficulty", "url")}
    return {**details, "solutions": solutions}


def _selected(row: Row) -> Iterator[Problem]:
    cases = [(case["input"], case["output"]) for case in row.get("test_list", list)]
    samples = [(case["input"], case["output"]) for case in row.get("sample_io", list)]
    name = _function_name(row)
    checks = _typed_calls(row, cases) if name else stdio_checks((stdin, out[0]) for stdin, out in cases)
    shown = _positions(samples, cases) if name else _stdin_positions(samples, checks)
    details = {"difficulty": row.fields.get("difficulty"), "samples": samples}
    yield _build(row, row.text("description"), checks, shown, name, details)


def _build(
    row: Row, question: str, checks: Sequence[Check], shown: tuple[int, ...], name: str | None, details: dict[str, Any]
) -> Problem:
    starter = str(row.fields.get("starter_code") or "")
    solutions = details.get("solutions") or [None]
    split = row.split or "test"
    number = row.fields.get("problem_id", row.fields.get("id"))
    if number is None:
        raise InputError(f"{row.where}: no field 'problem_id' or 'id'")
    return Problem(
        id=f"apps/{split}/{str(number).lstrip('0') or 0}",
        statement=f"{question.rstrip()}\n\n{starter.strip()}\n" if starter.strip() else question,
        checks=tuple(checks),
        shown=shown,
        revealed=shown,
        entry_point=name,
        prelude=preludes.APPS,
        solution=solutions[0],
        meta={"source": "apps", "split": split, "starter_code": starter, **details},
    )


def _call(arguments: Any, expected: Any) -> Call:
    values = arguments if isinstance(arguments, list) else [arguments]
    return Call(tuple(_integer_keys(value) for value in values), _nested_keys(expected), compare="apps")


def _nested_keys(expected: Any) -> Any:
    if isinstance(expected, list) and expected:
        return [_integer_keys(expected[0]), *expected[1:]]
    return _integer_keys(expected)


def _integer_keys(value: Any) -> Any:
    """Undo JSON's text keys, as the published harness does: all keys integers, or none."""
    if not isinstance(value, dict):
        return value
    try:
        return {int(key): item for key, item in value.items()}
    except ValueError:
        return value


def _function_name(row: Row) -> str | None:
    defined = re.search(r"def\s+(\w+)\s*\(", str(row.fields.get("starter_code") or ""))
    return defined.group(1) if defined else None


def _typed_calls(row: Row, cases: Sequence[tuple[str, list[Any]]]) -> tuple[Call, ...]:
    """Return call checks from inputs written one argument a line.

    A text such as ``1234`` may stand for a number or for a string; an argument is data only if it reads as data in
    every case of the problem.
    """
    texts = [_arguments(row, stdin) for stdin, _ in cases]
    columns = [_column(column) for column in zip(*texts, strict=True)]
    return tuple(
        Call(arguments, expected, compare="apps")
        for arguments, (_, expected) in zip(zip(*columns, strict=True), cases, strict=True)
    )


def _arguments(row: Row, stdin: str) -> list[str]:
    starter = ast.parse(f"{row.fields['starter_code'].strip()} pass").body[0]
    count = len(starter.args.args) if isinstance(starter, ast.FunctionDef) else 1
    lines = stdin.split("\n", maxsplit=max(count - 1, 0))
    if len(lines) != count:
        raise InputError(f"{row.where}: {count} arguments expected, one a line, but the input has {len(lines)}")
    return lines


def _column(texts: Sequence[str]) -> list[Any]:
    try:
        return [_data(text) for text in texts]
    except ValueError:
        return list(texts)


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return parse_literal(text)


def _positions(samples: Sequence[tuple[str, Any]], cases: Sequence[tuple[str, Any]]) -> tuple[int, ...]:
    return tuple(index for index, case in enumerate(cases) if case in samples)


def _stdin_positions(samples: Sequence[tuple[str, Any]], checks: Sequence[Check]) -> tuple[int, ...]:
    wanted = {(stdin, as_text(out[0])) for stdin, out in samples}
    return tuple(i for i, c in enumerate(checks) if isinstance(c, Stdio) and (c.stdin, c.expected) in wanted)


SOURCE = Source(
    name="apps",
    about="programming contests over stdin or by calling a function; every test must pass",
    checks="stdio, call",
    splits=("train", "test"),
    files=(
        ("apps/train.jsonl*", "train"),
        ("apps/train_samples.jsonl*", "train"),
        ("apps/test.jsonl*", "test"),
        ("apps/selected150*.jsonl*", "test"),
    ),
    build=problems,
    hub=Hub(
        "codeparrot/apps",
        "21e74ddf8de1a21436da12e3e653065c5213e9d1",
        {"train": "train.jsonl", "test": "test.jsonl"},
    ),
)
