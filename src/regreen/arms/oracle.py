"""The arm ``oracle``: the first input on which a program behaves otherwise than the reference solution.

Inputs are those of the revealed checks, then others near them (:mod:`regreen.arms.mutate`); what is expected of an
input is what the reference solution returns for it in the sandbox. An input that is equal to a hidden check's is left
out, as far as the hidden check's input can be read off its code. Where the error sentence names the first difference
already, the next one is said, if there is another. Programs that read standard input are tried on the
revealed inputs alone: nothing is known of the form of others.

An input near a given one may lie outside what the statement promises; the reference decides there too. Where it raises,
takes too long, or returns no plain data, the input is left out.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from regreen.arms.cases import calls_of, fresh_calls, input_key
from regreen.errors import InputError
from regreen.feedback import error_sentence, shorten
from regreen.problem import Call, Check, Problem, Stdio, parse_literal
from regreen.sandbox import Sandbox
from regreen.sandbox.checks.text import CAP
from regreen.verdict import CheckResult, Outcome, Verdict

Probe = Call | Stdio

FRESH = 40  # inputs near the revealed ones that are tried
_STOPS = 1  # times that the reference may be stopped by an input
_ALONE = 5  # failing inputs that are tried once more, each alone: limits and state are shared by those of one run


class Oracle:
    """Says where a program's behaviour first differs from the reference solution's."""

    name = "oracle"

    def __init__(self, sandbox: Sandbox, *, seed: int = 0) -> None:
        self._sandbox = sandbox
        self._seed = seed
        self._probes: dict[tuple[str, tuple[int, ...]], Problem] = {}

    def __repr__(self) -> str:
        return f"<Arm oracle, seed {self._seed}>"

    async def __call__(self, problem: Problem, source: str, verdict: Verdict, *, node: str | None = None) -> str:
        """Return an input, what the program made of it and what the reference did; nothing where they agree.

        Raises:
            InputError: the problem has no reference solution.
        """
        probing = await self._probing(problem)
        if not probing.checks or verdict.outcome is Outcome.SYNTAX_ERROR:
            return ""
        differences = [said async for said in self._differences(probing, source)]
        known = None if verdict.passed else error_sentence(problem, verdict)
        new = [said for said in differences if known is None or not said.startswith(known)]
        return next(iter([*new, *differences]), "")

    async def _differences(self, probing: Problem, source: str) -> AsyncIterator[str]:
        """Yield what is to be said of the first inputs on which the program differs, up to one that stops it."""
        answer = await self._sandbox.judge(probing, source)
        doubtful = [at for at, result in enumerate(answer.checks) if result.outcome is not Outcome.PASSED]
        for at in doubtful[:_ALONE]:
            asking = _asking(probing, [probing.checks[at]])
            alone = await self._sandbox.judge(asking, source) if at else answer  # the first ran as if alone
            if alone.checks[0].outcome is not Outcome.PASSED:
                yield _difference(asking, alone)
            if alone.checks[0].outcome in (Outcome.TIMEOUT, Outcome.KILLED):
                return

    async def _probing(self, problem: Problem) -> Problem:
        """Return the problem with other checks, which expect what the reference gives; made once."""
        key = problem.id, problem.revealed
        if key not in self._probes:
            if not problem.solution:
                raise InputError(f"problem {problem.id!r} has no solution, which the arm oracle needs; leave it out")
            probes = [probe async for probe in self._answered(problem, _inputs(problem, self._seed))]
            self._probes[key] = _asking(problem, probes)
        return self._probes[key]

    async def _answered(self, problem: Problem, inputs: Sequence[Probe]) -> AsyncIterator[Probe]:
        """Yield the inputs on which the reference gives a value; go on behind one on which it is stopped."""
        never = secrets.token_hex(16)  # expected of no program: each wrong answer tells what was returned
        for _ in range(1 + _STOPS):
            if not inputs:
                return
            asking = _asking(problem, [_with_expected(check, never) for check in inputs])
            answer = await self._sandbox.judge(asking, problem.solution or "")
            for check, result in zip(inputs, answer.checks, strict=True):
                if (probe := _expecting(check, result)) is not None:
                    yield probe
            inputs = [check for check, result in zip(inputs, answer.checks, strict=True) if result.outcome is None]


def _inputs(problem: Problem, seed: int) -> list[Probe]:
    hidden = [at for at in range(len(problem.checks)) if at not in problem.revealed]
    if any(isinstance(check, Stdio) for check in problem.checks):
        secret = {key for at in hidden for key in _words(problem.checks[at])}
        revealed = (problem.checks[at] for at in problem.revealed)
        return [check for check in revealed if isinstance(check, Stdio) and not secret.intersection(_words(check))]
    unseen = {input_key(call) for call in calls_of(problem, hidden)}
    own = [call for call in calls_of(problem, problem.revealed) if input_key(call) not in unseen]
    return [*own, *fresh_calls(problem, FRESH, seed=seed)]


def _words(check: Check) -> list[tuple[str, ...]]:
    """Return the words of what a check gives on standard input: inputs that differ in white space are equal."""
    return [tuple(check.stdin.split())] if isinstance(check, Stdio) else []


def _asking(problem: Problem, checks: Sequence[Check]) -> Problem:
    """Return the problem with other checks, all revealed, which run apart from the program."""
    meta = {name: value for name, value in problem.meta.items() if name != "mode"}
    return replace(problem, checks=tuple(checks), shown=(), revealed=tuple(range(len(checks))), meta=meta)


def _with_expected(check: Probe, value: Any) -> Probe:
    return replace(check, expected=value)


def _expecting(check: Probe, result: CheckResult) -> Probe | None:
    """Return the check with what the reference gave as its expected value; None where that is not known exactly."""
    if result.outcome is not Outcome.WRONG_ANSWER or result.got is None:
        return None
    if isinstance(check, Stdio):
        return check if len(result.got) > CAP else _with_expected(check, result.got)
    try:
        return None if "..." in result.got else _with_expected(check, parse_literal(result.got))
    except ValueError:
        return None


def _difference(asking: Problem, verdict: Verdict) -> str:
    said = error_sentence(asking, verdict)
    check = asking.checks[0]
    if verdict.outcome is Outcome.WRONG_ANSWER or not isinstance(check, Call | Stdio):
        return said
    return f"{said} Expected was {shorten(repr(check.expected))}."
