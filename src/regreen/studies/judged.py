"""The programs of a run with their verdicts, problem by problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from regreen.errors import InputError
from regreen.records import PROGRAMS, VERDICTS, Record, read_records
from regreen.run import read_manifest

REFUSED = "refused"  # instead of an outcome: the backend refused to answer


@dataclass(frozen=True, slots=True)
class Judged:
    """A program, the outcome of its verdict and of each check by its index; None for a check that was not run.

    ``written`` is what the model wrote, where that was recorded, or else the program.
    """

    problem: str
    index: int
    source: str
    outcome: str
    checks: Mapping[int, str | None] = field(default_factory=dict)
    error_type: str | None = None
    written: str = ""

    @property
    def passed(self) -> bool:
        """True if every check passed."""
        return self.outcome == "passed"

    def passes(self, checks: tuple[int, ...]) -> bool:
        """True if each of these checks passed."""
        return all(self.checks.get(index) == "passed" for index in checks)


def read_judged(run: Path) -> dict[str, list[Judged]]:
    """Return the programs of a run that were judged or refused, by problem, in the order of their index.

    Raises InputError if it is no run directory, or one without such programs.
    """
    read_manifest(run)
    programs = {_key(record): record for _, record in read_records(run / PROGRAMS) if _is_sample(record)}
    found = [_refused(record) for record in programs.values() if record.get("error") is not None]
    for _, verdict in read_records(run / VERDICTS):
        if _is_sample(verdict) and _key(verdict) in programs:
            found.append(_judged(programs[_key(verdict)], verdict))
    if not found:
        raise InputError(f"{run}: no program with a verdict; finish the run first")
    by_problem: dict[str, list[Judged]] = {}
    for judged in sorted(found, key=lambda each: (each.problem, each.index)):
        by_problem.setdefault(judged.problem, []).append(judged)
    return by_problem


def _is_sample(record: Record) -> bool:
    return bool(record.get("role", "sample") == "sample")


def _key(record: Record) -> tuple[str, int]:
    return record["problem"], record["index"]


def _refused(record: Record) -> Judged:
    return Judged(record["problem"], record["index"], record["source"], REFUSED)


def _judged(record: Record, verdict: Record) -> Judged:
    checks = {check["index"]: check.get("outcome") for check in verdict["checks"]}
    failed: Record = next((check for check in verdict["checks"] if check.get("outcome") != "passed"), {})
    written = record.get("text") or record["source"]
    return Judged(*_key(record), record["source"], verdict["outcome"], checks, failed.get("error_type"), written)
