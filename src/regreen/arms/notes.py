"""The arm ``notes:FILE``: a person's words, read from JSON Lines ``{"problem", "node"?, "text"}``.

A note with a node (``"0.2"``, as in a tree) speaks of that program alone, one without of every program of its problem.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from regreen.errors import InputError
from regreen.problem import Problem
from regreen.verdict import Verdict

_FIELDS = ("problem", "node", "text")


class Note(NamedTuple):
    """One person's words on a problem's programs, or on one of them."""

    problem: str
    node: str | None
    text: str


class Notes:
    """Says what a person wrote of a program."""

    def __init__(self, path: Path, *, problems: Collection[str]) -> None:
        """Read the file; ``problems`` are the ids that its notes may name.

        Raises:
            InputError: it cannot be read, a line is no note, or an id is not known; file and line are named.
        """
        self.name = f"notes:{path}"
        self._notes = [_note(f"{path}:{number}", line, problems) for number, line in _lines(path)]

    def __repr__(self) -> str:
        return f"<Arm {self.name}, {len(self._notes)} notes>"

    async def __call__(self, problem: Problem, source: str, verdict: Verdict, *, node: str | None = None) -> str:
        """Return the notes on this program, each in a paragraph."""
        wanted = (note for note in self._notes if note.problem == problem.id and note.node in (None, node))
        return "\n\n".join(note.text.strip() for note in wanted)


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: notes cannot be read ({error}); give a file of JSON Lines") from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _note(where: str, line: str, problems: Collection[str]) -> Note:
    try:
        fields: Any = json.loads(line)
    except ValueError:
        fields = None
    if (
        not isinstance(fields, dict)
        or not isinstance(fields.get("text"), str)
        or type(fields.get("problem")) is not str
    ):
        raise InputError(f'{where}: not a note; expected {{"problem": ID, "node": "0.2" or left out, "text": WORDS}}')
    if unknown := [name for name in fields if name not in _FIELDS]:
        raise InputError(f"{where}: unknown field {unknown[0]!r} in a note; known are {', '.join(_FIELDS)}")
    if fields["problem"] not in problems:
        some = ", ".join([*islice(problems, 3), *(["..."] if len(problems) > 3 else [])])
        raise InputError(f"{where}: unknown problem {fields['problem']!r}; ids here are {some}")
    node = fields.get("node")
    return Note(fields["problem"], None if node is None else str(node), fields["text"])
