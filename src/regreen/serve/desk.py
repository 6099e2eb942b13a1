"""The desk before the judge: a queue of bounded length, and threads that take from it."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from regreen.errors import InfrastructureError
from regreen.sandbox import Limits, LocalSandbox

_SANDBOXES_KEPT = 4  # with limits other than the server's own: each holds processes
_FIRST_GUESS = 0.01  # seconds for one program, until there is a measurement
_LONGEST_PAUSE = 30

Work = Callable[[LocalSandbox], Any]


class Full(Exception):
    """There is no room for so many; ``pause`` is in how many whole seconds there may be."""

    def __init__(self, pause: int) -> None:
        super().__init__(f"the queue is full; come again in {pause} s")
        self.pause = pause


class Desk:
    """Takes in work up to ``room`` programs that wait, and has it done by as many threads as the sandbox has jobs."""

    def __init__(self, sandbox: LocalSandbox, room: int) -> None:
        self.own = sandbox
        self.room = room
        self._sandboxes = _Sandboxes(sandbox)
        self._pool = ThreadPoolExecutor(sandbox.jobs, "regreen-serve")
        self._lock = threading.Lock()
        self._inside = 0
        self._seconds = _FIRST_GUESS  # for one program, of late
        self.closed = False

    @property
    def waiting(self) -> int:
        """How many programs wait for a job."""
        return max(0, self._inside - self.own.jobs)

    def submit(self, works: Sequence[Work], limits: Limits) -> list[Future[Any]]:
        """Take in work for a sandbox with these limits, all of it or nothing.

        Raises:
            Full: there is no room for it now.
        """
        with self._lock:
            if self.closed:
                raise Full(1)
            if self._inside + len(works) > self.own.jobs + self.room:
                raise Full(self._pause())
            self._inside += len(works)
            found = [self._pool.submit(self._do, work, limits) for work in works]
        for future in found:
            future.add_done_callback(self._leave)
        return found

    def _pause(self) -> int:
        """In how many seconds half of those inside will be done, if all goes on like this."""
        return min(_LONGEST_PAUSE, max(1, math.ceil(self._inside * self._seconds / self.own.jobs / 2)))

    def _do(self, work: Work, limits: Limits) -> Any:
        began = time.monotonic()
        with self._sandboxes.under(limits) as sandbox:
            found = work(sandbox)
        self._seconds += (time.monotonic() - began - self._seconds) / 50
        return found

    def _leave(self, _: Future[Any]) -> None:
        with self._lock:
            self._inside -= 1

    def close(self) -> None:
        """Drop what waits, break off what is being done, and end all processes."""
        with self._lock:
            self.closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._sandboxes.close()
        self._pool.shutdown()


@dataclass(slots=True)
class _Held:
    """A sandbox, and by how many it is used just now."""

    sandbox: LocalSandbox
    users: int = 0


class _Sandboxes:
    """Sandboxes by their limits: the server's own, and those that clients asked for last."""

    def __init__(self, own: LocalSandbox) -> None:
        self._own = own
        self._lock = threading.Lock()
        self._held: OrderedDict[Limits, _Held] = OrderedDict()
        self._closed = False

    @contextmanager
    def under(self, limits: Limits) -> Iterator[LocalSandbox]:
        """Lend a sandbox with these limits."""
        if limits == self._own.limits:
            yield self._own
            return
        held, spare = self._take(limits)
        for sandbox in spare:
            sandbox.close()
        try:
            yield held.sandbox
        finally:
            with self._lock:
                held.users -= 1

    def _take(self, limits: Limits) -> tuple[_Held, list[LocalSandbox]]:
        """Return the sandbox and, to be closed, those that nobody uses and that are too many."""
        with self._lock:
            if self._closed:
                raise InfrastructureError("the server is ending")
            if limits not in self._held:
                self._held[limits] = _Held(self._own.under(limits))
            self._held.move_to_end(limits)
            held = self._held[limits]
            held.users += 1
            idle = [key for key, other in self._held.items() if not other.users]
            spare = idle[: max(0, len(self._held) - _SANDBOXES_KEPT)]
            return held, [self._held.pop(key).sandbox for key in spare]

    def close(self) -> None:
        """Break off and end them all."""
        with self._lock:
            self._closed = True
        for sandbox in (self._own, *(held.sandbox for held in self._held.values())):
            sandbox.close()
