"""What a child wrote, read with suspicion and brought into the form of check results.

A result here is a dictionary with the fields of :class:`regreen.verdict.CheckResult`; the engine builds the real one.
"""

from __future__ import annotations

import re
import signal
from typing import Any

from regreen.sandbox import checker, wire
from regreen.sandbox.plain import CannotCross, Decoder
from regreen.sandbox.plan import CallCondition, Condition
from regreen.sandbox.text import cut, show
from regreen.sandbox.zygote import End

Result = dict[str, Any]
_LINE_ENDS = re.compile(r"\r\n|\r|\n")  # Python's own; splitlines() knows more

FORGED: Result = {"outcome": "killed", "message": "something else than results was written on the judge's channel"}
LOADED = ("load", None, False)


class Answers:
    """What the child wrote, read with suspicion: the opening, then one frame a call."""

    def __init__(self, data: bytes, stop: Result) -> None:
        self._frames = wire.frames(data)
        self._stop = stop
        self.opening: Result | None = None
        opening = next(self._frames, None)
        if opening is None:
            self.opening = stop
        elif (message := parse(opening)) != LOADED:
            self.opening = load_failure(message)

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
            return FORGED, None, _NO_TIME


_NO_TIME = (0.0, 0.0)


class _Opaque:
    """Stands for a result that is no plain data: equal to nothing."""

    def __init__(self, described: list[Any]) -> None:
        self._kind = str(described[1])[:100]

    def __repr__(self) -> str:
        return f"<{self._kind} object>"


def check_conditions(conditions: list[Condition | CallCondition], answers: Answers) -> Result:
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


def parse(data: bytes) -> Any:
    """Return a frame's plain data, None if it is none."""
    try:
        return wire.read(data)
    except ValueError:
        return None


def load_failure(message: Any) -> Result:
    """The result of a program that could not be loaded: bad syntax, or an exception on the way."""
    try:
        _, described, compiling = message
        outcome = checker.outcome_of(described)
    except (TypeError, ValueError, KeyError):
        return FORGED
    if compiling and outcome == "exception":
        outcome = "syntax_error"
    return {"outcome": outcome, **_describe(described)}


def _failure(kind: str, body: Any) -> Result:
    """The result of a call that gave no value."""
    if kind == "huge" and isinstance(body, str):
        return {"outcome": "output_limit", "message": cut(body)}
    if kind == "error" and isinstance(body, dict):
        return {"outcome": checker.outcome_of({"bases": [], **body}), **_describe(body)}
    return FORGED


def flatten(answer: Any) -> Result:
    """Bring what a check's process said of a check into the form of a result."""
    if not isinstance(answer, dict) or not isinstance(answer.get("outcome"), str):
        return FORGED
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


def rest(checks: list[Result], count: int, *, repeat: bool = False) -> list[Result]:
    """Fill up to ``count`` checks: with the last failure again, or with checks that were not run."""
    last = checks[-1]
    more = range(len(checks), count)
    if repeat:
        return checks + [{**last, "index": index} for index in more]
    return checks + [{"index": index, "outcome": None} for index in more]


def with_context(result: Result, source: str, output: str | None) -> Result:
    """Add the text of the program's line and, to a failure, what the program printed."""
    line = result.get("line")
    if line is not None:
        lines = _LINE_ENDS.split(source)
        result["line_text"] = cut(lines[line - 1].strip()) if 0 < line <= len(lines) else None
    if output and result["outcome"] not in (None, "passed"):
        result["output"] = output
    return {name: value for name, value in result.items() if value is not None or name == "outcome"}


def failure_of_process(opening: bytes | None, end: End) -> Result | None:
    """The failure of a stdio run that ended by itself, None if it ended well."""
    if opening is not None:
        return load_failure(parse(opening))
    if end.signal:
        return {"outcome": "killed", "message": f"ended by {signal.Signals(end.signal).name}"}
    if end.exit_status:
        return {"outcome": "exception", "error_type": "SystemExit", "message": f"exit status {end.exit_status}"}
    return None
