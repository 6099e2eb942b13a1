"""Recorded repairs: rows of other harnesses to nodes of repair trees.

A row that recorded one program after another is a tree of width one: 0 is the first program, 0.0 what was said of it,
0.0.0 the repair. A program that a harness ran but did not record is a node without ``text``. ``recorded`` is the
harness's verdict by the problem's scoring tests, and None for what it ran on visible tests alone:

- Reflexion and LLMDebugger run every program on visible (or generated) tests. The last one alone, which passes those or
  ends the rounds, is run on the scoring tests, and ``is_solved`` speaks of it. Rows of Reflexion without
  ``implementations`` kept the last program alone.
- Reflexion's uniform-cost search (``reflexion-ucs``) writes the *first* program as ``solution``, whichever one the
  search ended with; ``is_solved`` speaks of that one, which is not in the row.
- LATS kept the first program and the one it chose in the end, which may stand several steps below; ``is_solved`` speaks
  of the latter. What it said of programs between is of no node here, and rows solved at once have no program at all.
  Its published runs begin most problems with the first program of an earlier one, which is no attempt at them.
- Self-repair's authors ran everything on all tests. ``tokens_generated`` of a first program counts its extracted code,
  that of a repair the code and the explanation before it. Where a separate model wrote the explanations, the row lists
  them, and equal ones are one feedback node; elsewhere explanation and program are one text, a joint node.

Sources: Shinn et al. 2023 (arXiv 2303.11366), Zhong et al. 2024 (arXiv 2402.16906), Zhou et al. 2023 (arXiv
2310.04406), Olausson et al. 2023 (arXiv 2306.09896), and the programs that wrote the files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from regreen.errors import InputError
from regreen.formats import files
from regreen.formats.agents import Harness, lats_harness, llmdebugger_harness, mapcoder_harness, reflexion_harness
from regreen.formats.form import BadRow, Entry, Fields, field_names, identifier, text, texts, verdict
from regreen.formats.ids import Ids
from regreen.problem import Problem
from regreen.tree import Node

_NAMELESS = ""  # the problem of a node until it is found


class Grown(NamedTuple):
    """What a row holds: a problem's id, nodes with parents before children, and the problem if the row brings one."""

    id: str | int
    nodes: list[Node]
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class TreeRow:
    """The nodes of one row, with their problem, which is the row's own or the benchmark's; ``where`` is its place."""

    nodes: tuple[Node, ...]
    problem: Problem
    where: str


Reader = Callable[[Fields], Grown]
Entries = Callable[[], Iterator[Entry]]


@dataclass(frozen=True, slots=True)
class TreeForm:
    """One shape of file. ``about`` says what its rows look like; ``reader`` returns what reads them."""

    about: str
    own_checks: bool
    reader: Callable[[Entries], Reader]


class TreeReading:
    """A file of recorded repairs, ready to be read.

    ``skipped`` fills while :meth:`rows` runs: a line for each row that cannot be used, with its place, what is wrong
    and what was expected.
    """

    def __init__(self, path: Path, form: TreeForm, problems: Mapping[str, Problem]) -> None:
        self.about = form.about
        self.skipped: list[str] = []
        self._ids = Ids(problems) if problems else None
        self._entries: Entries = partial(files.lines, path)
        self._read = form.reader(self._entries)

    def rows(self) -> Iterator[TreeRow]:
        """Yield every row in file order; a problem's second row has its next first programs."""
        self.skipped.clear()
        counts: Counter[str] = Counter()
        for entry in self._entries():
            try:
                row = self._row(entry, counts)
            except BadRow as bad:
                self.skipped.append(f"{entry.where}: {bad}")
            else:
                yield row

    def _row(self, entry: Entry, counts: Counter[str]) -> TreeRow:
        if isinstance(entry.value, BadRow):
            raise entry.value
        if not isinstance(entry.value, dict):
            raise BadRow(f"expected a JSON object with {self.about}")
        grown = self._read(entry.value)
        problem = self._ids.find(grown.id) if self._ids else grown.problem
        assert problem is not None  # open_trees refuses a form without checks where there are no problems
        nodes = tuple(_moved(node, problem.id, counts[problem.id]) for node in grown.nodes)
        counts[problem.id] += sum(node.parent is None for node in nodes)
        return TreeRow(nodes, problem, entry.where)


def open_trees(path: str | Path, form: str, *, problems: Iterable[Problem] = ()) -> TreeReading:
    """Open a file of recorded repairs: JSON Lines, gzipped or not.

    ``form`` is a name of ``TREE_FORMS``. ``problems`` are a benchmark's; without, the rows' own checks make the
    problems.

    Raises InputError if there is no such form or file, or the rows bring no checks and there are no problems.
    """
    if form not in TREE_FORMS:
        raise InputError(f"unknown form {form!r}; expected one of: {', '.join(TREE_FORMS)}")
    found, by_id = TREE_FORMS[form], {problem.id: problem for problem in problems}
    files.open_bytes(Path(path)).close()  # so that a missing file is told here
    if not by_id and not found.own_checks:
        raise InputError(f"{path}: {form} rows bring no checks of their own; name their problems with --benchmark")
    return TreeReading(Path(path), found, by_id)


def _moved(node: Node, problem: str, by: int) -> Node:
    """Return a node as one of a problem, its first program counted after ``by`` others."""
    root, dot, rest = node.node.partition(".")
    return replace(node, problem=problem, node=f"{int(root) + by}{dot}{rest}")


def _reflexion(row: Fields) -> Grown:
    words = texts(row, "reflections") if "reflections" in row else []
    last = text(row, "solution")
    programs = texts(row, "implementations") if "implementations" in row else [*[None] * len(words), last]
    return _chain(row, _harness(row), programs, words)


def _reflexion_ucs(row: Fields) -> Grown:
    """Read the first program, what was said of it, and the verdict on the program that the search ended with."""
    words, first = texts(row, "reflections"), text(row, "solution")
    return _chain(row, _harness(row), [first, None] if words else [first], words[:1])


def _lats(row: Fields) -> Grown:
    if "implementations" not in row:
        return _chain(row, lats_harness(row), [row.get("solution") and text(row, "solution")], [])
    programs, words = texts(row, "implementations"), texts(row, "reflections")
    if len(programs) == 2:
        words = words[:1]
    return _chain(row, lats_harness(row), programs, words)


def _ldb(row: Fields) -> Grown:
    """Read a chain; what was said of a program is the visible tests that it failed, each with what came out."""
    programs, told = texts(row, "implementations"), row.get("test_feedback")
    if not isinstance(told, list) or len(told) != len(programs):
        raise BadRow(f"field 'test_feedback' must hold an entry for each of the {len(programs)} programs")
    if "debug_iter" in row and row["debug_iter"] != len(programs) - 1:
        raise BadRow(f"{len(programs)} programs but debug_iter {row['debug_iter']}: the row holds more than one chain")
    return _chain(row, llmdebugger_harness(row), programs, [_said(entry) for entry in told[:-1]])


def _said(entry: Any) -> str:
    match entry:
        case str():
            return entry
        case [*lines] if all(isinstance(line, str) for line in lines):
            return "\n".join(lines)
    raise BadRow("field 'test_feedback' must hold texts, or lists of texts")


def _harness(row: Fields) -> Harness:
    return mapcoder_harness(row) if "hallucination" in row else reflexion_harness(row)


def _chain(row: Fields, harness: Harness, programs: Sequence[str | None], words: Sequence[str]) -> Grown:
    """Build a tree of width one; ``is_solved`` is the verdict on its last program."""
    if not programs or len(words) != len(programs) - 1:
        raise BadRow(f"{len(programs)} programs and {len(words)} texts about them are no chain, which has one less")
    nodes, name = [_program("0", "program", programs[0], harness)], "0"
    for said, written in zip(words, programs[1:], strict=True):
        nodes.append(Node(_NAMELESS, f"{name}.0", "feedback", text=said))
        name = f"{name}.0.0"
        nodes.append(_program(name, "repair", written, harness))
    nodes[-1] = replace(nodes[-1], recorded=verdict(row, "is_solved"))
    return Grown(harness.problem.id, nodes, harness.problem)


def _program(name: str, kind: Any, written: str | None, harness: Harness) -> Node:
    return Node(_NAMELESS, name, kind, text=written, source="" if written is None else harness.program(written))


def _self_repair(entries: Entries) -> Reader:
    """Return a reader that knows whether a lone repair is the file's mark for "passed when run again"."""
    marks = any(_several(entry.value) for entry in entries())

    def read(row: Fields) -> Grown:
        programs = _objects(row, "completions")
        nodes = [node for at, program in enumerate(programs) for node in _with_repairs(str(at), program, marks)]
        return Grown(_self_repair_id(row), nodes, None)

    return read


def _several(row: Any) -> bool:
    """True if some program of a row has several repairs, so that one alone is a mark."""
    match row:
        case {"completions": [*programs]}:
            return any(_has_several(program) for program in programs)
    return False


def _has_several(program: Any) -> bool:
    match program:
        case {"repairs": [_, _, *_]}:
            return True
    return False


def _self_repair_id(row: Fields) -> str | int:
    """Return the id: ``task_id``, or the last two folders of ``prob_path``, as test/4000."""
    if "prob_path" not in row:
        return identifier(row, "task_id")
    return "/".join(text(row, "prob_path").rstrip("/").split("/")[-2:])


def _with_repairs(name: str, program: Fields, marks: bool) -> Iterator[Node]:
    repairs = _objects(program, "repairs") if program.get("repairs") else []
    passed = bool(_passed(program)) or program.get("fault") == "passed"
    marked = marks and len(repairs) == 1 and not passed
    source = text(program, "executed_completion")
    written = text(program, "original_completion") if "original_completion" in program else source
    recorded = True if marked else passed
    yield Node(_NAMELESS, name, "program", text=written, source=source, recorded=recorded, **_tokens(program))
    if not marked:
        yield from _below(name, repairs, separate="explanations" in program)


def _below(name: str, repairs: Sequence[Fields], *, separate: bool) -> Iterator[Node]:
    """Yield a program's repairs: each a joint node, or below the feedback that it was written for."""
    if not separate:
        for at, repair in enumerate(repairs):
            yield _repair(f"{name}.{at}", "joint", repair)
        return
    told: dict[str, int] = {}
    below: Counter[str] = Counter()
    for repair in repairs:
        said = text(repair, "explanation")
        if said not in told:
            told[said] = len(told)
            yield Node(_NAMELESS, f"{name}.{told[said]}", "feedback", text=said)
        yield _repair(f"{name}.{told[said]}.{below[said]}", "repair", repair)
        below[said] += 1


def _repair(name: str, kind: Any, repair: Fields) -> Node:
    source = text(repair, next((n for n in _REPAIRED if repair.get(n) is not None), _REPAIRED[0]))
    written = source if kind == "repair" else _joined(text(repair, "explanation"), source)
    return Node(_NAMELESS, name, kind, text=written, source=source, recorded=_passed(repair), **_tokens(repair))


def _joined(explanation: str, source: str) -> str:
    """Return explanation and program as one text; some rows have the program in the explanation."""
    return explanation if source and source in explanation else f"{explanation}\n\n{source}"


_REPAIRED = ("repaired_program", "program", "executed_completion", "code")  # fields that held a repair, newest first


def _passed(program: Fields) -> bool:
    """Return ``binary``, which some rows write as text."""
    if program.get("binary") in ("True", "False"):
        return bool(program["binary"] == "True")
    found = verdict(program, "binary")
    if found is None:
        raise BadRow(f"no field 'binary' that says whether the program passed; found {field_names(program)}")
    return found


def _tokens(program: Fields) -> dict[str, Any]:
    """Return the tokens as the authors count them: no other count is in the row."""
    count = program.get("tokens_generated")
    if count is not None and (type(count) is not int or count < 0):
        raise BadRow("field 'tokens_generated' must be a number of tokens")
    return {"tokens": count, "kept_tokens": count}


def _objects(row: Fields, name: str) -> list[Fields]:
    value = row.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadRow(f"field {name!r} must be a list of objects; found {field_names(row)}")
    return value


_CHAIN = "prompt, entry_point, test, is_solved"
TREE_FORMS: Mapping[str, TreeForm] = {
    "self-repair": TreeForm("task_id or prob_path, and completions", False, _self_repair),
    "reflexion": TreeForm(f"{_CHAIN}, solution, reflections, implementations", True, lambda _: _reflexion),
    "reflexion-ucs": TreeForm(f"{_CHAIN}, solution, reflections", True, lambda _: _reflexion_ucs),
    "ldb": TreeForm(f"{_CHAIN}, implementations, test_feedback, debug_iter", True, lambda _: _ldb),
    "lats": TreeForm(f"{_CHAIN}, implementations, reflections", True, lambda _: _lats),
}
