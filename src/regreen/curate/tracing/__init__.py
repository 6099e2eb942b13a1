"""Problems from traced tests: a project's own test suite shows what its functions are to return.

Source: Chen et al. 2021 (arXiv 2107.03374), section 4.2: functions of projects with continuous integration, their
inputs and outputs recorded with a profile hook while the tests run.

Differences from the paper:
- Values cross as literals, not pickled: a problem can be read, and nothing of the project is needed to judge it.
- Functions only, of which the source is there; the paper makes problems of calls of builtins and libraries too.
- What a function needs of its package stands in the problem's prelude; the paper does not say what it does.
- Each solution is judged several times with its checks in several orders, and functions that draw, read the clock, or
  write outside are left out by what their code names, since some of that comes again by chance.
- A function whose checks a constant would pass is left out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regreen.curate.proving import prove
from regreen.curate.tally import Tally, Unfit
from regreen.curate.tracing.calls import Function, read_calls
from regreen.curate.tracing.modules import Library
from regreen.curate.tracing.problems import problem_of
from regreen.curate.tracing.running import traced
from regreen.errors import InputError
from regreen.options import Judging
from regreen.problem import Problem, problem_to_line
from regreen.records import Record, write_lines

__all__ = ["Tracing", "trace"]


@dataclass(frozen=True, slots=True)
class Tracing:
    """What is traced: functions of ``packages``, or of what lies below the current directory and is no test.

    ``checks`` calls at most become checks of a function; its solution is judged ``repeats`` times, in orders that
    ``seed`` draws.
    """

    packages: tuple[str, ...] = ()
    checks: int = 20
    repeats: int = 3
    seed: int = 0


def trace(
    command: Sequence[str],
    out: Path,
    *,
    tracing: Tracing | None = None,
    judging: Judging | None = None,
    quiet: bool = True,
) -> Record:
    """Run a project's tests, and make problems of the functions that they call.

    Args:
        command: what runs the tests, in the current directory.
        out: the file of problems; it is replaced at the end, and left alone where no problem is kept.
        tracing: what is traced.
        judging: how solutions are judged.
        quiet: show neither progress nor what the command prints.

    Returns:
        The object that ``regreen curate trace --json`` prints.

    Raises:
        InputError: the command cannot be started or traced, or none of the functions asked for was called.
        InfrastructureError: the judge broke down.
    """
    tracing, judging = tracing or Tracing(), judging or Judging()
    started = time.monotonic()
    with judging.open() as sandbox:  # before the tests run, which may take long
        with traced(command, packages=tracing.packages, most=tracing.checks, quiet=quiet) as (code, calls):
            functions = read_calls(calls)
            ran = time.monotonic() - started
        _require_some(functions, tracing, code)
        tally = Tally()
        problems = _problems(functions, tracing, tally)
        red = prove(problems, sandbox, repeats=tracing.repeats, seed=tracing.seed, quiet=quiet)
    for name, reason in red.items():
        tally.drop(name, reason)
    kept = [problem for problem in problems if problem.id not in red]
    tally.kept = [problem.id for problem in kept]
    if kept:
        write_lines(out, map(problem_to_line, kept))
    return {
        "command": list(command),
        "exit": code,
        "packages": list(tracing.packages),
        **tally.to_json(),
        "checks": sum(len(problem.checks) for problem in kept),
        "out": str(out) if kept else None,
        "notes": [f"{command[0]} ended with exit code {code}; what it did until then is used"] if code else [],
        "tests_seconds": round(ran, 3),
        "seconds": round(time.monotonic() - started, 3),
    }


def _problems(functions: Sequence[Function], tracing: Tracing, tally: Tally) -> list[Problem]:
    library, found = Library(), dict[str, Problem]()
    for function in functions:
        try:
            found.setdefault(function.id, problem_of(function, library, most=tracing.checks))
        except Unfit as why:
            tally.drop(function.id, str(why))
    return list(found.values())


def _require_some(functions: Sequence[Function], tracing: Tracing, code: int) -> None:
    if functions:
        return
    where = ", ".join(tracing.packages) or "any module below this directory that is no test"
    ended = f"; the command ended with exit code {code}" if code else ""
    raise InputError(f"no function of {where} was called{ended}; give --package NAME, as it is imported")
