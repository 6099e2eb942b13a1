"""Train a model to say what a program returns.

Austin et al. 2021 (arXiv 2108.07732), on fine-tuning on execution: data from the training programs and their asserts;
then, for transfer, the model that learned execution is asked to write programs, and the one that learned to write
programs is asked what they return.

Differences from the paper:
- One way to show a program is learned at a time (``shown``, ``pairs``); its prompts could not be read.
- The transfer is not part of the training: ``regreen evaluate`` and ``regreen study execution`` ask either model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from regreen.cases import asked, cases
from regreen.errors import InputError
from regreen.options import Judging
from regreen.problem import Problem
from regreen.records import Record
from regreen.stated import stated
from regreen.train.config import ExecutionConfig
from regreen.train.crew import led
from regreen.train.sft import Split, split_of, tune

TEMPLATE = "execution"


@led
def execution(
    config: ExecutionConfig, *, judging: Judging | None = None, out: Path | None = None, quiet: bool = True
) -> Record:
    """Fine-tune a model on calls of programs and what they return; a killed run goes on to the same weights.

    Args:
        config: what to train on, and how.
        judging: limits and sandbox of the held-out results.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen train execution --json`` prints.

    Raises:
        InputError: no problem has a solution and calls with plain data, the model cannot be loaded or trained, or the
            run holds another training.
        InfrastructureError: the loss is no number, or the judge broke down; the same call goes on.
    """
    name, problems, validation = split_of(config)
    parts = [[*results(some, config)] for some in (problems, validation)]
    for part, which in zip(parts, (name, f"{name}, validation"), strict=True):
        if not part:
            raise InputError(f"{which}: no check calls a solution with plain data often enough; try mbpp, katas")
    told = config if config.prompt else config.model_copy(update={"prompt": TEMPLATE})
    return tune(told, Split(name, *parts), judging=judging, out=out, quiet=quiet, command="train-execution")


def results(problems: Sequence[Problem], config: ExecutionConfig) -> Iterator[Problem]:
    """Yield for each call of each problem the problem to say its result, solved."""
    for problem in problems:
        found = cases(problem, max(config.calls, config.pairs + 1))
        for at in range(min(config.calls, len(found)) if len(found) > config.pairs else 0):
            asks = asked(found, at, config.shown, config.pairs)
            yield replace(asks, solution=stated(asks, found[at].expected))
