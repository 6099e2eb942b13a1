"""Problems from folders of programming competitions: Kattis, Polygon, DMOJ, and folders of no system.

Source: Chen et al. 2021 (arXiv 2107.03374), section 4.1: statements, reference solutions and tests of contests.

Differences from the paper:
- Programs read standard input and write standard output; the paper makes functions of them, it does not say how.
- Tests are those that a folder holds; the paper finds further ones by sending in wrong solutions. Wrong solutions in a
  folder are judged, and those that pass are counted: they show where tests are missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from regreen.benchmarks.stdio import shown_in, stdio_checks
from regreen.curate.importing import dmoj, kattis, plain, polygon
from regreen.curate.importing.contest import MOST_BYTES, NO_CASES, Case, Contest
from regreen.curate.tally import Tally, Unfit
from regreen.errors import InputError
from regreen.options import Judging
from regreen.problem import Problem, problem_to_line
from regreen.records import Record, write_lines
from regreen.track import progress

__all__ = ["import_folder"]

NOT_GREEN = "none of its solutions is green"

_KINDS: dict[str, Callable[[Path], Contest]] = {
    kattis.MARK: kattis.read,
    polygon.MARK: polygon.read,
    dmoj.MARK: dmoj.read,
}
_PARTS = frozenset((
    "data", "input", "inputs", "output", "outputs", "in", "out", "tests", "test", "sample", "samples", "secret",
    "solution", "solutions", "submissions", "statement", "statements", "problem_statement",
))  # fmt: skip


def import_folder(folder: Path, out: Path, *, judging: Judging | None = None, quiet: bool = True) -> Record:
    """Make problems of the contest problems below a folder, and judge the programs that come with them.

    Args:
        folder: one problem, or folders of problems however deep.
        out: the file of problems; it is replaced at the end, and left alone where no problem is kept.
        judging: how their programs are judged.
        quiet: show no progress.

    Returns:
        The object that ``regreen curate import --json`` prints.

    Raises:
        InputError: there is no such folder or nothing in it, or a file in it cannot be read.
        InfrastructureError: the judge broke down.
    """
    judging, started = judging or Judging(), time.monotonic()
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give one that holds contest problems")
    tally = Tally()
    problems = _problems(folder, tally)
    if not tally.seen and not problems:
        raise InputError(
            f"{folder}: no contest problem is in it; one has a statement (as problem.md) beside pairs of files "
            "(as 1.in and 1.out), or is marked by problem.yaml, problem.xml or init.yml"
        )
    kept, passing = _judged(problems, tally, judging, quiet)
    tally.kept = [problem.id for problem in kept]
    if kept:
        write_lines(out, map(problem_to_line, kept))
    left_out = sum(problem.meta.get("left_out", 0) for problem in kept)
    return {
        "folder": str(folder),
        **tally.to_json(),
        "checks": sum(len(problem.checks) for problem in kept),
        "without_solution": sum(problem.solution is None for problem in kept),
        "wrong_that_pass": passing,
        "out": str(out) if kept else None,
        "notes": _notes(kept, left_out, passing),
        "seconds": round(time.monotonic() - started, 3),
    }


def _notes(kept: Sequence[Problem], left_out: int, passing: Sequence[str]) -> list[str]:
    bare = sum(problem.solution is None for problem in kept)
    notes = [f"{bare} of {len(kept)} problems have no Python solution"] if bare else []
    notes += [f"{left_out} tests left out: no UTF-8, or more than {MOST_BYTES >> 20} MiB"] if left_out else []
    return notes + [f"{name}: a solution that is said to be wrong passes: its tests are weak" for name in passing]


def _problems(folder: Path, tally: Tally) -> list[Problem]:
    found: list[Problem] = []
    for place, read in _places(folder):
        name = place.relative_to(folder).as_posix() if place != folder else folder.resolve().name
        try:
            found.append(_problem(name, read(place)))
        except Unfit as why:
            tally.drop(name, str(why))
    return found


def _places(folder: Path) -> list[tuple[Path, Callable[[Path], Contest]]]:
    """Return the folders that are a problem, and how each is read; a folder of problems is none itself."""
    for mark, read in _KINDS.items():
        if (folder / mark).is_file():
            return [(folder, read)]
    inner = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".") and p.name not in _PARTS)
    found = [place for sub in inner for place in _places(sub)]
    return found or ([(folder, plain.read)] if _is_plain(folder) else [])


def _is_plain(folder: Path) -> bool:
    statement = plain.find_statement(folder)
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    told = statement is not None and statement.stem.lower() != "readme"
    return told or next(plain.paired(names), None) is not None


def _problem(name: str, contest: Contest) -> Problem:
    cases = dict.fromkeys(filter(None, map(_texts, contest.cases)))
    checks = stdio_checks(((stdin, expected) for stdin, expected, _ in cases), contest.compare)
    if not checks:
        raise Unfit(NO_CASES)
    samples = {(stdin, expected) for stdin, expected, sample in cases if sample}
    told = set(shown_in(contest.statement, checks))
    shown = tuple(at for at, check in enumerate(checks) if at in told or (check.stdin, check.expected) in samples)
    left_out = len(contest.cases) - len([case for case in contest.cases if _texts(case)])
    meta = {
        "source": "contest",
        **contest.details,
        "solutions": [{"language": "python3", "source": source} for source in contest.right],
        "incorrect_solutions": [{"language": "python3", "source": source} for source in contest.wrong],
        **({"left_out": left_out} if left_out else {}),
    }
    return Problem(name, contest.statement, checks, shown=shown, revealed=shown, meta=meta)


def _texts(case: Case) -> tuple[str, str, bool] | None:
    """Return a case as text; None for one that is too large, or no text."""
    if max(len(case.stdin), len(case.expected)) > MOST_BYTES:
        return None
    try:
        stdin, expected = (part.decode().replace("\r\n", "\n") for part in (case.stdin, case.expected))
    except UnicodeDecodeError:
        return None
    return stdin, expected, case.sample


def _judged(
    problems: Sequence[Problem], tally: Tally, judging: Judging, quiet: bool
) -> tuple[list[Problem], list[str]]:
    """Return the problems, each with its first green program, and the ids of those where wrong programs pass."""
    rows = list(_programs(problems))
    green: dict[tuple[str, str], list[str]] = {}
    with judging.open() as sandbox, progress("judging", total=len(rows), quiet=quiet) as advance:
        for done, (at, verdict) in enumerate(sandbox.judge_all((p, source) for p, source, _ in rows), 1):
            problem, source, kind = rows[at]
            if verdict.passed:
                green.setdefault((problem.id, kind), []).append(source)
            advance(done, "")
    kept = list[Problem]()
    for problem in problems:
        right = [entry["source"] for entry in problem.meta["solutions"]]
        passed = green.get((problem.id, "solutions"), [])
        if right and not passed:
            tally.drop(problem.id, NOT_GREEN)
        else:
            kept.append(replace(problem, solution=next((s for s in right if s in passed), None)))
    return kept, [name for name, kind in green if kind == "incorrect_solutions"]


def _programs(problems: Sequence[Problem]) -> Iterator[tuple[Problem, str, str]]:
    for problem in problems:
        for kind in ("solutions", "incorrect_solutions"):
            yield from ((problem, entry["source"], kind) for entry in problem.meta[kind])
