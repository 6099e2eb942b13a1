"""Outcome, CheckResult, Verdict: what the judge says of one program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How one check, or one program, ended."""

    PASSED = "passed"
    WRONG_ANSWER = "wrong_answer"
    EXCEPTION = "exception"
    SYNTAX_ERROR = "syntax_error"
    TIMEOUT = "timeout"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of one check.

    ``outcome`` is None if the check was not run, because an earlier one timed out or was killed. ``got`` and
    ``expected`` are Python literals (assert and call checks) or texts (stdio checks), cut when long; ``rule`` names the
    comparison that decided. ``line`` and ``line_text`` are the program's own line (1-based) where an exception left it.
    ``asserts_run`` and ``asserts_passed`` count the assert statements inside an assert check. ``cpu`` and ``wall`` are
    seconds.
    """

    index: int
    outcome: Outcome | None
    got: str | None = None
    expected: str | None = None
    rule: str | None = None
    error_type: str | None = None
    message: str | None = None
    line: int | None = None
    line_text: str | None = None
    output: str | None = None
    asserts_run: int | None = None
    asserts_passed: int | None = None
    cpu: float | None = None
    wall: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one program: the first failing check's outcome, and every check's result.

    ``mode`` says where the checks ran: ``separate`` from the program, or ``shared`` with it in one process. ``tier`` is
    the sandbox's level, A, B or C. ``cpu`` and ``wall`` are seconds of the program's own runs, summed.
    """

    outcome: Outcome
    checks: tuple[CheckResult, ...]
    mode: str = "separate"
    tier: str = "A"
    cpu: float = 0.0
    wall: float = 0.0

    @property
    def passed(self) -> bool:
        """True if every check passed."""
        return self.outcome is Outcome.PASSED

    @property
    def failure(self) -> CheckResult | None:
        """The first check that did not pass, or None."""
        return next((check for check in self.checks if check.outcome is not Outcome.PASSED), None)

    def __repr__(self) -> str:
        green = sum(check.outcome is Outcome.PASSED for check in self.checks)
        where = f" at line {self.failure.line}" if self.failure and self.failure.line else ""
        return f"<Verdict {self.outcome}{where}, {green} of {len(self.checks)} checks green, {self.mode}>"


def verdict_to_line(verdict: Verdict, problem: str, index: int, role: str = "sample") -> dict[str, Any]:
    """Return the verdict on one program as a record of ``verdicts.jsonl``."""
    return {
        "v": 1,
        "problem": problem,
        "index": index,
        "role": role,
        "outcome": verdict.outcome.value,
        "checks": [_result_to_line(check) for check in verdict.checks],
        "mode": verdict.mode,
        "tier": verdict.tier,
        "cpu": round(verdict.cpu, 6),
        "wall": round(verdict.wall, 6),
    }


def verdict_from_line(line: Mapping[str, Any]) -> Verdict:
    """Rebuild a verdict from a record of ``verdicts.jsonl``."""
    return Verdict(
        outcome=Outcome(line["outcome"]),
        checks=tuple(_result_from_line(check) for check in line["checks"]),
        mode=line["mode"],
        tier=line["tier"],
        cpu=line["cpu"],
        wall=line["wall"],
    )


_NAMES = tuple(f.name for f in fields(CheckResult))


def _result_to_line(result: CheckResult) -> dict[str, Any]:
    line: dict[str, Any] = {"index": result.index, "outcome": result.outcome and result.outcome.value}
    for name in _NAMES[2:]:
        value = getattr(result, name)
        if value is not None:
            line[name] = round(value, 6) if isinstance(value, float) else value
    return line


def _result_from_line(line: Mapping[str, Any]) -> CheckResult:
    outcome = line["outcome"]
    return CheckResult(**{**line, "outcome": Outcome(outcome) if outcome else None})
