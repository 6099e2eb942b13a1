"""A chain in words and in code: statement, header with a worked example, and program."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from regreen.benchmarks.katas.chains import Steps, pick
from regreen.benchmarks.katas.operation import TYPES, Kind, fill, nest

NAMES = ("solve", "run", "work", "change", "build", "get", "make", "convert", "compute", "apply", "answer", "process")
_LINKS = (", then ", ". Then ", ", and then ")
_STYLES = ("lines", "tail", "tail", "nested")


def statement(rng: Random, steps: Steps) -> str:
    """Return what a chain does in words, each operation by one of its phrases."""
    phrases = [fill(pick(rng, step.operation.phrases), step.constant) for step in steps]
    return sentence(phrases, pick(rng, _LINKS))


def sentence(phrases: Sequence[str], link: str) -> str:
    """Return orders as a sentence or two."""
    text = link.join(phrases)
    return f"{text[0].upper()}{text[1:]}."


def header(name: str, kinds: tuple[Kind, Kind], said: str, example: tuple[Any, Any]) -> str:
    """Return a function's first line and docstring, with one worked example, for a program to go on from."""
    takes, gives = (TYPES[kind] for kind in kinds)
    given, expected = example
    return (
        f'def {name}(x: {takes}) -> {gives}:\n    """{said}\n\n    >>> {name}({given!r})\n    {expected!r}\n    """\n'
    )


def idioms(rng: Random, steps: Steps) -> list[str]:
    """Return one way to write each step, the commoner ones more often."""
    return [fill(_idiom(rng, step.operation.idioms), step.constant) for step in steps]


def _idiom(rng: Random, options: Sequence[str]) -> str:
    return options[int(rng.random() * rng.random() * len(options))] if len(options) > 1 else options[0]


def style(rng: Random) -> str:
    """Return how a program is laid out: a line for each step, the last one in the return, or all in one line."""
    return pick(rng, _STYLES)


def body(codes: Sequence[str], style: str) -> str:
    """Return a function's body that applies expressions in ``x`` one after another."""
    if style == "nested" and (code := _nested(codes)) is not None:
        return f"    return {code}\n"
    if style == "lines":
        return "".join(f"    x = {code}\n" for code in codes) + "    return x\n"
    return "".join(f"    x = {code}\n" for code in codes[:-1]) + f"    return {codes[-1]}\n"


def _nested(codes: Sequence[str]) -> str | None:
    """Return the expressions as one; None where one does not nest or the whole is hard to read."""
    whole: str | None = codes[0]
    for code in codes[1:]:
        whole = nest(code, whole) if whole is not None else None
    return whole if whole is not None and len(whole) <= 60 else None
