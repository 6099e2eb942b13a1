"""What evaluating, scoring, checking and importing do alike: judge rows into a run, and sum it up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from regreen.attempt import judge_programs
from regreen.formats.form import BadRow
from regreen.models import Model
from regreen.options import Choice
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Record
from regreen.run import Run
from regreen.sandbox import Sandbox
from regreen.summary import View, recorded_verdicts, summarise
from regreen.track import progress

_NAMED = 10  # problems for which something was refused


def judge_rows(
    rows: Iterable[tuple[Problem, Program]], sandbox: Sandbox, run: Run, *, quiet: bool, total: int | None = None
) -> None:
    """Judge every row that the run has no verdict on, and show how far that is."""
    with progress("judging", total=total, quiet=quiet) as advance:
        for _ in judge_programs(rows, sandbox, run):
            counts = run.counts
            advance(counts.judged, f"{counts.outcomes['passed']} passed")


def finish(run: Run, view: View | None, *, bad_lines: list[str] | None = None, stopped_at: int | None = None) -> Record:
    """Write the scores and return them with where they lie; ``stopped_at`` as :func:`notes_on` has it."""
    run.complete(stopped_at=stopped_at)
    summary = summarise(run.manifest, run.counts, view)
    if recorded := recorded_verdicts(run.path):
        summary["recorded"] = recorded
    summary |= {"bad_lines": bad_lines or [], "run": str(run.path), "seconds": run.seconds}
    run.write_scores(summary)
    return summary


def notes_on(found: Record, *models: Model | None, stopped_at: int | None) -> list[str]:
    """Return what the user must hear of a run in which models were asked, a sentence each.

    ``stopped_at`` is the number of tokens after which no more was asked; None where all was.
    """
    notes = list(dict.fromkeys(text for model in models if model for text in model.facts.get("warnings", ())))
    refused = list(found["refusals"].items())
    notes += [f"{problem}: refused: {why}" for problem, why in refused[:_NAMED]]
    if len(refused) > _NAMED:
        notes.append(f"and {len(refused) - _NAMED} more problems with something refused: --json names them all")
    if stopped_at is not None:
        notes.append(f"stopped after {stopped_at} tokens; a larger --max-tokens-total goes on")
    return notes


def content_digest(given: Path) -> str:
    """Return a digest of the content of a file, or of all files of a folder and their names."""
    digest = hashlib.sha256()
    files = sorted(p for p in given.rglob("*") if p.is_file()) if given.is_dir() else [given]
    for path in files:
        digest.update(f"{path.relative_to(given)}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]


class OwnProblems:
    """The problems that rows bring with them: which are wanted, and that each keeps to one set of checks."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._checks: dict[str, int] = {}

    def wants(self, problem: Problem) -> bool:
        """True if the problem is wanted; raises BadRow if an earlier row gave it other checks."""
        if self._choice.only and problem.id not in self._choice.only:
            return False
        checks = hash(problem.checks)
        if problem.id not in self._checks:
            if self._choice.limit is not None and len(self._checks) >= self._choice.limit:
                return False
            self._checks[problem.id] = checks
        if self._checks[problem.id] != checks:
            raise BadRow(f"problem {problem.id} has other checks here than in an earlier row")
        return True
