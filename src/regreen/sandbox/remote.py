"""A sandbox that asks a ``regreen serve``: programs leave in batches, verdicts come back as they are made.

Senders each take what is there, up to a batch, and read the answers line by line. A row that got no answer, because the
connection was lost or the server was full, is sent again; one that got an answer never is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from regreen.errors import InfrastructureError, InputError
from regreen.sandbox.asking import SOCKET_OPTIONS, Batch, Lost, Patience, Service, Turned
from regreen.sandbox.elsewhere import Elsewhere, Row
from regreen.sandbox.limits import Limits
from regreen.verdict import verdict_from_line

if TYPE_CHECKING:
    import httpx

_BATCH = 32  # programs at most: more save next to nothing, and come back later where a connection is lost
_PATIENCE = 30.0  # seconds without a sign of the server, or ten times as long with nothing but "full"


class RemoteSandbox(Elsewhere):
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
        super().__init__(limits)
        self._service = Service(url, self.limits)
        self._patience = patience
        about = self._service.about
        self.tier: str = about["sandbox"]["tier"]
        self.jobs: int = jobs or 2 * about["jobs"]
        self.facts = {**about["sandbox"], "url": self._service.url, "version": about["version"], "jobs": about["jobs"]}
        self._batch: int = max(1, min(_BATCH, about["queue"]))
        self._deliveries: dict[asyncio.Task[None], Sequence[Row]] = {}
        self._begin()

    @property
    def _ahead(self) -> int:
        return self.jobs * self._batch

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

    async def _deliver(self, client: httpx.AsyncClient, rows: Sequence[Row]) -> None:
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

    async def _turned(self, client: httpx.AsyncClient, rows: Sequence[Row], refusal: Turned) -> None:
        """One row is at fault, or there is too much in all: ask in halves, down to the row that is refused."""
        if len(rows) == 1:
            self._settle(rows[0], InputError(f"problem {rows[0].problem.id}: {self._service.url}: {refusal}"))
            return
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            await self._deliver(client, half)

    async def _once(self, client: httpx.AsyncClient, rows: Sequence[Row]) -> None:
        """Send rows once, and settle those that are answered."""
        batch = Batch([(row.problem, row.source) for row in rows], self.limits)
        async for answer in self._service.answers(client, batch):
            row = rows[answer["row"]]
            if "error" not in answer:
                self._settle(row, verdict_from_line(answer))
            elif answer["kind"] == "input":
                self._settle(row, InputError(answer["error"]))
            else:
                self._broke_down(row, f"{self._service.url}: {answer['error']}")
