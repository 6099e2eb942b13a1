"""Which template, and which solved examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from random import Random
from typing import Literal

from regreen.errors import InputError
from regreen.problem import Problem
from regreen.prompts.views import opens_function, reads_stdin
from regreen.stated import asks_for_program

What = Literal["program", "feedback", "joint", "repair"]


def default_for(problem: Problem, chat: bool, what: What = "program") -> str:
    """Return the name of the template that fits a problem, for a chat model or for one that continues text.

    ``what`` is asked: a program, feedback on a wrong one, a repair of it, or feedback and repair in one text.
    """
    if what != "program":
        return what if chat else _plain(problem, what)
    if not asks_for_program(problem):
        name = "execution" if "asked" in problem.meta else "mathqa-dsl"
        return f"{name}-chat" if chat else name
    if chat:
        return "chat"
    if opens_function(problem):
        return "codex"
    if problem.meta.get("source") == "mathqa":
        return "mathqa"
    return "apps" if "starter_code" in problem.meta or reads_stdin(problem) else "austin"


def _plain(problem: Problem, what: What) -> str:
    if what == "feedback":
        return "explain"
    completes = opens_function(problem)
    if what == "repair":
        return "refine" if completes else "refine-program"
    return "joint-plain" if completes else "joint-program"


def choose_examples(
    problems: Iterable[Problem], *, ids: Sequence[str] = (), count: int = 0, seed: int = 0, without: str | None = None
) -> tuple[Problem, ...]:
    """Return solved problems to show before the question: those named, or some drawn at random.

    Args:
        problems: where to choose from; those without a solution are passed over in drawing.
        ids: which ones, in this order; ``count`` and ``seed`` then say nothing.
        count: how many to draw.
        seed: of the draw. All problems asked see the same examples, but for one that was drawn itself.
        without: the id of the problem asked, which is never its own example.

    Raises:
        InputError: an id that is not there or has no solution, or fewer solved problems than ``count``.
    """
    solved = {problem.id: problem for problem in problems if problem.solution}
    if ids:
        return tuple(_example(solved, id) for id in ids if id != without)
    if count > len(solved) - (without in solved):
        raise InputError(f"{count} examples asked, but only {len(solved)} solved problems to choose from; ask for less")
    drawn = Random(seed).sample(sorted(solved), min(count + 1, len(solved)))
    return tuple(solved[id] for id in [id for id in drawn if id != without][:count])


def _example(solved: Mapping[str, Problem], id: str) -> Problem:
    if id not in solved:
        raise InputError(unknown("example", id, solved, "with a solution"))
    return solved[id]


def unknown(kind: str, name: str, known: Iterable[str], besides: str) -> str:
    """Say that there is nothing of that name, what comes near, and what there is."""
    known = list(known)
    close = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}? " if close else ""
    some = ", ".join([*known[:8], "..."] if len(known) > 8 else known) or "none"
    return f"unknown {kind} {name!r}: {hint}known are {some}, {besides}"
