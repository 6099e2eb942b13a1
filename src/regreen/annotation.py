"""The annotation sheet: people mark which of five categories fit a piece of feedback, without knowing who wrote it.

    write_sheet([Path("runs/repair-...")], Path("sheet.csv"))      # shuffled, blinded
    read_sheet([Path("runs/repair-...")], Path("sheet.csv"))       # counts for each who wrote feedback

A row has an id, the statement, the program, what was said of it, and a column for each category. ``x``, ``1``, ``y``,
``yes`` and ``true`` mean that it fits; ``0``, ``n``, ``no``, ``false`` and nothing that it does not. A row without any
mark has not been looked at: where nothing fits, one ``0`` says so.

Source: Olausson et al. 2023 (arXiv 2306.09896), section 4.3: the five categories of the human study.

Differences from the paper: it does not say how its annotators were blinded or in which order they read; here rows are
shuffled, and neither id, order nor other columns tell who wrote a text.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.records import PROBLEMS, Record, read_records, trees_of
from regreen.run import read_manifest
from regreen.sheets import mark, read_rows, write_rows
from regreen.tree import Node

CATEGORIES: Mapping[str, str] = {
    "obviously_wrong": "obviously wrong",
    "small_change": "suggests a small change",
    "large_change": "suggests a large change",
    "has_code": "contains code or pseudo-code",
    "uncertain": "states uncertainty",
}
WRONG = "obviously_wrong"
_ABOUT = ("id", "problem", "statement", "program", "feedback")


@dataclass(frozen=True, slots=True)
class Remark:
    """What was said of one program: its blind id, who wrote it, the statement, the program and the words."""

    id: str
    writer: str
    problem: str
    statement: str
    program: str
    words: str


@dataclass(slots=True)
class _Tally:
    """The marks on one writer's texts."""

    texts: int = 0
    correct: int = 0  # those that are not obviously wrong
    marks: Counter[str] = field(default_factory=Counter)
    of_correct: Counter[str] = field(default_factory=Counter)

    def add(self, marks: Iterable[str]) -> None:
        found = list(marks)
        self.texts += 1
        self.marks.update(found)
        if WRONG not in found:
            self.correct += 1
            self.of_correct.update(found)

    def to_json(self) -> Record:
        rest = {name: self.of_correct[name] for name in CATEGORIES if name != WRONG}
        counts = {name: self.marks[name] for name in CATEGORIES}
        return {"texts": self.texts, **counts, "seemingly_correct": self.correct, "of_seemingly_correct": rest}


def remarks(runs: Sequence[Path]) -> list[Remark]:
    """Return every piece of feedback in runs with trees: feedback, hints, and the words before a joint program.

    Raises InputError if a path is no run directory, or there is no feedback in any.
    """
    found = list({remark.id: remark for run in runs for remark in _remarks(run)}.values())
    if not found:
        raise InputError(f"{', '.join(map(str, runs))}: no feedback to annotate; give runs of repair, dialog or import")
    return found


def write_sheet(runs: Sequence[Path], sheet: Path, *, seed: int = 0, limit: int | None = None) -> Record:
    """Write a sheet of the runs' feedback in shuffled order.

    Args:
        runs: run directories with trees.
        sheet: the CSV file to write, which must not be there: it may hold marks.
        seed: of the order, and of the choice where there is a limit.
        limit: texts of each writer.

    Returns:
        ``sheet`` and the number of ``texts``.

    Raises:
        InputError: no feedback, or the file is there already.
    """
    shuffled = remarks(runs)
    random.Random(seed).shuffle(shuffled)
    chosen = list(_first_of_each(shuffled, limit))
    write_rows(sheet, [*_ABOUT, *CATEGORIES], map(_row, chosen))
    return {"sheet": str(sheet), "texts": len(chosen)}


def read_sheet(runs: Sequence[Path], sheet: Path) -> Record:
    """Return what a filled sheet comes to.

    Args:
        runs: those that the sheet was written from.
        sheet: the CSV file, its rows in any order.

    Returns:
        Plain JSON: ``writers`` with the number of ``texts``, of each category, of those that are ``seemingly_correct``
        (not obviously wrong) and the categories among these; ``unmarked`` counts rows that nobody has looked at.

    Raises:
        InputError: names the row and the column that cannot be used.
    """
    by_id = {remark.id: remark for remark in remarks(runs)}
    tallies: dict[str, _Tally] = {}
    seen: dict[str, int] = {}
    unmarked = 0
    for number, row in read_rows(sheet, ("id", *CATEGORIES)):
        where = f"{sheet}: row {number}"
        remark = _found(by_id, row["id"], where)
        if remark.id in seen:
            raise InputError(f"{where}, column id: {remark.id} is in row {seen[remark.id]} too; keep one of them")
        seen[remark.id] = number
        if not any(row[name].strip() for name in CATEGORIES):
            unmarked += 1
            continue
        tallies.setdefault(remark.writer, _Tally()).add(_marks(row, where))
    return {"writers": {name: tallies[name].to_json() for name in sorted(tallies)}, "unmarked": unmarked}


def _remarks(run: Path) -> Iterator[Remark]:
    settings = read_manifest(run)["settings"]
    statements = {record["id"]: record["statement"] for _, record in read_records(run / PROBLEMS)}
    for name, tree in trees_of(run).items():
        for node in tree.nodes.values():
            words = _words(node)
            if node.parent is not None and words:
                writer, program = _writer(node, settings), _program_above(tree.nodes, node)
                id = hashlib.sha256("\0".join([name, node.node, writer, words]).encode("utf-8", "replace")).hexdigest()
                yield Remark(id[:12], writer, name, statements.get(name, ""), program, words)


def _words(node: Node) -> str:
    """Return what a node says of the program above, without a program of its own."""
    if node.kind not in ("feedback", "hint", "joint"):
        return ""
    text, program = node.text or "", node.source.strip()
    if node.kind == "joint" and program:
        text = text.partition("```")[0] if "```" in text else text.partition(program)[0]
    return text.strip()


def _program_above(nodes: Mapping[str, Node], node: Node) -> str:
    above = node.parent and nodes[node.parent]
    while above and not above.has_program:
        above = above.parent and nodes[above.parent]
    return above.source if above else ""


def _writer(node: Node, settings: Mapping[str, Any]) -> str:
    """Return who wrote a node: a person, a model, or what the run says of its feedback."""
    if node.kind == "hint" and node.model is None:
        return "person"
    return str(node.model or settings.get("feedback") or settings.get("form") or "unknown")


def _first_of_each(shuffled: Iterable[Remark], limit: int | None) -> Iterator[Remark]:
    taken: Counter[str] = Counter()
    for remark in shuffled:
        taken[remark.writer] += 1
        if limit is None or taken[remark.writer] <= limit:
            yield remark


def _row(remark: Remark) -> list[str]:
    about = [remark.id, remark.problem, remark.statement, remark.program, remark.words]
    return [*about, *[""] * len(CATEGORIES)]


def _found(by_id: Mapping[str, Remark], id: str, where: str) -> Remark:
    if id.strip() not in by_id:
        raise InputError(f"{where}, column id: no feedback {id[:40]!r} in these runs; give those of the sheet")
    return by_id[id.strip()]


def _marks(row: Mapping[str, str], where: str) -> Iterator[str]:
    for name in CATEGORIES:
        if mark(row[name], f"{where}, column {name}"):
            yield name
