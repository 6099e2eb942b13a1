"""Pass rate against the numbers of operations and variables, and which mistake the failing programs make.

Source: Chen et al. 2021 (arXiv 2107.03374), section 6: with many operations and variables in a docstring the model
binds operations to the wrong variables, or leaves some out.

A failing program is said to make a mistake if its results on all checks are those of a function that makes this one
mistake; the checks of a problem tell the kinds of mistakes apart. "Several left out" are two or more operations, or
numbers of the product, that are missing where nothing else is wrong, as in the paper's example.

Differences from the paper:
- It shows one example; the rates, and the kinds of mistakes by what programs return, are ours.
- Problems: see :mod:`regreen.benchmarks.binding`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from regreen.benchmarks.binding import KINDS, Work, mistakes, work_of
from regreen.metrics import Estimate, mean_interval
from regreen.problem import Call, Problem, parse_literal
from regreen.records import VERDICTS, Record, read_records
from regreen.studies.asking import Study
from regreen.studies.counting import asked_notes, rates, shares_by
from regreen.studies.finding import Cell, finding, plot, table

BENCHMARK = "binding:test"
SEVERAL = "several left out"
OTHER, STOPPED, NO_PROGRAM = "another wrong result", "exception or time-out", "no program that parses"
ALL_KINDS = (*KINDS, SEVERAL, OTHER, STOPPED, NO_PROGRAM)

Counts = tuple[int, int]  # of operations and variables
Results = tuple[Any, ...]  # of a function on each of a problem's checks


def binding(study: Study) -> Record:
    """Return pass rates by the numbers of operations and variables, and how often failing programs make each mistake.

    Args:
        study: who is asked, on the benchmark ``binding``.
    """
    run = study.run("programs")
    seed = study.sampling.seed
    shares = shares_by(Path(run["run"]), study.problems, _counts)
    grid, margins = rates(shares, seed=seed), rates(_margins(shares), seed=seed)
    failures = list(_failures(Path(run["run"]), {problem.id: problem for problem in study.problems}))
    kinds = _kinds(failures, seed=seed)
    return study.found(
        finding(
            "binding",
            benchmark=run["benchmark"],
            tables=[_grid_table(grid, margins, asked_notes(run)), _kinds_table(failures, kinds)],
            plots=[_plot(grid)],
            problems=run["problems"],
            programs=run["programs"],
            grid=[{"operations": o, "variables": v, **asdict(found)} for (o, v), found in grid.items()],
            failures={kind: asdict(found) for kind, found in kinds.items()},
        )
    )


def mistake(problem: Problem, verdict: Record) -> str:
    """Return which mistake a failing program makes, of :data:`ALL_KINDS`.

    Args:
        problem: of the benchmark ``binding``.
        verdict: the record of the program's verdict.
    """
    results = _results(problem, verdict["checks"])
    if results is None:
        return NO_PROGRAM if verdict["outcome"] == "syntax_error" else STOPPED
    work, inputs = work_of(problem), [check.args for check in problem.checks if isinstance(check, Call)]
    wrongs = ((kind, tuple(map(wrong.of, inputs))) for kind, wrong in mistakes(work))
    one = next((kind for kind, expected in wrongs if expected == results), None)
    return one or (SEVERAL if leaves_out(work, inputs, results) else OTHER)


def leaves_out(work: Work, inputs: Sequence[Sequence[int]], results: Results) -> bool:
    """Tell whether results are those of a function that leaves out operations, or numbers of the product, or nothing.

    What a variable comes to depends on its own operations alone, so that each set of these is tried for each variable.
    """
    absent = (1,) * len(inputs)
    columns = [[absent, *_values_of(work, name, inputs)] for name in work.names]
    return any(
        prod(each[0] for each in chosen) == results[0]
        and tuple(map(prod, zip(*chosen, strict=True))) == results
        and any(each is not absent for each in chosen)
        for chosen in product(*columns)
    )


def _values_of(work: Work, name: str, inputs: Sequence[Sequence[int]]) -> set[tuple[int, ...]]:
    """Return what a variable comes to on each input, for each set of its operations."""
    at = work.names.index(name)
    found = {tuple(given[at] for given in inputs)}
    for step in work.steps:
        if name in step.names:
            found |= {tuple(map(step.of, values)) for values in found}
    return found


def _results(problem: Problem, checks: Sequence[Record]) -> Results | None:
    """Return what a program returned on each check; None where on one it returned nothing."""
    if any(check["outcome"] not in ("passed", "wrong_answer") for check in checks):
        return None
    expected = [check.expected for check in problem.checks if isinstance(check, Call)]
    return tuple(
        right if check["outcome"] == "passed" else _value(check.get("got"))
        for right, check in zip(expected, checks, strict=True)
    )


def _value(got: str | None) -> Any:
    """Return a value as the judge wrote it down, or the text where that is cut or no literal."""
    try:
        return parse_literal(got or "")
    except (ValueError, SyntaxError):
        return got


def _failures(run: Path, problems: Mapping[str, Problem]) -> Iterator[tuple[str, str]]:
    """Yield the problem and the mistake of each failing program."""
    for _, record in read_records(run / VERDICTS):
        if record["outcome"] != "passed":
            yield record["problem"], mistake(problems[record["problem"]], record)


def _kinds(failures: Sequence[tuple[str, str]], *, seed: int) -> dict[str, Estimate]:
    """Return each kind's share of the failing programs; problems are resampled with all of their programs."""
    if not failures:
        return {}
    labels = [problem for problem, _ in failures]
    return {
        kind: mean_interval([float(found == kind) for _, found in failures], clusters=labels, seed=seed)
        for kind in ALL_KINDS
    }


def _counts(problem: Problem) -> Counts:
    return int(problem.meta["operations"]), int(problem.meta["variables"])


def _margins(shares: Mapping[Counts, Sequence[float]]) -> dict[Counts, list[float]]:
    """Return the shares of each number of operations, whatever the variables, and the other way round; 0 is "any"."""
    found: dict[Counts, list[float]] = {}
    for (operations, variables), values in shares.items():
        for group in ((operations, 0), (0, variables), (0, 0)):
            found.setdefault(group, []).extend(values)
    return found


def _grid_table(grid: Mapping[Counts, Estimate], margins: Mapping[Counts, Estimate], notes: Sequence[str]) -> Record:
    found = {**grid, **margins}
    columns = [*sorted({v for _, v in grid}), 0]
    rows: list[list[Cell]] = [
        [o or "any", *(found.get((o, v)) for v in columns)] for o in [*sorted({o for o, _ in grid}), 0]
    ]
    header = ["operations", *(f"{v} variables" if v else "any" for v in columns)]
    return table("Operations bound to variables, pass@1", header, rows, notes=notes)


def _kinds_table(failures: Sequence[tuple[str, str]], kinds: Mapping[str, Estimate]) -> Record:
    rows: list[list[Cell]] = [[kind, sum(kind == each for _, each in failures), found] for kind, found in kinds.items()]
    told = "the first three: the results are those of a function that makes this one mistake and no other"
    several = f"{SEVERAL}: operations or numbers of the product are missing, and nothing else is wrong"
    notes = [told, several] if failures else ["there are none"]
    return table("What failing programs do", ["mistake", "programs", "of failing ones"], rows, notes=notes)


def _plot(grid: Mapping[Counts, Estimate]) -> Record:
    lines = {
        f"{variables} variables": [(o, found) for (o, v), found in grid.items() if v == variables]
        for variables in sorted({v for _, v in grid})
    }
    return plot("Operations bound to variables", lines, x="operations", y="pass@1, %")
