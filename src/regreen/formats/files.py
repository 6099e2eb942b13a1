"""Bytes to rows: lines and whole JSON documents, plain or gzipped, each row with its place."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from regreen.errors import InputError
from regreen.formats.form import BadRow, Entry

_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked if it is gzipped; raises InputError that says why it cannot be."""
    if path.is_fifo():
        raise InputError(
            f"{path}: a pipe is read only once, but finding a file's form takes a first look; save it to a file"
        )
    try:
        file = path.open("rb")
    except OSError as error:
        reason = "no such file or folder" if isinstance(error, FileNotFoundError) else error.strerror
        raise InputError(f"{path}: {reason}; expected a file of programs, .gz or not") from error
    magic = file.read(2)
    file.seek(0)
    return gzip.open(file) if magic == _GZIP_MAGIC else file  # type: ignore[return-value]


def lines(path: Path) -> Iterator[Entry]:
    """Yield each line that is not blank, decoded from JSON; a file cut short ends with a bad row."""
    number = 0
    with open_bytes(path) as file:
        try:
            for number, raw in enumerate(file, start=1):
                if raw.strip():
                    yield Entry(f"{path}:{number}", _decoded(raw))
        except _BROKEN_GZIP as error:
            yield Entry(f"{path}:{number + 1}", BadRow(f"the compressed file breaks off here ({error})"))


def document(path: Path) -> Any:
    """Return the whole file as one JSON value, or a :class:`BadRow` if it is none."""
    with open_bytes(path) as file:
        try:
            return _decoded(file.read())
        except _BROKEN_GZIP as error:
            return BadRow(f"the compressed file breaks off ({error})")


def source(path: Path) -> str | BadRow:
    """Return a program's file as text."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(error)
    except OSError as error:
        return BadRow(f"cannot be read ({error.strerror})")


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw.removeprefix(_BOM).decode("utf-8"))
    except UnicodeDecodeError as error:
        return _not_utf8(error)
    except json.JSONDecodeError as error:
        return BadRow(f"not JSON ({error.msg} at column {error.colno}); expected one object a line")
    except (ValueError, RecursionError) as error:  # a number of too many digits, a value too deep
        return BadRow(f"JSON that cannot be read ({error}); expected one object a line")


def _not_utf8(error: UnicodeDecodeError) -> BadRow:
    return BadRow(f"not UTF-8 (byte 0x{error.object[error.start]:02x} at offset {error.start})")
