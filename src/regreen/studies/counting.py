"""What a run's problems come to when they are told apart by something: by length, by kind, by two counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from regreen.metrics import Estimate, mean_interval
from regreen.problem import Problem
from regreen.records import Record, read_counts

Group = TypeVar("Group", bound=tuple[Any, ...] | str | int)


def shares_by(run: Path, problems: Iterable[Problem], of: Callable[[Problem], Group]) -> dict[Group, list[float]]:
    """Return the share of programs that passed, of each problem that a run has, by group in ascending order.

    Args:
        run: a run directory.
        problems: those of its benchmark.
        of: a problem's group.
    """
    counts = read_counts(run).problems
    found: dict[Group, list[float]] = {}
    for problem in problems:
        if problem.id in counts and (programs := counts[problem.id].programs):
            found.setdefault(of(problem), []).append(counts[problem.id].passed / programs)
    return dict(sorted(found.items()))


def rates(shares: dict[Group, list[float]], *, seed: int) -> dict[Group, Estimate]:
    """Return each group's mean share over its problems, with an interval."""
    return {group: mean_interval(values, seed=seed) for group, values in shares.items()}


def asked_notes(run: Record) -> Sequence[str]:
    """Return what stands below the tables of a study: how much was asked, and what was cut off."""
    notes = [f"{run['programs']} programs for {run['problems']} problems; 95 % intervals over problems"]
    if run["no_program"]:
        notes.append(f"{run['no_program']} texts held no program")
    if run["truncated"]:
        notes.append(f"{run['truncated']} programs were cut off at --max-tokens; a larger one may let them pass")
    return notes + list(run["notes"])
