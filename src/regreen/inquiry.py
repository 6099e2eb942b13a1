"""A model is asked about a benchmark's problems: how evaluating, repairing and dialogs begin and end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regreen.attempt import Opening
from regreen.models import Model
from regreen.options import Choice, Judging, Sampling, about, asked_of
from regreen.problem import Problem
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.sandbox import Sandbox
from regreen.summary import View
from regreen.working import finish, notes_on


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Who is asked about which problems, and how.

    ``benchmark`` is the benchmark's full name, ``problems`` are those chosen of it. ``decides`` holds all that decides
    first programs and their verdicts.
    """

    benchmark: str
    problems: list[Problem]
    model: Model
    sampling: Sampling
    choice: Choice
    opening: Opening
    decides: Record

    @classmethod
    def of(cls, benchmark: str, model: Model, sampling: Sampling, choice: Choice, judging: Judging) -> Inquiry:
        """Load the problems and the prompt; raises InputError where one of them is not to be had."""
        return cls.about(*choice.load(benchmark, "ask"), model, sampling, choice, judging)

    @classmethod
    def about(
        cls,
        name: str,
        problems: Sequence[Problem],
        model: Model,
        sampling: Sampling,
        choice: Choice,
        judging: Judging,
        *,
        examples: Sequence[Problem] | None = None,
    ) -> Inquiry:
        """Choose among problems at hand, which are called ``name``; raises InputError as :meth:`of` does.

        ``examples`` are solved problems to show instead of those that the sampling names.
        """
        chosen = choice.choose(problems)
        opening = Opening(sampling, chosen, model, choice.data, examples=examples)
        decides = asked_of(model, sampling, opening.template, problems, choice, judging)
        if examples is not None:
            decides["examples"] = [f"{example.id} {_digest(example)}" for example in examples]
        return cls(name, chosen, model, sampling, choice, opening, decides)

    def run(
        self,
        command: str,
        out: Path | None,
        sandbox: Sandbox,
        *,
        decides: Mapping[str, Any] | None = None,
        grows: Mapping[str, int | None] | None = None,
        **facts: Any,
    ) -> Run:
        """Open the run directory.

        Args:
            command: whose run it is.
            out: where it lies; None for the settings' own place.
            sandbox: where its programs are judged.
            decides: what decides the result beside the first programs.
            grows: what may grow beside the problems and the tokens.
            facts: further ones for the manifest.

        Raises:
            RunLockedError: another process writes to it.
            InputError: it is no run directory, or one with other settings.
        """
        limits = {"limit": self.choice.limit, "max_tokens_total": self.sampling.total}
        settings = Settings(command, self.benchmark, {**self.decides, **(decides or {})}, {**(grows or {}), **limits})
        return Run(out, settings, about=about(sandbox, model=dict(self.model.facts), **facts))

    def end(self, run: Run, view: View | None, *others: Model | None, out_of_tokens: bool) -> Record:
        """Write the scores; return them with ``notes``, what the user must hear of this model and the others asked."""
        run.manifest.update(model=dict(self.model.facts))
        stopped_at = run.counts.generated if out_of_tokens else None
        found = finish(run, view, stopped_at=stopped_at)
        return found | {"notes": notes_on(found, self.model, *others, stopped_at=stopped_at)}


def _digest(example: Problem) -> str:
    """Return a digest of the words and the code that a prompt may show of a solved problem."""
    shown = [example.statement, example.prompt, example.solution]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:8]
