"""LiveCodeBench, code generation: contest problems with their dates (Jain et al. 2024).

Private tests come as JSON text, or as base64 of zlib of a pickle of that text. The pickle is never run: its opcodes are
walked, and anything but one string is refused.
"""

from __future__ import annotations

import base64
import binascii
import pickletools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from regreen.benchmarks import preludes
from regreen.benchmarks.rows import Row, parse_json
from regreen.benchmarks.source import Hub, Source
from regreen.benchmarks.stdio import as_text
from regreen.errors import InputError
from regreen.problem import Call, Check, Problem, Stdio

_HARMLESS = {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"}
_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_MAX_BYTES = 1 << 30  # the largest published tests are some tens of megabytes
_DETAILS = ("difficulty", "platform", "question_title", "contest_id", "starter_code")


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row."""
    return map(_problem, rows)


def unpickled_string(data: bytes) -> str:
    """Return the one string that a pickle holds, without running the pickle; raises ValueError for any other."""
    found: list[str] = []
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in _STRINGS:
            found.append(str(argument))
        elif opcode.name not in _HARMLESS:
            raise ValueError(f"a pickle of one string was expected, but it holds {opcode.name}")
    if len(found) != 1:
        raise ValueError(f"a pickle of one string was expected, but it holds {len(found)}")
    return found[0]


def decompressed(text: str) -> str:
    """Return the JSON text inside compressed private tests; raises ValueError for what is not in that form."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(text, validate=True), _MAX_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"neither JSON nor base64 of zlib ({error})") from error
    if unpacker.unconsumed_tail:
        raise ValueError(f"more than {_MAX_BYTES} bytes when decompressed")
    return unpickled_string(data)


def _problem(row: Row) -> Problem:
    public, private = _tests(row, "public_test_cases"), _tests(row, "private_test_cases")
    name = (row.json("metadata") or {}).get("func_name")
    shown = tuple(range(len(public)))
    starter = str(row.fields.get("starter_code") or "")
    question = row.text("question_content")
    return Problem(
        id=str(row.get("question_id", (str, int))),
        statement=f"{question.rstrip()}\n\n{starter.rstrip()}\n" if starter.strip() else question,
        checks=_checks(row, [*public, *private], name),
        shown=shown,
        revealed=shown,
        entry_point=name,
        prelude=preludes.LIVECODEBENCH,
        meta={
            "source": "livecodebench",
            "split": "test",
            "date": str(row.get("contest_date", (str, date)))[:10],
            **{key: row.fields[key] for key in _DETAILS if key in row.fields},
        },
    )


def _tests(row: Row, field: str) -> list[dict[str, Any]]:
    value = row.get(field, (str, list))
    if isinstance(value, list):
        return value
    text = value if value.lstrip().startswith("[") else _decompressed(row, field, value)
    return list(parse_json(text, f"{row.where}: field {field!r}"))


def _decompressed(row: Row, field: str, value: str) -> str:
    try:
        return decompressed(value)
    except ValueError as error:
        raise InputError(f"{row.where}: field {field!r}: {error}") from error


def _checks(row: Row, tests: Sequence[dict[str, Any]], name: str | None) -> tuple[Check, ...]:
    if name is None:
        return tuple(Stdio(as_text(test["input"]), as_text(test["output"])) for test in tests)
    return tuple(_call(test, row.where) for test in tests)


def _call(test: dict[str, Any], where: str) -> Call:
    arguments = tuple(parse_json(line, f"{where}: test input") for line in test["input"].split("\n"))
    return Call(arguments, parse_json(test["output"], f"{where}: test output"))


SOURCE = Source(
    name="livecodebench",
    about="contest problems with their dates; code generation",
    checks="stdio, call",
    splits=("test",),
    files=(("livecodebench/test*.jsonl*", "test"), ("livecodebench/*.parquet", "test")),
    build=problems,
    hub=Hub(
        "livecodebench/code_generation_lite",
        "0fe84c3912ea0c4d4a78037083943e8f0c4dd505",
        {"test": "test*.jsonl"},
    ),
)
