"""The judge's process: it alone holds the expected values, and makes the verdict.

For each program it has the zygote run a child, and then, with the child dead, reads what the child wrote and decides.
It runs no foreign code itself: checks that are code run in a child of this process, jailed like a program.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

from regreen.sandbox import checker, compare, guest, zygote
from regreen.sandbox.jail import Jail
from regreen.sandbox.limits import WALL_FACTOR, Limits
from regreen.sandbox.plain import CannotCross, Decoder, decode
from regreen.sandbox.plan import CallCondition, Condition, Plan, make_plan
from regreen.sandbox.text import cut, show
from regreen.sandbox.zygote import End, Order

Result = dict[str, Any]

# Results up to this size are compared here; larger ones, with which a program could keep the judge busy (sets of values
# that all have one hash), in a child with a time limit.
_COMPARED_HERE = 32 << 10
_CHECK_SECONDS = 10.0  # CPU time that the checks' own code may use beside the program's
_OUTPUT_SHOWN = 2000
_FRAME = struct.Struct("=I")
_CLOCKS = struct.Struct("=dd")


class Prepared:
    """A problem as the judge needs it, made once and used for all its programs."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.entry_point: str | None = spec["entry_point"]
        self.prelude: str = spec["prelude"]
        self.stdio: list[tuple[str, str, str]] = spec["stdio"]
        self.checks: list[Any] = spec["checks"]
        self.shared: bool = spec["shared"]
        self.plan: Plan | None = None
        self.work = b""
        if self.checks and not self.shared:
            self.plan = make_plan(self.checks, self.entry_point, self.prelude)
        if self.plan is not None:
            self.work = self.plan.work
        elif self.shared:
            self.work = json.dumps([self.entry_point, self.checks]).encode()

    @property
    def mode(self) -> str:
        """How the program's process is told to work."""
        if self.stdio:
            return "stdio"
        if self.shared:
            return "shared"
        return "serve" if self.plan is None else "calls"


class Judge:
    """Judges one program after another on one core."""

    def __init__(self, engine: socket.socket, zygote_channel: socket.socket, jail: Jail, proc: int | None) -> None:
        self._engine = engine
        self._zygote = zygote_channel
        self._jail = jail
        self._proc = proc
        self._null = os.open("/dev/null", os.O_RDWR)
        self._problems: dict[int, Prepared] = {}

    def serve(self) -> None:
        """Answer the engine until it closes its end."""
        while True:
            request = receive(self._engine)
            if request is None:
                return
            for number in request["drop"]:
                del self._problems[number]
            if "spec" in request:
                self._problems[request["problem"]] = Prepared(request["spec"])
            problem = self._problems[request["problem"]]
            send(self._engine, self.judge(problem, request["source"], Limits(*request["limits"]), request["strict"]))

    def judge(self, problem: Prepared, source: str, limits: Limits, strict: bool) -> Result:
        """Return the verdict on one program as plain data."""
        one = _Trial(self, problem, source, limits, strict)
        judge = {"stdio": one.by_stdio, "calls": one.by_plan, "serve": one.by_code, "shared": one.by_sharing}
        results = judge[problem.mode]()
        failing = (r["outcome"] for r in results if r["outcome"] not in (None, "passed"))
        return {
            "outcome": next(failing, "passed"),
            "checks": results,
            "mode": "shared" if problem.shared else "separate",
            "cpu": one.cpu,
            "wall": one.wall,
            "late": not strict and one.late,
        }

    def order(self, order: Order, descriptors: list[int]) -> None:
        zygote.ask(self._zygote, order, descriptors)

    def end(self) -> End:
        return zygote.hear(self._zygote)

    @property
    def null(self) -> int:
        return self._null

    def engine_is_gone(self) -> bool:
        """True if nobody waits for the verdict any more."""
        poll = select.poll()
        poll.register(self._engine, select.POLLHUP | select.POLLRDHUP)
        return bool(poll.poll(0))

    def in_child(
        self, order: Order, body: Callable[[], Iterator[Any]], keep: int | None = None
    ) -> tuple[End, list[Any]]:
        """Run ``body`` in a jailed child of this process and return how it ended and the plain data it yielded."""
        with _File() as results:
            descriptors = [self._null, self._null, self._null, results.fd]
            if keep is not None:
                descriptors.append(keep)

            def child() -> None:
                self._jail.confine_child(descriptors, order.limits, order.cpu * 2)
                for item in body():
                    text = json.dumps(item).encode()
                    os.write(guest.RESULTS, _FRAME.pack(len(text)) + text)
                os._exit(0)

            end = zygote.run_child(self._jail, order, self._proc, child)
            return end, [json.loads(text) for text, _ in _frames(results.read(), clocks=False)]


class _File:
    """A nameless file that two processes share, closed at the end of the block."""

    def __init__(self, content: bytes = b"") -> None:
        self.fd = os.memfd_create("regreen")
        if content:
            os.write(self.fd, content) if len(content) < (1 << 20) else self._write_all(content)
            os.lseek(self.fd, 0, os.SEEK_SET)

    def _write_all(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self.fd, view) :]

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def read(self, most: int = 1 << 30) -> bytes:
        return os.pread(self.fd, min(self.size(), most), 0)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


class _Trial:
    """One program before the judge: its runs, and what they cost."""

    def __init__(self, judge: Judge, problem: Prepared, source: str, limits: Limits, strict: bool) -> None:
        self._judge = judge
        self._problem = problem
        self._limits = limits
        self._source = source
        self._order = Order(limits.timeout, limits.timeout * WALL_FACTOR, strict, limits)
        program = {"mode": problem.mode, "prelude": problem.prelude, "source": source}
        self._job = json.dumps(program).encode() + b"\n" + problem.work
        self.cpu = self.wall = 0.0
        self.late = False

    def _note(self, end: End) -> End:
        self.cpu += end.cpu
        self.wall += end.wall
        self.late = self.late or (not end.killed_by and end.cpu > self._limits.timeout)
        return end

    def _outcome_of(self, end: End, output_size: int = 0) -> Result | None:
        """The result that the manner of a run's end alone decides, or None."""
        if end.killed_by or end.cpu > self._limits.timeout:
            asleep = end.killed_by == "wall"
            spent = f"{end.wall:.1f} s, most of it asleep" if asleep else f"{self._limits.timeout:g} s of CPU time"
            return {"outcome": "timeout", "message": f"not done after {spent}"}
        if output_size > self._limits.output:
            return {"outcome": "output_limit", "message": f"wrote more than {self._limits.output} bytes"}
        return None

    # Checks of results: the plan's calls are made in the child, the conditions are evaluated here.

    def by_plan(self) -> list[Result]:
        with _File(self._job) as job, _File() as output, _File() as results:
            null = self._judge.null
            self._judge.order(self._order, [job.fd, null, output.fd, output.fd, results.fd])
            end = self._note(self._judge.end())
            data = results.read(guest.RESULTS_CAP + _COMPARED_HERE)
            stop = self._stop(end, output)
            shown = _shown(output)
        if len(data) > _COMPARED_HERE:
            checks = self._compare_in_child(data, stop)
        else:
            checks = self._compare(data, stop)
        return [_with(r, self._source, shown) for r in checks]

    def _stop(self, end: End, output: _File) -> Result:
        """What to say of calls for which there is no result."""
        stop = self._outcome_of(end, output.size())
        if stop is not None:
            return stop
        if end.signal:
            return {"outcome": "killed", "message": f"ended by {signal.Signals(end.signal).name}"}
        return {"outcome": "killed", "message": f"the program ended its own process, exit status {end.exit_status}"}

    def _compare_in_child(self, data: bytes, stop: Result) -> list[Result]:
        order = Order(_CHECK_SECONDS, _CHECK_SECONDS * WALL_FACTOR, True, self._limits)
        _, answers = self._judge.in_child(order, lambda: iter([self._compare(data, stop)]))
        if answers:
            return answers[0]  # type: ignore[no-any-return]
        message = f"comparing its results took more than {_CHECK_SECONDS:g} s or {self._limits.memory >> 20} MiB"
        return _rest([{"index": 0, "outcome": "output_limit", "message": message}], len(self._problem.checks))

    def _compare(self, data: bytes, stop: Result) -> list[Result]:
        assert self._problem.plan is not None
        answers = _Answers(data, stop)
        if answers.opening is not None:
            return _rest([{"index": 0, **answers.opening}], len(self._problem.checks), repeat=True)
        checks: list[Result] = []
        for index, conditions in enumerate(self._problem.plan.checks):
            result = {"index": index, **_check_conditions(conditions, answers)}
            checks.append(result)
            if result.pop("final", False):
                return _rest(checks, len(self._problem.plan.checks))
        over = stop if stop["outcome"] in ("timeout", "output_limit") else None
        if over and all(r["outcome"] == "passed" for r in checks):
            checks[-1] = {**checks[-1], **over}  # all is right, but it cost too much
        return checks

    # Checks that are code: they run in a child of the judge, and ask the program's process over a socket.

    def by_code(self) -> list[Result]:
        ours, theirs = socket.socketpair()
        with _File(self._job) as job, _File() as output, ours:
            null = self._judge.null
            self._judge.order(self._order, [job.fd, null, output.fd, output.fd, theirs.fileno()])
            theirs.close()
            checks_end, answers = self._run_checks(ours.fileno())
            ours.close()
            end = self._note(self._judge.end())
            stop = self._stop(end, output)
            shown = _shown(output)
        return [_with(r, self._source, shown) for r in self._collect(answers, stop, checks_end)]

    def _run_checks(self, descriptor: int) -> tuple[End, list[Any]]:
        problem = self._problem
        patience = self._order.wall * 2 + _CHECK_SECONDS
        order = Order(_CHECK_SECONDS + self._limits.timeout, patience, True, self._limits)
        place = guest.RESULTS + 1

        def body() -> Iterator[Any]:
            return checker.run_checks(place, problem.prelude, problem.checks, problem.entry_point)

        return self._judge.in_child(order, body, keep=descriptor)

    def _collect(self, answers: list[Any], stop: Result, checks_end: End) -> list[Result]:
        """Put together what the checks said and how the program's process ended."""
        count = len(self._problem.checks)
        if answers and answers[0].get("load"):
            return _rest([{"index": 0, **_load_failure(answers[0])}], count, repeat=True)
        checks = [{"index": i, **_flatten(answer)} for i, answer in enumerate(answers[1:])]
        if len(checks) < count:
            if checks_end.killed_by or checks_end.signal:
                stop = {"outcome": "timeout", "message": "the checks' own code did not finish on the program's results"}
            return _rest([*checks, {"index": len(checks), **stop}], count)
        if stop["outcome"] in ("timeout", "output_limit") and all(r["outcome"] == "passed" for r in checks):
            checks[-1] = {**checks[-1], **stop}
        return checks

    # Checks that must share the program's process: said in the verdict, and weaker.

    def by_sharing(self) -> list[Result]:
        with _File(self._job) as job, _File() as output, _File() as results:
            null = self._judge.null
            self._judge.order(self._order, [job.fd, null, output.fd, output.fd, results.fd])
            end = self._note(self._judge.end())
            stop = self._stop(end, output)
            shown = _shown(output)
            answers = [_parse(text) for text, _ in _frames(results.read(guest.RESULTS_CAP), clocks=False)]
        return [_with(r, self._source, shown) for r in self._collect(answers, stop, end)]

    # Standard input and output: one run of the program for each check, compared here.

    def by_stdio(self) -> list[Result]:
        checks: list[Result] = []
        for index, (stdin, expected, rule) in enumerate(self._problem.stdio):
            result = self._run_stdio(stdin, expected, rule)
            checks.append(_with({"index": index, **result}, self._source, None))
            if result["outcome"] in ("timeout", "killed") or self._judge.engine_is_gone():
                return _rest(checks, len(self._problem.stdio))
            if result["outcome"] == "syntax_error":
                return _rest(checks, len(self._problem.stdio), repeat=True)
        return checks

    def _run_stdio(self, stdin: str, expected: str, rule: str) -> Result:
        with _File(self._job) as job, _File(_bytes(stdin)) as given, _File() as output, _File() as results:
            self._judge.order(self._order, [job.fd, given.fd, output.fd, self._judge.null, results.fd])
            end = self._note(self._judge.end())
            written = output.read(self._limits.output + 1)
            size = output.size()
            frames = [_parse(text) for text, _ in _frames(results.read(_COMPARED_HERE), clocks=False)]
        clocks = {"cpu": end.cpu, "wall": end.wall}
        got = written.decode("utf-8", "replace")
        stop = self._outcome_of(end, size) or _failure_of_process(frames, end)
        if stop is not None:
            return {**clocks, "output": got[:_OUTPUT_SHOWN] or None, **stop}
        result = {**clocks, "rule": rule, "outcome": "passed"}
        if not compare.STDIO[rule](got, expected):
            result.update(outcome="wrong_answer", got=cut(got), expected=cut(expected))
        return result


def _failure_of_process(frames: list[Any], end: End) -> Result | None:
    """The failure of a stdio run that ended by itself, None if it ended well."""
    if frames and isinstance(frames[0], dict) and isinstance(frames[0].get("load"), dict):
        return _load_failure(frames[0])
    if end.signal:
        return {"outcome": "killed", "message": f"ended by {signal.Signals(end.signal).name}"}
    if end.exit_status:
        return {"outcome": "exception", "error_type": "SystemExit", "message": f"exit status {end.exit_status}"}
    return None


class _Answers:
    """What the child wrote, read with suspicion: the opening, then one frame a call."""

    def __init__(self, data: bytes, stop: Result) -> None:
        self._frames = _frames(data, clocks=True)
        self._stop = stop
        self.opening: Result | None = None
        opening = _parse(next(self._frames, (b"", None))[0])
        if opening is None:
            self.opening = stop
        elif opening.get("load") is not None:
            self.opening = _load_failure(opening)

    def take(self) -> tuple[Result | None, Any, tuple[float, float]]:
        """Return the next call's failure, or its value, and its CPU and wall seconds."""
        text, clocks = next(self._frames, (b"", None))
        frame = _parse(text)
        if frame is None:
            return {**self._stop, "final": True}, None, (0.0, 0.0)
        clocks = clocks or (0.0, 0.0)
        if "value" in frame:
            try:
                return None, Decoder(_Opaque).unpack(frame["value"]), clocks
            except CannotCross as error:
                return {"outcome": "output_limit", "message": str(error)}, None, clocks
            except Exception:
                return {"outcome": "killed", "message": "wrote on the judge's channel"}, None, clocks
        return _flatten({"outcome": None, **frame}), None, clocks


class _Opaque:
    """Stands for a result that is no plain data: equal to nothing."""

    def __init__(self, described: list[Any]) -> None:
        self._kind = str(described[1])[:100]

    def __repr__(self) -> str:
        return f"<{self._kind} object>"


def _check_conditions(conditions: list[Condition | CallCondition], answers: _Answers) -> Result:
    """Evaluate one check's conditions in order up to the first that fails, taking the answers of them all."""
    failure: Result | None = None
    passed = run = 0
    cpu = wall = 0.0
    rule = None
    for condition in conditions:
        values = {}
        problem = None
        for call in condition.calls:
            broken, values[call], clocks = answers.take()
            cpu, wall = cpu + clocks[0], wall + clocks[1]
            problem = problem or broken
        if failure is None:
            rule = condition.operator
            run += 1
            failure = problem or _evaluate(condition, values)
            passed += failure is None
    result = {"outcome": "passed", "rule": rule, "cpu": cpu, "wall": wall, "asserts_run": run, "asserts_passed": passed}
    return {**result, **failure} if failure else result


def _evaluate(condition: Condition | CallCondition, values: dict[int, Any]) -> Result | None:
    """None if the condition holds, else the result that says why not."""
    try:
        holds, got, expected = condition.evaluate(values)
    except Exception as error:
        got = next(iter(values.values()), None)
        broken = {"error_type": type(error).__name__, "message": cut(str(error))}
        return {"outcome": "wrong_answer", "got": show(got), **broken}
    if holds:
        return None
    return {"outcome": "wrong_answer", "got": show(got), "expected": show(expected), "message": condition.message}


def _frames(data: bytes, *, clocks: bool) -> Iterator[tuple[bytes, tuple[float, float] | None]]:
    """Split what a child wrote into frames; stop at the first that is not whole. The first never has clocks."""
    place, first = 0, True
    while place + _FRAME.size <= len(data):
        (length,) = _FRAME.unpack_from(data, place)
        place += _FRAME.size
        end = place + length
        tail = _CLOCKS.size if clocks and not first else 0
        if end + tail > len(data):
            return
        yield data[place:end], _CLOCKS.unpack_from(data, end) if tail else None  # type: ignore[misc]
        place, first = end + tail, False


def _parse(text: bytes) -> Any:
    """Return a frame's object, None if there is none or it is not one."""
    if not text:
        return None
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return frame if isinstance(frame, dict) else None


def _load_failure(frame: dict[str, Any]) -> Result:
    """The result of a program that could not be loaded: bad syntax, or an exception on the way."""
    error = frame["load"]
    outcome = checker.outcome_of(error) if isinstance(error, dict) and "bases" in error else "killed"
    if frame.get("compile") and outcome == "exception":
        outcome = "syntax_error"
    return _flatten({"outcome": outcome, "error": error})


def _flatten(answer: dict[str, Any]) -> Result:
    """Bring an answer with an ``error`` or ``huge`` part into the form of a check's result."""
    answer = dict(answer)
    error = answer.pop("error", None)
    huge = answer.pop("huge", None)
    if huge is not None:
        return {"outcome": "output_limit", "message": cut(str(huge))}
    if error is None:
        return answer if answer.get("outcome") else {"outcome": "killed", "message": "wrote on the judge's channel"}
    if not isinstance(error, dict):
        return {"outcome": "killed", "message": "wrote on the judge's channel"}
    outcome = answer.pop("outcome", None) or checker.outcome_of({"bases": [], **error})
    line = error.get("line")
    described = {
        "error_type": _text(error.get("type")),
        "message": _text(error.get("message")),
        "line": line if type(line) is int else None,
    }
    return {**answer, "outcome": outcome, **described}


def _text(value: Any) -> str | None:
    return cut(value) if isinstance(value, str) else None


def _rest(checks: list[Result], count: int, *, repeat: bool = False) -> list[Result]:
    """Fill up to ``count`` checks: with the last failure again, or with checks that were not run."""
    last = checks[-1]
    more = range(len(checks), count)
    if repeat:
        return checks + [{**last, "index": index} for index in more]
    return checks + [{"index": index, "outcome": None} for index in more]


def _with(result: Result, source: str, output: str | None) -> Result:
    """Add the text of the program's line and, to a failure, what the program printed."""
    line = result.get("line")
    if line is not None:
        lines = source.splitlines()
        result["line_text"] = cut(lines[line - 1].strip()) if 0 < line <= len(lines) else None
    if output and result["outcome"] not in (None, "passed"):
        result["output"] = output
    return {name: value for name, value in result.items() if value is not None or name == "outcome"}


def _shown(output: _File) -> str | None:
    return output.read(_OUTPUT_SHOWN).decode("utf-8", "replace") or None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def receive(channel: socket.socket) -> Any:
    """Receive one message, or None at the end."""
    header = channel.recv(_FRAME.size, socket.MSG_WAITALL)
    if len(header) < _FRAME.size:
        return None
    (length,) = _FRAME.unpack(header)
    data = bytearray()
    while len(data) < length:
        part = channel.recv(length - len(data))
        if not part:
            return None
        data += part
    return json.loads(data)


def send(channel: socket.socket, message: Any) -> None:
    """Send one message."""
    data = json.dumps(message).encode()
    channel.sendall(_FRAME.pack(len(data)) + data)


__all__ = ["Judge", "decode", "receive", "send"]
