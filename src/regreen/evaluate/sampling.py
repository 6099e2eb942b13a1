"""Evaluate a model: ask for programs, judge them as they come, pass@k.

Source: Chen et al. 2021 (arXiv 2107.03374), sections 2.1 and 3.3; Austin et al. 2021 (arXiv 2108.07732), section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from regreen.attempt import Ask, Asking, Opening
from regreen.models import Model
from regreen.options import Choice, Judging, Sampling, about, asked_of
from regreen.problem import Problem
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.summary import View
from regreen.working import finish, judge_rows, notes_on


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
) -> Record:
    """Do what :func:`evaluate` does with problems at hand; ``name`` is what they are called."""
    sampling, choice, judging = sampling or Sampling(), choice or Choice(), judging or Judging()
    chosen = choice.choose(problems)
    opening = Opening(sampling, chosen, model, choice.data)
    decides = asked_of(model, sampling, opening.template, problems, choice, judging)
    grows = {"n": sampling.n, "limit": choice.limit, "max_tokens_total": sampling.total}
    with ExitStack() as stack:
        sandbox = stack.enter_context(judging.open())
        facts = about(sandbox, model=dict(model.facts), tokens_total=sampling.total)
        run = stack.enter_context(Run(out, Settings("evaluate", name, decides, grows), about=facts))
        asking = stack.enter_context(Asking(_asks(chosen, opening, run), model, run, tokens=sampling.total))
        total = len(chosen) * sampling.n * len(sampling.temperatures)
        judge_rows(asking, sandbox, run, quiet=quiet, total=total)
        run.manifest.update(model=dict(model.facts))
        found = finish(run, view)
    return found | {"notes": notes_on(found, model, stopped_at=run.counts.generated if asking.out_of_tokens else None)}


def _asks(problems: Sequence[Problem], opening: Opening, run: Run) -> Iterator[Ask]:
    """Yield every program wanted: one for each problem, then the next for each, so that a stop leaves them even."""
    sampling = opening.sampling
    for index in range(sampling.n * len(sampling.temperatures)):
        for problem in problems:
            yield opening.ask(problem, index, run)
