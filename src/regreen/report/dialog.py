"""A run of dialogs: how many problems are solved by each turn, with and without hints."""

from __future__ import annotations

from pathlib import Path

from regreen.controls import RESAMPLE
from regreen.dialog import turn_curve
from regreen.records import PROBLEMS, TREES, VERDICTS, Record, read_records
from regreen.report.tables import Cell, Table, estimate_cell
from regreen.tree import read_trees


def dialog_summary(run: Path, *, turns: int, seed: int = 0) -> Record:
    """Return what the dialogs of a run come to; see :func:`regreen.dialog.turn_curve`."""
    trees = read_trees((f"{run / TREES}", record) for _, record in read_records(run / TREES))
    fresh: dict[str, dict[int, bool]] = {}
    for _, record in read_records(run / VERDICTS):
        if record.get("role") == RESAMPLE:
            fresh.setdefault(record["problem"], {})[record["index"]] = record["outcome"] == "passed"
    in_order = {problem: [found[index] for index in sorted(found)] for problem, found in fresh.items()}
    problems = {record["id"]: record for _, record in read_records(run / PROBLEMS)}
    clusters = {
        name: str(label) for name, p in problems.items() if (label := p.get("meta", {}).get("cluster")) is not None
    }
    return turn_curve(trees, in_order, turns=turns, clusters=clusters, seed=seed)


def dialog_tables(found: Record) -> list[Table]:
    """Return the curves over turns in what :func:`regreen.report.report` returned."""
    return [_table(run["dialog"]) for run in found.get("runs", [found]) if "dialog" in run]


def _table(found: Record) -> Table:
    rows: list[list[str | Cell]] = []
    for line in found["turns"]:
        row: list[str | Cell] = [str(line["turn"]), estimate_cell(line["pass"])]
        if "control" in line:
            p = "-" if line["p_holm"] is None else f"p = {line['p_holm']:.3g}"
            row += [estimate_cell(line["control"]), estimate_cell(line["difference"], signed=True), p]
        rows.append(row)
    header = ["turn", "solved with hints", "fresh programs", "difference", "paired permutation"]
    if not rows:
        return Table("Dialog", header[:2], rows, ["nothing is there yet: no dialog has a program"])
    notes = [f"problems: {found['problems']}, hints: {found['hints']}"]
    if "control" in found["turns"][0]:
        notes.append("p: corrected for all turns after the first (Holm)")
    return Table("Dialog", header[: len(rows[0])], rows, notes)
