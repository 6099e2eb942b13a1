"""Tables of runs: for a terminal, as Markdown, as CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from regreen.records import Record
from regreen.report.text import printable

Form = Literal["terminal", "md", "csv"]
_NAMED = 5  # ids that a note spells out


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header, rows of texts, and notes to be read beneath."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)


def tables(found: Record) -> list[Table]:
    """Return the tables of what :func:`regreen.report.report` or ``score`` returned."""
    runs = found.get("runs", [found])
    made = [scores_table(runs), outcomes_table(runs), exceptions_table(runs)]
    if found.get("paired"):
        made.append(paired_table(found["paired"]))
    return [table for table in made if table.rows]


def scores_table(runs: Sequence[Record]) -> Table:
    """Return pass@k with intervals, a row for each run and each part of it."""
    names = list(dict.fromkeys(name for run in runs for name in run["scores"]))
    rows = []
    for run in runs:
        for label, problems, scores in _parts(run, several=len(runs) > 1):
            rows.append([label, problems, str(run["programs"]), *(_cell(scores.get(name)) for name in names)])
    notes = _interval_notes(runs)
    for run in runs:
        notes += [f"{_label(run)}: {note}" if len(runs) > 1 else note for note in _notes(run)]
    return Table("Scores", ["", "problems", "programs", *names], rows, notes)


def outcomes_table(runs: Sequence[Record]) -> Table:
    """Return how many programs ended in which way."""
    names = [name for name in runs[0]["outcomes"] if any(run["outcomes"][name] for run in runs)]
    rows = [[name, *(_share(run["outcomes"][name], run["programs"]) for run in runs)] for name in names]
    return Table("Outcomes", ["", *_columns(runs)], rows)


def exceptions_table(runs: Sequence[Record]) -> Table:
    """Return which exceptions ended programs, the commonest first."""
    names = sorted({name for run in runs for name in run["exceptions"]}, key=lambda name: _commonest(runs, name))
    rows = [[name, *(str(run["exceptions"].get(name, 0)) for run in runs)] for name in names]
    return Table("Exceptions", ["", *_columns(runs)], rows)


def paired_table(paired: Record) -> Table:
    """Return the differences of the second run from the first."""
    rows = []
    for name, found in paired["differences"].items():
        if found["value"] is None:
            rows.append([name, _cell(found), "", ""])
        else:
            verdict = "distinguishable" if found["distinguishable"] else "not distinguishable"
            rows.append([name, _cell(found, signed=True), f"p = {found['p']:.3g} ({found['test']})", verdict])
    notes = [f"{paired['problems']} problems in both runs"]
    left = paired["only_first"] + paired["only_second"]
    notes += [f"{left} problems are in one run only and left out"] if left else []
    return Table("Second run - first", ["", "difference", "test", "at 5 %"], rows, notes)


def render(found: Iterable[Table], form: Form = "terminal") -> str:
    """Return tables as text."""
    render_one = {"terminal": _terminal, "md": _markdown, "csv": _csv}[form]
    return "\n".join(render_one(table) for table in found)


def _parts(run: Record, *, several: bool) -> list[tuple[str, str, Record]]:
    """Return label, number of problems and scores of each row: the run, then its parts."""
    every = str(run["problems"])
    parts = [(_label(run) if several else run["benchmark"], every, run["scores"])]
    parts += [(f"  {name} checks", every, scores) for name, scores in run.get("by_checks", {}).items()]
    parts += [(f"  {name}", str(group["problems"]), group["scores"]) for name, group in run.get("by_date", {}).items()]
    parts += [("  biased estimator", every, run["biased"])] if "biased" in run else []
    return parts


def _columns(runs: Sequence[Record]) -> list[str]:
    return ["programs"] if len(runs) == 1 else [_label(run) for run in runs]


def _label(run: Record) -> str:
    return Path(run["run"]).name


def _cell(found: Record | None, *, signed: bool = False) -> str:
    if found is None:
        return "-"
    if found["value"] is None:
        return f"-, needs {found['needs']}"
    sign = "+" if signed else ""
    value, low, high = (format(100 * found[name], f"{sign}.1f") for name in ("value", "low", "high"))
    return f"{value} % [{low}, {high}]"


def _share(count: int, programs: int) -> str:
    return f"{count} ({100 * count / programs:.1f} %)" if programs else str(count)


def _commonest(runs: Sequence[Record], name: str) -> tuple[int, str]:
    return -sum(run["exceptions"].get(name, 0) for run in runs), name


def _interval_notes(runs: Sequence[Record]) -> list[str]:
    methods = {score["interval"] for run in runs for score in run["scores"].values() if "interval" in score}
    notes = []
    if "bootstrap" in methods:
        notes.append("[low, high]: 95 % percentile bootstrap over problems")
    if "exact" in methods:
        notes.append("[low, high]: exact (Clopper-Pearson), where all problems have one value")
    return notes


def _notes(run: Record) -> list[str]:
    """Return what must be known to read a run's scores rightly."""
    missing, shared, recorded = run["missing"], run["modes"]["shared"], run.get("recorded")
    treated = "count as failed" if run["missing_counted"] else "are left out (--missing fail counts them)"
    said = {
        "not finished; the command that began it continues it": not run["finished"],
        f"{len(missing)} problems have no program and {treated}: {_some(missing)}": missing,
        f"{run['skipped']} bad lines were skipped": run["skipped"],
        f"{run['no_program']} texts held no program": run["no_program"],
        f"{run['refused']} samples were refused by their backend and count as not passed": run["refused"],
        f"{shared} programs were judged in one process with their checks (shared)": shared,
    }
    notes = [text for text, holds in said.items() if holds]
    if run["form"]:
        notes.insert(0, f"read as {run['form']}" + (", judged by the rows' own checks" if run["own_checks"] else ""))
    if recorded:
        notes.append(f"recorded verdicts: {recorded['agree']} agree with ours, {recorded['differ']} differ")
    return notes


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")


def _terminal(table: Table) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in table.header:
        grid.add_column(Text(printable(name)), overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    terminal = sys.stdout.isatty()
    console = Console(file=io.StringIO(), force_terminal=terminal, width=None if terminal else 160)
    with console.capture() as captured:
        console.print(grid)
    lines = [line.rstrip() for line in captured.get().splitlines()]
    return "\n".join([*lines, *(f"  {printable(note)}" for note in table.notes)]) + "\n"


def _markdown(table: Table) -> str:
    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(printable(cell).replace('|', chr(92) + '|').strip() for cell in cells)} |"

    rule = "|" + " --- |" * len(table.header)
    lines = [f"**{table.title}**", "", line(table.header), rule, *map(line, table.rows)]
    return "\n".join([*lines, "", *(f"{printable(note)}  " for note in table.notes)]) + "\n"


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([table.title, *table.header[1:]])
    writer.writerows(table.rows)
    return text.getvalue()
