"""Tables of recorded repairs: first programs, repairs, and what each round did."""

from __future__ import annotations

from regreen.records import Record
from regreen.report.tables import Cell, Table

_ROWS = {
    "first": "first programs",
    "last": "last programs",
    "repairs": "repairs",
    "mended": "last programs after a wrong first one",
    "kept": "last programs after a right first one",
}
_COUNTS = (" passed", " failed", " unknown")
_NAMES = {"recorded": "recorded verdicts", "ours": "our verdicts"}


def import_tables(found: Record) -> list[Table]:
    """Return the tables of what :func:`regreen.evaluate.import_trees` returned."""
    whose = found["verdicts"]
    rows: list[list[str | Cell]] = [
        [text, *(share_cell(figures[name]) for figures in whose.values())]
        for name, text in _ROWS.items()
        if all(name in figures for figures in whose.values())
    ]
    tables = [Table("Passed", ["", *(_NAMES[name] for name in whose)], rows, _notes(found))]
    name, figures = list(whose.items())[-1]
    return tables + ([_rounds(figures, _NAMES[name])] if "rounds" in figures else [])


def _rounds(figures: Record, whose: str) -> Table:
    rows: list[list[str | Cell]] = [
        [str(number), share_cell(r["programs"]), share_cell(r["standing"]), str(r["repaired"]), str(r["broken"])]
        for number, r in enumerate(figures["rounds"])
    ]
    return Table(f"Rounds, by {whose}", ["", "its programs", "all after it", "repaired", "broken"], rows)


def share_cell(share: Record) -> Cell:
    """Return a rate with its counts, or the bounds that programs without a verdict leave open."""
    numbers = [share[name.strip()] for name in _COUNTS]
    total = sum(numbers)
    if not total:
        return Cell("-", numbers, _COUNTS)
    if share["unknown"]:
        low, high = (100 * bound for bound in share["bounds"])
        return Cell(f"{low:.1f} to {high:.1f} % ({share['unknown']} of {total} unknown)", numbers, _COUNTS)
    return Cell(f"{100 * share['rate']:.1f} % ({share['passed']} of {total})", numbers, _COUNTS)


def _notes(found: Record) -> list[str]:
    counts = ", ".join(f"{count} {kind}" for kind, count in found["nodes"].items())
    notes = [f"{found['problems']} problems; nodes: {counts}"]
    if found["not_recorded"]:
        notes.append(f"programs that were run but not recorded: {found['not_recorded']}")
    if found["skipped"]:
        notes.append(f"bad lines skipped: {found['skipped']}")
    if "unscored" in found:
        notes.append(f"no score of trees: {found['unscored']}")
    if recorded := found["recorded"]:
        notes.append(f"recorded verdicts: {recorded['agree']} agree with ours, {recorded['differ']} differ")
    return notes
