"""Program: a candidate's source, where it came from and what it cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Program:
    """One candidate for one problem; ``(problem, index, role)`` is its key in a run.

    ``index`` counts a problem's programs from 0 in file or sampling order. ``text`` is what the model wrote, ``source``
    what was extracted from it by the rule ``extraction``; nothing extractable leaves ``source`` empty and
    ``extraction`` "none". ``prompt`` is the key under which ``prompts.jsonl`` has what the model was shown. ``tokens``
    counts generated tokens, ``reasoning_tokens`` those of them spent on ``reasoning``; ``logprob`` is the untempered
    sum over ``text``, which has ``text_tokens`` tokens. ``prompt_tokens`` were read, ``cached_tokens`` of them from
    what the backend had kept. ``error`` says why a backend refused the sample.
    """

    problem: str
    index: int
    source: str
    role: str = "sample"
    text: str | None = None
    extraction: str | None = None
    model: str | None = None
    prompt: str | None = None
    seed: int | None = None
    temperature: float | None = None
    tokens: int | None = None
    text_tokens: int | None = None
    logprob: float | None = None
    finish: str | None = None
    reasoning: str | None = None
    reasoning_tokens: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    error: str | None = None

    @property
    def key(self) -> tuple[str, int, str]:
        """The program's key in a run."""
        return self.problem, self.index, self.role


def program_to_line(program: Program) -> dict[str, Any]:
    """Return the program as one record of ``programs.jsonl``, leaving out what is unknown."""
    return {"v": 1, **{name: value for name, value in asdict(program).items() if value is not None}}


def program_from_line(line: dict[str, Any]) -> Program:
    """Rebuild a program from a record of ``programs.jsonl``."""
    return Program(**{name: value for name, value in line.items() if name != "v"})
