"""What a method must know of programs beside their text and verdict: numbers of each of their tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from regreen.problem import Problem
from regreen.prompts import Template
from regreen.train.config import RltfConfig
from regreen.train.critic import Critic, Told
from regreen.train.lessons import Lesson, reinforced
from regreen.train.online.drawing import Drawn
from regreen.train.online.scoring import scored
from regreen.train.policy import Policy
from regreen.train.subtypes import category_of


@dataclass(slots=True)
class Prompts:
    """The tokens of each problem's prompt, made once."""

    template: Template
    texts: Any
    _known: dict[str, list[int]] = field(default_factory=dict)

    def __call__(self, problem: Problem) -> list[int]:
        """Return the tokens that a policy reads before it writes a program."""
        if problem.id not in self._known:
            self._known[problem.id] = self.texts.prompt(self.template.render(problem))
        return self._known[problem.id]


class Knower:
    """Adds to programs what a method must know of their tokens.

    Where the sampler does not tell the log-probabilities of what it wrote, as a server does not, the policy is asked as
    it is now: drawn between two steps, it is the one that wrote them; drawn beside them, it has gone on a little.

    Args:
        config: of the training.
        prompts: tokens of prompts.
        problems: by name.
        policy: which draws.
        reference: the policy that the training began with, where its divergence weighs.
        critic: which believes in verdicts, where the method has one.
    """

    def __init__(
        self,
        config: RltfConfig,
        prompts: Prompts,
        problems: Mapping[str, Problem],
        policy: Policy,
        reference: Policy | None,
        critic: Critic | None,
    ) -> None:
        self._config, self._prompts, self._problems = config, prompts, problems
        self._policy, self._reference, self._critic = policy, reference, critic

    def __call__(self, drawn: Sequence[Drawn]) -> list[Drawn]:
        """Return the programs with all that is needed.

        A critic learns from them first: as many steps, of as many programs, as the policy will until the next come.
        """
        known = self._behaviour(drawn)
        if self._reference is not None:
            lines = scored(self._reference, [self._plain(each) for each in known], most=self._config.batch.most)
            known = [replace(each, reference=_last(line, each)) for each, line in zip(known, lines, strict=True)]
        return known if self._critic is None else self._judged(known, self._critic)

    def _behaviour(self, drawn: Sequence[Drawn]) -> list[Drawn]:
        needed = self._config.method.ratio or self._config.method.kl
        unknown = [each for each in drawn if needed and each.behaviour is None and not each.is_greedy]
        lines = scored(self._policy, [self._plain(each) for each in unknown], most=self._config.batch.most)
        found = {each.key: _last(line, each) for each, line in zip(unknown, lines, strict=True)}
        return [replace(each, behaviour=found.get(each.key, each.behaviour)) for each in drawn]

    def _judged(self, drawn: Sequence[Drawn], critic: Critic) -> list[Drawn]:
        told = [Told(self._prompts(self._problems[d.problem]), d.tokens, category_of(d.verdict)) for d in drawn]
        for _ in range(self._config.interval):
            draws = np.random.default_rng((self._config.seed, critic.steps))
            count = min(len(told), self._config.batch.programs)
            critic.learn([told[at] for at in draws.choice(len(told), count, replace=False)])
        lines = critic.believes(told)
        return [replace(d, believed=tuple(map(float, line))) for d, line in zip(drawn, lines, strict=True)]

    def _plain(self, drawn: Drawn) -> Lesson:
        lesson = reinforced(self._prompts(self._problems[drawn.problem]), drawn.tokens, 1.0)
        return lesson if drawn.heat in (0.0, 1.0) else replace(lesson, heat=drawn.heat)


def _last(line: Any, drawn: Drawn) -> tuple[float, ...]:
    return tuple(map(float, line[len(line) - len(drawn.tokens) :]))
