"""Tables of what people said of feedback."""

from __future__ import annotations

from regreen.annotation import CATEGORIES, WRONG
from regreen.records import Record
from regreen.report.tables import Cell, Table


def annotation_tables(found: Record) -> list[Table]:
    """Return the tables of what :func:`regreen.annotation.read_sheet` returned."""
    writers = found["writers"]
    rest = {name: text for name, text in CATEGORIES.items() if name != WRONG}
    every = [[text, *(_of(w[name], w["texts"]) for w in writers.values())] for name, text in CATEGORIES.items()]
    among = [
        [text, *(_of(w["of_seemingly_correct"][name], w["seemingly_correct"]) for w in writers.values())]
        for name, text in rest.items()
    ]
    notes = [f"rows without any mark, left out: {found['unmarked']}"] if found["unmarked"] else []
    return [
        Table("Feedback", ["", *writers], every, notes),
        Table("Among seemingly correct feedback", ["", *writers], among),
    ]


def _of(count: int, total: int) -> str | Cell:
    text = f"{count} of {total}" + (f" ({100 * count / total:.0f} %)" if total else "")
    return Cell(text, [count, total], ("", " of"))
