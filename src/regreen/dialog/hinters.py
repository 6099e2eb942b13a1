"""Who hints: a file or a model. A person does so too, at the terminal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from regreen import prompts
from regreen.errors import InputError
from regreen.models import Model
from regreen.problem import Problem

if TYPE_CHECKING:
    from regreen.attempt import Attempt
    from regreen.prompts import Template

_NAMED = 3  # ids that a message shows
_Line = tuple[str, str, str, int | None]  # place in the file, problem, text, turn


class Talking(Protocol):
    """What a dialog lets those know who hint."""

    def failure(self, problem: Problem, failing: Attempt, *, to_person: bool = False) -> str:
        """Return the sentence that says how a program failed, as far as it may be told."""
        ...

    async def asked(self, problem: Problem, model: Model, template: Template, failing: Attempt) -> str:
        """Return what a model says of a failing program, recorded as its hint."""
        ...


class Hinter(Protocol):
    """Somebody who hints.

    ``name`` stands in the run's settings. ``at_once`` is how many problems may be talked about side by side, None for
    as many as the model takes.
    """

    @property
    def name(self) -> str:
        """What the settings of the run call it."""
        ...

    @property
    def at_once(self) -> int | None:
        """How many problems may be talked about side by side."""
        ...

    async def hint(self, talk: Talking, problem: Problem, failing: Attempt, turn: int) -> str | None:
        """Return a hint at what is wrong with a program, the answer of a turn (from 1), or None to say no more."""
        ...

    def ended(self, problem: Problem, last: Attempt) -> None:
        """Hear how a dialog ended."""
        ...

    def recall(self, problem: Problem, turn: int, text: str) -> str:
        """Return the hint in what was recorded of a turn; raises InputError where it is not one of theirs."""
        ...

    def models(self, model: Model) -> list[Model]:
        """Return who is asked in a dialog with this model."""
        ...


class Listener:
    """What most who hint have in common."""

    at_once: int | None = None

    def ended(self, problem: Problem, last: Attempt) -> None:
        """Nothing is to be heard."""

    def recall(self, problem: Problem, turn: int, text: str) -> str:
        """All of it is the hint."""
        return text

    def models(self, model: Model) -> list[Model]:
        """No other model is asked."""
        return [model]


class FileHinter(Listener):
    """Hints from a file of JSON Lines: ``{"problem": ID, "text": TEXT, "turn"?: 1}``.

    A line without a turn is the answer to the problem's next failing program that has none of its own, wherever in the
    file the lines with turns stand.
    """

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        """Read the file; raises InputError that names file and line."""
        self.name = f"file:{path.name}"
        self._path = path
        self.hints: dict[tuple[str, int], str] = {}
        lines = [(where, *_hint(line, where)) for where, line in _lines(path)]
        _refuse_others(lines, {problem.id for problem in problems})
        for where, problem, text, turn in lines:
            if turn is not None:
                if (problem, turn) in self.hints:
                    raise InputError(f"{where}: turn {turn} of {problem} has a hint already; give each turn once")
                self.hints[problem, turn] = text
        for _, problem, text, turn in lines:
            if turn is None:
                self.hints[problem, self._next_turn(problem)] = text

    def _next_turn(self, problem: str) -> int:
        """Return the first turn for which the problem has no hint."""
        return next(turn for turn in count(1) if (problem, turn) not in self.hints)

    async def hint(self, talk: Talking, problem: Problem, failing: Attempt, turn: int) -> str | None:
        """Return the file's hint for this turn."""
        return self.hints.get((problem.id, turn))

    def recall(self, problem: Problem, turn: int, text: str) -> str:
        """Return what was recorded, where the file says it still: one that has grown goes on, another one does not."""
        if self.hints.get((problem.id, turn)) != text:
            place = f"turn {turn} of {problem.id}"
            raise InputError(f"{self._path}: the run has another hint for {place}; give its own file, or another --out")
        return text


class ModelHinter(Listener):
    """Hints that a model writes: it sees the program and its failure, and explains in a few sentences."""

    def __init__(self, model: Model, problem: Problem) -> None:
        """Take a model; the problem decides which template fits."""
        self.name = model.name
        self.model = model
        self.template = prompts.load(prompts.default_for(problem, chat=model.chat, what="feedback"))

    async def hint(self, talk: Talking, problem: Problem, failing: Attempt, turn: int) -> str | None:
        """Return what the model says of the program."""
        return self.template.words(await talk.asked(problem, self.model, self.template, failing))

    def recall(self, problem: Problem, turn: int, text: str) -> str:
        """Return the words in what the model wrote."""
        return self.template.words(text)

    def models(self, model: Model) -> list[Model]:
        """The hinting model is asked too."""
        return [model, self.model]


def _refuse_others(lines: Iterable[_Line], known: Collection[str]) -> None:
    """Raise InputError where a line is about a problem that was not chosen."""
    for where, problem, *_ in lines:
        if problem not in known:
            some = ", ".join(sorted(known)[:_NAMED])
            raise InputError(f"{where}: no problem {problem!r} among those chosen; ids look like {some}")


def _hint(line: dict[str, object], where: str) -> tuple[str, str, int | None]:
    problem, text, turn = line.get("problem"), line.get("text"), line.get("turn")
    if isinstance(problem, str) and isinstance(text, str) and (turn is None or (type(turn) is int and turn >= 1)):
        return problem, text, turn
    raise InputError(f'{where}: expected {{"problem": ID, "text": TEXT, "turn"?: 1, 2, ...}}')


def _lines(path: Path) -> Iterable[tuple[str, dict[str, object]]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as hints ({error}); expected JSON Lines") from error
    for number, raw in enumerate(text.splitlines(), 1):
        if raw.strip():
            where = f"{path}:{number}"
            try:
                line = json.loads(raw)
            except ValueError as error:
                raise InputError(f"{where}: not JSON ({error}); expected one object a line") from error
            if not isinstance(line, dict):
                raise InputError(f"{where}: expected a JSON object")
            yield where, line
