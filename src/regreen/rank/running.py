"""Run programs on the statement's examples and on the checks that a model wrote; the scoring checks are not touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from regreen.problem import Assert, Problem
from regreen.rank.pools import Candidate, Pool, answers
from regreen.sandbox import Sandbox
from regreen.track import progress
from regreen.verdict import Verdict, verdict_to_line


def run_checks(pools: Iterable[Pool], sandbox: Sandbox, *, quiet: bool = True) -> None:
    """Give every program its answers to the examples (as shown checks) and to the written checks.

    Equal programs and equal checks run once. A check that was not reached, because an earlier one timed out, is not
    passed.
    """
    jobs = [(pool, problem, source) for pool, problem in _problems(pools) for source in _sources(pool)]
    with progress("running", total=len(jobs), quiet=quiet) as advance:
        pairs = ((problem, source) for _, problem, source in jobs)
        for done, (position, verdict) in enumerate(sandbox.judge_all(pairs), 1):
            pool, problem, source = jobs[position]
            _hand_out(pool, problem, source, verdict)
            advance(done, pool.problem["id"])


def _problems(pools: Iterable[Pool]) -> Iterator[tuple[Pool, Problem]]:
    for pool in pools:
        checks = dict.fromkeys([*pool.examples, *pool.written])
        if checks:
            record = pool.problem
            yield (
                pool,
                Problem(
                    id=record["id"],
                    statement=record["statement"],
                    checks=tuple(map(Assert, checks)),
                    entry_point=record.get("entry_point"),
                    prelude=record.get("prelude", ""),
                ),
            )


def _sources(pool: Pool) -> dict[str, None]:
    return dict.fromkeys(candidate.source for candidate in pool.candidates if candidate.source)


def _hand_out(pool: Pool, problem: Problem, source: str, verdict: Verdict) -> None:
    at = {check.code: index for index, check in enumerate(problem.checks) if isinstance(check, Assert)}
    results = verdict_to_line(verdict, problem.id, 0)["checks"]
    shown = answers(results, [at[code] for code in pool.examples])
    written = answers(results, [at[code] for code in pool.written])
    for candidate in _equal(pool, source):
        candidate.shown = shown or candidate.shown
        candidate.written = written or candidate.written


def _equal(pool: Pool, source: str) -> list[Candidate]:
    return [candidate for candidate in pool.candidates if candidate.source == source]
