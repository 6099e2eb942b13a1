"""Keep the problems that a model solves now and then, and whose verdicts come again.

Source: Chen et al. 2021 (arXiv 2107.03374), section 4.3: 100 programs of Codex-12B for each problem; one that none of
them solves is too hard or says too little; verdicts that change show a state, or chance.

Differences from the paper:
- Every program of a problem is judged again, the failing ones too; the paper does not say which are.
- What the model made of a problem is kept with it, in ``meta["filter"]``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from regreen.curate.tally import Tally
from regreen.evaluate import Choice, Judging, Sampling, evaluate_problems
from regreen.models import Model
from regreen.problem import Problem, problem_to_line
from regreen.records import PROGRAMS, VERDICTS, Lines, Record, read_records, write_lines
from regreen.sandbox import Sandbox
from regreen.track import progress

UNSOLVED = "no program solves it"
VARIES = "a program's verdict changes when judged again"

_AGAIN = "again.jsonl"  # in the run's folder: later verdicts on its programs
_Key = tuple[str, int]


def filter_problems(
    benchmark: str,
    model: Model,
    out: Path,
    *,
    sampling: Sampling | None = None,
    choice: Choice | None = None,
    judging: Judging | None = None,
    repeats: int = 3,
    quiet: bool = True,
) -> Record:
    """Ask a model for programs, and write down the problems that it can solve and that judge alike each time.

    The run lies beside the output, ``kept.run`` for ``kept.jsonl``; after a kill the same call goes on.

    Args:
        benchmark: a name, ``name:split``, or a file of problems.
        model: who is asked.
        out: the file of problems; it is replaced at the end, and left alone where no problem is kept.
        sampling: how many programs, and how they are asked for; by default 100 at temperature 0.8.
        choice: which problems.
        judging: limits and sandbox.
        repeats: how often each program is judged once more.
        quiet: show no progress.

    Returns:
        The object that ``regreen curate filter --json`` prints.

    Raises:
        InputError: something given cannot be used, or the run beside the output is another's.
        InfrastructureError: the model or the judge cannot be reached; the same call continues.
    """
    sampling = sampling or Sampling(100, (0.8,))
    choice, judging, started = choice or Choice(), judging or Judging(), time.monotonic()
    name, problems = choice.load(benchmark)
    run = out.with_suffix(".run")
    scores = evaluate_problems(
        name, problems, model, sampling=sampling, choice=choice, judging=judging, out=run, quiet=quiet
    )
    chosen = choice.choose(problems)
    with judging.open() as sandbox:
        changed = _changed(run, chosen, sandbox, repeats=repeats, quiet=quiet)
    kept, tally = _sort(chosen, _counts(run), changed, model.name)
    if kept:
        write_lines(out, map(problem_to_line, kept))
    return {
        "benchmark": name,
        "model": model.name,
        **tally.to_json(),
        "checks": sum(len(problem.checks) for problem in kept),
        "programs": scores["programs"],
        "scores": scores["scores"],
        "out": str(out) if kept else None,
        "run": str(run),
        "notes": scores["notes"],
        "seconds": round(time.monotonic() - started, 3),
    }


def _sort(
    problems: Sequence[Problem], counts: Mapping[str, tuple[int, int]], changed: Mapping[str, int], model: str
) -> tuple[list[Problem], Tally]:
    kept, tally = list[Problem](), Tally()
    for problem in problems:
        programs, passed = counts.get(problem.id, (0, 0))
        if not passed:
            tally.drop(problem.id, UNSOLVED)
        elif problem.id in changed:
            tally.drop(problem.id, VARIES)
        else:
            about = {"model": model, "programs": programs, "passed": passed}
            kept.append(replace(problem, meta={**problem.meta, "filter": about}))
    tally.kept = [problem.id for problem in kept]
    return kept, tally


def _counts(run: Path) -> dict[str, tuple[int, int]]:
    """Return how many programs each problem has, and how many passed."""
    found: dict[str, tuple[int, int]] = {}
    for passed, (problem, _) in _verdicts(run):
        programs, right = found.get(problem, (0, 0))
        found[problem] = programs + 1, right + passed
    return found


def _verdicts(run: Path) -> Iterator[tuple[bool, _Key]]:
    for _, record in read_records(run / VERDICTS):
        yield record["outcome"] == "passed", (record["problem"], record["index"])


def _changed(run: Path, problems: Sequence[Problem], sandbox: Sandbox, *, repeats: int, quiet: bool) -> dict[str, int]:
    """Judge the programs of solved problems again, and return how many of each problem's verdicts changed."""
    first = {key: passed for passed, key in _verdicts(run)}
    solved = {problem for (problem, _), passed in first.items() if passed}
    by_id = {problem.id: problem for problem in problems if problem.id in solved}
    done = {(r["problem"], r["index"], r["repeat"]): r["passed"] for _, r in read_records(run / _AGAIN)}
    rows = [(key, source, n) for n in range(repeats) for key, source in _sources(run, by_id).items()]
    left = [row for row in rows if (*row[0], row[2]) not in done]
    with (
        closing(Lines(run / _AGAIN)) as lines,
        progress("judging again", total=len(left), quiet=quiet) as advance,
    ):
        pairs = ((by_id[key[0]], source) for key, source, _ in left)
        for count, (at, verdict) in enumerate(sandbox.judge_all(pairs), 1):
            (problem, index), _, repeat = left[at]
            lines.append({"problem": problem, "index": index, "repeat": repeat, "passed": verdict.passed})
            done[problem, index, repeat] = verdict.passed
            advance(count, "")
    return _count_changes(first, done)


def _sources(run: Path, problems: Mapping[str, Problem]) -> dict[_Key, str]:
    """Return the programs of these problems, each text once."""
    found: dict[tuple[str, str], _Key] = {}
    for _, record in read_records(run / PROGRAMS):
        if record["problem"] in problems and record["source"]:
            found.setdefault((record["problem"], record["source"]), (record["problem"], record["index"]))
    return {key: source for (_, source), key in found.items()}


def _count_changes(first: Mapping[_Key, bool], again: Mapping[tuple[str, int, int], bool]) -> dict[str, int]:
    changes: dict[str, int] = {}
    for (problem, index, _), passed in again.items():
        if passed != first[problem, index]:
            changes[problem] = changes.get(problem, 0) + 1
    return changes
