"""The judge's process: it alone holds the expected values, and makes the verdict.

For each program it has the zygote run a child, and then, with the child dead, reads what the child wrote and decides.
It runs no foreign code itself: checks that are code run in a child of this process, jailed like a program.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import socket
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from regreen.sandbox import checker, compare, guest, jail, wire, zygote
from regreen.sandbox.limits import WALL_FACTOR, Limits
from regreen.sandbox.plain import CannotCross, Decoder
from regreen.sandbox.plan import CallCondition, Condition, Plan, make_plan
from regreen.sandbox.text import cut, show
from regreen.sandbox.zygote import End, Order

Result = dict[str, Any]

# Results up to this size are compared here; larger ones, with which a program could keep the judge busy (sets of values
# that all have one hash), in a child with a time limit.
_COMPARED_HERE = 32 << 10
_CHECK_SECONDS = 10.0  # CPU time that the checks' own code may use beside the program's
_OUTPUT_SHOWN = 2000
_FORGED = {"outcome": "killed", "message": "something else than results was written on the judge's channel"}


class Prepared:
    """A problem as the judge needs it, made once and used for all its programs."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.entry_point: str | None = spec["entry_point"]
        self.stdio: list[tuple[str, str, str]] = spec["stdio"]
        self.checks: list[Any] = spec["checks"]
        self.shared: bool = spec["shared"]
        prelude: str = spec["prelude"]
        self.prelude: CodeType | None = compile(prelude, "<prelude>", "exec", 0, True) if prelude else None
        self.plan: Plan | None = None
        if self.checks and not self.shared:
            self.plan = make_plan(self.checks, self.entry_point, prelude)

    @property
    def work(self) -> Any:
        """What the program's process is told to do."""
        if self.plan is not None:
            return self.plan.calls
        return (self.entry_point, self.checks) if self.shared else None

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

    def __init__(
        self, engine: socket.socket, zygote_channel: socket.socket, confinement: jail.Jail, proc: int | None
    ) -> None:
        self._engine = engine
        self._zygote = zygote_channel
        self._jail = confinement
        self._proc = proc
        self._null = os.open("/dev/null", os.O_RDWR)
        self._problems: dict[int, Prepared] = {}
        self._either = select.poll()
        self._either.register(zygote_channel, select.POLLIN)
        self._either.register(engine, select.POLLRDHUP)

    def serve(self) -> None:
        """Answer the engine until it closes its end."""
        while True:
            request = wire.receive(self._engine)
            if request is None:
                return
            for number in request["drop"]:
                del self._problems[number]
            if "spec" in request:
                self._problems[request["problem"]] = Prepared(request["spec"])
            problem = self._problems[request["problem"]]
            wire.send(self._engine, self.judge(problem, request["source"], request["strict"]))

    def judge(self, problem: Prepared, source: str, strict: bool) -> Result:
        """Return the verdict on one program as plain data."""
        one = _Trial(self, problem, source, self._jail.limits, strict)
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
        """Wait for the end of the run that was ordered; if the engine goes away meanwhile, end at once."""
        self._either.poll()
        if self._engine_is_gone():
            os._exit(0)  # the zygote and its child die with their parent
        return zygote.hear(self._zygote)

    @property
    def null(self) -> int:
        return self._null

    def _engine_is_gone(self) -> bool:
        return any(fd == self._engine.fileno() for fd, _ in self._either.poll(0))

    def in_child(
        self, order: Order, body: Callable[[], Iterator[Any]], keep: int | None = None
    ) -> tuple[End, list[Any]]:
        """Run ``body`` in a jailed child of this process and return how it ended and the plain data it yielded.

        The child has ``keep`` as descriptor 4.
        """
        with _File() as results:
            descriptors = [self._null, self._null, self._null, results.fd]
            if keep is not None:
                descriptors.append(keep)

            def child() -> None:
                jail.set_limits(self._jail.limits, threads=False)
                self._jail.confine_child(descriptors)
                for item in body():
                    wire.write_all(guest.RESULTS, wire.frame(item))
                os._exit(0)

            end = zygote.run_child(self._jail, order, self._proc, child)
            # What checks say is as good as the checks; still nothing but plain data is taken from them.
            return end, [_parse(data) for data in wire.frames(results.read())]


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
        self._order = Order(limits.timeout, limits.timeout * WALL_FACTOR, strict)
        self._job = marshal.dumps((problem.mode, problem.prelude, source, problem.work))
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
        compared = self._compare_in_child if len(data) > _COMPARED_HERE else self._compare
        checks = compared(data, stop)
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
        order = Order(_CHECK_SECONDS, _CHECK_SECONDS * WALL_FACTOR, True)
        _, answers = self._judge.in_child(order, lambda: iter(self._compare(data, stop)))
        if len(answers) == len(self._problem.checks):
            return answers
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
        order = Order(_CHECK_SECONDS + self._limits.timeout, patience, True)
        place = guest.RESULTS + 1

        def body() -> Iterator[Any]:
            return checker.run_checks(place, problem.prelude, problem.checks, problem.entry_point)

        return self._judge.in_child(order, body, keep=descriptor)

    def _collect(self, answers: list[Any], stop: Result, checks_end: End) -> list[Result]:
        """Put together what the checks said and how the program's process ended."""
        count = len(self._problem.checks)
        if answers and answers[0] != _LOADED:
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
            answers = [_parse(data) for data in wire.frames(results.read(guest.RESULTS_CAP))]
        return [_with(r, self._source, shown) for r in self._collect(answers, stop, end)]

    # Standard input and output: one run of the program for each check, compared here.

    def by_stdio(self) -> list[Result]:
        checks: list[Result] = []
        for index, (stdin, expected, rule) in enumerate(self._problem.stdio):
            result = self._run_stdio(stdin, expected, rule)
            checks.append(_with({"index": index, **result}, self._source, None))
            if result["outcome"] in ("timeout", "killed"):
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
            opening = next(wire.frames(results.read(_COMPARED_HERE)), None)
        clocks = {"cpu": end.cpu, "wall": end.wall}
        got = written.decode("utf-8", "replace")
        stop = self._outcome_of(end, size) or _failure_of_process(opening, end)
        if stop is not None:
            return {**clocks, "output": got[:_OUTPUT_SHOWN] or None, **stop}
        result = {**clocks, "rule": rule, "outcome": "passed"}
        if not compare.STDIO[rule](got, expected):
            result.update(outcome="wrong_answer", got=cut(got), expected=cut(expected))
        return result


def _failure_of_process(opening: bytes | None, end: End) -> Result | None:
    """The failure of a stdio run that ended by itself, None if it ended well."""
    if opening is not None:
        return _load_failure(_parse(opening))
    if end.signal:
        return {"outcome": "killed", "message": f"ended by {signal.Signals(end.signal).name}"}
    if end.exit_status:
        return {"outcome": "exception", "error_type": "SystemExit", "message": f"exit status {end.exit_status}"}
    return None


_LOADED = ("load", None, False)


class _Answers:
    """What the child wrote, read with suspicion: the opening, then one frame a call."""

    def __init__(self, data: bytes, stop: Result) -> None:
        self._frames = wire.frames(data)
        self._stop = stop
        self.opening: Result | None = None
        opening = next(self._frames, None)
        if opening is None:
            self.opening = stop
        elif (message := _parse(opening)) != _LOADED:
            self.opening = _load_failure(message)

    def take(self) -> tuple[Result | None, Any, tuple[float, float]]:
        """Return the next call's failure, or its value, and its CPU and wall seconds."""
        data = next(self._frames, None)
        if data is None:
            return {**self._stop, "final": True}, None, _NO_TIME
        try:
            kind, body, (cpu, wall) = wire.read(data)
            clocks = (float(cpu), float(wall))
            if kind == "value":
                return None, body, clocks
            if kind == "packed":
                return None, Decoder(_Opaque).unpack(body), clocks
            return _failure(kind, body), None, clocks
        except CannotCross as error:
            return {"outcome": "output_limit", "message": str(error)}, None, _NO_TIME
        except (ValueError, TypeError):
            return _FORGED, None, _NO_TIME


_NO_TIME = (0.0, 0.0)


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


def _parse(data: bytes) -> Any:
    """Return a frame's plain data, None if it is none."""
    try:
        return wire.read(data)
    except ValueError:
        return None


def _load_failure(message: Any) -> Result:
    """The result of a program that could not be loaded: bad syntax, or an exception on the way."""
    try:
        _, described, compiling = message
        outcome = checker.outcome_of(described)
    except (TypeError, ValueError, KeyError):
        return _FORGED
    if compiling and outcome == "exception":
        outcome = "syntax_error"
    return {"outcome": outcome, **_describe(described)}


def _failure(kind: str, body: Any) -> Result:
    """The result of a call that gave no value."""
    if kind == "huge" and isinstance(body, str):
        return {"outcome": "output_limit", "message": cut(body)}
    if kind == "error" and isinstance(body, dict):
        return {"outcome": checker.outcome_of({"bases": [], **body}), **_describe(body)}
    return _FORGED


def _flatten(answer: Any) -> Result:
    """Bring what a check's process said of a check into the form of a result."""
    if not isinstance(answer, dict) or not isinstance(answer.get("outcome"), str):
        return _FORGED
    answer = dict(answer)
    error = answer.pop("error", None)
    return {**answer, **_describe(error)} if isinstance(error, dict) else answer


def _describe(error: dict[str, Any]) -> Result:
    line = error.get("line")
    return {
        "error_type": _text(error.get("type")),
        "message": _text(error.get("message")),
        "line": line if type(line) is int else None,
    }


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
