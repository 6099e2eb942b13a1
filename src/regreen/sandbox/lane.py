"""A lane as the engine sees it: one judge process with its zygote, and what is sent to it."""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import socket
import subprocess
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from regreen.errors import InfrastructureError, InputError
from regreen.problem import Assert, Call, Problem, Stdio
from regreen.sandbox import wire
from regreen.sandbox.limits import WALL_FACTOR, Limits
from regreen.sandbox.plain import Encoder
from regreen.verdict import CheckResult, Outcome, Verdict

_SPARE_WALL = 60.0  # seconds beyond all limits after which a lane that does not answer is given up
PROBLEMS_KEPT = 1024  # problems that a lane keeps prepared, while their checks are not too long in sum
_TEXT_KEPT = 32 << 20  # characters
_PIN_SECONDS, _CROWDED = 0.05, 1.3  # how often a lane asks whether it is crowded, and when it is


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


def needed_of(problem: Problem) -> Problem:
    """Return the problem with what its judging needs alone, to be sent to where it is judged."""
    mode = {name: problem.meta[name] for name in ("mode",) if name in problem.meta}
    return replace(problem, statement="", shown=(), revealed=(), solution=None, meta=mode)


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


class Execution(NamedTuple):
    """What came of running a program over standard input, without any check.

    ``outcome`` is ``passed`` if it ended well, and ``status`` what it exited with: minus a signal's number if one ended
    it, None if it was stopped at a limit, of which ``message`` speaks. ``cpu`` and ``wall`` are seconds.
    """

    outcome: str
    status: int | None
    message: str | None
    stdout: str
    stderr: str
    cpu: float
    wall: float


class Lane:
    """One judge process with its zygote; used by one thread at a time."""

    def __init__(
        self, tier: str, limits: Limits, modules: Iterable[str], packages: dict[str, list[str]], place: int = 0
    ) -> None:
        self._limits = limits
        self._scratch = tempfile.TemporaryDirectory(prefix="regreen-") if tier != "A" else None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the lane
        self._known: OrderedDict[int, tuple[Problem, int, int]] = OrderedDict()  # with its number and size
        self._next = 0
        self._text = 0
        self.stopped = False
        self.place = place
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
        zygote = wire.receive(ours)
        if zygote is None:
            self.close()
            raise InfrastructureError(f"a judge did not start: {self._last_words()}")
        self._pin = _Pin((self._process.pid, zygote), place)

    def _start(self, config: dict[str, Any], theirs: socket.socket) -> subprocess.Popen[bytes]:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lane_main.py")
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
        answer = self._request(request, runs=len(problem.checks) + 4)
        if "refused" in answer:
            raise InputError(f"problem {problem.id}: {answer['refused']}")
        return answer

    def execute(self, source: str, stdin: str, *, strict: bool) -> dict[str, Any]:
        """Have one program run; raises EOFError if the lane broke down."""
        return self._request({"execute": (source, stdin), "strict": strict, "drop": []}, runs=1)

    def _request(self, request: dict[str, Any], *, runs: int) -> dict[str, Any]:
        """Wait for the answer to a request, which costs so many runs of a program at most."""
        self._socket.settimeout(_SPARE_WALL + runs * WALL_FACTOR * self._limits.timeout * 2)
        try:
            wire.send(self._socket, request)
            answer = wire.receive(self._socket)
        except OSError as error:
            raise EOFError(str(error)) from error
        if answer is None:
            raise EOFError(self._last_words())
        if "refused" not in answer:
            self._pin.note(answer["cpu"], answer["wall"])
        return answer  # type: ignore[no-any-return]

    def _remember(self, problem: Problem, size: int, drop: list[int]) -> tuple[Problem, int, int]:
        """Note that the judge will know this problem, and which ones it may forget for it."""
        self._text += size
        while self._known and (len(self._known) >= PROBLEMS_KEPT or self._text > _TEXT_KEPT):
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


class _Pin:
    """Keeps judge, zygote and programs on one processor, where the caches are warm, until others crowd them there.

    They work in turn, so they lose nothing by it; the kernel would wake each on another processor.
    """

    def __init__(self, processes: tuple[int, ...], place: int) -> None:
        self._processes = processes
        self._all = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._cpu = self._wall = 0.0
        self._held = len(self._all) > 1
        if self._held:
            self._bind({self._all[place % len(self._all)]})

    def note(self, cpu: float, wall: float) -> None:
        """Note what a program took; programs that are kept waiting show that the processor is not theirs alone."""
        if not self._held:
            return
        self._cpu += cpu
        self._wall += wall
        if self._wall > _PIN_SECONDS:
            if self._wall > _CROWDED * self._cpu:
                self._held = False
                self._bind(set(self._all))
            self._cpu = self._wall = 0.0

    def _bind(self, processors: set[int]) -> None:
        with contextlib.suppress(OSError):  # where it is not allowed the kernel chooses, as it would without us
            for process in self._processes:
                os.sched_setaffinity(process, processors)
