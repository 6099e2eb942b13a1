"""Prove solutions green: judged several times, with the checks in another order each time.

A solution that keeps something from call to call may pass in the order in which its calls were recorded, and in no
other; one that draws, or looks at the clock, passes now and then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from regreen.problem import Problem
from regreen.sandbox import Sandbox
from regreen.track import progress
from regreen.verdict import Outcome

VARIES = "its verdict changes when judged again"
WRONG = "other results when it runs alone"
FAILS = "fails when it runs alone"
TOO_SLOW = "over the limits of time, memory or output"

_REASONS = {Outcome.WRONG_ANSWER: WRONG, Outcome.EXCEPTION: FAILS, Outcome.SYNTAX_ERROR: FAILS}


def prove(
    problems: Sequence[Problem], sandbox: Sandbox, *, repeats: int = 3, seed: int = 0, quiet: bool = True
) -> dict[str, str]:
    """Judge each problem's solution several times.

    Args:
        problems: with their solutions; no two have one id.
        sandbox: where they are judged.
        repeats: how often: with the checks as they stand, reversed, then in orders drawn.
        seed: of the orders.
        quiet: show no progress.

    Returns:
        For each problem whose solution was not always green, the reason.
    """
    outcomes: dict[str, list[Outcome]] = {problem.id: [] for problem in problems}
    total = len(problems) * repeats
    with progress("proving", total=total, quiet=quiet) as advance:
        for done, (at, verdict) in enumerate(sandbox.judge_all(_pairs(problems, repeats, seed)), 1):
            outcomes[problems[at % len(problems)].id].append(verdict.outcome)
            advance(done, "")
    return {name: reason for name, found in outcomes.items() if (reason := _reason(found)) is not None}


def _pairs(problems: Sequence[Problem], repeats: int, seed: int) -> Iterator[tuple[Problem, str]]:
    for repeat in range(repeats):
        for problem in problems:
            yield reordered(problem, repeat, seed), problem.solution or ""


def reordered(problem: Problem, repeat: int, seed: int) -> Problem:
    """Return the problem with its checks as they stand (repeat 0), reversed (1), or in an order that is drawn."""
    checks = list(problem.checks)
    if repeat == 1:
        checks.reverse()
    elif repeat > 1:
        Random(f"{seed} {problem.id} {repeat}").shuffle(checks)
    return replace(problem, checks=tuple(checks), shown=(), revealed=())


def _reason(outcomes: Sequence[Outcome]) -> str | None:
    if set(outcomes) == {Outcome.PASSED}:
        return None
    return VARIES if len(set(outcomes)) > 1 else _REASONS.get(outcomes[0], TOO_SLOW)
