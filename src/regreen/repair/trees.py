"""Self-repair: grow trees of programs, explanations and repairs on live models, and what they are held against.

Source: Olausson et al. 2023 (arXiv 2306.09896), sections 3 and 4.

Differences from the paper:
- Feedback tells the failure of checks that may be told, by default the shown ones; the paper's own protocol, feedback
  from the scoring tests, is ``reveal="all"``.
- Fresh programs for the same budget are drawn in the same run, not taken from the trees.
- An equal random share of passing and failing programs is judged once more, not the failing ones alone, which would get
  a second chance; the first verdict stands.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from regreen.errors import InputError
from regreen.inquiry import Inquiry
from regreen.models import Model
from regreen.options import Choice, Judging, Sampling
from regreen.program import program_from_line
from regreen.records import PROGRAMS, Record, read_records
from regreen.repair.again import judge_again
from regreen.repair.options import Repairing
from regreen.repair.repairer import Repairer
from regreen.run import Run, read_manifest
from regreen.summary import View
from regreen.tree import SAMPLE


def repair(
    benchmark: str,
    model: Model,
    *,
    explainer: Model | None = None,
    sampling: Sampling | None = None,
    repairing: Repairing | None = None,
    choice: Choice | None = None,
    judging: Judging | None = None,
    view: View | None = None,
    programs: Path | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Grow repair trees on a benchmark.

    Args:
        benchmark: a name, ``name:split`` (without a split the test split, where there is one), or a file.
        model: who writes and repairs programs.
        explainer: who explains failures, where ``repairing.feedback`` names another model.
        sampling: ``n`` first programs for each problem, at one temperature.
        repairing: who explains, how wide and deep trees grow, in which order, and the controls.
        choice: which problems.
        judging: limits and sandbox.
        view: which scores of the first programs.
        programs: a run whose samples are the first programs, instead of asking for them.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The scores of the first programs, with ``notes``: sentences that the user must hear. The trees lie in the run.

    Raises:
        InputError: something given cannot be used, or a model refuses every request.
        InfrastructureError: a model or the judge cannot be reached; the same call continues.
    """
    sampling = sampling or Sampling(n=10, temperatures=(0.8,))
    repairing, choice, judging = repairing or Repairing(), choice or Choice(), judging or Judging()
    if len(sampling.temperatures) != 1:
        raise InputError("repair: give one --temperature; trees of several cannot be compared")
    inquiry = Inquiry.of(benchmark, model, sampling, choice, judging)
    with ExitStack() as stack:
        sandbox = stack.enter_context(judging.open())
        repairer = Repairer(inquiry, explainer, repairing, sandbox)
        decides = repairer.decides() | {"programs": None if programs is None else read_manifest(programs)["hash"]}
        run = stack.enter_context(inquiry.run("repair", out, sandbox, decides=decides, grows=repairer.grows()))
        if programs is not None:
            _copy_programs(programs, run, {problem.id for problem in inquiry.problems}, sampling.n)
        done = repairer.grow(run, quiet=quiet)
        if done:
            judge_again(run, sandbox, inquiry.problems, share=repairing.again, seed=sampling.seed, quiet=quiet)
        return inquiry.end(run, view, explainer, out_of_tokens=not done)


def _copy_programs(source: Path, run: Run, problems: set[str], n: int) -> None:
    """Take the first programs of another run, which are then not asked for."""
    for _, record in read_records(source / PROGRAMS):
        program = program_from_line(record)
        if program.role == SAMPLE and program.problem in problems and program.index < n:
            run.add_program(program)
