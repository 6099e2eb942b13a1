"""A flow of programs to whoever judges them elsewhere, and of verdicts back."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

from regreen.problem import Problem
from regreen.verdict import Verdict


class Flow:
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
