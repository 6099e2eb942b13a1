"""How much of a benchmark's reference solutions stands in a corpus, and whether that is what a model's score rests on.

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.8: the training document that shares most lines with each
reference solution; 32 of MBPP's 974 problems shared more than half of their lines with one.

Differences from the paper:
- It counts lines alone. The longest run of tokens that a solution shares with any document is told beside: it does not
  mind how lines are broken.
- Trivial are lines of fewer than three words, and docstrings are left out; the paper does not say what it left out.
- A problem of no other than trivial lines counts as not shared.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from regreen.errors import InputError
from regreen.formats.corpus import SUFFIXES, read_corpus
from regreen.metrics import Estimate, mean_interval
from regreen.problem import Problem
from regreen.records import Record, judged_programs
from regreen.run import read_manifest
from regreen.studies.copied import SharedLines, SharedRuns, code_lines, telling
from regreen.studies.finding import Cell, finding, plot, table
from regreen.syntax import parse
from regreen.track import progress

HALF = 0.5
_NAMED = 10  # problems that the table names
_SHORTEST = 5  # tokens of a run that is looked for


def overlap(
    problems: Iterable[Problem],
    corpus: Path,
    *,
    benchmark: str | None = None,
    suffixes: tuple[str, ...] = SUFFIXES,
    run: Path | None = None,
    seed: int = 0,
    quiet: bool = True,
) -> Record:
    """Return how much of each reference solution stands in a corpus.

    Args:
        problems: those with a solution count.
        corpus: a folder of source files, or a file that ``regreen curate corpus`` wrote.
        benchmark: the problems' name.
        suffixes: of the folder's files.
        run: a run on these problems, scored with and without those that share more than half of their lines.
        seed: of the intervals.
        quiet: show no progress.

    Raises:
        InputError: no problem with a solution, no such corpus, or a run on other problems.
    """
    solved = [problem for problem in problems if problem.solution]
    if not solved:
        raise InputError("no problem has a solution; there is nothing to look for")
    scored = _scored(run) if run else {}
    if run and not scored.keys() & {problem.id for problem in solved}:
        raise InputError(f"--run {run}: a run on other problems; give one on {benchmark or 'these'}")
    rows, documents, characters = _compared(solved, corpus, suffixes, quiet=quiet)
    share = _share([row["share"] > HALF for row in rows], seed)
    numbers = {"problems": len(rows), "documents": documents, "characters": characters, "corpus": str(corpus)}
    parts = _parts(rows, scored, seed)
    tables = [_summary(rows, share, numbers, seed), _nearest(rows), *([_scores(parts)] if parts else [])]
    numbers |= {"above_half": asdict(share), "by_problem": rows, "scores": parts}
    return finding("overlap", benchmark=benchmark, tables=tables, plots=[_plot(rows, seed)], **numbers)


def without_docstrings(source: str) -> str:
    """Return a program without its docstrings' lines; one that does not parse as it is."""
    tree = parse(source)
    lines = source.split("\n")
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and type(first.value.value) is str:
                last = first.end_lineno or first.lineno
                lines[first.lineno - 1 : last] = [""] * (last + 1 - first.lineno)
    return "\n".join(lines)


def _compared(
    problems: Sequence[Problem], corpus: Path, suffixes: tuple[str, ...], *, quiet: bool
) -> tuple[list[Record], int, int]:
    """Return a row for each problem, and how many documents and characters the corpus has."""
    lines = [code_lines(without_docstrings(problem.solution or "")) for problem in problems]
    shared = SharedLines([telling(of_one) for of_one in lines])
    runs = SharedRuns(["\n".join(of_one) for of_one in lines], shortest=_SHORTEST)
    documents = characters = 0
    with progress("documents", quiet=quiet) as advance:
        for name, text in read_corpus(corpus, suffixes):
            found = code_lines(text)
            shared.read(name, found)
            runs.read(name, "\n".join(found))
            documents, characters = documents + 1, characters + len(text)
            advance(documents, f"{characters / 1e6:.0f} million characters")
    longest = runs.longest()
    rows = [
        _row(problem, len(telling(of_one)), best, run)
        for problem, of_one, best, run in zip(problems, lines, shared.best, longest, strict=True)
    ]
    if not documents:
        raise InputError(f"{corpus}: no documents; give a folder of source files, or what curate corpus wrote")
    return rows, documents, characters


def _row(problem: Problem, lines: int, best: tuple[int, str | None], run: tuple[int, str | None]) -> Record:
    return {
        "problem": problem.id,
        "lines": lines,
        "shared": best[0],
        "share": best[0] / lines if lines else 0.0,
        "document": best[1],
        "longest_run": run[0],
        "run_document": run[1],
    }


def _share(values: Sequence[float], seed: int) -> Estimate:
    return mean_interval([float(value) for value in values], seed=seed)


def _summary(rows: Sequence[Record], share: Estimate, numbers: Record, seed: int) -> Record:
    runs = sorted(row["longest_run"] for row in rows)
    cells: list[list[Cell]] = [
        ["problems with more than half of their lines in one document", share],
        ["lines of a solution in the nearest document, mean", _share([row["share"] for row in rows], seed)],
        ["longest run of tokens in any document, median", runs[len(runs) // 2]],
        ["longest run of tokens, of the problem with the longest", runs[-1]],
    ]
    notes = [f"{numbers['problems']} solutions; {numbers['documents']} documents, {numbers['characters']} characters"]
    return table("Overlap with the corpus", ["", "value"], cells, notes=notes)


def _plot(rows: Sequence[Record], seed: int) -> Record:
    """Draw how many problems have more than a share of their lines in one document, for every tenth."""
    above = [(10 * tenth, _share([10 * row["share"] > tenth for row in rows], seed)) for tenth in range(10)]
    return plot("Overlap with the corpus", {"problems": above}, x="more than so much of its lines, %", y="problems, %")


def _nearest(rows: Sequence[Record]) -> Record:
    first = sorted(rows, key=lambda row: (-row["share"], -row["lines"]))[:_NAMED]
    cells: list[list[Cell]] = [
        [row["problem"], f"{row['shared']} of {row['lines']}", row["document"], row["longest_run"]] for row in first
    ]
    return table("Nearest problems", ["problem", "lines shared", "with", "longest run, tokens"], cells)


def _scored(run: Path) -> dict[str, list[float]]:
    read_manifest(run)
    found: dict[str, list[float]] = {}
    for record, passed in judged_programs(run):
        if record.get("role", "sample") == "sample":
            found.setdefault(record["problem"], []).append(float(bool(passed)))
    return found


def _parts(rows: Sequence[Record], scored: dict[str, list[float]], seed: int) -> Record:
    """Return pass@1 over all problems of the run, over those that overlap, and over the others."""
    means = {name: sum(passed) / len(passed) for name, passed in scored.items()}
    shared = {row["problem"]: row["share"] > HALF for row in rows if row["problem"] in means}
    parts = {
        "all": list(shared),
        "overlapping": [name for name, above in shared.items() if above],
        "others": [name for name, above in shared.items() if not above],
    }
    return {
        part: {"problems": len(ids), "pass@1": asdict(_share([means[name] for name in ids], seed)) if ids else None}
        for part, ids in (parts.items() if means else ())
    }


def _scores(parts: Record) -> Record:
    cells: list[list[Cell]] = [
        [name, part["problems"], Estimate(**part["pass@1"]) if part["pass@1"] else None] for name, part in parts.items()
    ]
    return table("Scores with and without them", ["", "problems", "pass@1"], cells)
