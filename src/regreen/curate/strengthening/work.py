"""A benchmark made stronger: problem by problem, into a file of problems."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from regreen.arms.cases import input_key
from regreen.benchmarks import digest
from regreen.curate.strengthening.kept import Kept
from regreen.curate.strengthening.stronger import Strengthening, Stronger, strengthen_problem
from regreen.curate.strengthening.writing import Writing, written_inputs
from regreen.errors import InputError
from regreen.metrics import mean_interval
from regreen.models import Model
from regreen.options import Choice, Judging
from regreen.problem import Call, Problem, problem_to_line
from regreen.records import Record, judged_programs, require_place, write_lines
from regreen.run import read_manifest
from regreen.sandbox import Sandbox
from regreen.track import progress

_SECONDS = 1.0  # of the processor, for all inputs of a problem: many programs that are asked never end on some


def strengthen(
    benchmark: str,
    out: Path,
    *,
    runs: Sequence[Path] = (),
    how: Strengthening | None = None,
    choice: Choice | None = None,
    judging: Judging | None = None,
    generator: Model | None = None,
    writing: Writing | None = None,
    quiet: bool = True,
) -> Record:
    """Write a benchmark's problems with more checks, and return what was counted.

    Args:
        benchmark: a name, name:split, or a file.
        out: the file of problems that is written, in one step at the end; a killed process goes on where it was.
        runs: run directories whose programs that passed are told apart; without any, mutants of the solutions are.
        how: how much is tried.
        choice: which problems.
        judging: limits and sandbox.
        generator: a model that writes inputs, beside those that are drawn.
        writing: how it is asked.
        quiet: show no progress.

    Raises:
        InputError: a run has no program that passed for these problems, or there is nothing to tell apart.
        InfrastructureError: the judge broke down, or the generator cannot be reached.
    """
    how, choice, judging = how or Strengthening(), choice or Choice(), judging or Judging()
    name, problems = choice.load(benchmark)
    problems = choice.choose(problems)
    programs = _programs(runs, problems)
    if not runs and not how.mutants:
        raise InputError("nothing to tell apart: give --programs RUN, or --mutants more than 0")
    require_place(out)
    judging = replace(judging, timeout=min(judging.timeout, _SECONDS))
    written = written_inputs(generator, problems, writing or Writing(), quiet=quiet) if generator else {}
    decides = _decides(problems, programs, how, judging, written)
    with judging.open() as sandbox, Kept(out, decides) as kept:
        found = list(_strengthened(problems, programs, sandbox, how, written, kept, quiet=quiet))
        write_lines(out, (problem_to_line(stronger.problem) for stronger in found))
        kept.forget()
    model = {"generator": generator.name, "written": sum(map(len, written.values()))} if generator else {}
    return {"benchmark": name, **counted(found), **model, "file": str(out)}


def counted(found: Sequence[Stronger]) -> Record:
    """Return what became of all problems, as plain JSON."""
    passed, killed, dropped = Counter[str](), Counter[str](), Counter[str]()
    for stronger in found:
        passed.update(stronger.passed)
        killed.update(stronger.killed)
        dropped.update(stronger.dropped)
    return {
        "problems": len(found),
        "strengthened": sum(stronger.new > 0 for stronger in found),
        "new_checks": sum(stronger.new for stronger in found),
        "unverified": sum(stronger.unverified for stronger in found),
        "programs": {kind: {"passed": passed[kind], "killed": killed[kind]} for kind in ("recorded", "mutants")},
        "dropped": {reason: count for reason, count in dropped.most_common() if count},
        "untouched": dict(Counter(s.untouched for s in found if s.untouched).most_common()),
        "agreement": _agreement(found),
    }


def _agreement(found: Sequence[Stronger]) -> Record:
    """Return how often the agreement of programs is wrong: inputs, and the mean over problems."""
    shares = [stronger.wrong / stronger.compared for stronger in found if stronger.compared]
    return {
        "compared": sum(stronger.compared for stronger in found),
        "wrong": sum(stronger.wrong for stronger in found),
        "problems": len(shares),
        "share": asdict(mean_interval(shares)) if shares else None,
    }


def _decides(
    problems: Sequence[Problem],
    programs: Mapping[str, Sequence[str]],
    how: Strengthening,
    judging: Judging,
    written: Mapping[str, Sequence[Call]],
) -> Record:
    """Return all that decides the result."""
    calls = {name: [input_key(call) for call in calls] for name, calls in written.items()}
    return {"problems": digest(problems), "programs": programs, "how": asdict(how), "calls": calls, **judging.decides()}


def _strengthened(
    problems: Sequence[Problem],
    programs: Mapping[str, Sequence[str]],
    sandbox: Sandbox,
    how: Strengthening,
    written: Mapping[str, Sequence[Call]],
    kept: Kept,
    *,
    quiet: bool,
) -> Iterator[Stronger]:
    """Yield each problem made stronger, in order, as many at once as the sandbox judges."""

    def work(problem: Problem) -> Stronger:
        return kept.get(problem.id) or strengthen_problem(
            problem, programs.get(problem.id, ()), sandbox, how, written=written.get(problem.id, ())
        )

    pool = ThreadPoolExecutor(sandbox.jobs)
    new = 0
    try:
        with progress("strengthening", total=len(problems), quiet=quiet) as advance:
            for done, stronger in enumerate(pool.map(work, problems), 1):
                kept.add(stronger)
                new += stronger.new
                advance(done, f"{new} new checks")
                yield stronger
    finally:
        pool.shutdown(cancel_futures=True)


def _programs(runs: Sequence[Path], problems: Sequence[Problem]) -> dict[str, list[str]]:
    """Return the programs of runs that passed, by problem."""
    wanted = {problem.id for problem in problems}
    found: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        read_manifest(run)
        before = sum(map(len, found.values()))
        for record, passed in judged_programs(run):
            if passed and record["problem"] in wanted:
                found[record["problem"]].append(record["source"])
        if sum(map(len, found.values())) == before:
            ids = ", ".join(sorted(wanted)[:3])
            raise InputError(f"--programs {run}: no program that passed for these problems ({ids}, ...)")
    return found
