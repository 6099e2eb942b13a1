"""The ways from problems to rows: which solutions are right, which model is probed, what its programs teach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from regreen import benchmarks
from regreen.errors import InputError
from regreen.evaluate import evaluate_problems
from regreen.models import Model, open_model
from regreen.models.shipped import SHIPPED
from regreen.options import Choice, Judging, Sampling
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import PROGRAMS, VERDICTS, read_records
from regreen.run import Run, Settings, read_manifest
from regreen.sandbox import Sandbox
from regreen.train.choosing import solutions_of
from regreen.train.config import CycleConfig
from regreen.train.crew import shared
from regreen.train.pairs import Builder, Row
from regreen.tree import SAMPLE
from regreen.verdict import Verdict, verdict_from_line
from regreen.working import judge_rows

Solutions = Mapping[str, tuple[str, ...]]  # by problem


def short_enough(problems: Sequence[Problem], words: int | None) -> list[Problem]:
    """Return the problems whose statement has at most so many words."""
    return [problem for problem in problems if words is None or len(problem.statement.split()) <= words]


def solutions_in(
    problems: Sequence[Problem], config: CycleConfig, sandbox: Sandbox, out: Path, *, quiet: bool
) -> Solutions:
    """Return each problem's solutions, those that pass its checks; the verdicts lie in a run of their own.

    Raises:
        InputError: no problem has a solution that passes.
    """
    given = {problem.id: solutions_of(problem, config.pairs.solutions) for problem in problems}
    if config.pairs.verify:
        passed = _passed(problems, given, config, sandbox, out, quiet=quiet)
        given = {name: tuple(s for at, s in enumerate(of) if (name, at) in passed) for name, of in given.items()}
    if not any(given.values()):
        raise InputError("no problem has a solution that passes its checks; see `regreen check` on the benchmark")
    return given


def _passed(
    problems: Sequence[Problem],
    given: Solutions,
    config: CycleConfig,
    sandbox: Sandbox,
    out: Path,
    *,
    quiet: bool,
) -> set[tuple[str, int]]:
    decides = {"problems": benchmarks.digest(problems), "solutions": config.pairs.solutions, "tier": sandbox.tier}
    limits = dict(sandbox.limits._asdict())
    with Run(out, Settings("solutions", "solutions", {**decides, **limits})) as run:
        if not run.finished:
            rows = ((p, Program(p.id, at, source)) for p in problems for at, source in enumerate(given[p.id]))
            judge_rows(rows, sandbox, run, quiet=quiet, total=sum(map(len, given.values())))
            run.complete()
    records = (record for _, record in read_records(out / VERDICTS))
    return {(record["problem"], record["index"]) for record in records if record["outcome"] == "passed"}


def open_probed(place: str, device: str | None) -> Model:
    """Return the model of phase I, which a run knows by its weights and not by where it lies."""
    known = place in SHIPPED or place.partition(":")[0] in ("hf", "tiny")
    name = place if known else f"hf:{place}"
    model = open_model(name, device=device if name.startswith("hf:") else None)
    model.name = "M_1"
    return model


def probed(
    name: str,
    problems: Sequence[Problem],
    place: str,
    prompt: str,
    config: CycleConfig,
    judging: Judging,
    out: Path,
    *,
    quiet: bool,
) -> Path:
    """Return the run with the programs of phase I's model: the one named, or one that is sampled and judged now.

    Raises:
        InputError: the one named is no run, or not finished.
    """
    probe = config.probe
    if probe.run is not None:
        if read_manifest(Path(probe.run))["finished"] is None:
            raise InputError(f"probe.run: {probe.run} is not finished; type the command that began it again")
        return Path(probe.run)
    sampling = Sampling(
        probe.n, (probe.temperature,), probe.top_p, probe.max_tokens, prompt=prompt, examples=0, seed=config.seed
    )
    model = shared(open_probed, place, config.device)
    evaluate_problems(name, problems, model, sampling=sampling, choice=Choice(), judging=judging, out=out, quiet=quiet)
    return out


def taught_by(
    run: Path, problems: Sequence[Problem], solutions: Solutions, builder: Builder, *, distinct: bool
) -> list[Row]:
    """Return what the programs of a run teach, in the order of problems and programs."""
    by_id = {problem.id: (at, problem) for at, problem in enumerate(problems)}
    wanted = _sources(run, by_id, distinct=distinct)
    found = []
    for problem, index, verdict in _verdicts(run):
        if (problem, index) in wanted:
            place, known = by_id[problem]
            row = builder.program(known, index, wanted[problem, index], verdict, solutions[problem])
            found += [(place, index, row)] if row else []
    return [row for _, _, row in sorted(found, key=lambda entry: entry[:2])]


def _sources(run: Path, wanted: Mapping[str, object], *, distinct: bool) -> dict[tuple[str, int], str]:
    """Return the programs of these problems by problem and index; of equal ones the first, if only distinct ones."""
    found: dict[tuple[str, int], str] = {}
    for _, record in read_records(run / PROGRAMS):
        if record.get("role", SAMPLE) == SAMPLE and record["problem"] in wanted and not record.get("error"):
            found[record["problem"], record["index"]] = record["source"]
    if not distinct:
        return found
    first: dict[tuple[str, str], int] = {}
    for (problem, index), source in sorted(found.items()):
        first.setdefault((problem, source), index)
    return {(problem, index): source for (problem, source), index in first.items()}


def _verdicts(run: Path) -> Iterator[tuple[str, int, Verdict]]:
    for _, record in read_records(run / VERDICTS):
        if record.get("role", SAMPLE) == SAMPLE:
            yield record["problem"], record["index"], verdict_from_line(record)
