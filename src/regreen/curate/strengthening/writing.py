"""A model writes inputs: it sees the statement and a program, and writes calls, one a line."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from regreen import prompts
from regreen.arms.cases import input_key, literal_call
from regreen.attempt import seed_of
from regreen.models import Completion, Model, Request
from regreen.problem import Call, Problem
from regreen.syntax import parse
from regreen.track import progress

_MOST = 100  # calls taken of one text


@dataclass(frozen=True, slots=True)
class Writing:
    """How a model is asked: so many ``texts`` for each problem, each of so many tokens at most.

    ``prompt`` names a template or is the path of one; by default "inputs" for a chat model, else "inputs-plain".
    """

    texts: int = 1
    temperature: float = 0.8
    max_tokens: int = 512
    prompt: str | None = None
    seed: int = 0


def written_inputs(
    model: Model, problems: Sequence[Problem], how: Writing, *, quiet: bool = True
) -> dict[str, list[Call]]:
    """Return the calls that a model writes, by problem, each once; lines that are no call are passed over.

    Args:
        model: who writes.
        problems: those with an entry point are asked about.
        how: how it is asked.
        quiet: show no progress.

    Raises:
        InputError: no such template, or a model that refuses every request.
        InfrastructureError: the model cannot be reached.
    """
    template = prompts.load(how.prompt or ("inputs" if model.chat else "inputs-plain"))
    asked = [problem for problem in problems if problem.entry_point for _ in range(how.texts)]
    requests = [_request(template, problem, at % how.texts, how) for at, problem in enumerate(asked)]
    found: dict[str, dict[str, Call]] = {}
    with progress("inputs", total=len(requests), quiet=quiet) as advance:
        for done, (problem, answer) in enumerate(zip(asked, _answers(model, requests), strict=True), 1):
            calls = calls_in(template.words(answer.text), str(problem.entry_point))
            found.setdefault(problem.id, {}).update((input_key(call), call) for call in calls)
            advance(done, f"{sum(map(len, found.values()))} calls")
    return {name: list(calls.values()) for name, calls in found.items()}


def calls_in(text: str, entry_point: str) -> list[Call]:
    """Return the calls of a function that stand in a text, one a line, with literal arguments."""
    return [call for line in text.splitlines() for call in _calls_of(line, entry_point)][:_MOST]


def _calls_of(line: str, entry_point: str) -> Iterator[Call]:
    """Yield the call that a line begins with, but for signs of a list: ``- f(1)  # one``, ``assert f(1) == 2``."""
    start = line.find(f"{entry_point}(")
    tree = parse(line[start:].strip(" `;")) if start >= 0 else None
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == entry_point:
            call = literal_call(node)
            if call is not None:
                yield call
            return


def _request(template: prompts.Template, problem: Problem, index: int, how: Writing) -> Request:
    return Request(
        template.render(problem, program=problem.solution),
        seed=seed_of(how.seed, problem.id, index, "inputs"),
        temperature=how.temperature,
        top_p=0.95,
        max_tokens=how.max_tokens,
        stop=template.stops,
        problem=problem.id,
        index=index,
        role="inputs",
    )


def _answers(model: Model, requests: Sequence[Request]) -> Iterator[Completion]:
    """Yield the answers in order, as many requests at once as the model likes."""
    size = model.batch * model.parallel

    async def ask(part: Sequence[Request]) -> list[Completion]:
        calls = [model.sample(list(few)) for few in _parts(part, model.batch)]
        return [answer for answers in await asyncio.gather(*calls) for answer in answers]

    with asyncio.Runner() as runner:  # one loop for all: a client's connections belong to theirs
        for part in _parts(requests, size):
            yield from runner.run(ask(part))


def _parts(items: Sequence[Request], size: int) -> Iterator[Sequence[Request]]:
    return (items[at : at + size] for at in range(0, len(items), size))
