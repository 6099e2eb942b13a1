"""A sandbox that asks a ``regreen serve``: programs leave in batches, verdicts come back as they are made.

Whoever waits for a verdict puts the program on one queue. Senders, on an event loop in a thread of its own, each take
what is there, up to a batch, and read the answers line by line. A row that got no answer, because the connection was
lost or the server was full, is sent again; one that got an answer never is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

from regreen.errors import InfrastructureError, InputError
from regreen.problem import Problem
from regreen.sandbox.asking import SOCKET_OPTIONS, Batch, Lost, Patience, Service, Turned
from regreen.sandbox.flow import Flow
from regreen.sandbox.limits import Limits
from regreen.verdict import Verdict, verdict_from_line

if TYPE_CHECKING:
    import httpx

_BATCH = 32  # programs at most: more save next to nothing, and come back later where a connection is lost
_PATIENCE = 30.0  # seconds without a sign of the server, or ten times as long with nothing but "full"
_BREAKDOWNS = 3  # of the server's judge on one program, until we give up


@dataclass(slots=True, eq=False)
class _Row:
    """A program on its way, and the verdict to come."""

    problem: Problem
    source: str
    verdict: Future[Verdict] = field(default_factory=Future)
    breakdowns: int = 0


class RemoteSandbox:
    """Judges programs on a server.

    Args:
        url: where a ``regreen serve`` listens, as ``http://HOST:PORT``.
        limits: what a program may use: no more than the server allows.
        jobs: batches in flight at once; twice the server's jobs unless given.
        patience: seconds without any sign of the server until it counts as lost.

    Raises:
        InputError: what answers there is no regreen server, or the limits are above its own.
        InfrastructureError: nobody answers.
    """

    def __init__(
        self, url: str, limits: Limits | None = None, *, jobs: int | None = None, patience: float = _PATIENCE
    ) -> None:
        self.limits = limits or Limits()
        self._service = Service(url, self.limits)
        self._patience = patience
        about = self._service.about
        self.tier: str = about["sandbox"]["tier"]
        self.jobs: int = jobs or 2 * about["jobs"]
        self.facts = {**about["sandbox"], "url": self._service.url, "version": about["version"], "jobs": about["jobs"]}
        self._batch = max(1, min(_BATCH, about["queue"]))
        self._owner = os.getpid()
        self._rows: asyncio.Queue[_Row] = asyncio.Queue()
        self._known: set[_Row] = set()
        self._deliveries: dict[asyncio.Task[None], Sequence[_Row]] = {}
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="regreen-remote", daemon=True)
        self._thread.start()
        self._senders = self._on_loop(self._send())

    def _on_loop(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

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
        flow = Flow(self.jobs * self._batch)
        threading.Thread(target=flow.feed, args=(pairs, self._submit), daemon=True).start()
        try:
            yield from flow.results()
        finally:
            flow.stop()
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._drop)

    def _submit(self, problem: Problem, source: str) -> Future[Verdict]:
        if self._owner != os.getpid():
            raise InfrastructureError("this sandbox was made before a fork; make a RemoteSandbox in each process")
        row = _Row(problem, source)
        self._known.add(row)
        try:
            self._loop.call_soon_threadsafe(self._rows.put_nowait, row)
        except RuntimeError:  # the loop is closed
            self._settle(row, InfrastructureError("the sandbox is closed; make a new RemoteSandbox"))
        return row.verdict

    # ---- the senders ----

    async def _send(self) -> None:
        import httpx

        limits = httpx.Limits(max_connections=self.jobs, max_keepalive_connections=self.jobs)
        transport = httpx.AsyncHTTPTransport(limits=limits, socket_options=SOCKET_OPTIONS, trust_env=False)
        # An answer may take long: a program's time, and that of all before it.
        async with httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(10.0, read=None)) as client:
            await asyncio.gather(*(self._sender(client) for _ in range(self.jobs)))

    async def _sender(self, client: httpx.AsyncClient) -> None:
        while True:
            rows = [await self._rows.get()]
            while len(rows) < self._batch and not self._rows.empty():
                rows.append(self._rows.get_nowait())
            delivery = asyncio.create_task(self._deliver(client, [row for row in rows if not row.verdict.done()]))
            self._deliveries[delivery] = rows
            await asyncio.wait([delivery])
            del self._deliveries[delivery]
            error = None if delivery.cancelled() else delivery.exception()
            for row in rows:
                self._settle(row, error or InfrastructureError("nobody waits for it"))

    def _drop(self) -> None:
        """Leave deliveries for which nobody waits any more; the server drops what it has not begun."""
        for delivery, rows in self._deliveries.items():
            if all(row.verdict.done() for row in rows):
                delivery.cancel()

    async def _deliver(self, client: httpx.AsyncClient, rows: Sequence[_Row]) -> None:
        """Send rows until each has its verdict, or the reason why there is none."""
        patience = Patience(self._service.url, self._patience)
        while rows:
            before = len(rows)
            try:
                await self._once(client, rows)
            except Turned as refusal:
                await self._turned(client, rows, refusal)
            except Lost as lost:
                rows = [row for row in rows if not row.verdict.done()]
                if rows:
                    await patience.wait(lost, progressed=len(rows) < before)
            rows = [row for row in rows if not row.verdict.done()]

    async def _turned(self, client: httpx.AsyncClient, rows: Sequence[_Row], refusal: Turned) -> None:
        """One row is at fault, or there is too much in all: ask in halves, down to the row that is refused."""
        if len(rows) == 1:
            self._settle(rows[0], InputError(f"problem {rows[0].problem.id}: {self._service.url}: {refusal}"))
            return
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            await self._deliver(client, half)

    async def _once(self, client: httpx.AsyncClient, rows: Sequence[_Row]) -> None:
        """Send rows once, and settle those that are answered."""
        batch = Batch([(row.problem, row.source) for row in rows], self.limits)
        async for answer in self._service.answers(client, batch):
            row = rows[answer["row"]]
            if "error" not in answer:
                self._settle(row, verdict_from_line(answer))
            elif answer["kind"] == "input":
                self._settle(row, InputError(answer["error"]))
            else:
                self._broke_down(row, answer["error"])

    def _broke_down(self, row: _Row, why: str) -> None:
        """Leave the row to be sent again, up to a limit: the server's judge failed, not the program."""
        row.breakdowns += 1
        if row.breakdowns >= _BREAKDOWNS:
            self._settle(row, InfrastructureError(f"{self._service.url}: {why}"))

    def _settle(self, row: _Row, found: Verdict | BaseException) -> None:
        """Give a row its verdict, unless it has one or nobody waits for it."""
        self._known.discard(row)
        with contextlib.suppress(InvalidStateError):
            if isinstance(found, BaseException):
                row.verdict.set_exception(found)
            else:
                row.verdict.set_result(found)

    # ---- the end ----

    def close(self) -> None:
        """Let go of the server; who still waits hears of it."""
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

    def __enter__(self) -> RemoteSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
