"""Judge programs from wherever they come, streamed into a run, and go on where a killed process stopped."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Key
from regreen.run import Run
from regreen.sandbox import Sandbox
from regreen.verdict import CheckResult, Outcome, Verdict

_REMEMBERED = 1 << 18  # sources whose duplicates are recognised: some 30 MB, however many programs there are


def judge_programs(rows: Iterable[tuple[Problem, Program]], sandbox: Sandbox, run: Run) -> Iterator[Key]:
    """Judge every program that the run has no verdict on, and record each verdict as it comes.

    Equal sources for one problem are judged once, and each keeps its own record. Memory does not grow with the rows.

    Args:
        rows: problems and their programs; read only as fast as they are judged.
        sandbox: where they are judged.
        run: what has been done, and where the rest is recorded.

    Returns:
        The key of each program judged, as its verdict is recorded.
    """
    queue = _Queue(rows, run, sandbox.tier)
    with closing(_results(sandbox, queue)) as verdicts:  # none may come after the run is closed
        for position, verdict in verdicts:
            yield queue.settle(position, verdict)


def no_program(problem: Problem, tier: str) -> Verdict:
    """Return the verdict on a text from which no program could be extracted."""
    message = "no program in the text"
    checks = [CheckResult(i, Outcome.SYNTAX_ERROR, message=message) for i in range(len(problem.checks))]
    return Verdict(Outcome.SYNTAX_ERROR, tuple(checks), tier=tier)


@dataclass(slots=True)
class _InFlight:
    """A source being judged, and the keys of all programs that have it."""

    digest: int
    keys: list[Key] = field(default_factory=list)


class _Queue:
    """Chooses what must be judged, and hands each verdict to every program that it speaks of.

    The sandbox takes from :meth:`waiting` in its own threads while verdicts are settled in the caller's.
    """

    def __init__(self, rows: Iterable[tuple[Problem, Program]], run: Run, tier: str) -> None:
        self._rows = rows
        self._run = run
        self._tier = tier
        self._lock = threading.Lock()
        self._known: dict[int, Key] = {}
        self._by_digest: dict[int, _InFlight] = {}
        self._by_position: dict[int, _InFlight] = {}

    def waiting(self) -> Iterator[tuple[Problem, str]]:
        """Yield what is to be judged; all else is recorded on the way."""
        position = 0
        for problem, program in self._rows:
            with self._lock:
                wanted = self._take(problem, program, position)
            if wanted:
                yield problem, program.source
                position += 1

    def settle(self, position: int, verdict: Verdict) -> Key:
        """Record a verdict for all programs of one source."""
        with self._lock:
            entry = self._by_position.pop(position)
            del self._by_digest[entry.digest]
            for key in entry.keys:
                self._run.add_verdict(key, verdict)
            self._remember(entry.digest, entry.keys[0])
            return entry.keys[0]

    def _take(self, problem: Problem, program: Program, position: int) -> bool:
        """Record a program; True if it is to be judged."""
        self._run.add_problem(problem)
        self._run.add_program(program)
        digest = digest_of(program)
        if self._is_settled(problem, program, digest):
            return False
        self._by_digest[digest] = self._by_position[position] = _InFlight(digest, [program.key])
        return True

    def _is_settled(self, problem: Problem, program: Program, digest: int) -> bool:
        """True if the program needs no judging of its own."""
        if program.error is not None:
            return True
        if self._run.has_verdict(program.key):
            self._remember(digest, program.key)
            return True
        if program.extraction == "none":
            self._run.add_verdict(program.key, no_program(problem, self._tier))
            return True
        return self._is_duplicate(program.key, digest)

    def _is_duplicate(self, key: Key, digest: int) -> bool:
        if digest in self._by_digest:
            keys = self._by_digest[digest].keys
            if key not in keys:
                keys.append(key)
            return True
        known = self._known.get(digest)
        verdict = self._run.verdict(known) if known else None
        if verdict is not None:
            self._run.add_verdict(key, verdict)
        return verdict is not None

    def _remember(self, digest: int, key: Key) -> None:
        if len(self._known) < _REMEMBERED:
            self._known.setdefault(digest, key)


def _results(sandbox: Sandbox, queue: _Queue) -> Generator[tuple[int, Verdict], None, None]:
    yield from sandbox.judge_all(queue.waiting())


def digest_of(program: Program) -> int:
    """Return a number that programs of one source for one problem share."""
    text = f"{program.problem}\0{program.source}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
