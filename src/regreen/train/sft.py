"""Supervised fine-tuning on problems and their solutions; the loss is on the solution alone.

Chen et al. 2021 (arXiv 2107.03374), section 4.5: prompts as in evaluation, reference solutions as targets, the prompt
masked, until the validation loss flattens. Austin et al. 2021 (arXiv 2108.07732), section 3.2: batches measured in
tokens, a small learning rate, the checkpoint chosen on held-out problems.

Differences from the papers:
- Prompts are not padded on the left so that solutions line up: positions count from each prompt's beginning.
- The best checkpoint is chosen by pass@1 on held-out problems, where the papers look at the loss; ``check.monitor``
  chooses, and ``check.patience`` ends the training.
- The template is the one that evaluation takes; Austin's few-shot examples are left out of it.
- The end of text is learned after the template's stop string.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from regreen import benchmarks, prompts
from regreen.options import Choice, Judging
from regreen.problem import Problem
from regreen.records import Record
from regreen.train.config import SftConfig, TrainConfig
from regreen.train.course import Check, Course, Numbers, teach
from regreen.train.crew import led
from regreen.train.teaching import held_out, pass_rate, solved, taught
from regreen.train.trackers import require


@led
def sft(config: SftConfig, *, judging: Judging | None = None, out: Path | None = None, quiet: bool = True) -> Record:
    """Fine-tune a model on solved problems; a killed run goes on to the same weights.

    Args:
        config: what to train on, and how.
        judging: limits and sandbox of the held-out programs.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen train sft --json`` prints.

    Raises:
        InputError: no problem has a solution, the model cannot be loaded or trained, or the run holds another training.
        InfrastructureError: the loss is no number, or the judge broke down; the same call goes on.
    """
    return tune(config, split_of(config), judging=judging, out=out, quiet=quiet)


class Split(NamedTuple):
    """What problems are called, those to train on, and those held out."""

    name: str
    problems: list[Problem]
    validation: list[Problem]


def tune(
    config: SftConfig,
    split: Split,
    *,
    judging: Judging | None = None,
    out: Path | None = None,
    quiet: bool = True,
    command: str = "train-sft",
) -> Record:
    """Do what :func:`sft` does with problems at hand; one may stand there several times, with other solutions."""
    name, problems, validation = split
    template = prompts.load(config.prompt or prompts.default_for(problems[0], chat=False))
    lessons, checks = taught(problems, template, name), taught(validation, template, f"{name}, validation")
    chosen = [problem for _, _, problem in checks.pairs][: config.check.limit]

    def measure(check: Check) -> Numbers:
        with check.open_run() as record:
            rate = pass_rate(check.model, chosen, template, check.sandbox, asked=check.asked, run=record)
        return {"pass@1": rate}

    digests = f"{lessons.digest} {checks.digest} {benchmarks.digest(validation)}"
    course = Course(command, name, template, lessons, checks, measure, {"problems": digests})
    return teach(config, course, judging=judging, out=out, quiet=quiet)


def split_of(config: TrainConfig, *, unsolved: bool = False) -> Split:
    """Return the problems that a configuration names; unless ``unsolved``, a share is held out of the solved ones.

    All trainings begin here, so a tracker that is not installed is refused here, before anything is made.
    """
    require(config.track)
    choice = Choice(Path(config.data) if config.data else None, limit=config.limit)
    name, every = choice.load(config.problems, "train")
    chosen = choice.choose(every)
    if isinstance(config.validation, str):
        return Split(name, chosen, replace(choice, limit=None).load(config.validation, "ask")[1])
    return Split(name, *held_out(chosen if unsolved else solved(chosen, name), config.validation, config.seed))
