"""One program looked at closely: the statement, the failing line, the failing check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from regreen.errors import InputError
from regreen.records import PROBLEMS, PROGRAMS, VERDICTS, Record, read_records
from regreen.report.text import printable
from regreen.run import read_manifest

_RULE = "-" * 72
_ALIKE = 0.3  # "133" and "HumanEval/133"


def show(run: Path, problem: str, index: int | None = None) -> Record:
    """Return everything that a run knows of one program.

    Args:
        run: the run directory.
        problem: the problem's id.
        index: which of its programs; without, the first that failed, or the first.

    Returns:
        The records of problem, program and verdict, and the outcomes of all of the problem's programs.

    Raises:
        InputError: no run, no such problem in it, or no such program.
    """
    read_manifest(run)
    verdicts = {record["index"]: record for record in _of_problem(run / VERDICTS, problem)}
    if not verdicts:
        raise InputError(_unknown(run, problem))
    if index is None:
        index = min(verdicts, key=lambda i: (verdicts[i]["outcome"] == "passed", i))
    if index not in verdicts:
        raise InputError(f"{problem} has no verdict on program {index}; it has {_range(sorted(verdicts))}")
    program = next((r for r in _of_problem(run / PROGRAMS, problem) if r["index"] == index), None)
    if program is None:
        raise InputError(f"{run / PROGRAMS}: program {index} of {problem} is not there; the run's own command adds it")
    return {
        "problem": next((r for _, r in read_records(run / PROBLEMS) if r["id"] == problem), {"id": problem}),
        "program": program,
        "verdict": verdicts[index],
        "outcomes": [verdicts[i]["outcome"] for i in sorted(verdicts)],
    }


def page(found: Record) -> str:
    """Return what :func:`show` found, as a page of text."""
    problem, program, verdict = found["problem"], found["program"], found["verdict"]
    passed = found["outcomes"].count("passed")
    failure = next((check for check in verdict["checks"] if check["outcome"] != "passed"), None)
    lines = [
        f"{problem['id']}, program {program['index']} ({passed} of {len(found['outcomes'])} programs passed)",
        _RULE,
        problem.get("statement", "").rstrip(),
        _RULE,
        *(_listing(program["source"], failure) if program["source"].strip() else ["(no program)"]),
        _RULE,
        f"{verdict['outcome']} ({verdict['mode']}, tier {verdict['tier']}, {verdict['cpu']:.3f} s CPU)",
        *(_check_lines(failure, problem) if failure else []),
    ]
    return printable("\n".join(lines)) + "\n"


def _of_problem(path: Path, problem: str) -> Iterator[Record]:
    for _, record in read_records(path):
        if record["problem"] == problem and record.get("role", "sample") == "sample":
            yield record


def _unknown(run: Path, problem: str) -> str:
    known = list(dict.fromkeys(record["problem"] for _, record in read_records(run / VERDICTS)))
    close = get_close_matches(problem, known, n=1, cutoff=_ALIKE)
    like = f"ids look like {', '.join(known[:3])}" if known else "nothing has been judged in it yet"
    return f"{run}: no verdict on a problem {problem!r}; {f'did you mean {close[0]}?' if close else like}"


def _range(indices: list[int]) -> str:
    if len(indices) == 1:
        return f"program {indices[0]} alone"
    if indices == list(range(indices[0], indices[-1] + 1)):
        return f"programs {indices[0]} to {indices[-1]}"
    return f"programs {', '.join(map(str, indices))}"


def _listing(source: str, failure: Record | None) -> Iterator[str]:
    """Yield the program's lines, numbered, the failing one marked."""
    marked = failure.get("line") if failure else None
    lines = re.split(r"\r\n|\r|\n", source.rstrip())  # as Python counts lines; splitlines knows more line ends
    for number, line in enumerate(lines, 1):
        yield f"{'>' if number == marked else ' '} {number:4} | {line}"


def _check_lines(failure: Record, problem: Record) -> Iterator[str]:
    """Yield the first check that failed: its code or input, what went wrong, got and expected."""
    checks = problem.get("checks", [])
    at = f", its assert {failure['asserts_run']}" if failure.get("asserts_run") else ""
    yield f"check {failure['index']}{at}:"
    if failure["index"] < len(checks):
        yield from (f"    {line}" for line in checks[failure["index"]].splitlines())
    if failure.get("error_type"):
        yield f"error:    {failure['error_type']}: {failure.get('message', '')}"
    elif failure.get("message"):
        yield f"message:  {failure['message']}"
    for name in ("got", "expected", "output"):
        if failure.get(name) is not None:
            yield from _field(name, failure[name])


def _field(name: str, text: str) -> Iterator[str]:
    lines = text.splitlines() or [""]
    if len(lines) == 1:
        yield f"{name + ':':9} {text.rstrip()}"
    else:
        yield f"{name}:"
        yield from (f"    {line}" for line in lines)
