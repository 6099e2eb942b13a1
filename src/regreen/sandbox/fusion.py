"""A sandbox that is a SandboxFusion: programs are run by its ``POST /run_code``, and their verdicts are made here.

Source: the interface of https://github.com/bytedance/SandboxFusion.

Differences from judging on this machine:

- How programs are confined is the server's affair, of which it says nothing: the tier is C, the weakest.
- Expected values never leave this machine, as everywhere. But a server that runs one program and no other cannot run
  checks that are code (:mod:`regreen.sandbox.checks.plan` says which) beside it: those share the program's process, and
  the verdict says ``shared``.
- The server's clock decides on time, and tells seconds on the wall alone: they stand as CPU time, too.
- Every call of a program is made by the Python that the server has, which must be the version that runs here.
"""

from __future__ import annotations

import asyncio
import json
import marshal
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from regreen.errors import InfrastructureError, InputError
from regreen.problem import Problem
from regreen.sandbox import fusion_guest
from regreen.sandbox.asking import Lost, Patience
from regreen.sandbox.checks.answers import Result, rest
from regreen.sandbox.elsewhere import FUSION, Elsewhere
from regreen.sandbox.lane import spec_of, verdict_of
from regreen.sandbox.limits import WALL_FACTOR, Limits
from regreen.sandbox.trial import Prepared, Trial
from regreen.sandbox.zygote import End, Order
from regreen.verdict import Verdict

_TIER = "C"
_JOBS = 8  # programs in flight, unless told otherwise
_OPENING, _PATIENCE = 1.5, 30.0  # seconds without an answer, at first and later
_BREAKDOWNS = 3  # of the server's sandbox on one run, until we give up
_SPARE = 60.0  # seconds beyond a program's own time that an answer may take
_JSON = {"Content-Type": "application/json"}
_VERSION = "import sys; print(*sys.version_info[:2])"


class FusionSandbox(Elsewhere):
    """Judges programs that a SandboxFusion runs.

    Args:
        url: its address, as ``http://HOST:PORT``.
        limits: what a program may use.
        jobs: programs in flight at once; 8 unless given.

    Raises:
        InputError: what answers there runs no Python programs, or another version of Python.
        InfrastructureError: nobody answers.
    """

    def __init__(self, url: str, limits: Limits | None = None, *, jobs: int | None = None) -> None:
        import httpx

        super().__init__(limits)
        self.jobs, self.tier = jobs or _JOBS, _TIER
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=httpx.Timeout(10.0, read=None), trust_env=False)
        self._ended = threading.Event()
        version = self._version()
        self.facts = {"tier": _TIER, "url": self._url, "python": version}
        self._pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="regreen-fusion")
        self._begin()

    def _version(self) -> str:
        """Return the server's version of Python, which must be ours: what is sent is partly compiled."""
        order = Order(10.0, 10.0, True)
        ran = self.run(_VERSION, "", order, patience=_OPENING)["run_result"]
        found, ours = ".".join(ran["stdout"].split()), ".".join(map(str, sys.version_info[:2]))
        if ran["return_code"] or found != ours:
            has = f"Python {found}" if found and not ran["return_code"] else "no Python 3"
            raise InputError(f"--sandbox {FUSION}{self._url}: it runs {has}; run regreen under the same, not {ours}")
        return found

    @property
    def _ahead(self) -> int:
        return 2 * self.jobs

    async def _send(self) -> None:
        await asyncio.gather(*(self._sender() for _ in range(self.jobs)))

    async def _sender(self) -> None:
        while True:
            row = await self._rows.get()
            if row.verdict.done():  # nobody waits for it
                continue
            try:
                found: Verdict | Exception = await self._loop.run_in_executor(
                    self._pool, self._judge, row.problem, row.source
                )
            except Exception as error:  # whatever it is, it is this row's: its sender goes on
                found = error
            self._settle(row, found)

    def _drop(self) -> None:
        """What runs over there runs to its end; of the rest a sender sees that nobody waits."""

    def _judge(self, problem: Problem, source: str) -> Verdict:
        spec = spec_of(problem)
        try:
            prepared = Prepared(spec)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise InputError(f"problem {problem.id}: its prelude does not compile: {error}") from error
        with _Process(self) as process:
            return verdict_of(_FusionTrial(process, prepared, spec, source, self.limits).verdict(), _TIER)

    def run(self, code: str, stdin: str, order: Order, *, patience: float = _PATIENCE) -> dict[str, Any]:
        """Have a program run, and return the server's answer.

        Raises:
            InputError: the server refuses.
            InfrastructureError: it does not answer, or breaks down on the program again and again.
        """
        sent = {
            "code": code,
            "language": "python",
            "stdin": stdin,
            "run_timeout": order.cpu,
            "memory_limit_MB": self.limits.memory >> 20,
        }
        waiting, breakdowns = Patience(self._url, patience, "a SandboxFusion"), 0
        while True:
            try:
                answer = self._once(sent)
            except Lost as lost:
                if self._ended.wait(waiting.pause(lost, progressed=False)):
                    raise InfrastructureError("the sandbox was closed while programs were judged") from lost
                continue
            if answer["status"] != "SandboxError" and answer["run_result"]:
                return answer
            breakdowns += 1
            if breakdowns >= _BREAKDOWNS:
                raise InfrastructureError(f"{self._url}: its sandbox failed: {answer.get('message')}")

    def _once(self, sent: dict[str, Any]) -> dict[str, Any]:
        import httpx

        body, patience = json.dumps(sent), sent["run_timeout"] + _SPARE
        try:
            response = self._client.post(f"{self._url}/run_code", content=body, headers=_JSON, timeout=patience)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Lost(f"nobody answers ({error or type(error).__name__})") from error
        if response.status_code in (429, 502, 503, 504):
            pause = response.headers.get("retry-after", "")
            raise Lost(f"it answered {response.status_code}", float(pause) if pause.isdecimal() else 1.0)
        try:
            answer = response.json()
            if {"status", "run_result"} <= set(answer):
                return dict(answer)
        except (ValueError, TypeError):
            pass
        raise InputError(
            f"--sandbox {FUSION}{self._url}: what answers there has no run_code ({response.status_code}); "
            f"give the address of a SandboxFusion"
        )

    def close(self) -> None:
        """Let go of the server; who still waits hears of it."""
        self._ended.set()
        super().close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()


class _Process:
    """The program's process, as a trial sees one: somewhere else, for as long as the server's answer takes."""

    def __init__(self, sandbox: FusionSandbox) -> None:
        self._sandbox = sandbox
        self._ordered: tuple[Order, list[int]] | None = None
        self.null = os.open(os.devnull, os.O_RDWR)

    def order(self, order: Order, descriptors: list[int]) -> None:
        self._ordered = order, descriptors

    def end(self) -> End:
        """Have the program run, and write what it left where the trial looks for it."""
        assert self._ordered is not None
        order, (job, given, output, _, results) = self._ordered
        stdin = "" if given == self.null else _read(given).decode("utf-8", "surrogatepass")
        ran = self._sandbox.run(fusion_guest.program(_read(job)), stdin, order)["run_result"]
        _write(output, (ran["stdout"] or "").encode("utf-8", "surrogatepass"))
        _write(results, fusion_guest.results(ran["stderr"] or ""))
        return _end_of(ran)

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.null)


def _end_of(ran: dict[str, Any]) -> End:
    seconds, code = float(ran["execution_time"] or 0.0), ran["return_code"]
    if ran["status"] == "TimeLimitExceeded":
        return End(9, "cpu", seconds, seconds)
    code = 1 if code is None else code
    return End(-code if code < 0 else (code & 255) << 8, "", seconds, seconds)


def _read(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def _write(fd: int, data: bytes) -> None:
    with open(fd, "wb", closefd=False) as file:
        file.write(data)


class _FusionTrial(Trial):
    """A trial without a process of the judge's own beside the program's."""

    def __init__(
        self, process: _Process, prepared: Prepared, spec: dict[str, Any], source: str, limits: Limits
    ) -> None:
        super().__init__(process, prepared, source, limits, strict=True)  # type: ignore[arg-type]
        self._spec = spec

    def by_code(self) -> list[Result]:
        """Run checks that are code beside the program's objects, in its own process."""
        self._problem = Prepared({**self._spec, "shared": True})
        return self.by_sharing()

    def _compare_in_child(self, data: bytes, stop: Result) -> list[Result] | None:
        """Compare what could keep this process busy in another, which may be killed."""
        count, seconds = len(self._problem.checks), self._check_seconds
        try:
            work = marshal.dumps((self._spec, data, stop, self._limits.memory))
            command = [sys.executable, "-c", f"from {__name__} import compare_here; compare_here()"]
            done = subprocess.run(command, input=work, capture_output=True, timeout=seconds * WALL_FACTOR, check=True)
            found: list[Result] | None = marshal.loads(done.stdout)
            return found
        except (subprocess.SubprocessError, ValueError, EOFError):
            message = f"comparing its results took more than {seconds:g} s or {self._limits.memory >> 20} MiB"
            return rest([{"index": 0, "outcome": "output_limit", "message": message}], count)


def compare_here() -> None:
    """Compare the results on standard input with what is expected, and write what was found."""
    spec, data, stop, memory = marshal.loads(sys.stdin.buffer.read())
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    trial = Trial(None, Prepared(spec), "", Limits(), strict=True)  # type: ignore[arg-type]
    sys.stdout.buffer.write(marshal.dumps(trial._compare(data, stop)))
