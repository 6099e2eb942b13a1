"""What the tiny models are taught: pairs of a prompt and its answer, made from katas' training problems."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from random import Random
from typing import NamedTuple

from regreen.feedback import error_sentence
from regreen.models import Model, Request
from regreen.problem import Call, Problem, call_text
from regreen.prompts import Wrong, load
from regreen.sandbox import LocalSandbox

SAMPLES = 6000  # problems whose texts the tokenizer is trained on
OWN = 20_000  # problems on which a model's own wrong programs are looked for
SHARES = {"write": 0.35, "refine": 0.3, "refine, told": 0.08, "explain": 0.1, "docstring": 0.07, "predict": 0.1}


class Lesson(NamedTuple):
    """A prompt, and the answer that is learned after it."""

    prompt: str
    answer: str


def write(problem: Problem, program: str | None = None) -> Lesson:
    """A program from its header: the problem's solution unless another is given."""
    return Lesson(str(load("codex").render(problem)), body_of(problem, program or problem.solution or ""))


def refine(problem: Problem, wrong: Wrong) -> Lesson:
    """The right program after a wrong one, how it failed and, if there are any, words about it."""
    return Lesson(str(load("refine").render(problem, wrong=wrong)), body_of(problem, problem.solution or ""))


def explain(problem: Problem, wrong: Wrong) -> Lesson:
    """Words about a wrong program and how it failed, and then the right one: what only asks for words stops there."""
    prompt = str(load("joint-plain").render(problem, wrong=replace(wrong, feedback="")))
    return Lesson(prompt, f" {wrong.feedback}\n\n    ### Good solution:\n{body_of(problem, problem.solution or '')}")


def docstring(problem: Problem) -> Lesson:
    """The statement after the solution."""
    prompt = str(load("docstring").render(problem, program=problem.solution))
    return Lesson(prompt, f'{problem.statement.strip()}"""')


def predict(problem: Problem, draws: Random) -> Lesson:
    """The result of a call after the solution."""
    check = draws.choice([check for check in problem.checks if isinstance(check, Call)])
    prompt = str(
        load("execution").render(problem, program=problem.solution, call=call_text(check, problem.entry_point))
    )
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


def own_failures(model: Model, problems: Iterator[Problem]) -> list[tuple[Problem, Wrong]]:
    """Return the wrong programs among those that a model draws for many problems, one for each."""
    asked, codex = list(islice(problems, OWN)), load("codex")
    requests = [Request(codex.render(p), seed, 1.0, max_tokens=160, stop=codex.stops) for seed, p in enumerate(asked)]
    texts = answers(model, requests)
    return list(failures((p, codex.source(p, text).source) for p, text in zip(asked, texts, strict=True)))


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
    yield from (predict(problem, draws) for problem in few)


def mixed(
    problems: Iterator[Problem], buggy: Iterator[Problem], own: Sequence[tuple[Problem, Wrong]]
) -> Iterator[Lesson]:
    """Yield lessons of all kinds without end.

    Args:
        problems: to be solved, described and predicted.
        buggy: problems with a program in ``meta["corpus"]``, of which those with a known bug are explained.
        own: the model's own wrong programs.
    """
    draws = Random(0)
    bugs = with_bugs(buggy)
    kinds: dict[str, Callable[[], Lesson]] = {
        "write": lambda: write(next(problems)),
        "refine": lambda: refine(*draws.choice(own)),
        "refine, told": lambda: refine(*next(bugs)),
        "explain": lambda: explain(*next(bugs)),
        "docstring": lambda: docstring(next(problems)),
        "predict": lambda: predict(next(problems), draws),
    }
    while True:
        yield kinds[draws.choices(list(SHARES), list(SHARES.values()))[0]]()


def with_bugs(problems: Iterator[Problem]) -> Iterator[tuple[Problem, Wrong]]:
    """Yield the problems whose corpus has a bug in one place, and the program with words about that."""
    for problem, wrong in failures((p, p.meta["corpus"]) for p in problems if p.meta["bug"]):
        if words := explanation(problem, wrong.source):
            yield problem, replace(wrong, feedback=words)


def explanation(problem: Problem, program: str) -> str | None:
    """Return a line that says where a program and the solution differ, and how; None if they are not alike."""
    wrong, right = (body_of(problem, text).splitlines() for text in (program, problem.solution or ""))
    at = next((at for at, pair in enumerate(zip(wrong, right, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        return None
    rests = {"changed": (wrong[at + 1 :], right[at + 1 :]), "dropped": (wrong[at:], right[at + 1 :])}
    rests |= {"repeated": (wrong[at + 1 :], right[at:]), "swapped": (sorted(wrong), sorted(right))}
    if not any(rest == other for rest, other in rests.values()):
        return None
    return f"{problem.meta['bug'].capitalize()}: line {at + 1} should be {right[at].strip()}"
