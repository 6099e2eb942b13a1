"""Somebody at the terminal who hints at what is wrong with a program."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regreen.attempt import Attempt
    from regreen.dialog import Talking
    from regreen.models import Model
    from regreen.problem import Problem

_HELP = "/show prints the statement again, /skip leaves this problem, /quit ends; anything else is your hint"


class Person:
    """Somebody at the terminal: sees the statement, the program and how it failed, and types a hint."""

    name = "person"
    at_once = 1

    def __init__(self) -> None:
        self._gone = False
        self._seen: set[str] = set()

    async def hint(self, talk: Talking, problem: Problem, failing: Attempt, turn: int) -> str | None:
        """Return what the person types; None for /skip, and for all after /quit."""
        if self._gone:
            return None
        if problem.id not in self._seen:
            self._seen.add(problem.id)
            print(f"\n{problem.id}\n\n{problem.statement.strip()}\n")
        self._show(failing, talk.failure(problem, failing, to_person=True), turn)
        return self._typed(problem)

    def ended(self, problem: Problem, last: Attempt) -> None:
        """Show the last program and whether it passed."""
        if not self._gone:
            print(f"\n{problem.id}: {'passed' if last.passed else 'not passed'}\n\n{last.program.source.strip()}")

    def recall(self, problem: Problem, turn: int, text: str) -> str:
        """All of it is the hint."""
        return text

    def models(self, model: Model) -> list[Model]:
        """No other model is asked."""
        return [model]

    def _show(self, failing: Attempt, failure: str, turn: int) -> None:
        print(f"--- program {turn} ---\n{failing.program.source.strip()}\n\n{failure.strip()}\n")

    def _typed(self, problem: Problem) -> str | None:
        while True:
            try:
                with _heard():
                    typed = input("hint> ").strip()
            except EOFError:
                typed = "/quit"
            match typed:
                case "":
                    print(_HELP)
                case "/show":
                    print(f"\n{problem.statement.strip()}\n")
                case "/skip":
                    return None
                case "/quit":
                    self._gone = True
                    return None
                case _ if typed.startswith("/"):
                    print(f"no {typed}; {_HELP}")
                case _:
                    return typed


@contextmanager
def _heard() -> Iterator[None]:
    """Have Ctrl-C end what is being typed at once: the event loop would only take note of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
