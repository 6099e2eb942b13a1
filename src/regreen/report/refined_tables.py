"""The tables of runs of refinements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from regreen.records import Record
from regreen.report.tables import Cell, Table, estimate_cell

Rows = list[list[str | Cell]]

RUNGS: Mapping[str, str] = {
    "within": "the same problem's, on another wrong program",
    "swapped": "another problem's, same outcome, about as long",
    "named": "an error's name alone",
    "untold": "none",
    "stranger": "true, below another problem's wrong program",
}
_TESTED = "paired permutation, corrected for all of the table (Holm)"
_COPIES = ("raw", "spaces", "syntax", "similarity")


def refined_tables(found: Record) -> list[Table]:
    """Return the tables of all runs of refinements in what :func:`regreen.report.report` returned."""
    runs = [run for run in found.get("runs", [found]) if "refine" in run]
    return [table for run in runs for table in _tables(run) if table.rows]


def _tables(run: Record) -> Iterator[Table]:
    about = run["refine"]
    yield _rounds(about)
    yield _rules(about)
    yield _ladder(about)
    yield _copies(about)
    yield _transitions(about)


def _rounds(about: Record) -> Table:
    rows: Rows = [
        [str(line["round"]), str(line["programs"]), str(line["passed"]), *_compared(line)] for line in about["rounds"]
    ]
    header = ["round", "programs", "passed", "solved by then", "with fresh programs", "refined - fresh", "p"]
    return Table("Refinement", header, rows, [*_notes(about)])


def _notes(about: Record) -> Iterator[str]:
    yield f"{about['problems']} problems, {about['chains']} chains; [low, high]: 95 % bootstrap over problems"
    yield "fresh: as many further programs from the first prompt, ended by a pass alike"
    yield f"p: {_TESTED}"
    if about["reveal"] == "all":
        yield "feedback saw the scoring checks (--reveal all)"
    gains = {arm: gain for arm, gain in about["gain"].items() if gain is not None}
    if gains:
        yield "relative gain: " + ", ".join(f"{arm} {100 * gain:+.1f} %" for arm, gain in gains.items())
    if about["refused"]:
        yield f"refinements refused by their backend, which end a chain: {about['refused']}"


def _rules(about: Record) -> Table:
    """Return what is solved in the end by checks that feedback never saw, and as one could deploy it."""
    last = about["rounds"][-1]
    rules = {"hidden": "never-revealed checks alone", "deployable": "chosen by the shown checks, then scored"}
    rows: Rows = [[text, *_compared(last[rule])] for rule, text in rules.items() if last[rule]]
    header = ["", "refined", "with fresh programs", "refined - fresh", "p"]
    return Table("After the last round", header, rows, [f"p: {_TESTED}"])


def _ladder(about: Record) -> Table:
    rows: Rows = [
        [text, str(rung["programs"]), *(estimate_cell(rung[name]) for name in ("rate", "true")),
         estimate_cell(rung["effect"], signed=True), _p(rung["p_holm"])]
        for name, text in RUNGS.items()
        if (rung := about["ladder"].get(name))
    ]  # fmt: skip
    header = ["first refinements told", "programs", "pass", "told the truth", "truth - this", "p"]
    notes = ["the effect of feedback is the difference in the first row: what a problem's other feedback does not do"]
    return Table("Controls", header, rows, [*(notes if "within" in about["ladder"] else []), f"p: {_TESTED}"])


def _copies(about: Record) -> Table:
    named = [(f"round {line['round']}", line) for line in about["copies"]]
    named += [("fresh programs", about["fresh_copies"])] if about["fresh_copies"] else []
    rows: Rows = [
        [name, str(line["programs"]), *(estimate_cell(line[kind]) for kind in _COPIES)]
        for name, line in named
        if line["programs"]
    ]
    header = ["against the wrong program", "programs", "same text", "but for space", "same syntax", "edit similarity"]
    return Table("Copies", header, rows)


def _transitions(about: Record) -> Table:
    counts = {(line["before"], line["after"]): line["count"] for line in about["transitions"]}
    after = sorted({a for _, a in counts}, key=str)
    rows: Rows = [
        [str(b), *(Cell(str(counts.get((b, a), 0)), [counts.get((b, a), 0)]) for a in after)]
        for b in sorted({b for b, _ in counts}, key=str)
    ]
    return Table("Outcomes before and after", ["", *map(str, after)], rows)


def _compared(line: Record) -> list[str | Cell]:
    sides = [estimate_cell(line[arm]) for arm in ("refined", "resampled")]
    return [*sides, estimate_cell(line["difference"], signed=True), _p(line["p_holm"])]


def _p(value: float | None) -> Cell:
    return Cell("-" if value is None else f"{value:.3g}", [value])
