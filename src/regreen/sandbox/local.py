"""The engine: lanes of judges and zygotes on this machine, and the threads that feed them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import marshal
import os
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

from regreen.errors import InfrastructureError, InputError, TierError
from regreen.problem import Assert, Call, Problem, Stdio
from regreen.sandbox import capabilities, wire
from regreen.sandbox.limits import WALL_FACTOR, Limits
from regreen.sandbox.plain import Encoder
from regreen.verdict import CheckResult, Outcome, Verdict

# Standard modules that programs use often: loaded once in the zygote. Each megabyte costs every clone some 10 us.
PRELOADED = (
    "bisect", "collections", "collections.abc", "copy", "datetime", "decimal", "fractions", "functools", "heapq",
    "itertools", "json", "math", "operator", "random", "re", "string", "threading", "typing",
)  # fmt: skip
_NUMPY_WORD = re.compile(r"^\s*(?:import|from)\s+numpy\b", re.MULTILINE)
_SPARE_WALL = 60.0  # seconds beyond all limits after which a lane that does not answer is given up
_PROBLEMS_KEPT = 1024  # problems that a lane keeps prepared, while their checks are not too long in sum
_TEXT_KEPT = 32 << 20  # characters


def spec_of(problem: Problem) -> dict[str, Any]:
    """Return what the judge needs of a problem, as JSON-ready data."""
    stdio = [(c.stdin, c.expected, c.compare) for c in problem.checks if isinstance(c, Stdio)]
    if stdio and len(stdio) != len(problem.checks):
        raise InputError(f"problem {problem.id}: stdio checks cannot stand beside assert or call checks")
    return {
        "entry_point": problem.entry_point,
        "prelude": problem.prelude,
        "stdio": stdio,
        "checks": [_check_spec(check) for check in problem.checks if not isinstance(check, Stdio)],
        "shared": problem.meta.get("mode") == "shared",
    }


def _check_spec(check: Assert | Call | Stdio) -> Any:
    if isinstance(check, Assert):
        return check.code
    assert isinstance(check, Call)
    encoder = Encoder()
    packed = {"args": encoder.pack(list(check.args)), "kwargs": encoder.pack(dict(check.kwargs))}
    return {**packed, "expected": Encoder().pack(check.expected), "compare": check.compare}


def verdict_of(answer: dict[str, Any], tier: str) -> Verdict:
    """Build the verdict from the judge's answer."""
    checks = tuple(CheckResult(**{**c, "outcome": c["outcome"] and Outcome(c["outcome"])}) for c in answer["checks"])
    return Verdict(Outcome(answer["outcome"]), checks, answer["mode"], tier, answer["cpu"], answer["wall"])


class Lane:
    """One judge process with its zygote; used by one thread at a time."""

    def __init__(self, tier: str, limits: Limits, modules: Iterable[str], packages: dict[str, list[str]]) -> None:
        self._limits = limits
        self._scratch = tempfile.TemporaryDirectory(prefix="regreen-") if tier != "A" else None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the lane
        self._known: OrderedDict[int, tuple[Problem, int, int]] = OrderedDict()  # with its number and size
        self._next = 0
        self._text = 0
        self.stopped = False
        ours, theirs = socket.socketpair()
        config = {
            "engine": theirs.fileno(),
            "tier": tier,
            "limits": limits,
            "path": os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
            "scratch": self._scratch.name if self._scratch else "/tmp",
            "preload": list(modules),
            "packages": packages.get("folders", []),
            "packages_path": packages.get("path", []),
        }
        self._socket = ours
        self._process = self._start(config, theirs)
        if wire.receive(ours) is None:
            self.close()
            raise InfrastructureError(f"a judge did not start: {self._last_words()}")

    def _start(self, config: dict[str, Any], theirs: socket.socket) -> subprocess.Popen[bytes]:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lane.py")
        python = getattr(sys, "_base_executable", sys.executable)
        # An environment of this alone: a program finds no secret in it. One thread each for numpy's libraries.
        environment = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        no_cache = ["-B"] if sys.dont_write_bytecode else []  # compiling anew leaves a zygote with a larger heap
        with theirs:
            return subprocess.Popen(
                [python, "-s", "-S", "-P", *no_cache, "-X", "utf8", script, json.dumps(config)],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the engine; lanes end when it does
            )

    def judge(self, problem: Problem, source: str, *, strict: bool) -> dict[str, Any]:
        """Have one program judged; raises EOFError if the lane broke down."""
        request: dict[str, Any] = {"source": source, "strict": strict, "drop": []}
        known = self._known.get(id(problem))
        if known is None:
            request["spec"] = spec_of(problem)
            known = self._remember(problem, len(marshal.dumps(request["spec"])), request["drop"])
        self._known.move_to_end(id(problem))
        request["problem"] = known[1]
        self._socket.settimeout(_SPARE_WALL + (len(problem.checks) + 4) * WALL_FACTOR * self._limits.timeout * 2)
        try:
            wire.send(self._socket, request)
            answer = wire.receive(self._socket)
        except OSError as error:
            raise EOFError(str(error)) from error
        if answer is None:
            raise EOFError(self._last_words())
        if "refused" in answer:
            raise InputError(f"problem {problem.id}: {answer['refused']}")
        return answer  # type: ignore[no-any-return]

    def _remember(self, problem: Problem, size: int, drop: list[int]) -> tuple[Problem, int, int]:
        """Note that the judge will know this problem, and which ones it may forget for it."""
        self._text += size
        while self._known and (len(self._known) >= _PROBLEMS_KEPT or self._text > _TEXT_KEPT):
            _, (_, number, freed) = self._known.popitem(last=False)
            self._text -= freed
            drop.append(number)
        known = self._known[id(problem)] = (problem, self._next, size)
        self._next += 1
        return known

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
            lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else "it ended without a word"
        return "it ended without a word"

    def stop(self) -> None:
        """Break off what the lane is doing; the thread that waits for it gets an EOFError."""
        self.stopped = True
        self._process.kill()

    def close(self) -> None:
        """End the lane's processes and remove what it made."""
        self._socket.close()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        if self._scratch:
            self._scratch.cleanup()


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


class LocalSandbox:
    """Judges programs on this machine, on ``jobs`` cores at once, in the strongest tier that the machine allows.

    ``tier`` is the weakest tier allowed: below it :class:`TierError` says what is missing.
    """

    def __init__(self, limits: Limits | None = None, *, jobs: int | None = None, tier: str = "B") -> None:
        self.limits = limits or Limits()
        self.capabilities = capabilities.probe()
        self.tier = _choose(self.capabilities, tier)
        self._jobs = jobs or len(os.sched_getaffinity(0))
        self._lanes: dict[str, list[Lane]] = {"plain": [], "numpy": []}
        self._busy: dict[int, Lane] = {}  # by the thread that waits
        self._owner = os.getpid()
        self._numpy_checks: dict[int, tuple[Problem, bool]] = {}  # by id, the problem kept so that ids stay its own
        self._gate = _Gate()
        self._pool: ThreadPoolExecutor | None = None
        self._closed = False

    async def judge(self, problem: Problem, source: str) -> Verdict:
        """Judge one program without blocking the event loop."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._jobs, "regreen-judge")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.judge_now, problem, source)

    def judge_all(self, pairs: Iterable[tuple[Problem, str]]) -> Iterator[tuple[int, Verdict]]:
        """Judge many programs on all cores; yield each one's position and verdict as they come.

        ``pairs`` is consumed as it is needed, a few programs ahead.
        """
        work = _Work(enumerate(pairs), self._jobs * 4)
        threads = [threading.Thread(target=work.run, args=(self.judge_now,), daemon=True) for _ in range(self._jobs)]
        for thread in threads:
            thread.start()
        try:
            yield from work.results(len(threads))
        finally:
            work.stop()
            for thread in threads:
                self._break_off(thread)

    def _break_off(self, thread: threading.Thread) -> None:
        """Wait for a thread's end, and stop whatever lane it still waits for."""
        while thread.is_alive():
            if lane := self._busy.get(thread.ident or 0):
                lane.stop()
            thread.join(0.02)

    def judge_now(self, problem: Problem, source: str) -> Verdict:
        """Judge one program and wait for the verdict; may be called from several threads."""
        with self._gate.shared():
            answer = self._ask(problem, source, strict=False)
        if answer["late"]:
            with self._gate.alone():
                answer = self._ask(problem, source, strict=True)
        return verdict_of(answer, self.tier)

    def _ask(self, problem: Problem, source: str, *, strict: bool) -> dict[str, Any]:
        """Judge on a free lane; a lane that breaks down is replaced, and the program judged once more."""
        kind = "numpy" if self._wants_numpy(problem, source) else "plain"
        for attempt in (1, 2):
            lane = self._take(kind) if attempt == 1 else self._new_lane(kind)
            self._busy[threading.get_ident()] = lane
            try:
                answer = lane.judge(problem, source, strict=strict)
            except EOFError as error:
                lane.close()
                if attempt == 2 or lane.stopped:
                    raise InfrastructureError(f"the judge broke down twice on problem {problem.id}: {error}") from error
            except BaseException:
                lane.close()
                raise
            else:
                self._lanes[kind].append(lane)
                return answer
            finally:
                del self._busy[threading.get_ident()]
        raise AssertionError("unreachable")

    def _wants_numpy(self, problem: Problem, source: str) -> bool:
        """True if the program or the problem's checks import numpy, and it is installed."""
        known = self._numpy_checks.get(id(problem))
        if known is None:
            code = [problem.prelude, *(check.code for check in problem.checks if isinstance(check, Assert))]
            if len(self._numpy_checks) >= _PROBLEMS_KEPT:
                self._numpy_checks.clear()
            known = self._numpy_checks[id(problem)] = (problem, any(map(_NUMPY_WORD.search, code)))
        return (known[1] or bool(_NUMPY_WORD.search(source))) and numpy_packages() is not None

    def _take(self, kind: str) -> Lane:
        if self._closed:
            raise InfrastructureError("the sandbox is closed; make a new LocalSandbox")
        if self._owner != os.getpid():
            raise InfrastructureError("this sandbox was made before a fork; make a LocalSandbox in each process")
        try:
            return self._lanes[kind].pop()
        except IndexError:
            return self._new_lane(kind)

    def _new_lane(self, kind: str) -> Lane:
        packages = numpy_packages() if kind == "numpy" else None
        return Lane(self.tier, self.limits, [*PRELOADED, *(["numpy"] if packages else [])], packages or {})

    def close(self) -> None:
        """End all processes."""
        self._closed = True
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
            self._condition.wait_for(lambda: not self._waiting)  # or those who want to be alone would wait for ever
            self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
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
        with self._lock:
            return None if self._stopped else next(self._pairs, None)

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
