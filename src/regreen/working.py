"""What commands that judge do alike: judge rows into a run, and sum it up."""

from __future__ import annotations

from collections.abc import Iterable

from regreen.attempt import judge_programs
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Record
from regreen.run import Run
from regreen.sandbox import LocalSandbox
from regreen.summary import View, recorded_verdicts, summarise
from regreen.track import progress


def judge_rows(
    rows: Iterable[tuple[Problem, Program]], sandbox: LocalSandbox, run: Run, *, quiet: bool, total: int | None = None
) -> None:
    """Judge every row that the run has no verdict on, and show how far that is."""
    with progress("judging", total=total, quiet=quiet) as advance:
        for _ in judge_programs(rows, sandbox, run):
            counts = run.counts
            advance(counts.judged, f"{counts.outcomes['passed']} passed")


def finish(run: Run, view: View | None, *, bad_lines: list[str] | None = None) -> Record:
    """Write the scores and return them with where they lie."""
    run.complete()
    summary = summarise(run.manifest, run.counts, view)
    if recorded := recorded_verdicts(run.path):
        summary["recorded"] = recorded
    summary |= {"bad_lines": bad_lines or [], "run": str(run.path), "seconds": run.seconds}
    run.write_scores(summary)
    return summary
