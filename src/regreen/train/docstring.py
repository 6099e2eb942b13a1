"""Train a model to write docstrings: Codex-D.

Chen et al. 2021 (arXiv 2107.03374), section 5: the problems of Codex-S in another order, the signature, the reference
solution, then the docstring, and the loss on the docstring alone.

Differences from the paper:
- Where a problem has no docstring of its own, as MBPP's, its statement is the docstring.
- The best checkpoint is that of the lowest loss on held-out docstrings: a docstring has no checks. ``regreen study
  docstring`` asks whether a model that reads one writes the program again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from regreen import prompts
from regreen.errors import InputError
from regreen.options import Judging
from regreen.problem import Problem
from regreen.prompts import Template
from regreen.records import Record
from regreen.train.config import DocstringConfig
from regreen.train.course import Course, teach
from regreen.train.crew import led
from regreen.train.sft import split_of
from regreen.train.teaching import Taught, solved

TEMPLATE = "docstring"
_QUOTES = re.compile(r'"""|\'\'\'')


@led
def docstring(
    config: DocstringConfig, *, judging: Judging | None = None, out: Path | None = None, quiet: bool = True
) -> Record:
    """Fine-tune a model on programs and their docstrings; a killed run goes on to the same weights.

    Args:
        config: what to train on, and how.
        judging: limits and sandbox, which no docstring needs.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen train docstring --json`` prints.

    Raises:
        InputError: no problem has a solution and words about it, the model cannot be loaded or trained, or the run
            holds another training.
        InfrastructureError: the loss is no number; the same call goes on.
    """
    name, problems, validation = split_of(config)
    template = prompts.load(config.prompt or TEMPLATE)
    lessons, checks = (described(some, template, name) for some in (problems, validation))
    course = Course("train-docstring", name, template, lessons, checks, lambda _: {}, {})
    return teach(config, course, judging=judging, out=out, quiet=quiet)


def described(problems: Sequence[Problem], template: Template, name: str) -> Taught:
    """Return each solution as a prompt and its docstring as the answer; raises InputError where there is none."""
    with_solution = solved(problems, name)
    pairs = tuple(
        (template.render(problem, program=problem.solution), answer, problem)
        for problem in with_solution
        if (answer := answer_of(problem)) is not None
    )
    if not pairs:
        raise InputError(
            f"{name}: no solution has a docstring, or a statement, that can be taught; give other problems"
        )
    return Taught(pairs, len(problems) - len(with_solution), len(with_solution) - len(pairs))


def answer_of(problem: Problem) -> str | None:
    """Return the text that follows the opened quotes: the words about a program, indented, and the quotes' end."""
    words = prompts.docstring_of(problem)
    if not words or _QUOTES.search(words):
        return None
    return words.replace("\n", "\n    ") + '\n    """\n'
