"""One program before the judge: its runs under the three kinds of check, and the result of each check."""

from __future__ import annotations

import functools
import marshal
import socket
from collections.abc import Callable, Iterator
from itertools import islice
from types import CodeType
from typing import Any, Protocol

from regreen.sandbox import guest, wire
from regreen.sandbox.checks import checker, compare
from regreen.sandbox.checks.answers import (
    LOADED,
    Answers,
    NeedsObjects,
    Result,
    check_conditions,
    ended_by,
    flatten,
    load_failure,
    parse,
    rest,
    unloaded,
    with_context,
)  # fmt: skip
from regreen.sandbox.checks.asserts import rewrite
from regreen.sandbox.checks.plan import Plan, make_plan
from regreen.sandbox.checks.text import cut
from regreen.sandbox.limits import WALL_FACTOR, Limits
from regreen.sandbox.memory_file import MemoryFile
from regreen.sandbox.zygote import End, Order

# Results up to this size are compared here; larger ones, with which a program could keep the judge busy (sets of values
# that all have one hash), in a child with a time limit.
_COMPARED_HERE = 32 << 10
_OUTPUT_SHOWN = 2000


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

    @functools.cached_property
    def code(self) -> list[Any]:
        """The checks as they run where they are code: call checks as they are, all others rewritten."""
        return [rewrite(check) if isinstance(check, str) else check for check in self.checks]

    @property
    def mode(self) -> str:
        """How the program's process is told to work."""
        if self.stdio:
            return "stdio"
        if self.shared:
            return "shared"
        return "serve" if self.plan is None else "calls"


class Processes(Protocol):
    """What a trial needs of the judge's process: children, and a null device."""

    null: int

    def order(self, order: Order, descriptors: list[int]) -> None:
        """Have the zygote start a child for the program."""

    def end(self) -> End:
        """Wait for that child's end."""
        ...

    def in_child(
        self, order: Order, body: Callable[[], Iterator[Any]], keep: int | None = None
    ) -> tuple[End, list[Any]]:
        """Run ``body`` in a child of the judge."""
        ...


class Trial:
    """One program before the judge: its runs, and what they cost."""

    def __init__(self, judge: Processes, problem: Prepared, source: str, limits: Limits, strict: bool) -> None:
        self._judge = judge
        self._problem = problem
        self._limits = limits
        self._source = source
        self._order = Order(limits.timeout, limits.timeout * WALL_FACTOR, strict)
        self._check_seconds = 2 * limits.timeout + 1  # CPU time that the checks' own code may use beside the program's
        self.cpu = self.wall = 0.0
        self.late = False

    def verdict(self) -> Result:
        """Run what the problem's checks ask for, and return the verdict as plain data."""
        judge = {"stdio": self.by_stdio, "calls": self.by_plan, "serve": self.by_code, "shared": self.by_sharing}
        results = judge[self._problem.mode]()
        failing = (r["outcome"] for r in results if r["outcome"] not in (None, "passed"))
        return {
            "outcome": next(failing, "passed"),
            "checks": results,
            "mode": "shared" if self._problem.shared else "separate",
            "cpu": self.cpu,
            "wall": self.wall,
            "late": not self._order.strict and self.late,
        }

    def _job(self, mode: str, work: Any = None) -> MemoryFile:
        """What the program's process is told."""
        return MemoryFile(marshal.dumps((mode, self._problem.prelude, self._source, work)))

    def _note(self, end: End) -> End:
        self.cpu += end.cpu
        self.wall += end.wall
        self.late = self.late or (not end.killed_by and end.cpu > self._limits.timeout)
        return end

    def _outcome_of(self, end: End, output_size: int = 0) -> Result | None:
        """The result that the manner of a run's end alone decides, or None."""
        if end.killed_by or end.cpu > self._limits.timeout:
            asleep = end.killed_by == "wall" and end.cpu <= self._limits.timeout
            spent = f"{end.wall:.1f} s, most of it asleep" if asleep else f"{self._limits.timeout:g} s of CPU time"
            return {"outcome": "timeout", "message": f"not done after {spent}"}
        if output_size > self._limits.output:
            return {"outcome": "output_limit", "message": f"wrote more than {self._limits.output} bytes"}
        return None

    # Checks of results: the plan's calls are made in the child, the conditions are evaluated here.

    def by_plan(self) -> list[Result]:
        assert self._problem.plan is not None
        with self._job("calls", self._problem.plan.calls) as job, MemoryFile() as output, MemoryFile() as results:
            null = self._judge.null
            self._judge.order(self._order, [job.fd, null, output.fd, output.fd, results.fd])
            end = self._note(self._judge.end())
            data = results.read(guest.RESULTS_CAP + _COMPARED_HERE)
            stop = self._stop(end, output)
            shown = _shown(output)
        compared = self._compare_in_child if len(data) > _COMPARED_HERE else self._compare
        checks = compared(data, stop)
        if checks is None:
            return self.by_code()
        return [with_context(r, self._source, shown) for r in checks]

    def _stop(self, end: End, output: MemoryFile) -> Result:
        """What to say of calls for which there is no result."""
        stop = self._outcome_of(end, output.size())
        if stop is not None:
            return stop
        if end.signal:
            return ended_by(end.signal)
        return {"outcome": "killed", "message": f"the program ended its own process, exit status {end.exit_status}"}

    def _compare_in_child(self, data: bytes, stop: Result) -> list[Result] | None:
        order = Order(self._check_seconds, self._check_seconds * WALL_FACTOR, True)
        end, answers = self._judge.in_child(order, lambda: iter(self._compare(data, stop) or ()))
        if len(answers) == len(self._problem.checks):
            return answers
        if end.status == 0 and not answers:
            return None
        message = f"comparing its results took more than {self._check_seconds:g} s or {self._limits.memory >> 20} MiB"
        return rest([{"index": 0, "outcome": "output_limit", "message": message}], len(self._problem.checks))

    def _compare(self, data: bytes, stop: Result) -> list[Result] | None:
        """Evaluate every check's conditions; None if the checks must run as code, beside the program's objects."""
        assert self._problem.plan is not None
        answers = Answers(data, stop)
        if answers.opening is not None:
            return unloaded(answers.opening, len(self._problem.checks))
        checks: list[Result] = []
        for index, conditions in enumerate(self._problem.plan.checks):
            try:
                result = {"index": index, **check_conditions(conditions, answers)}
            except NeedsObjects:
                return None
            checks.append(result)
            if result.pop("final", False):
                return rest(checks, len(self._problem.plan.checks))
        return _overrun(checks, stop)

    # Checks that are code: they run in a child of the judge, and ask the program's process over a socket.

    def by_code(self) -> list[Result]:
        ours, theirs = socket.socketpair()
        with self._job("serve") as job, MemoryFile() as output, ours:
            null = self._judge.null
            self._judge.order(self._order, [job.fd, null, output.fd, output.fd, theirs.fileno()])
            theirs.close()
            checks_end, answers = self._run_checks(ours.fileno())
            ours.close()
            end = self._note(self._judge.end())
            stop = self._stop(end, output)
            shown = _shown(output)
        return [with_context(r, self._source, shown) for r in self._collect(answers, stop, checks_end)]

    def _run_checks(self, descriptor: int) -> tuple[End, list[Any]]:
        problem = self._problem
        patience = self._order.wall * 2 + self._check_seconds
        order = Order(self._check_seconds + self._limits.timeout, patience, True)
        place = guest.RESULTS + 1

        def body() -> Iterator[Any]:
            return checker.run_checks(place, problem.prelude, problem.code, problem.entry_point)

        return self._judge.in_child(order, body, keep=descriptor)

    def _collect(self, answers: list[Any], stop: Result, checks_end: End) -> list[Result]:
        """Put together what the checks said and how the program's process ended."""
        count = len(self._problem.checks)
        if answers and answers[0] != LOADED:
            return unloaded(load_failure(answers[0]), count)
        checks = [{"index": i, **flatten(answer)} for i, answer in enumerate(answers[1:])]
        if len(checks) < count:
            if checks_end.killed_by or checks_end.signal:
                stop = {"outcome": "timeout", "message": "the checks' own code did not finish on the program's results"}
            return rest([*checks, {"index": len(checks), **stop}], count)
        return _overrun(checks, stop)

    # Checks that must share the program's process: said in the verdict, and weaker.

    def by_sharing(self) -> list[Result]:
        problem = self._problem
        work = (problem.entry_point, problem.code)
        with self._job("shared", work) as job, MemoryFile() as output, MemoryFile() as results:
            null = self._judge.null
            self._judge.order(self._order, [job.fd, null, output.fd, output.fd, results.fd])
            end = self._note(self._judge.end())
            stop = self._stop(end, output)
            shown = _shown(output)
            # The program may have written these: no more than there are checks, and none so large that reading it is
            # work.
            frames = islice(wire.frames(results.read(guest.RESULTS_CAP)), 1 + len(problem.checks))
            answers = [parse(data[:_COMPARED_HERE]) for data in frames]
        return [with_context(r, self._source, shown) for r in self._collect(answers, stop, end)]

    # Standard input and output: one run of the program for each check, compared here.

    def by_stdio(self) -> list[Result]:
        checks: list[Result] = []
        for index, (stdin, expected, rule) in enumerate(self._problem.stdio):
            result = self._run_stdio(stdin, expected, rule)
            checks.append(with_context({"index": index, **result}, self._source, None))
            if result["outcome"] in ("timeout", "killed"):
                return rest(checks, len(self._problem.stdio))
            if result["outcome"] == "syntax_error":
                return [{**checks[0], "index": i} for i in range(len(self._problem.stdio))]
        return checks

    def _run_stdio(self, stdin: str, expected: str, rule: str) -> Result:
        with (
            self._job("stdio") as job,
            MemoryFile(_bytes(stdin)) as given,
            MemoryFile() as output,
            MemoryFile() as results,
        ):
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

    # No checks: the program is run, and all that it wrote is handed on.

    def execute(self, stdin: str) -> Result:
        with (
            self._job("stdio", True) as job,
            MemoryFile(_bytes(stdin)) as given,
            MemoryFile() as output,
            MemoryFile() as errors,
            MemoryFile() as results,
        ):
            self._judge.order(self._order, [job.fd, given.fd, output.fd, errors.fd, results.fd])
            end = self._note(self._judge.end())
            opening = next(wire.frames(results.read(_COMPARED_HERE)), None)
            stop = self._outcome_of(end, max(output.size(), errors.size())) or _failure_of_process(opening, end) or {}
            written = {"stdout": output.read(self._limits.output), "stderr": errors.read(self._limits.output)}
        stopped = stop.get("outcome") in ("timeout", "output_limit")
        return {
            "outcome": stop.get("outcome", "passed"),
            "status": None if stopped else -end.signal or end.exit_status,
            "message": stop.get("message"),
            **{name: data.decode("utf-8", "replace") for name, data in written.items()},
        }


def _overrun(checks: list[Result], stop: Result) -> list[Result]:
    """Let a limit that was passed decide, where it made a check fail or where all is right but cost too much."""
    if stop["outcome"] == "output_limit":
        checks = [{**r, **stop} if r.get("error_type") == "OSError" else r for r in checks]
    if stop["outcome"] in ("timeout", "output_limit") and all(r["outcome"] == "passed" for r in checks):
        checks[-1] = {**checks[-1], **stop}
    return checks


def _failure_of_process(opening: bytes | None, end: End) -> Result | None:
    """The failure of a stdio run that ended by itself, None if it ended well."""
    if opening is not None:
        return load_failure(parse(opening))
    if end.signal:
        return ended_by(end.signal)
    if end.exit_status:
        return {"outcome": "exception", "error_type": "SystemExit", "message": f"exit status {end.exit_status}"}
    return None


def _shown(output: MemoryFile) -> str | None:
    return output.read(_OUTPUT_SHOWN).decode("utf-8", "replace") or None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
