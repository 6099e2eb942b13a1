"""Tables of runs: for a terminal, as plain text, as Markdown, as CSV."""

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

Form = Literal["terminal", "text", "md", "csv"]
_NAMED = 5  # ids that a note spells out
_EXCEPTIONS = 20  # kinds of exception that have a row of their own
_LONGEST = 120  # characters of a cell: programs may name their exceptions as they like
_ENDS = ("", " low", " high")
_WIDE = 1000  # columns of a text that is not for a terminal: nothing is folded there


@dataclass(frozen=True, slots=True)
class Cell:
    """What a person reads, and the plain numbers that CSV holds in its place, each in a column.

    ``ends`` say what each number is: they follow the column's name.
    """

    text: str
    numbers: Sequence[float | None]
    ends: Sequence[str] = _ENDS

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header, rows of cells, and notes to be read beneath."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    notes: Sequence[str] = field(default_factory=tuple)


def tables(found: Record) -> list[Table]:
    """Return the tables of what :func:`regreen.report.report` or ``score`` returned."""
    runs = [run for run in found.get("runs", [found]) if "scores" in run]
    if not runs:
        return []
    made = [scores_table(runs), *map(temperature_table, runs), outcomes_table(runs), exceptions_table(runs)]
    if found.get("paired"):
        made.append(paired_table(found["paired"]))
    return [table for table in made if table.rows]


def scores_table(runs: Sequence[Record]) -> Table:
    """Return pass@k with intervals, a row for each run and each part of it."""
    names = list(dict.fromkeys(name for run in runs for name in run["scores"]))
    rows: list[list[str | Cell]] = []
    for run in runs:
        for label, problems, scores in _parts(run, several=len(runs) > 1):
            rows.append([label, problems, str(run["programs"]), *(estimate_cell(scores.get(name)) for name in names)])
    notes = _interval_notes(runs)
    for run in runs:
        notes += [f"{_label(run)}: {note}" if len(runs) > 1 else note for note in _notes(run)]
    return Table("Scores", ["", "problems", "programs", *names], rows, notes)


def temperature_table(run: Record) -> Table:
    """Return each temperature's pass@k, and the best for each k."""
    scores, best = run.get("by_temperature", {}), run.get("best_temperature", {})
    rows: list[list[str | Cell]] = [[name, *map(estimate_cell, found.values())] for name, found in scores.items()]
    if rows:
        rows.append(["best", *("-" if b["temperature"] is None else f"{b['temperature']:g}" for b in best.values())])
        rows.append(["pass@k at the best", *map(estimate_cell, best.values())])
    return Table("Temperatures", ["", *best], rows, _chosen_on(run))


def _chosen_on(run: Record) -> list[str]:
    for best in run.get("best_temperature", {}).values():
        chosen_on, reported_on = best["chosen_on"], best["problems"]
        if chosen_on == reported_on == run["problems"]:
            return ["the best is chosen on the problems it is reported on, so it is too good (--held-out)"]
        return [f"the best is chosen on {chosen_on} problems and reported on the other {reported_on}"]
    return []


def outcomes_table(runs: Sequence[Record]) -> Table:
    """Return how many programs ended in which way."""
    names = [name for name in runs[0]["outcomes"] if any(run["outcomes"][name] for run in runs)]
    rows = [[name, *(_share(run["outcomes"][name], _written(run)) for run in runs)] for name in names]
    return Table("Outcomes", ["", *_columns(runs)], rows)


def _written(run: Record) -> int:
    """Return how many programs there are, those included that are not scored."""
    every: int = run["programs"]
    return sum(run["outcomes"].values()) + run["refused"] if run.get("first_alone") else every


def exceptions_table(runs: Sequence[Record]) -> Table:
    """Return which exceptions ended programs, the commonest first."""
    names = sorted({name for run in runs for name in run["exceptions"]}, key=lambda name: _commonest(runs, name))
    rows = [[name, *(str(run["exceptions"].get(name, 0)) for run in runs)] for name in names[:_EXCEPTIONS]]
    left = len(names) - len(rows)
    return Table("Exceptions", ["", *_columns(runs)], rows, [f"and {left} rarer kinds: --json has all"] if left else [])


def paired_table(paired: Record) -> Table:
    """Return the differences of the second run from the first."""
    rows: list[list[str | Cell]] = []
    for name, found in paired["differences"].items():
        if found["value"] is None:
            rows.append([name, estimate_cell(found), "", ""])
        else:
            verdict = "distinguishable" if found["distinguishable"] else "not distinguishable"
            rows.append(
                [name, estimate_cell(found, signed=True), f"p = {found['p_holm']:.3g} ({found['test']})", verdict]
            )
    if not paired["problems"]:
        rows.append(["no problem has programs in both runs", "", "", ""])
    notes = [f"{paired['problems']} problems in both runs"] if paired["problems"] else []
    if paired["asked_otherwise"]:
        notes.append(f"NOT THE SAME: the runs state or check {paired['asked_otherwise']} of them differently")
    if len(rows) > 1:
        notes.append("p: corrected for all k of the table (Holm)")
    left = paired["only_first"] + paired["only_second"]
    notes += [f"problems in one run only, left out: {left}"] if left else []
    return Table("Second run - first", ["", "difference", "test", "at 5 %"], rows, notes)


def differences(found: Record) -> str:
    """Return a line for each verdict that differs from the recorded one."""
    lines = [
        f"  {d['problem']} [{d['index']}]: recorded {d['recorded']}, ours {d['outcome']}\n"
        for d in found.get("recorded", {}).get("differences", [])
    ]
    return "".join(lines)


def render(found: Iterable[Table], form: Form = "terminal") -> str:
    """Return tables as text."""
    render_one = {"terminal": _terminal, "text": _text, "md": _markdown, "csv": _csv}[form]
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


def estimate_cell(found: Record | None, *, signed: bool = False) -> Cell:
    """Return an estimate with its interval, in per cent."""
    if found is None:
        return Cell("-", (None, None, None))
    numbers = [found[name] for name in ("value", "low", "high")]
    if found["value"] is None:
        return Cell(f"-, needs {found['needs']}", numbers)
    value, low, high = (format(100 * number, "+.1f" if signed else ".1f") for number in numbers)
    return Cell(f"{value} % [{low}, {high}]", numbers)


def _share(count: int, programs: int) -> Cell:
    return Cell(f"{count} ({100 * count / programs:.1f} %)" if programs else str(count), [count])


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
    later, stopped = run.get("refused_later", 0), run.get("stopped_at")
    treated = "counted as failed" if run["missing_counted"] else "left out (--missing fail counts them)"
    said = {
        "not finished; the command that began it continues it": not run["finished"] and stopped is None,
        f"stopped after {stopped} tokens; a larger --max-tokens-total goes on": stopped is not None,
        f"records are missing: {run['unjudged']} programs have no verdict": run["finished"] and run["unjudged"],
        f"problems without a program, {treated}: {len(missing)} ({_some(missing)})": missing,
        "drawn until one passed: of each problem the first program alone is scored (--full draws all)": (
            run.get("first_alone")
        ),
        f"bad lines skipped: {run['skipped']}": run["skipped"],
        f"texts without a program: {run['no_program']}": run["no_program"],
        f"texts cut at --max-tokens: {run['truncated']}": run["truncated"],
        f"tokens generated: {run['tokens']}, for reasoning {run['reasoning_tokens']}": run["tokens"],
        f"samples refused by their backend, counted as not passed: {run['refused']}": run["refused"],
        f"explanations, repairs and controls refused by their backend: {later}": later,
        f"programs judged in one process with their checks (shared): {shared}": shared,
    }
    notes = [text for text, holds in said.items() if holds]
    if run["programs"] > run["problems"] and "pass@1" in run["scores"]:
        solved, solving = estimate_cell(run["solved"]), estimate_cell(run["scores"]["pass@1"])
        notes.insert(0, f"problems that some program solves: {solved}; programs that solve theirs: {solving}")
    if run["read_as"]:
        notes.insert(0, f"read as {run['read_as']}")
    if recorded:
        more = " (-v names them)" if recorded["differ"] else ""
        notes.append(f"recorded verdicts: {recorded['agree']} agree with ours, {recorded['differ']} differ{more}")
    return notes


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")


def _terminal(table: Table) -> str:
    at_terminal = sys.stdout is not None and sys.stdout.isatty()  # None: closed
    return _grid(table, at_terminal=at_terminal)


def _text(table: Table) -> str:
    return _grid(table, at_terminal=False)


def _grid(table: Table, *, at_terminal: bool) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in table.header:
        grid.add_column(Text(printable(name)), overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(_printed(cell)) for cell in row))
    console = Console(file=io.StringIO(), force_terminal=at_terminal, width=None if at_terminal else _WIDE)
    with console.capture() as captured:
        console.print(grid)
    lines = [line.rstrip() for line in captured.get().rstrip().splitlines()] + [""] * bool(table.notes)
    return "\n".join([*lines, *(f"  {printable(note)}" for note in table.notes)]) + "\n"


def _markdown(table: Table) -> str:
    def line(cells: Iterable[str | Cell]) -> str:
        return f"| {' | '.join(_printed(cell).replace('|', chr(92) + '|').strip() for cell in cells)} |"

    rule = "|" + " --- |" * len(table.header)
    lines = [f"**{table.title}**", "", line(table.header), rule, *map(line, table.rows)]
    notes = [f"{printable(note)}  " for note in table.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _csv(table: Table) -> str:
    """Return the table with numbers as they are: an estimate fills three columns, in parts of one.

    A cell with fewer numbers than others of its column is filled up with nothing.
    """
    text = io.StringIO()
    names = [table.title, *table.header[1:]]
    ends = [_ends([row[at] for row in table.rows]) for at in range(len(names))]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(f"{name}{end}" for name, of in zip(names, ends, strict=True) for end in of)
    for row in table.rows:
        writer.writerow(number for cell, of in zip(row, ends, strict=True) for number in _numbers(cell, len(of)))
    return text.getvalue()


def _ends(column: Sequence[str | Cell]) -> Sequence[str]:
    """Return what follows a column's name for each of its numbers: that of its widest cell."""
    ends = (cell.ends[: len(cell.numbers)] if isinstance(cell, Cell) else _ENDS[:1] for cell in column)
    return max(ends, key=len, default=_ENDS[:1])


def _numbers(cell: str | Cell, width: int) -> list[str | float | None]:
    numbers = cell.numbers if isinstance(cell, Cell) else [cell]
    return [*numbers, *[None] * (width - len(numbers))]


def _printed(cell: str | Cell) -> str:
    """Return a cell's text, made safe to print, and cut where a program chose it too long."""
    text = printable(str(cell))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
