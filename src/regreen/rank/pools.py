"""What a run directory holds to choose from: for each problem, its programs and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regreen.records import PROBLEMS, PROGRAMS, VERDICTS, Record, read_records

Answer = tuple[str | None, str | None, str | None]
"""What a program answered to a check: outcome, value (only where it is not the expected one), type of error."""


@dataclass(slots=True)
class Candidate:
    """One program to choose or not.

    ``passed`` is what choosing must not look at. ``shown`` and ``written`` are its answers to the checks that the
    prompt shows and to those that a model wrote; None where it has not been run.
    """

    index: int
    source: str
    logprob: float | None = None
    tokens: int | None = None
    passed: bool = False
    judged: bool = False
    shown: tuple[Answer, ...] | None = None
    written: tuple[Answer, ...] | None = None


@dataclass(slots=True)
class Pool:
    """One problem and its programs, in the order of their index; ``written`` are a model's checks for it."""

    problem: Record
    candidates: list[Candidate] = field(default_factory=list)
    written: tuple[str, ...] = ()

    @property
    def examples(self) -> list[str]:
        """The statement's own examples, as asserts, where no check of the problem is shown."""
        return [] if self.problem.get("shown") else list(self.problem.get("meta", {}).get("examples", ()))

    @property
    def passed(self) -> list[bool]:
        """Who is right."""
        return [candidate.passed for candidate in self.candidates]


def read_pools(run: Path) -> dict[str, Pool]:
    """Return the problems of a run that have programs, with every program that was judged or refused by its backend."""
    pools = {record["id"]: Pool(record) for _, record in read_records(run / PROBLEMS)}
    found: dict[tuple[str, int], Candidate] = {}
    for record in _samples(run / PROGRAMS):
        tokens = record.get("text_tokens", record.get("tokens"))  # the reasoning's are not in the log-probability
        candidate = Candidate(record["index"], record["source"], record.get("logprob"), tokens)
        candidate.judged = record.get("error") is not None
        found[record["problem"], record["index"]] = candidate
    for record in _samples(run / VERDICTS):
        key = record["problem"], record["index"]
        if key in found and record["problem"] in pools:
            _note(found[key], record, pools[record["problem"]].problem)
    for (name, _), candidate in sorted(found.items()):
        if candidate.judged and name in pools:
            pools[name].candidates.append(candidate)
    return {name: pool for name, pool in sorted(pools.items()) if pool.candidates}


def answers(checks: Iterable[Any], wanted: Sequence[int]) -> tuple[Answer, ...]:
    """Return the answers to the checks wanted, from the records of a verdict's checks."""
    by_index = {check["index"]: check for check in checks}
    return tuple(_answer(by_index.get(index, {})) for index in wanted)


def all_passed(found: Iterable[Answer]) -> bool:
    """True if every answer is the expected one."""
    return all(outcome == "passed" for outcome, _, _ in found)


def _samples(path: Path) -> Iterable[Record]:
    return (record for _, record in read_records(path) if record.get("role", "sample") == "sample")


def _note(candidate: Candidate, verdict: Record, problem: Record) -> None:
    candidate.judged = True
    candidate.passed = verdict["outcome"] == "passed"
    if problem.get("shown"):
        candidate.shown = answers(verdict["checks"], problem["shown"])


def _answer(check: Record) -> Answer:
    return check.get("outcome"), check.get("got"), check.get("error_type")
