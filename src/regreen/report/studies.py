"""The tables of studies."""

from __future__ import annotations

from typing import Any

from regreen.records import Record
from regreen.report.tables import Cell, Table, estimate_cell


def study_tables(found: Record) -> list[Table]:
    """Return the tables of what a study found."""
    return [_table(table) for table in found["tables"]]


def _table(table: Record) -> Table:
    rows = [[_cell(value, table["unit"]) for value in row] for row in table["rows"]]
    return Table(table["title"], table["header"], rows, table["notes"])


def _cell(value: Any, unit: str) -> str | Cell:
    if value is None:
        return Cell("-", (None,))
    if isinstance(value, dict):
        return estimate_cell(value) if unit == "%" else _number_cell(value)
    if isinstance(value, int | float):
        return Cell(str(value) if isinstance(value, int) else f"{value:.3g}", (value,))
    return str(value)


def _number_cell(found: Record) -> Cell:
    numbers = [found[name] for name in ("value", "low", "high")]
    return Cell("{:.3f} [{:.3f}, {:.3f}]".format(*numbers), numbers)
