"""The engine: lanes of judges and zygotes on this machine, and the threads that feed them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from regreen.errors import InfrastructureError, TierError
from regreen.problem import Assert, Problem
from regreen.sandbox import capabilities
from regreen.sandbox.lane import PROBLEMS_KEPT, Execution, Lane, verdict_of
from regreen.sandbox.limits import Limits
from regreen.verdict import Verdict

# Standard modules that programs use often: loaded once in the zygote. Each megabyte costs every clone some 10 us.
PRELOADED = (
    "bisect", "collections", "collections.abc", "copy", "datetime", "decimal", "fractions", "functools", "heapq",
    "itertools", "json", "math", "operator", "random", "re", "string", "threading", "typing",
)  # fmt: skip
_NUMPY_WORD = re.compile(r"^\s*(?:import|from)\s+numpy\b", re.MULTILINE)


@functools.cache
def numpy_packages() -> dict[str, list[str]] | None:
    """Where numpy lies: the folders to show and the path to import from; None where it is not installed."""
    import importlib.util

    found = importlib.util.find_spec("numpy")
    if found is None or not found.submodule_search_locations:
        return None
    package = found.submodule_search_locations[0]
    site = os.path.dirname(package)
    return {"folders": [f for f in (package, package + ".libs") if os.path.isdir(f)], "path": [site]}


_Ask = Callable[[Lane, bool], dict[str, Any]]


def _imports_numpy(source: str) -> bool:
    return "numpy" in source and bool(_NUMPY_WORD.search(source))


class LocalSandbox:
    """Judges programs on this machine, on ``jobs`` cores at once, in the strongest tier that the machine allows.

    ``tier`` is the weakest tier allowed: below it :class:`TierError` says what is missing. ``jobs`` are the machine's
    cores unless given.
    """

    def __init__(self, limits: Limits | None = None, *, jobs: int | None = None, tier: str = "B") -> None:
        self.limits = limits or Limits()
        self.capabilities = capabilities.probe()
        self.tier = _choose(self.capabilities, tier)
        self.jobs = jobs or len(os.sched_getaffinity(0))
        self._lanes: dict[str, list[Lane]] = {"plain": [], "numpy": []}
        self._places = {kind: itertools.count(os.getpid()) for kind in self._lanes}  # of lanes, among the processors
        self._busy: dict[int, Lane] = {}  # by the thread that waits
        self._hold = threading.Lock()  # so that a lane is stopped only while the thread meant waits for it
        self._owner = os.getpid()
        self._numpy_checks: dict[int, tuple[Problem, bool]] = {}  # by id, the problem kept so that ids stay its own
        self._gate = _Gate()
        self._pool: ThreadPoolExecutor | None = None
        self._closed = False

    @property
    def facts(self) -> dict[str, Any]:
        """The tier, and every point that was tried on this machine."""
        return self.capabilities.to_json() | {"tier": self.tier}

    def under(self, limits: Limits) -> LocalSandbox:
        """Return a sandbox with other limits; who is judged again, alone, is alone in both of them."""
        other = LocalSandbox(limits, jobs=self.jobs, tier=self.tier)
        other._gate = self._gate
        return other

    async def judge(self, problem: Problem, source: str) -> Verdict:
        """Judge one program without blocking the event loop."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.jobs, "regreen-judge")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.judge_now, problem, source)

    def judge_all(self, pairs: Iterable[tuple[Problem, str]]) -> Iterator[tuple[int, Verdict]]:
        """Judge many programs on all cores; yield each one's position and verdict as they come.

        ``pairs`` is consumed as it is needed, a few programs ahead.
        """
        work = _Work(enumerate(pairs), self.jobs * 4)
        threads = [threading.Thread(target=work.run, args=(self.judge_now,), daemon=True) for _ in range(self.jobs)]
        for thread in threads:
            thread.start()
        try:
            yield from work.results(len(threads))
        finally:
            work.stop()
            for thread in threads:
                self._break_off(thread, work)

    def _break_off(self, thread: threading.Thread, work: _Work) -> None:
        """Wait until a thread judges no more, and stop whatever lane it still waits for.

        One that waits for the next pair is left: it ends when its pairs do, and takes up no other.
        """
        while thread.is_alive() and not work.is_fetching(thread):
            with self._hold:
                if lane := self._busy.get(thread.ident or 0):
                    lane.stop()
            thread.join(0.02)

    def judge_now(self, problem: Problem, source: str) -> Verdict:
        """Judge one program and wait for the verdict; may be called from several threads."""
        kind = "numpy" if self._wants_numpy(problem, source) else "plain"

        def ask(lane: Lane, strict: bool) -> dict[str, Any]:
            return lane.judge(problem, source, strict=strict)

        return verdict_of(self._fairly(kind, f"problem {problem.id}", ask), self.tier)

    def execute(self, source: str, stdin: str = "") -> Execution:
        """Run a program over standard input and return what came of it; may be called from several threads."""
        kind = "numpy" if _imports_numpy(source) and numpy_packages() is not None else "plain"

        def ask(lane: Lane, strict: bool) -> dict[str, Any]:
            return lane.execute(source, stdin, strict=strict)

        return Execution(**self._fairly(kind, "a program", ask))

    def _fairly(self, kind: str, what: str, ask: _Ask) -> dict[str, Any]:
        """Ask a lane; who was a little late is asked about once more, alone."""
        with self._gate.shared():
            answer = self._ask(kind, what, ask, strict=False)
        if answer.pop("late"):
            with self._gate.alone():
                answer = self._ask(kind, what, ask, strict=True)
                del answer["late"]
        return answer

    def _ask(self, kind: str, what: str, ask: _Ask, *, strict: bool) -> dict[str, Any]:
        """Ask a free lane; one that breaks down is replaced, and the new one asked."""
        lane = self._take(kind)
        for attempt in (1, 2):
            if attempt == 2:
                lane = self._new_lane(kind, lane.place)
            try:
                with self._held(lane):
                    answer = ask(lane, strict)
            except EOFError as error:
                lane.close()
                if attempt == 2 or lane.stopped:
                    raise InfrastructureError(f"the judge broke down twice on {what}: {error}") from error
            except BaseException:
                lane.close()
                raise
            else:
                self._put_back(kind, lane)
                return answer
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def _held(self, lane: Lane) -> Iterator[None]:
        """Note that this thread waits for the lane; nobody stops it before or after."""
        thread = threading.get_ident()
        with self._hold:
            self._busy[thread] = lane
            if self._closed:
                lane.stop()
        try:
            yield
        finally:
            with self._hold:
                del self._busy[thread]

    def _put_back(self, kind: str, lane: Lane) -> None:
        """Keep the lane for the next program, unless it was stopped just as it answered, or nothing more is judged."""
        with self._hold:
            if not lane.stopped and not self._closed:
                self._lanes[kind].append(lane)
                return
        lane.close()

    def _wants_numpy(self, problem: Problem, source: str) -> bool:
        """True if the program or the problem's checks import numpy, and it is installed."""
        known = self._numpy_checks.get(id(problem))
        if known is None:
            code = [problem.prelude, *(check.code for check in problem.checks if isinstance(check, Assert))]
            if len(self._numpy_checks) >= PROBLEMS_KEPT:
                self._numpy_checks.clear()
            known = self._numpy_checks[id(problem)] = (problem, any(map(_NUMPY_WORD.search, code)))
        return (known[1] or _imports_numpy(source)) and numpy_packages() is not None

    def _take(self, kind: str) -> Lane:
        if self._closed:
            raise InfrastructureError("the sandbox is closed; make a new LocalSandbox")
        if self._owner != os.getpid():
            raise InfrastructureError("this sandbox was made before a fork; make a LocalSandbox in each process")
        try:
            return self._lanes[kind].pop()
        except IndexError:
            return self._new_lane(kind, next(self._places[kind]))

    def _new_lane(self, kind: str, place: int) -> Lane:
        packages = numpy_packages() if kind == "numpy" else None
        return Lane(self.tier, self.limits, [*PRELOADED, *(["numpy"] if packages else [])], packages or {}, place)

    def close(self) -> None:
        """Break off what is being judged, and end all processes."""
        with self._hold:
            self._closed = True
            for lane in self._busy.values():
                lane.stop()
        if self._pool:
            self._pool.shutdown()
        for lanes in self._lanes.values():
            while lanes:
                lanes.pop().close()

    def __enter__(self) -> LocalSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()


def _choose(found: capabilities.Capabilities, weakest: str) -> str:
    """The strongest tier that this machine has, if it is not below ``weakest``; A asks for A, C for C exactly."""
    if weakest == "C" or found.tier <= weakest:
        return found.tier if weakest != "C" else "C"
    missing = "; ".join(f"{p.name}: {p.detail}" for p in found.points if not p.ok)
    raise TierError(
        f"programs can be confined at tier {found.tier} here, tier {weakest} was asked for ({missing}); "
        f"see 'regreen doctor', or accept it with --sandbox local:{found.tier}"
    )


class _Gate:
    """Many may pass at once, or one alone."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._waiting = 0

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        with self._condition:
            while self._waiting:  # or those who want to be alone would wait for ever
                self._condition.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                if self._waiting:
                    self._condition.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self._condition:
            self._waiting += 1
            self._condition.wait_for(lambda: not self._inside)
            try:
                yield  # the lock is kept: nobody else enters
            finally:
                self._waiting -= 1
                self._condition.notify_all()


class _Work:
    """Pairs on their way to the threads, and verdicts on their way back."""

    def __init__(self, pairs: Iterator[tuple[int, tuple[Problem, str]]], window: int) -> None:
        self._pairs = pairs
        self._lock = threading.Lock()
        self._room = threading.Semaphore(window)
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._stopped = False
        self._fetching: set[int | None] = set()  # threads that wait for a pair, perhaps for long

    def run(self, judge: Any) -> None:
        try:
            while (item := self._next()) is not None:
                position, (problem, source) = item
                self._done.put((position, judge(problem, source)))
            self._done.put(None)
        except BaseException as error:
            self._done.put(error)

    def _next(self) -> tuple[int, tuple[Problem, str]] | None:
        self._room.acquire()
        thread = threading.get_ident()
        self._fetching.add(thread)
        with self._lock:
            item = None if self._stopped else next(self._pairs, None)
        self._fetching.discard(thread)
        return None if self._stopped else item

    def is_fetching(self, thread: threading.Thread) -> bool:
        """True for a thread that judges nothing."""
        return thread.ident in self._fetching

    def results(self, threads: int) -> Iterator[tuple[int, Verdict]]:
        while threads:
            item = self._done.get()
            self._room.release()
            if item is None:
                threads -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item

    def stop(self) -> None:
        self._stopped = True
        self._room.release(1000)  # wakes every thread that waits for room
