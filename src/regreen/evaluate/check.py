"""Check a benchmark's own solutions."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from regreen import benchmarks
from regreen.errors import InputError
from regreen.options import Choice, Judging, about
from regreen.problem import Problem
from regreen.program import Program
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.working import finish, judge_rows


def check(
    benchmark: str,
    *,
    choice: Choice | None = None,
    judging: Judging | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Judge every reference solution of a benchmark.

    Returns:
        The object that ``regreen check --json`` prints. Problems without a solution are counted apart.

    Raises:
        InputError: the benchmark cannot be read, or has no solutions at all.
        InfrastructureError: the judge broke down; the same call continues.
    """
    choice, judging = choice or Choice(), judging or Judging()
    name, problems = choice.load(benchmark)
    solved = [problem for problem in choice.choose(problems) if problem.solution is not None]
    if not solved:
        raise InputError(f"{benchmark}: no problem has a solution; there is nothing to check")
    decides = {"problems": benchmarks.digest(problems), "only": sorted(choice.only), **judging.decides()}
    settings = Settings("check", name, decides, {"limit": choice.limit})
    with ExitStack() as stack:
        sandbox = stack.enter_context(judging.open())
        run = stack.enter_context(Run(out, settings, about=about(sandbox)))
        rows = ((problem, Program(problem.id, 0, problem.solution or "")) for problem in solved)
        judge_rows(rows, sandbox, run, quiet=quiet, total=len(solved))
        summary = finish(run, None)
        unsolved = len(choice.choose(problems)) - len(solved)
        return {
            **_check_record(run, solved, name),
            "without_solution": unsolved,
            "seconds": summary["seconds"],
            "run": summary["run"],
        }


def _check_record(run: Run, solved: list[Problem], name: str) -> Record:
    failed, shared = [], []
    for problem in solved:
        verdict = run.verdict((problem.id, 0, "sample"))
        assert verdict is not None  # every row was judged
        if not verdict.passed:
            failed.append({"problem": problem.id, "outcome": verdict.outcome.value})
        if verdict.mode == "shared":
            shared.append(problem.id)
    return {
        "benchmark": name,
        "problems": len(solved),
        "passed": len(solved) - len(failed),
        "failed": failed,
        "separate": len(solved) - len(shared),
        "shared": shared,
    }
