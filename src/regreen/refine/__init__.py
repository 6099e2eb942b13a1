"""Refine programs round by round, given the newest wrong one and how it failed: CYCLE's loop at inference.

Source: Ding et al. 2024 (arXiv 2403.18746), section 6 of their code: first programs at temperature 0.2, refinements at
0.6, both with top_p 0.95, at most four rounds; programs that pass are kept, and the rounds end when the benchmark's
pass rate no longer rises.

Differences from the paper:
- Feedback tells the failure of checks that may be told, by default the revealed ones; the paper's own protocol,
  feedback from the scoring checks, is ``reveal="all"``.
- The rounds end on the share of all chains that pass, where the paper takes pass@5 if there are 5 programs; or each
  chain goes on by itself (``until="problem"``), so that no problem is cut off by the others.
- Equal-budget resampling and a ladder of swapped feedback are drawn in the same run; see :mod:`regreen.controls`.
- A program that passed is not run again.
"""

from __future__ import annotations

from pathlib import Path

from regreen.attempt import Grower
from regreen.errors import InputError
from regreen.inquiry import Inquiry
from regreen.models import Model
from regreen.options import Choice, Judging, Sampling
from regreen.records import Record
from regreen.refine.chains import Chains
from regreen.refine.options import CONTROLS, FIRST, LATER, ROUNDS, Refining
from regreen.summary import View
from regreen.telling import Telling

__all__ = ["CONTROLS", "FIRST", "LATER", "ROUNDS", "Refining", "Telling", "refine"]


def refine(
    benchmark: str,
    model: Model,
    *,
    sampling: Sampling | None = None,
    refining: Refining | None = None,
    choice: Choice | None = None,
    judging: Judging | None = None,
    view: View | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Write programs for a benchmark and refine those that fail.

    Args:
        benchmark: a name, ``name:split`` (without a split the test split, where there is one), or a file.
        model: who writes and refines.
        sampling: ``n`` first programs for each problem, each the beginning of a chain, at one temperature.
        refining: rounds, what is told, and the controls.
        choice: which problems.
        judging: limits and sandbox.
        view: which scores of the first programs.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The scores of the first programs, with ``notes``: sentences that the user must hear. Chains and controls lie in
        the run: :func:`regreen.report.report` says what they come to.

    Raises:
        InputError: something given cannot be used, or the model refuses every request.
        InfrastructureError: the model or the judge cannot be reached; the same call continues.
    """
    sampling = sampling or Sampling(temperatures=(FIRST,))
    refining, choice, judging = refining or Refining(), choice or Choice(), judging or Judging()
    if len(sampling.temperatures) != 1:
        raise InputError("refine: give one --temperature; chains of several cannot be compared")
    inquiry = Inquiry.of(benchmark, model, sampling, choice, judging)
    chains = Chains(inquiry, refining)
    decides = {**refining.decides(), "refine_prompt": f"{chains.template.name} {chains.template.hash}"}
    grows = {"n": sampling.n, "rounds": refining.rounds}
    with judging.open() as sandbox, inquiry.run("refine", out, sandbox, decides=decides, grows=grows) as run:
        done = chains.grow(Grower(run, sandbox, [model], tokens=sampling.total), quiet=quiet)
        run.manifest["rounds"] = chains.rounds
        return inquiry.end(run, view, out_of_tokens=not done)
