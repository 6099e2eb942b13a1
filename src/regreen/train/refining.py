"""What a policy makes of held-out problems in one shot, and with one refinement of what fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regreen.models import Model
from regreen.problem import Problem, with_revealed
from regreen.prompts import Template
from regreen.sandbox import Sandbox
from regreen.similarity import copies
from regreen.telling import Telling
from regreen.train.teaching import Asked, tried

_STAGE = "validation:refine"  # of the seeds


@dataclass(frozen=True, slots=True)
class Refined:
    """Shares: programs that pass, those that pass after one refinement too, and refinements that are copies."""

    passed: float
    refined: float
    copied: float

    def to_json(self) -> dict[str, float]:
        """Return them under the names that a training's metrics have."""
        return {"pass@1": self.passed, "refined@1": self.refined, "copied": self.copied}


@dataclass(frozen=True, slots=True)
class Refiner:
    """How programs are asked for and refined; ``reveal`` is "shown", "revealed", "all", or None: the problem's own."""

    write: Template
    refine: Template
    telling: Telling
    reveal: str | None = None

    def measure(self, model: Model, problems: Sequence[Problem], sandbox: Sandbox, *, asked: Asked) -> Refined:
        """Return what a model makes of problems, at least one, refining each failing program once.

        A copy is the same text as the wrong program but for white space.
        """
        wanted = [(problem, self.write.render(problem), index) for problem in problems for index in range(asked.n)]
        first = tried(model, wanted, self.write, sandbox, asked=asked)
        failing = [at for at, (_, verdict) in enumerate(first) if not verdict.passed]
        again = []
        for at in failing:
            problem, (source, verdict) = wanted[at][0], first[at]
            told = problem if self.reveal is None else with_revealed(problem, self.reveal)
            wrong = self.telling.wrong(source, self.telling.words(told, verdict))
            again.append((problem, self.refine.render(problem, wrong=wrong), wanted[at][2]))
        second = tried(model, again, self.refine, sandbox, asked=asked, stage=_STAGE) if again else []
        mended = sum(verdict.passed for _, verdict in second)
        copied = sum(copies(first[at][0], source).spaces for at, (source, _) in zip(failing, second, strict=True))
        passed = len(first) - len(failing)
        return Refined(passed / len(first), (passed + mended) / len(first), copied / max(1, len(failing)))
