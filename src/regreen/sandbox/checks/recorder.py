"""What a check's code found: counts of asserts, both sides of the last, and what an exception out of it means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regreen.sandbox.checks import compare
from regreen.sandbox.checks.text import show
from regreen.sandbox.plain import CannotCross, Decoder


class Recorder:
    """Counts asserts and keeps both sides of the last one: what the rewritten asserts of a check call."""

    def __init__(self) -> None:
        self.run = self.passed = 0
        self.got: Any = None
        self.expected: Any = None
        self.rule: str | None = None

    def begin(self) -> Recorder:
        """Note that an assert begins, before its sides are evaluated: one of them may raise."""
        self.run += 1
        self.rule = None
        return self

    def compare(self, answer_left: bool, rule: str, left: Any, right: Any, operation: Callable[..., Any]) -> bool:
        self.rule = rule
        self.got, self.expected = (left, right) if answer_left else (right, left)
        return self._note(operation(left, right))

    def truth(self, value: Any, wanted: bool) -> bool:
        self.rule, self.got, self.expected = "truth", value, wanted
        return self._note(bool(value) is wanted)

    def _note(self, holds: Any) -> bool:
        self.passed += bool(holds)
        return bool(holds)


def call(check: dict[str, Any], names: dict[str, Any], entry_point: str | None, recorder: Recorder) -> None:
    """Make a call check's call and compare its result."""
    first, *rest = (entry_point or "").split(".")
    target = names[first]
    for part in rest:
        target = getattr(target(), part)
    decoder = Decoder()
    args, kwargs = decoder.unpack(check["args"]), decoder.unpack(check["kwargs"])
    expected = Decoder().unpack(check["expected"])
    rule = check["compare"]
    assert recorder.begin().compare(True, rule, target(*args, **kwargs), expected, compare.CALL[rule])


def explain(error: BaseException) -> dict[str, Any]:
    """Return the outcome that an exception out of a check means."""
    described = getattr(error, "from_program", None)
    if described is not None:
        return {"outcome": outcome_of(described), "error": described}
    if isinstance(error, CannotCross):
        return {"outcome": "output_limit", "error": {"type": None, "message": str(error), "line": None}}
    kind = None if isinstance(error, AssertionError) else type(error).__name__
    return {"outcome": "wrong_answer", "error": {"type": kind, "message": str(error)[:2000] or None, "line": None}}


def outcome_of(described: dict[str, Any]) -> str:
    """The outcome of an exception that the program raised."""
    return "memory_limit" if "MemoryError" in described["bases"] else "exception"


def summary(recorder: Recorder, failed: bool) -> dict[str, Any]:
    """Counts of asserts, and what was got and expected by the one that failed."""
    counts = {"asserts_run": recorder.run, "asserts_passed": recorder.passed}
    if not failed or recorder.rule is None or recorder.run == recorder.passed:
        return {**counts, "rule": recorder.rule}
    return {**counts, "rule": recorder.rule, "got": show(recorder.got), "expected": show(recorder.expected)}
