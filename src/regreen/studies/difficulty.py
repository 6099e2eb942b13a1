"""Which problems are hard: the solve rate of a run by what can be counted of them.

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.6.

Differences from the paper:
- They read problems; here statements, reference solutions and checks are measured, and the benchmark's own categories
  are taken from ``meta``. The subjects that they tagged by hand are found by words in the statement and may overlap.
- Thirds of a measure show its course; whether there is a trend is asked of the measure itself, by rank correlation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from regreen.analysis import rank_correlation, without_prose
from regreen.errors import InputError
from regreen.metrics import holm
from regreen.problem import Assert, Problem
from regreen.records import Record
from regreen.run import read_manifest
from regreen.studies.finding import Cell, estimate_of, finding, plot, table
from regreen.studies.scored import Scored
from regreen.syntax import parse

SUBJECTS = {
    "mathematics": r"\b(?:numbers?|integers?|sums?|primes?|digits?|factorials?|area|volume|multipl\w+|divis\w+)\b",
    "lists": r"\b(?:lists?|arrays?|elements?|tuples?|sort\w*|matrix)\b",
    "texts": r"\b(?:strings?|characters?|words?|letters?|vowels?|regex|substrings?|sentences?)\b",
    "sequences": r"\b(?:sequences?|fibonacci|series|nth|n-th|progression)\b",
    "tables": r"\b(?:dictionar\w+|sets?|keys?|tables?|maps?)\b",
}
_MOST_VALUES = 12  # of a category in meta
_NO_CATEGORY = {"source", "split", "cluster", "url", "date", "starter_code"}
_BRANCHES = ast.If | ast.IfExp | ast.For | ast.While | ast.comprehension | ast.ExceptHandler | ast.match_case


def statement_words(problem: Problem) -> int | None:
    """Return how many words a statement has."""
    return len(problem.statement.split())


def solution_lines(problem: Problem) -> int | None:
    """Return how many lines of code the reference solution has; None without one."""
    return None if problem.solution is None else len(without_prose(problem.solution).splitlines())


def solution_branches(problem: Problem) -> int | None:
    """Return how many branches and loops the reference solution has; None without one, or if it does not parse."""
    tree = parse(problem.solution) if problem.solution is not None else None
    return None if tree is None else sum(isinstance(node, _BRANCHES) for node in ast.walk(tree))


def asserts(problem: Problem) -> int | None:
    """Return how many checks a problem has; a check that holds several assert statements counts as so many."""
    return sum(_asserts(check.code) if isinstance(check, Assert) else 1 for check in problem.checks)


def _asserts(code: str) -> int:
    tree = parse(code) or ast.Module([], [])
    return max(1, sum(isinstance(node, ast.Assert) for node in ast.walk(tree)))


MEASURES: Mapping[str, Callable[[Problem], int | None]] = {
    "words in the statement": statement_words,
    "lines of the solution": solution_lines,
    "branches of the solution": solution_branches,
    "asserts": asserts,
}


def difficulty(run: Path, problems: Iterable[Problem], *, seed: int = 0) -> Record:
    """Return the solve rate of a run by thirds of each measure, by category and by subject.

    Args:
        run: a run directory.
        problems: those of its benchmark.
        seed: of intervals and tests.

    Raises:
        InputError: no run directory, or none with programs for these problems.
    """
    manifest, scored = read_manifest(run), Scored.of(str(run), run)
    known = [problem for problem in problems if problem.id in scored.problems]
    if not known:
        raise InputError(f"{run}: no program for the problems given; give --benchmark, as {manifest['benchmark']}")
    groups = {**_thirds(known), **_categories(known), "subject": _subjects(known)}
    groups = {name: {label: ids for label, ids in each.items() if ids} for name, each in groups.items()}
    groups = {name: each for name, each in groups.items() if len(each) > 1}
    trends = _trends(known, scored, seed)
    found = {name: _rates(each, scored, seed) for name, each in groups.items()}
    return finding(
        "difficulty",
        benchmark=manifest["benchmark"],
        tables=[_groups_table(found, len(known)), _trends_table(trends)],
        plots=[_bars(name, each) for name, each in found.items()],
        run=str(run),
        problems=len(known),
        groups=found,
        trends=trends,
    )


def thirds(values: Mapping[str, int]) -> dict[str, list[str]]:
    """Return names in up to three groups of about equal size by their value, each labelled with its range."""
    order = sorted(values.values())
    bounds = sorted({order[len(order) // 3], order[2 * len(order) // 3], order[-1] + 1})
    groups: dict[str, list[str]] = {}
    for low, high in zip([order[0], *bounds], bounds, strict=False):
        inside = [name for name, value in values.items() if low <= value < high]
        if inside:
            found = sorted(values[name] for name in inside)
            groups[f"{found[0]}" if found[0] == found[-1] else f"{found[0]} to {found[-1]}"] = inside
    return groups


def _thirds(problems: Sequence[Problem]) -> dict[str, dict[str, list[str]]]:
    measured = {name: {p.id: measure(p) for p in problems} for name, measure in MEASURES.items()}
    known = {name: {id: v for id, v in values.items() if v is not None} for name, values in measured.items()}
    return {name: thirds(values) for name, values in known.items() if values}


def _categories(problems: Sequence[Problem]) -> dict[str, dict[str, list[str]]]:
    """Return the problems by each field of ``meta`` that sorts them into a few categories."""
    names = sorted({name for problem in problems for name in problem.meta} - _NO_CATEGORY)
    found = {}
    for name in names:
        values = {p.id: p.meta[name] for p in problems if isinstance(p.meta.get(name), str | int)}
        kinds = sorted(set(values.values()), key=lambda value: (str(type(value)), value))
        if 1 < len(kinds) <= _MOST_VALUES:
            found[name] = {str(kind): [id for id, value in values.items() if value == kind] for kind in kinds}
    return found


def _subjects(problems: Sequence[Problem]) -> dict[str, list[str]]:
    found = {
        subject: [p.id for p in problems if re.search(words, p.statement, re.IGNORECASE)]
        for subject, words in SUBJECTS.items()
    }
    told = {id for ids in found.values() for id in ids}
    return {**found, "none of these": [problem.id for problem in problems if problem.id not in told]}


def _rates(groups: Mapping[str, Sequence[str]], scored: Scored, seed: int) -> Record:
    return {
        label: {"problems": len(ids), "pass@1": asdict(scored.mean(ids, seed=seed))} for label, ids in groups.items()
    }


def _trends(problems: Sequence[Problem], scored: Scored, seed: int) -> Record:
    """Return each measure's rank correlation with the solve rate; None where it does not vary."""
    found: Record = {}
    for name, measure in MEASURES.items():
        values = {p.id: value for p in problems if (value := measure(p)) is not None}
        ids = list(values)
        rates, labels = scored.values(ids), scored.clusters(ids)
        trend = rank_correlation(list(values.values()), rates, clusters=labels, seed=seed) if len(ids) > 2 else None
        found[name] = trend and {**asdict(trend.value), "p": trend.p, "problems": len(ids)}
    for trend, p in zip(found.values(), holm([t and t["p"] for t in found.values()]), strict=True):
        if trend:
            trend["p"] = p
    return found


def _groups_table(found: Mapping[str, Record], problems: int) -> Record:
    rows: list[list[Cell]] = [
        [name if at == 0 else "", label, group["problems"], estimate_of(group["pass@1"])]
        for name, groups in found.items()
        for at, (label, group) in enumerate(groups.items())
    ]
    notes = [
        f"{problems} problems; 95 % bootstrap over problems; subjects by words in the statement, which may overlap"
    ]
    return table("Solve rate by kind of problem", ["", "", "problems", "pass@1"], rows, notes=notes)


def _trends_table(trends: Mapping[str, Record | None]) -> Record:
    rows: list[list[Cell]] = [
        [name, *([trend["problems"], estimate_of(trend), trend["p"]] if trend else [None, None, None])]
        for name, trend in trends.items()
    ]
    notes = ["Spearman's correlation with the solve rate, below 0: more is harder; p: random pairing, Holm"]
    return table(
        "Does more of it make a problem harder?", ["", "problems", "rank correlation", "p"], rows, notes=notes, unit="1"
    )


def _bars(name: str, groups: Mapping[str, Record]) -> Record:
    bars = [(label, estimate_of(group["pass@1"])) for label, group in groups.items()]
    return plot(f"Solve rate by {name}", {"pass@1": bars}, x=name, y="pass@1, %", kind="bar")
