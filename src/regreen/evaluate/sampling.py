"""Evaluate a model: ask for programs, judge them as they come, pass@k.

Source: Chen et al. 2021 (arXiv 2107.03374), sections 2.1 and 3.3; Austin et al. 2021 (arXiv 2108.07732), section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from regreen.attempt import Ask, Asking
from regreen.inquiry import Inquiry
from regreen.models import Model
from regreen.options import Choice, Judging, Sampling
from regreen.problem import Problem
from regreen.records import Record
from regreen.run import Run
from regreen.summary import View
from regreen.working import judge_rows


def evaluate(
    benchmark: str,
    model: Model,
    *,
    sampling: Sampling | None = None,
    choice: Choice | None = None,
    judging: Judging | None = None,
    view: View | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Ask a model for programs, judge them, and return the scores.

    Args:
        benchmark: a name, ``name:split`` (without a split the test split, where there is one), or a file.
        model: who is asked.
        sampling: how many programs, at which temperatures, with which prompt.
        choice: which problems.
        judging: limits and sandbox.
        view: which scores.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen evaluate --json`` prints.

    Raises:
        InputError: something given cannot be used, or the model refuses every request.
        InfrastructureError: the model or the judge cannot be reached; the same call continues.
    """
    choice = choice or Choice()
    name, problems = choice.load(benchmark, "ask")
    return evaluate_problems(
        name, problems, model, sampling=sampling, choice=choice, judging=judging, view=view, out=out, quiet=quiet
    )


def evaluate_problems(
    name: str,
    problems: Sequence[Problem],
    model: Model,
    *,
    sampling: Sampling | None = None,
    choice: Choice | None = None,
    judging: Judging | None = None,
    view: View | None = None,
    out: Path | None = None,
    quiet: bool = True,
    examples: Sequence[Problem] | None = None,
    decides: Mapping[str, Any] | None = None,
) -> Record:
    """Do what :func:`evaluate` does with problems at hand; ``name`` is what they are called.

    Args:
        examples: solved problems to show instead of those that the sampling names.
        decides: what else decides the result, such as how the problems were reworded: a run with another is refused.
    """
    sampling, choice, judging = sampling or Sampling(), choice or Choice(), judging or Judging()
    inquiry = Inquiry.about(name, problems, model, sampling, choice, judging, examples=examples)
    total = len(inquiry.problems) * sampling.n * len(sampling.temperatures)
    with (
        judging.open() as sandbox,
        inquiry.run(
            "evaluate", out, sandbox, decides=decides, grows={"n": sampling.n}, tokens_total=sampling.total
        ) as run,
        Asking(_asks(inquiry, run), model, run, tokens=sampling.total) as asking,
    ):
        judge_rows(asking, sandbox, run, quiet=quiet, total=total)
        return inquiry.end(run, view, out_of_tokens=asking.out_of_tokens)


def _asks(inquiry: Inquiry, run: Run) -> Iterator[Ask]:
    """Yield every program wanted: one for each problem, then the next for each, so that a stop leaves them even."""
    sampling = inquiry.sampling
    for index in range(sampling.n * len(sampling.temperatures)):
        for problem in inquiry.problems:
            yield inquiry.opening.ask(problem, index, run)
