"""Solved problems as lessons, and what a policy makes of held-out ones."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from regreen.attempt import Ask, Asking, seed_of
from regreen.attempt.opening import as_json
from regreen.errors import InputError
from regreen.models import Model, Request
from regreen.problem import Problem
from regreen.prompts import Prompt, Template
from regreen.run import Run
from regreen.sandbox import Sandbox
from regreen.stated import right_text
from regreen.verdict import Verdict
from regreen.working import finish, judge_rows

_PROBE = "0"
STAGE = "validation"  # of the seeds


def answer_to(template: Template, problem: Problem) -> str | None:
    """Return the text after the prompt in which the template finds the problem's solution, or None if there is none.

    A continuation goes on where its prompt ends; a whole program ends at the template's stop string; a reply is fenced.
    Where no program is asked for, the text is the value or the formula that stands for the solution.
    """
    solution = (problem.solution or "").strip("\n")
    if template.form == "reply":
        text = f"```python\n{solution}\n```"
    elif template.form == "program":
        text = f"{solution}\n{template.stops[0]}" if template.stops else f"{solution}\n"
    elif template.form == "literal":
        text = _literal(template, problem)
    else:
        stem = template.source(problem, _PROBE).source.removesuffix(_PROBE)
        before, found, rest = solution.partition(stem.strip("\n"))
        text = f"{rest}\n" if found and not before.strip() else ""
        text = text.removeprefix("\n") if stem.endswith("\n") else text
    kept = template.source(problem, text).source.strip()
    return text if solution and kept == solution.strip() else None


def _literal(template: Template, problem: Problem) -> str:
    """Return what is right to write, up to the stop string; a space before it where it goes on in the prompt's line."""
    prompt, end = template.render(problem), template.stops[0] if template.stops else ""
    begin = " " if isinstance(prompt, str) and not prompt.endswith("\n") else ""
    return f"{begin}{right_text(problem)}{end}"


@dataclass(frozen=True, slots=True)
class Taught:
    """What of some problems can be taught: prompt, answer and problem of each, and how many cannot and why."""

    pairs: tuple[tuple[Prompt, str, Problem], ...]
    unsolved: int
    unfit: int

    @property
    def digest(self) -> str:
        """A digest of all that is taught."""
        text = json.dumps([[as_json(prompt), answer] for prompt, answer, _ in self.pairs])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def note(self) -> str | None:
        """Say what was left out, or None."""
        left = {"without a solution": self.unsolved, "whose solution does not continue its prompt": self.unfit}
        said = " and ".join(f"{count} problems {why}" for why, count in left.items() if count)
        return f"left out: {said}" if said else None


def taught(problems: Sequence[Problem], template: Template, name: str) -> Taught:
    """Return prompts and answers of the problems that have a solution.

    Raises:
        InputError: none has one, or none that the template can show.
    """
    with_solution = solved(problems, name)
    answers = [(problem, answer_to(template, problem)) for problem in with_solution]
    pairs = tuple((template.render(p), answer, p) for p, answer in answers if answer is not None)
    if not pairs:
        raise InputError(f"{name}: no solution continues the prompt of template {template.name}; give another 'prompt'")
    return Taught(pairs, len(problems) - len(with_solution), len(with_solution) - len(pairs))


def solved(problems: Sequence[Problem], name: str) -> list[Problem]:
    """Return the problems that have a solution; raises InputError if none has."""
    found = [problem for problem in problems if problem.solution]
    if not found:
        raise InputError(f"{name}: no problem has a solution; supervised training needs the field 'solution'")
    return found


def held_out(problems: Sequence[Problem], share: float, seed: int) -> tuple[list[Problem], list[Problem]]:
    """Return problems to train on, and a share drawn at random to hold out: at least one, and never all.

    Raises:
        InputError: there are fewer than two problems.
    """
    if len(problems) < 2:
        raise InputError("one problem alone cannot be split; give more, or a benchmark as 'validation'")
    count = min(max(1, round(share * len(problems))), len(problems) - 1)
    kept_out = set(random.Random(seed).sample(range(len(problems)), count))
    parts: tuple[list[Problem], list[Problem]] = ([], [])
    for at, problem in enumerate(problems):
        parts[at in kept_out].append(problem)
    return parts


@dataclass(frozen=True, slots=True)
class Asked:
    """How a pass rate is measured: ``n`` programs for each problem."""

    n: int = 1
    temperature: float = 0.0
    max_tokens: int = 256
    seed: int = 0


def pass_rate(
    model: Model, problems: Sequence[Problem], template: Template, sandbox: Sandbox, *, asked: Asked, run: Run
) -> float:
    """Return the share of programs that pass: pass@1, the mean over problems.

    Args:
        model: who is asked; a policy's :meth:`sampler`, for one.
        problems: what is asked, at least one.
        template: how.
        sandbox: where programs are judged.
        asked: how many programs, and how hot.
        run: a new run, where programs and verdicts are recorded.
    """
    asked_for = [(problem, template.render(problem), index) for problem in problems for index in range(asked.n)]
    wanted = [(p, _request(p, prompt, index, template, asked, STAGE)) for p, prompt, index in asked_for]
    asks = (Ask(p, request, template.source, run.add_prompt(as_json(request.prompt))) for p, request in wanted)
    with Asking(asks, model, run) as asking:
        judge_rows(asking, sandbox, run, quiet=True)
    finish(run, None)
    return run.counts.outcomes["passed"] / len(wanted)


def tried(
    model: Model,
    wanted: Sequence[tuple[Problem, Prompt, int]],
    template: Template,
    sandbox: Sandbox,
    *,
    asked: Asked,
    stage: str = STAGE,
) -> list[tuple[str, Verdict]]:
    """Return the program that a model writes for each prompt, and the verdict on it. Nothing is recorded.

    Args:
        model: who is asked.
        wanted: problems, what is asked, and which of the problem's programs it is.
        template: how the program is found in the answer.
        sandbox: where programs are judged.
        asked: how hot, how long; its ``n`` says nothing here.
        stage: of the seeds.
    """
    requests = [_request(problem, prompt, index, template, asked, stage) for problem, prompt, index in wanted]
    completions = asyncio.run(model.sample(requests))
    sources = [template.source(p, c.text).source for (p, _, _), c in zip(wanted, completions, strict=True)]
    rows = [(problem, source) for (problem, _, _), source in zip(wanted, sources, strict=True)]
    verdicts = dict(sandbox.judge_all(rows))
    return [(source, verdicts[at]) for at, source in enumerate(sources)]


def _request(problem: Problem, prompt: Prompt, index: int, template: Template, asked: Asked, stage: str) -> Request:
    return Request(
        prompt,
        seed=seed_of(asked.seed, problem.id, index, stage),
        temperature=asked.temperature,
        max_tokens=asked.max_tokens,
        stop=template.stops,
        problem=problem.id,
        index=index,
    )
