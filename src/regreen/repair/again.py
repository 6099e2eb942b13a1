"""Judge an equal random share of passing and failing programs once more: the first verdict stands, flips are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from regreen.attempt import seed_of
from regreen.problem import Problem
from regreen.records import VERDICTS, Key, read_records
from regreen.run import Run
from regreen.sandbox import Sandbox
from regreen.track import progress


def judge_again(
    run: Run, sandbox: Sandbox, problems: Sequence[Problem], *, share: float, seed: int = 0, quiet: bool = True
) -> None:
    """Judge a share of a run's programs once more and record what it comes to.

    Which ones depends on their keys and the seed alone, so that a larger run judges those of a smaller one too.
    """
    by_id = {problem.id: problem for problem in problems}
    wanted = (key for key in _judged(run) if key[0] in by_id and _drawn(key, share, seed))
    programs = [run.program(key) for key in wanted if not run.has_rejudged(key)]
    chosen = [program for program in programs if program is not None and program.extraction != "none"]
    pairs = ((by_id[program.problem], program.source) for program in chosen)
    with progress("judging again", total=len(chosen), quiet=quiet) as advance:
        for done, (position, verdict) in enumerate(sandbox.judge_all(pairs), 1):
            run.add_rejudged(chosen[position].key, verdict.outcome)
            advance(done, "")


def _judged(run: Run) -> Iterator[Key]:
    for _, record in read_records(run.path / VERDICTS):
        yield record["problem"], record["index"], record["role"]


def _drawn(key: Key, share: float, seed: int) -> bool:
    problem, index, role = key
    return seed_of(seed, problem, index, f"again:{role}") < share * (1 << 64)
