"""What programs answer to many inputs: asked in the sandbox, told as plain values.

Values are read off verdicts: each input becomes a check that no program can pass, whose verdict tells what was got.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from regreen.curate.strengthening.shapes import Shape
from regreen.problem import Call, Check, Problem, parse_literal
from regreen.sandbox import Sandbox
from regreen.sandbox.checks.compare import close
from regreen.verdict import CheckResult, Outcome

_STOPS = 1  # inputs that may stop a program before it is asked no more
_STOPPING = (Outcome.TIMEOUT, Outcome.KILLED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program did with an input: gave a ``value``, or what ``happened`` instead; ``cpu`` in seconds.

    ``same`` tells whether a value passes where another is expected.
    """

    value: Any = None
    happened: str | None = None
    cpu: float = 0.0
    same: Callable[[Any, Any], bool] = field(default=close, repr=False, compare=False)

    @property
    def is_known(self) -> bool:
        """True if it tells how the program behaves: a value, or an exception."""
        return self.happened in (None, "raises")

    def agrees(self, other: Answer) -> bool:
        """True if the other is a value that would pass where this one is expected."""
        if self.happened is not None or other.happened is not None:
            return False
        try:
            return self.same(other.value, self.value)
        except (TypeError, ValueError, ArithmeticError, RecursionError):
            return False


@dataclass(frozen=True, slots=True)
class Asking:
    """A problem, how its checks ask, and the inputs that programs are asked."""

    problem: Problem
    shape: Shape
    inputs: Sequence[Call]
    sandbox: Sandbox

    def answers(self, source: str, *, backwards: bool = False) -> list[Answer]:
        """Return what a program does with each input; behind one that stops it, it is asked anew."""
        if backwards:
            return self.only(range(len(self.inputs))[::-1]).answers(source)[::-1]
        never = secrets.token_hex(16)
        entry_point = str(self.problem.entry_point)
        checks = [self.shape.asks(call, entry_point, never) for call in self.inputs]
        found: list[Answer] = []
        for _ in range(1 + _STOPS):
            if len(found) < len(checks):
                verdict = self.sandbox.judge_now(with_checks(self.problem, checks[len(found) :]), source)
                found += [_answer(result, self.shape) for result in verdict.checks if result.outcome is not None]
        return [*found, *[Answer(happened="not asked")] * (len(checks) - len(found))]

    def only(self, places: Sequence[int]) -> Asking:
        """Return the same with some of the inputs."""
        return replace(self, inputs=[self.inputs[at] for at in places])

    def check(self, at: int, expected: Any) -> Check:
        """Return the check that an input's value must pass."""
        return self.shape.check(self.inputs[at], str(self.problem.entry_point), expected)


def with_checks(problem: Problem, checks: Sequence[Check]) -> Problem:
    """Return the problem with other checks, which run apart from the program."""
    meta = {name: value for name, value in problem.meta.items() if name != "mode"}
    return replace(problem, checks=tuple(checks), shown=(), revealed=(), meta=meta)


def _answer(result: CheckResult, shape: Shape) -> Answer:
    cpu = result.cpu or 0.0
    if result.outcome in _STOPPING:
        return Answer(happened="stopped", cpu=cpu)
    if result.outcome is not Outcome.WRONG_ANSWER:
        return Answer(happened="raises", cpu=cpu)
    try:
        if result.got is None or result.error_type is not None or "..." in result.got:
            raise ValueError
        return Answer(parse_literal(result.got), cpu=cpu, same=shape.same)
    except ValueError:
        return Answer(happened="no plain value", cpu=cpu)
