"""Feedback that is made and not asked for: arms, each of which has words about a failing program, or none.

    arms = open_arms("static+trace", sandbox, problems=ids)
    said = await words_of(arms, problem, source, verdict)

``none`` (nothing but the error sentence), ``oracle`` (where behaviour first differs from the reference solution's),
``static`` (what is found in the text), ``trace`` (values along the failing run), ``notes:FILE`` (a person's words).
What a model says is the engine's to ask; :func:`split_arms` tells such parts of a choice (``self+static``) apart.

None of them tells what a hidden check holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from regreen.arms.notes import Notes
from regreen.arms.oracle import Oracle
from regreen.arms.static import Static
from regreen.arms.trace import Trace
from regreen.errors import InputError
from regreen.problem import Problem
from regreen.sandbox import Sandbox
from regreen.verdict import Verdict

__all__ = [
    "ARMS",
    "Arm",
    "Notes",
    "Oracle",
    "Silent",
    "Static",
    "Trace",
    "join_words",
    "open_arms",
    "split_arms",
    "words_of",
]

ARMS = ("none", "oracle", "static", "trace", "notes:FILE")


class Arm(Protocol):
    """Whatever has words about a failing program."""

    @property
    def name(self) -> str:
        """How a command names it."""

    async def __call__(self, problem: Problem, source: str, verdict: Verdict, *, node: str | None = None) -> str:
        """Return words about the program, "" where there are none; ``node`` is its name in a tree."""


class Silent:
    """The arm ``none``: the error sentence is all there is."""

    name = "none"

    def __repr__(self) -> str:
        return "<Arm none>"

    async def __call__(self, problem: Problem, source: str, verdict: Verdict, *, node: str | None = None) -> str:
        """Return nothing."""
        return ""


def split_arms(choice: str) -> tuple[list[str], list[str]]:
    """Return the parts of a choice such as ``self+static``: those that are arms, and those that name models.

    Raises:
        InputError: an empty part, or ``none`` beside others.
    """
    parts = [part.strip() for part in choice.split("+")]
    if not all(parts) or ("none" in parts and len(parts) > 1):
        raise InputError(f"feedback {choice!r}: expected parts joined by +, as static+trace, or none alone")
    arms = [part for part in parts if _is_arm(part)]
    return arms, [part for part in parts if not _is_arm(part)]


def open_arms(choice: str, sandbox: Sandbox, *, problems: Collection[str] = (), seed: int = 0) -> list[Arm]:
    """Return the arms of a choice, in its order.

    Args:
        choice: ``none``, ``oracle``, ``static``, ``trace``, ``notes:FILE``, or some of them joined by ``+``.
        sandbox: where ``oracle`` and ``trace`` run programs.
        problems: the ids that notes may name.
        seed: of the inputs that ``oracle`` makes.

    Raises:
        InputError: no such arm, or one that cannot be used here.
    """
    arms, others = split_arms(choice)
    if others:
        raise InputError(f"unknown feedback {others[0]!r}; known are {', '.join(ARMS)}, and some of them joined by +")
    return [_open(name, sandbox, problems, seed) for name in arms]


async def words_of(
    arms: Iterable[Arm], problem: Problem, source: str, verdict: Verdict, *, node: str | None = None
) -> str:
    """Return what the arms say, a blank line between one and the next."""
    return join_words([await arm(problem, source, verdict, node=node) for arm in arms])


def join_words(said: Sequence[str]) -> str:
    """Return words of several origins as one text, a blank line between them; empty ones leave no trace."""
    return "\n\n".join(words for words in said if words)


def _is_arm(name: str) -> bool:
    return name in ARMS or name.startswith("notes:")


def _open(name: str, sandbox: Sandbox, problems: Collection[str], seed: int) -> Arm:
    if name.startswith("notes:"):
        return Notes(Path(name.removeprefix("notes:")), problems=problems)
    if name == "oracle":
        return Oracle(sandbox, seed=seed)
    if name == "trace":
        return Trace(sandbox)
    return Static() if name == "static" else Silent()
