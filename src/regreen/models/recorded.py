"""Models that answer from a file: ``replay:`` by problem and index, ``scripted:`` by what the prompt contains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.formats import files
from regreen.formats.form import BadRow
from regreen.models import Completion, Finish, Request
from regreen.prompts import Prompt

_TEXTS = ("text", "completion", "solution")  # a line's fields that hold what the model wrote


class ReplayModel:
    """Answers with recorded samples, and with the repairs of recorded trees.

    ``place`` is a samples file (``task_id`` with ``completion``, ``solution`` or a list ``samples``; each problem's
    count from index 0), ``programs.jsonl`` or a run directory that holds one. What is not there is refused, no error.
    Where what is recorded continues prompts, it is a model that does: asked by a chat, its texts would be no programs.
    """

    batch, parallel = 1, 64

    def __init__(self, place: str) -> None:
        self.chat = True
        path = Path(place)
        path = path / "programs.jsonl" if path.is_dir() else path
        self.name = f"replay:{place}"
        self.decides: Mapping[str, Any] = {}
        self._samples: dict[tuple[str, int, str], Completion] = {}
        self._counted: Counter[tuple[str, str]] = Counter()
        for where, line in _lines(path):
            self._add(line, where)
        self.facts: Mapping[str, Any] = {"recorded": len(self._samples)}

    def _add(self, line: dict[str, Any], where: str) -> None:
        problem, texts = line.get("problem", line.get("task_id")), _texts(line)
        if not isinstance(problem, str) or not texts:
            raise InputError(f"{where}: expected task_id (or problem) with one of {', '.join(_TEXTS)} or samples")
        role = line.get("role", "sample")
        continues = "completion" in line or "samples" in line or line.get("extraction") == "continuation"
        self.chat = self.chat and not continues
        for text in texts:
            index = line["index"] if isinstance(line.get("index"), int) else self._counted[problem, role]
            self._counted[problem, role] += 1
            finish: Finish = "length" if line.get("finish") == "length" else "stop"
            self._samples[problem, index, role] = Completion(text, tokens=line.get("tokens") or 0, finish=finish)

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return what is recorded for each request's problem and index."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Completion:
        found = self._samples.get((request.problem, request.index, request.role))
        missing = f"no {request.role} {request.index} of {request.problem} is recorded"
        return found or Completion("", tokens=0, finish="error", error=missing)


class ScriptedModel:
    """Answers with the first line of a script that fits; a prompt that none fits is an error.

    A line is ``{"text", "problem"?, "contains"?: [text...]}``: it fits if the request is for that problem and its
    prompt contains all of the texts.
    """

    chat = True
    batch, parallel = 1, 64

    def __init__(self, place: str) -> None:
        self.name = f"scripted:{place}"
        self.decides: Mapping[str, Any] = {}
        self._script = [_scripted(line, where) for where, line in _lines(Path(place))]
        self.facts: Mapping[str, Any] = {"lines": len(self._script)}

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return the first answer that fits each request; raises InputError where none does."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Completion:
        prompt = text_of(request.prompt)
        for problem, parts, text in self._script:
            if problem in (None, request.problem) and all(part in prompt for part in parts):
                return Completion(text, tokens=len(text.split()))
        shown = prompt if len(prompt) <= 200 else f"{prompt[:200]}..."
        raise InputError(f"{self.name}: no line fits the prompt for {request.problem or 'no problem'}: {shown!r}")


def _texts(line: dict[str, Any]) -> list[str]:
    if isinstance(line.get("samples"), list):
        return [text for text in line["samples"] if isinstance(text, str)]
    return [text for text in (line.get(name) for name in _TEXTS) if isinstance(text, str)][:1]


def text_of(prompt: Prompt) -> str:
    """Return a prompt's words, a chat's messages one below the other."""
    return prompt if isinstance(prompt, str) else "\n".join(message.text for message in prompt)


def _scripted(line: dict[str, Any], where: str) -> tuple[str | None, Iterable[str], str]:
    problem, parts, text = line.get("problem"), line.get("contains", []), line.get("text")
    fits = isinstance(text, str) and isinstance(parts, list) and all(isinstance(part, str) for part in parts)
    if not fits or not isinstance(problem, str | None):
        raise InputError(f'{where}: expected {{"text": TEXT, "problem"?: ID, "contains"?: [TEXT, ...]}}')
    return problem, parts, str(text)


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each line's place and object; raises InputError that names file and line."""
    for entry in files.lines(path):
        where, line = entry.where, entry.value
        if not isinstance(line, dict):
            raise InputError(f"{where}: {line if isinstance(line, BadRow) else 'expected a JSON object a line'}")
        yield where, line
