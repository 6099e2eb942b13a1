"""The judge of one node: an actor with a local sandbox, which takes rows in and gives answers out as they are made."""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, NamedTuple

from regreen.errors import InputError, RegreenError
from regreen.problem import Problem
from regreen.sandbox.limits import Limits
from regreen.sandbox.local import LocalSandbox
from regreen.verdict import Verdict

_LINGER = 0.05  # seconds in which answers gather while others are still made: a call costs as much as a judgement
_SIGN = 1.0  # seconds after which a call that has waited for an answer returns without


class Bundle(NamedTuple):
    """Rows that travel together: ticket, number of the problem and source of each.

    ``problems`` has, pickled, those that the node does not know yet, and ``drop`` the numbers of those to forget.
    """

    rows: Sequence[tuple[int, int, str]]
    problems: Mapping[int, bytes]
    drop: Sequence[int]


class Failed(NamedTuple):
    """There is no verdict; ``input`` says that the problem is to blame, and not the judge."""

    words: str
    input: bool


Answer = tuple[int, Verdict | Failed]


class NodeJudge:
    """Judges what is put in, on ``jobs`` cores at once."""

    def __init__(self, limits: Limits, tier: str, jobs: int) -> None:
        self._sandbox: LocalSandbox | None = None
        self._asked = (Limits(*limits), tier, jobs)
        self._problems: dict[int, Problem] = {}
        self._rows: queue.SimpleQueue[tuple[int, Problem, str] | None] = queue.SimpleQueue()
        self._dropped: set[int] = set()
        self._changed = threading.Condition()
        self._answers: list[Answer] = []
        self._inside = 0

    def open(self) -> dict[str, Any]:
        """Begin to judge, and say how programs are confined here; raises TierError if not as asked."""
        limits, tier, jobs = self._asked
        self._sandbox = LocalSandbox(limits, jobs=jobs, tier=tier)
        for _ in range(jobs):
            threading.Thread(target=self._work, args=(self._sandbox,), daemon=True).start()
        return {**self._sandbox.facts, "version": metadata.version("regreen"), "jobs": jobs}

    def put(self, bundle: Bundle) -> None:
        """Take rows in."""
        self._problems.update((number, pickle.loads(problem)) for number, problem in bundle.problems.items())
        with self._changed:
            self._inside += len(bundle.rows)
        for ticket, number, source in bundle.rows:
            self._rows.put((ticket, self._problems[number], source))
        for number in bundle.drop:
            del self._problems[number]

    def take(self) -> list[Answer]:
        """Return the answers made since the last call; waits for one, and for more if more are coming."""
        with self._changed:
            self._changed.wait_for(lambda: self._answers, _SIGN)
            if self._answers:
                self._changed.wait_for(lambda: not self._inside, _LINGER)
            answers, self._answers = self._answers, []
        return answers

    def forget(self, tickets: Sequence[int]) -> None:
        """Judge none of these rows that has not begun; each is answered all the same."""
        self._dropped.update(tickets)

    def close(self) -> None:
        """Break off what is being judged, and end all processes."""
        for _ in range(self._asked[2]):
            self._rows.put(None)
        if self._sandbox is not None:
            self._sandbox.close()

    def _work(self, sandbox: LocalSandbox) -> None:
        while (row := self._rows.get()) is not None:
            ticket, problem, source = row
            answer = self._judged(sandbox, ticket, problem, source)
            with self._changed:
                self._answers.append((ticket, answer))
                self._inside -= 1
                self._changed.notify()

    def _judged(self, sandbox: LocalSandbox, ticket: int, problem: Problem, source: str) -> Verdict | Failed:
        if ticket in self._dropped:
            self._dropped.discard(ticket)
            return Failed("nobody waits for it", input=False)
        try:
            return sandbox.judge_now(problem, source)
        except RegreenError as error:
            return Failed(str(error), isinstance(error, InputError))
        except Exception as error:  # one row's; the others go on
            return Failed(f"problem {problem.id}: {type(error).__name__}: {error}", input=False)
