"""What a child wrote, read with suspicion and brought into the form of check results.

A result here is a dictionary with the fields of :class:`regreen.verdict.CheckResult`; the engine builds the real one.
"""

from __future__ import annotations

import re
import signal
from typing import Any

from regreen.sandbox import wire
from regreen.sandbox.checks import recorder
from regreen.sandbox.checks.plan import CallCondition, Condition
from regreen.sandbox.checks.text import cut, show
from regreen.sandbox.plain import CannotCross, Decoder

Result = dict[str, Any]
_LINE_ENDS = re.compile(r"\r\n|\r|\n")  # Python's own; splitlines() knows more

FORGED: Result = {"outcome": "killed", "message": "something else than results was written on the judge's channel"}
LOADED = ("load", None, False)


class Answers:
    """What the child wrote, read with suspicion: the opening, then one frame a call."""

    def __init__(self, data: bytes, stop: Result) -> None:
        self._frames = wire.frames(data)
        self._stop = stop
        self.saw_object = False
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
                return None, Decoder(self._object).unpack(body), clocks
            return _failure(kind, body), None, clocks
        except (CannotCross, wire.TooDeep) as error:
            return {"outcome": "output_limit", "message": str(error)}, None, _NO_TIME
        except (ValueError, TypeError):
            return FORGED, None, _NO_TIME

    def _object(self, described: list[Any]) -> Any:
        self.saw_object = True
        return _Object(str(described[1])[:100])


_NO_TIME = (0.0, 0.0)


class NeedsObjects(Exception):
    """A condition does more with a result than to compare it, and the result is no plain data."""


class _Object:
    """Stands for a result that is no plain data: equal to no plain data."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __repr__(self) -> str:
        return f"<{self._kind} object>"

    def __bool__(self) -> bool:
        raise NeedsObjects

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Object):
            raise NeedsObjects  # they may be one object
        return False

    __hash__ = object.__hash__


def check_conditions(conditions: list[Condition | CallCondition], answers: Answers) -> Result:
    """Evaluate one check's conditions in order up to the first that fails, taking the answers of them all.

    Raises :class:`NeedsObjects` where only the program's own process can tell.
    """
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
            failure = problem or _evaluate(condition, values, answers.saw_object)
            passed += failure is None
    result = {"outcome": "passed", "rule": rule, "cpu": cpu, "wall": wall, "asserts_run": run, "asserts_passed": passed}
    return {**result, **failure} if failure else result


def _evaluate(condition: Condition | CallCondition, values: dict[int, Any], objects: bool) -> Result | None:
    """None if the condition holds, else the result that says why not."""
    if objects and isinstance(condition, Condition) and condition.minds_objects:
        raise NeedsObjects
    try:
        holds, got, expected = condition.evaluate(values)
    except Exception as error:
        if objects:
            raise NeedsObjects from error
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
        outcome = recorder.outcome_of(described)
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
        return {"outcome": recorder.outcome_of({"bases": [], **body}), **_describe(body)}
    return FORGED


_OUTCOMES = ("passed", "wrong_answer", "exception", "memory_limit", "output_limit")


def flatten(answer: Any) -> Result:
    """Bring what a check's process said of a check into the form of a result; a shared one may be the program's."""
    if not isinstance(answer, dict) or answer.get("outcome") not in _OUTCOMES:
        return FORGED
    result: Result = {"outcome": answer["outcome"]}
    result.update({name: _text(answer.get(name)) for name in ("got", "expected", "rule")})
    result.update({name: _count(answer.get(name)) for name in ("asserts_run", "asserts_passed")})
    error = answer.get("error")
    return {**result, **_describe(error)} if isinstance(error, dict) else result


def _describe(error: dict[str, Any]) -> Result:
    return {
        "error_type": _text(error.get("type")),
        "message": _text(error.get("message")),
        "line": _count(error.get("line")),
    }


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 31 else None


def _text(value: Any) -> str | None:
    return cut(value) if isinstance(value, str) else None


def rest(checks: list[Result], count: int) -> list[Result]:
    """Fill up to ``count`` checks with checks that were not run."""
    return checks + [{"index": index, "outcome": None} for index in range(len(checks), count)]


def unloaded(failure: Result, count: int) -> list[Result]:
    """The results of a program that did not load: each check fails by it, or was not run if it was stopped."""
    if failure["outcome"] in _STOPPED:
        return rest([{"index": 0, **failure}], count)
    return [{"index": index, **failure} for index in range(count)]


_STOPPED = ("timeout", "killed")


def with_context(result: Result, source: str, output: str | None) -> Result:
    """Add the text of the program's line and, to a failure, what the program printed."""
    line = result.get("line")
    if line is not None:
        lines = _LINE_ENDS.split(source)
        result["line_text"] = cut(lines[line - 1].strip()) if 0 < line <= len(lines) else None
    if output and result["outcome"] not in (None, "passed"):
        result["output"] = output
    return {name: value for name, value in result.items() if value is not None or name == "outcome"}


def ended_by(number: int) -> Result:
    """The result of a program that a signal ended."""
    names = {known.value: known.name for known in signal.Signals}  # not of every signal: real-time ones have none
    return {"outcome": "killed", "message": f"ended by {names.get(number, f'signal {number}')}"}
