"""Rows of published files, read one at a time, each knowing its file and line."""

from __future__ import annotations

import gzip
import importlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from regreen.errors import InputError, MissingDataError

_INT_DIGITS = 4300  # above this, int(text) refuses; some published tests hold such numbers


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a published file: its fields, where it stands, and the split its file belongs to."""

    fields: Mapping[str, Any]
    where: str
    split: str | None = None

    def get(self, name: str, kind: type | tuple[type, ...] = str) -> Any:
        """Return a field that must be there and of the kind given; raises InputError."""
        if name not in self.fields:
            raise InputError(f"{self.where}: no field {name!r}; this row has {', '.join(sorted(self.fields))}")
        value = self.fields[name]
        if not isinstance(value, kind):
            raise InputError(f"{self.where}: field {name!r} cannot be {type(value).__name__}")
        return value

    def text(self, name: str) -> str:
        """Return a text field, its line ends made ``\\n``."""
        return str(self.get(name)).replace("\r\n", "\n")

    def texts(self, name: str) -> list[str]:
        """Return a field that is a list of texts, their line ends made ``\\n``."""
        values = self.get(name, (list, tuple))
        if not all(isinstance(value, str) for value in values):
            raise InputError(f"{self.where}: field {name!r} must be a list of strings")
        return [value.replace("\r\n", "\n") for value in values]

    def json(self, name: str) -> Any:
        """Return a field that may be published as data or as JSON text, decoded; None where it is empty."""
        value = self.fields.get(name)
        if not isinstance(value, str):
            return value
        return parse_json(value, f"{self.where}: field {name!r}") if value.strip() else None


def read_rows(path: Path, split: str | None = None) -> Iterator[Row]:
    """Yield the rows of a file: JSON Lines, a JSON list, or parquet; ``.gz`` too.

    Raises InputError that names file and line for what is not UTF-8, not JSON or no object, and for an empty file.
    """
    count = 0
    for fields, where in _records(path):
        if not isinstance(fields, Mapping):
            raise InputError(f"{where}: expected a JSON object, not {type(fields).__name__}")
        count += 1
        yield Row(fields, where, split)
    if not count:
        raise InputError(f"{path}: the file is empty; expected one JSON object a line")


def parse_json(text: str | bytes, where: str) -> Any:
    """Decode JSON, integers of any length included; raises InputError that begins with ``where``."""
    try:
        return json.loads(text, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 text (byte {error.start + 1})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error})") from error


def _integer(text: str) -> int:
    return int(text) if len(text) <= _INT_DIGITS else int(Decimal(text))


def _records(path: Path) -> Iterator[tuple[Any, str]]:
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        return _parquet(path)
    if name.endswith(".json"):
        return _json_list(path)
    return _lines(path)


def _lines(path: Path) -> Iterator[tuple[Any, str]]:
    for number, line in enumerate(_binary_lines(path), 1):
        where = f"{path}:{number}"
        if line.strip():
            yield parse_json(line, where), where


def _binary_lines(path: Path) -> Iterator[bytes]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as stream:
            yield from stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: not a whole gzip file ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _json_list(path: Path) -> Iterator[tuple[Any, str]]:
    value = parse_json(b"".join(_binary_lines(path)), str(path))
    rows: Iterable[Any] = value if isinstance(value, list) else [value]
    for number, fields in enumerate(rows, 1):
        yield fields, f"{path}: row {number}"


def _parquet(path: Path) -> Iterator[tuple[Any, str]]:
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as error:
        raise MissingDataError(f"{path}: parquet files need datasets; type: pip install 'regreen[data]'") from error
    rows = datasets.load_dataset("parquet", data_files=str(path), split="train", streaming=True)
    for number, fields in enumerate(rows, 1):
        yield fields, f"{path}: row {number}"
