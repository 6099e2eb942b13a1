"""Recognise a file of programs by its shape, and read it row by row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.formats import agents, files, lines, lists
from regreen.formats.form import BadRow, Draft, Entry, Form, Rows, Settings, Which, field_names
from regreen.formats.ids import Ids
from regreen.problem import Problem
from regreen.program import Program
from regreen.stated import asks_for_program, stated

FORMS = (*agents.FORMS, *lists.FORMS, *lines.FORMS)  # the first that fits is taken, so the most particular come first
_LINES_TRIED = 100
_TOLD = 2  # forms that a message of one line explains
_RUN_FILES = ("programs.jsonl", "programs.jsonl.gz", "samples.jsonl", "samples.jsonl.gz")


@dataclass(frozen=True, slots=True)
class Row:
    """One program of a file, and the verdict recorded there, if any.

    ``problem`` is set where the row brings the checks it was judged by. ``where`` is its place: ``FILE:LINE``, or
    ``FILE[12]`` in a JSON list, ``FILE['sample_3']`` in a JSON object.
    """

    program: Program
    recorded: bool | None
    problem: Problem | None
    where: str


class Reading:
    """A file of a known form, ready to be read.

    ``form`` is the form's name, ``about`` what its rows look like, ``holds`` what programs they give. ``own_checks``
    says that the rows bring the checks they were judged by. ``skipped`` fills while :meth:`rows` runs: a line for each
    row that cannot be used, with its place, what is wrong and what was expected.
    """

    def __init__(
        self, form: Form, entries: Callable[[], Iterator[Entry]], problems: Mapping[str, Problem], settings: Settings
    ) -> None:
        self.form = form.name
        self.about = form.about
        self.holds = form.holds.format(which=settings.which)
        self.own_checks = form.own_checks
        self.skipped: list[str] = []
        self._drafts = form.drafts
        self._entries = entries
        self._ids = Ids(problems)
        self._settings = settings

    def __repr__(self) -> str:
        return f"<Reading of the form {self.form}, {len(self.skipped)} rows skipped>"

    def rows(self) -> Iterator[Row]:
        """Yield every program in file order; memory does not grow with the number of lines."""
        self.skipped.clear()
        counts: Counter[str] = Counter()
        for entry in self._entries():
            try:
                rows = [self._row(draft, entry.where, counts) for draft in self._read(entry.value)]
            except BadRow as bad:
                self.skipped.append(f"{entry.where}: {bad}")
            else:
                yield from rows

    def _read(self, value: Any) -> Iterable[Draft]:
        if isinstance(value, BadRow):
            raise value
        if not isinstance(value, dict):
            raise BadRow(f"expected a JSON object with {self.about}")
        return list(self._drafts(value, self._settings))

    def _row(self, draft: Draft, where: str, counts: Counter[str]) -> Row:
        problem = draft.problem or self._ids.find(draft.id)
        fields = {"index": counts[problem.id], **_program(draft, problem), **draft.details}
        counts[problem.id] += 1
        return Row(Program(problem.id, **fields), draft.recorded, draft.problem, where)


def _program(draft: Draft, problem: Problem) -> dict[str, Any]:
    """Return a program's source; what continues a prompt may be a value or a formula that stands for one."""
    if not draft.continues:
        return {"source": draft.source}
    if asks_for_program(problem):
        return {"source": problem.prompt + draft.source}
    found = stated(problem, draft.source)
    return {"source": found or "", "text": draft.source, "extraction": "literal" if found else "none"}


def open_samples(
    path: str | Path,
    *,
    problems: Mapping[str, Problem] | Iterable[Problem] = (),
    cut: Callable[[str], str] = str,
    form: str | None = None,
    which: Which = "last",
) -> Reading:
    """Open a file or folder of programs that were made elsewhere.

    ``problems`` are the benchmark's, in its order; forms whose rows bring their own checks do without. ``cut`` is
    applied to raw continuations of a prompt, before they are joined to it (see :func:`regreen.extract.stop_at`).
    ``form`` names the form instead of finding it by shape. ``which`` chooses from rows that recorded a chain of
    attempts at one problem.

    Raises InputError, in one line, if nothing can be read: no such file, empty, a shape that fits no form, a folder
    without programs, or a form that needs a benchmark and got none.
    """
    by_id = dict(problems) if isinstance(problems, Mapping) else {problem.id: problem for problem in problems}
    found, entries = _detect(Path(path), _candidates(form))
    if not by_id and not found.own_checks:
        raise InputError(
            f"{path}: {found.name} rows bring no checks of their own; name their problems with --benchmark"
        )
    return Reading(found, entries, by_id, Settings(which, cut, tuple(by_id)))


def known_forms(forms: Sequence[Form] = FORMS) -> str:
    """Return every form's name in one line, the usual ones first and with what their rows look like."""
    usual_first = [*reversed(forms)]
    told = [f"{form.name} ({form.about})" for form in usual_first[:_TOLD]]
    return ", ".join([*told, *(form.name for form in usual_first[_TOLD:])])


Found = tuple[Form, Callable[[], Iterator[Entry]]]


def _candidates(name: str | None) -> Sequence[Form]:
    chosen = [form for form in FORMS if name in (None, form.name)]
    if not chosen:
        raise InputError(f"unknown form {name!r}; expected one of: {', '.join(form.name for form in FORMS)}")
    return chosen


def _detect(path: Path, forms: Sequence[Form]) -> Found:
    if path.is_dir():
        return _detect_folder(path, forms)
    first = None
    for entry in islice(files.lines(path), _LINES_TRIED):
        first = first or entry
        if form := _row_form(entry.value, forms):
            return form, partial(files.lines, path)
    if first is None:
        raise InputError(f"{path}: the file is empty; expected one of: {known_forms(forms)}")
    return _detect_document(path, forms, first)


def _detect_document(path: Path, forms: Sequence[Form], first: Entry) -> Found:
    """Recognise a file that is one JSON value: a list of rows, or a form of its own."""
    document = files.document(path)
    for form in forms:
        if form.rows and form.fits(document):
            return form, partial(_document_entries, path, form.rows, document)
    for row in document[:_LINES_TRIED] if isinstance(document, list) else ():
        if form_of_row := _row_form(row, forms):
            return form_of_row, partial(_document_entries, path, _items, document)
    raise InputError(f"{first.where}: {_misfit(document, first)}; expected one of: {known_forms(forms)}")


def _document_entries(path: Path, rows: Rows, document: Any) -> Iterator[Entry]:
    return (Entry(f"{path}{place}", row) for place, row in rows(document))


def _items(document: list[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"[{at}]", row) for at, row in enumerate(document))


def _row_form(row: Any, forms: Sequence[Form]) -> Form | None:
    return next((form for form in forms if form.rows is None and form.fits(row)), None)


def _misfit(document: Any, first: Entry) -> str:
    row = first.value if isinstance(document, BadRow) else document
    if isinstance(row, list) and row:
        row = row[0]
    if isinstance(row, BadRow):
        return str(row).partition(";")[0]
    return f"fields {field_names(row)} fit no form" if isinstance(row, dict) and row else "fits no form"


def _detect_folder(path: Path, forms: Sequence[Form]) -> Found:
    """Recognise a run directory, or evalplus's folder per problem."""
    for name in _RUN_FILES:
        if (path / name).is_file():
            return _detect(path / name, forms)
    sources = sorted(path.glob("*/*.py"), key=_numerically)
    evalplus = next((form for form in forms if form.name == "evalplus"), None)
    if not sources or evalplus is None:
        raise InputError(
            f"{path}: no programs in this folder; expected DIR/HumanEval_0/0.py or programs.jsonl, or name one file"
        )
    return evalplus, partial(map, _file_entry, sources)


def _file_entry(path: Path) -> Entry:
    source = files.source(path)
    return Entry(str(path), source if isinstance(source, BadRow) else {"task_id": path.parent.name, "solution": source})


def _numerically(path: Path) -> list[tuple[int, str]]:
    """Order 2.py before 10.py."""
    parts = re.split(r"(\d+)", f"{path.parent.name}/{path.name}")
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]
