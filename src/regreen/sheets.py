"""Sheets for people to mark, in a spreadsheet: CSV that cannot be run, and marks read back with care."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from regreen.errors import InputError

_MARKS = {"x": True, "1": True, "y": True, "yes": True, "true": True}
_MARKS |= {"": False, "0": False, "n": False, "no": False, "false": False}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet may run begins with one of these
_LONGEST = 1 << 24  # characters of a cell


def write_rows(sheet: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a new sheet; raises InputError if the file is there: it may hold marks."""
    try:
        # the mark of utf-8-sig tells spreadsheets that it is UTF-8
        with sheet.open("x", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(map(_cell, row) for row in rows)
    except FileExistsError as error:
        raise InputError(f"{sheet}: is there already and may hold marks; give another name, or remove it") from error


def read_rows(sheet: Path, columns: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with its number, as spreadsheets count: the header is row 1.

    Raises:
        InputError: it is no CSV in UTF-8, or one of the columns is not there.
    """
    csv.field_size_limit(_LONGEST)
    try:
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            names = reader.fieldnames or ()
            for name in columns:
                if name not in names:
                    raise InputError(f"{sheet}: row 1: no column {name!r}; keep the columns that were written")
            yield from enumerate(reader, 2)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{sheet}: cannot be read as CSV in UTF-8 ({error}); save it in that form") from error


def mark(text: str, where: str) -> bool:
    """Return whether a cell is marked; raises InputError that says where, for what is no mark."""
    found = _MARKS.get(text.strip().lower())
    if found is None:
        raise InputError(f"{where}: {text[:40]!r} is no mark; write x where it fits, else 0")
    return found


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
