"""What sandboxes that judge elsewhere have in common: programs leave by an event loop in a thread of its own.

Whoever waits for a verdict puts the program on one queue. A subclass takes rows from it and settles each once; a row
that got no answer is its to send again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from regreen.errors import InfrastructureError
from regreen.problem import Problem
from regreen.sandbox.limits import Limits
from regreen.verdict import Verdict

FUSION = "fusion+"  # before the address of a SandboxFusion
_BREAKDOWNS = 3  # of the judge on one program, until we give up


@dataclass(slots=True, eq=False)
class Row:
    """A program on its way, and the verdict to come."""

    problem: Problem
    source: str
    verdict: Future[Verdict] = field(default_factory=Future)
    breakdowns: int = 0
    losses: int = 0


class Elsewhere:
    """Judges programs elsewhere; a subclass sends them.

    A subclass calls :meth:`_begin` when it is ready to send.
    """

    limits: Limits
    tier: str
    jobs: int

    def __init__(self, limits: Limits | None) -> None:
        self.limits = limits or Limits()
        self._owner = os.getpid()
        self._rows: asyncio.Queue[Row] = asyncio.Queue()
        self._known: set[Row] = set()
        self._closed = False

    def _begin(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="regreen-elsewhere", daemon=True)
        self._thread.start()
        self._senders = self._on_loop(self._send())

    def _on_loop(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    # ---- what a subclass brings ----

    @property
    def _ahead(self) -> int:
        """How many programs may be on their way at once."""
        raise NotImplementedError

    async def _send(self) -> None:
        """Take rows and send them, until cancelled."""
        raise NotImplementedError

    def _drop(self) -> None:
        """Break off what nobody waits for any more; on the loop."""
        raise NotImplementedError

    # ---- what the commands use ----

    async def judge(self, problem: Problem, source: str) -> Verdict:
        """Judge one program without blocking the event loop."""
        return await asyncio.wrap_future(self._submit(problem, source))

    def judge_now(self, problem: Problem, source: str) -> Verdict:
        """Judge one program and wait for the verdict; may be called from several threads."""
        return self._submit(problem, source).result()

    def judge_all(self, pairs: Iterable[tuple[Problem, str]]) -> Iterator[tuple[int, Verdict]]:
        """Judge many programs; yield each one's position and verdict as they come.

        ``pairs`` is consumed as it is needed, a few batches ahead.
        """
        flow = _Flow(self._ahead)
        threading.Thread(target=flow.feed, args=(pairs, self._submit), daemon=True).start()
        try:
            yield from flow.results()
        finally:
            flow.stop()
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._drop)

    def _submit(self, problem: Problem, source: str) -> Future[Verdict]:
        name = type(self).__name__
        if self._owner != os.getpid():
            raise InfrastructureError(f"this sandbox was made before a fork; make a {name} in each process")
        row = Row(problem, source)
        self._known.add(row)
        try:
            self._loop.call_soon_threadsafe(self._rows.put_nowait, row)
        except RuntimeError:  # the loop is closed
            self._settle(row, InfrastructureError(f"the sandbox is closed; make a new {name}"))
        return row.verdict

    # ---- what becomes of a row ----

    def _settle(self, row: Row, found: Verdict | BaseException) -> None:
        """Give a row its verdict, unless it has one or nobody waits for it."""
        self._known.discard(row)
        with contextlib.suppress(InvalidStateError):
            if isinstance(found, BaseException):
                row.verdict.set_exception(found)
            else:
                row.verdict.set_result(found)

    def _broke_down(self, row: Row, why: str) -> bool:
        """Say whether the row is to be sent again: the judge failed, not the program. After a few times it is not."""
        row.breakdowns += 1
        if row.breakdowns >= _BREAKDOWNS:
            self._settle(row, InfrastructureError(why))
        return not row.verdict.done()

    # ---- the end ----

    def close(self) -> None:
        """Let go of whoever judges; who still waits hears of it."""
        if self._closed or self._owner != os.getpid():
            return
        self._closed = True
        self._senders.cancel()
        self._loop.call_soon_threadsafe(self._loop.create_task, self._stop())
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()
        for row in list(self._known):
            self._settle(row, InfrastructureError("the sandbox was closed while programs were judged"))

    async def _stop(self) -> None:
        others = [work for work in asyncio.all_tasks() if work is not asyncio.current_task()]
        for work in others:
            work.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        asyncio.get_running_loop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


class _Flow:
    """Pairs on their way to whoever judges them, a window of them at a time, and verdicts on their way back."""

    def __init__(self, window: int) -> None:
        self._room = threading.Semaphore(window)
        self._done: queue.SimpleQueue[tuple[int, Future[Verdict]] | BaseException | int] = queue.SimpleQueue()
        self._waiting: set[Future[Verdict]] = set()
        self._stopped = False

    def feed(self, pairs: Iterable[tuple[Problem, str]], submit: Callable[[Problem, str], Future[Verdict]]) -> None:
        """Submit pairs as fast as there is room; to be run in a thread."""
        try:
            count = 0
            for position, (problem, source) in enumerate(pairs):
                self._room.acquire()
                if self._stopped:
                    return
                verdict = submit(problem, source)
                self._waiting.add(verdict)
                verdict.add_done_callback(lambda done, position=position: self._done.put((position, done)))  # type: ignore[misc]
                count = position + 1
            self._done.put(count)
        except BaseException as error:
            self._done.put(error)

    def results(self) -> Iterator[tuple[int, Verdict]]:
        """Yield verdicts as they come, to the last; raises what any of them, or the pairs, raised."""
        total: int | None = None
        seen = 0
        while seen != total:
            item = self._done.get()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, int):
                total = item
                continue
            position, verdict = item
            self._waiting.discard(verdict)
            seen += 1
            self._room.release()
            yield position, verdict.result()

    def stop(self) -> None:
        """Take no more pairs, and drop what was not sent."""
        self._stopped = True
        self._room.release()
        for verdict in list(self._waiting):
            verdict.cancel()
