"""What the tiny models are taught: pairs of a prompt and its answer, made from katas' training problems."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from random import Random
from typing import NamedTuple

from regreen.feedback import error_sentence
from regreen.models import Model, Request
from regreen.problem import Call, Problem, call_text
from regreen.prompts import Wrong, load
from regreen.sandbox import LocalSandbox

SAMPLES = 6000  # problems whose texts the tokenizer is trained on


class Lesson(NamedTuple):
    """A prompt, and the answer that is learned after it."""

    prompt: str
    answer: str


def write(problem: Problem, program: str | None = None) -> Lesson:
    """A program from its header: the problem's solution unless another is given."""
    return Lesson(str(load("codex").render(problem)), body_of(problem, program or problem.solution or ""))


def refine(problem: Problem, wrong: Wrong) -> Lesson:
    """The right program after a wrong one and how it failed."""
    return Lesson(str(load("refine").render(problem, wrong=wrong)), body_of(problem, problem.solution or ""))


def docstring(problem: Problem, program: str | None = None) -> Lesson:
    """The statement after a program."""
    prompt = str(load("docstring").render(problem, program=program or problem.solution))
    return Lesson(prompt, f'{problem.statement.strip()}"""')


def predict(problem: Problem, program: str, draws: Random) -> Lesson:
    """The result of a call after the program."""
    check = draws.choice([check for check in problem.checks if isinstance(check, Call)])
    prompt = str(load("execution").render(problem, program=program, call=call_text(check, problem.entry_point)))
    return Lesson(prompt, f" {check.expected!r}\n")


def body_of(problem: Problem, program: str) -> str:
    """Return a program without the header that the prompt ends with."""
    return program.removeprefix(problem.prompt).rstrip()


def failures(pairs: Iterable[tuple[Problem, str]]) -> Iterator[tuple[Problem, Wrong]]:
    """Yield the programs that fail, in their order, with the sentence that says how."""
    with LocalSandbox(jobs=1) as sandbox:
        for problem, source in pairs:
            verdict = sandbox.judge_now(problem, source)
            if not verdict.passed:
                yield problem, Wrong(source, error_sentence(problem, verdict))


def answers(model: Model, requests: Sequence[Request]) -> list[str]:
    """Return what a model writes for each request."""
    return [completion.text for completion in asyncio.run(model.sample(requests))]


def samples(problems: Iterator[Problem]) -> Iterator[Lesson]:
    """Yield lessons of every kind for the tokenizer; a wrong program is another problem's."""
    draws, some = Random(0), list(islice(problems, SAMPLES))
    yield from map(write, some)
    few = some[: SAMPLES // 6]
    strangers = ((one, one.prompt + body_of(other, other.solution or "")) for one, other in pairwise(few))
    yield from (refine(problem, wrong) for problem, wrong in failures(strangers))
    yield from (predict(problem, problem.solution or "", draws) for problem in few)
