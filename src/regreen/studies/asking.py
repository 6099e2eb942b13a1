"""A model asked under several conditions: a run for each of them, in one folder, resumable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.evaluate import Choice, Judging, Sampling, evaluate_problems
from regreen.models import Model
from regreen.problem import Problem
from regreen.records import MANIFEST, STUDY, Record, read_json, write_json
from regreen.run import Settings
from regreen.summary import View


@dataclass(frozen=True)
class Study:
    """Who is asked about which problems in a study, and where its runs lie.

    ``own`` are the study's own problems, where they are those of no benchmark, whose name then only says what they are.
    ``decides`` names what decides the result beside what each run's own manifest says; with ``benchmark``, the model
    and the sampling it gives the folder its name, unless ``out`` does.
    """

    name: str
    benchmark: str
    model: Model
    sampling: Sampling = field(default_factory=Sampling)
    choice: Choice = field(default_factory=Choice)
    judging: Judging = field(default_factory=Judging)
    out: Path | None = None
    quiet: bool = True
    decides: Mapping[str, Any] = field(default_factory=dict)
    own: tuple[Problem, ...] = ()

    @cached_property
    def folder(self) -> Path:
        """Where the runs lie: ``out``, or ``runs/study-NAME-BENCHMARK-HASH``."""
        asked = {**self.sampling.decides(), "prompt": self.sampling.prompt, "model": self.model.name}
        return self.out or Settings(f"study-{self.name}", self.called, {**asked, **self.decides}).directory

    @property
    def called(self) -> str:
        """The benchmark's full name."""
        return self._loaded[0]

    @property
    def problems(self) -> list[Problem]:
        """The benchmark's problems, or the study's own, all of them."""
        return self._loaded[1]

    @cached_property
    def _loaded(self) -> tuple[str, list[Problem]]:
        return (self.benchmark, list(self.own)) if self.own else self.choice.load(self.benchmark, "ask")

    def run(
        self,
        condition: str,
        *,
        benchmark: str | None = None,
        problems: Sequence[Problem] | None = None,
        examples: Sequence[Problem] | None = None,
        model: Model | None = None,
        view: View | None = None,
        **differs: Any,
    ) -> Record:
        """Ask under one condition, unless that is done, and return the run's scores.

        Args:
            condition: its name, and that of the run in :attr:`folder`.
            benchmark: what other problems are called.
            problems: other problems than the benchmark's, such as the same ones said in another way.
            examples: solved problems to show instead of those that the sampling names.
            model: another model.
            view: which scores.
            differs: fields of :class:`Sampling` that are not those of the study.

        Raises:
            InputError: what the condition asks for cannot be used, or the folder holds another study's runs.
            InfrastructureError: the model or the judge cannot be reached; the same call continues.
        """
        self._refuse_other()
        return evaluate_problems(
            benchmark or self.called,
            self.problems if problems is None else problems,
            model or self.model,
            sampling=replace(self.sampling, **differs),
            choice=self.choice,
            judging=self.judging,
            view=view or View(seed=self.sampling.seed),
            out=self.folder / condition,
            quiet=self.quiet,
            examples=examples,
            decides=self.decides,
        )

    def _refuse_other(self) -> None:
        """Refuse a folder in which another study has found something."""
        if (self.folder / MANIFEST).exists():
            raise InputError(f"{self.folder} holds a run, not a study; give another -o")
        if (self.folder / STUDY).exists() and (held := read_json(self.folder / STUDY).get("study")) != self.name:
            raise InputError(f"{self.folder} holds the study {held!r}, not {self.name!r}; give another -o")

    def found(self, finding: Record) -> Record:
        """Write down what was found, and return it with where the runs lie."""
        found = {**finding, "folder": str(self.folder)}
        write_json(self.folder / STUDY, found)
        return found
