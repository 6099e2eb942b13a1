"""From programs that were drawn together to lessons: grouped by problem, weighed by a method."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from regreen.errors import InputError
from regreen.problem import Problem
from regreen.train.advantages import mixed_groups
from regreen.train.config import RltfConfig
from regreen.train.online.drawing import Drawn, by_problem, passes
from regreen.train.online.knowing import Prompts
from regreen.train.online.presets import Method, baseline_of, needs_others
from regreen.train.placing import places_of
from regreen.train.policy import Policy
from regreen.train.weighing import Group, Judged, Weighed, Written, anchored


class Weigher:
    """Makes lessons of programs that were drawn together.

    Args:
        config: of the training.
        prompts: tokens of prompts.
        policy: whose tokens they are.
        problems: by name.
        method: what makes lessons of a group.
    """

    def __init__(
        self,
        config: RltfConfig,
        prompts: Prompts,
        policy: Policy,
        problems: Mapping[str, Problem],
        method: Method,
    ) -> None:
        self._config, self._prompts, self._policy = config, prompts, policy
        self._problems, self._method = problems, method
        self._earlier: dict[str, list[Judged]] = defaultdict(list)
        self._turns = 0

    def __call__(self, drawn: Sequence[Drawn]) -> list[Weighed]:
        """Return the lessons; raises InputError for a reward that is no number."""
        groups = list(by_problem(self._dealt(drawn)).values())
        if self._config.draw.mixed:
            groups = mixed_groups(groups, passes)
        return [weighed for group in groups for weighed in self._weighed(group)]

    def _weighed(self, drawn: Sequence[Drawn]) -> list[Weighed]:
        problem = self._problems[drawn[0].problem]
        learned = [each for each in drawn if not each.is_greedy and each.tokens]
        if len(learned) == 1 and needs_others(self._config.method):  # the others were refused, or empty
            return []
        greedy = [Judged(each.found.source, each.verdict) for each in drawn if each.is_greedy]
        written = [self._written(problem, each) for each in learned]
        critic = [each.believed for each in learned if each.believed is not None] or None
        group = Group(problem, written, greedy[-1] if greedy else None, tuple(self._earlier[problem.id]))
        try:
            found = self._method(group, critic)
        except ValueError as error:
            raise InputError(f"{problem.id}: {error}") from error
        if baseline_of(self._config.method) == "best-so-far":
            self._earlier[problem.id] += [Judged(each.found.source, each.verdict) for each in learned]
        weight = self._config.method.kl
        if not weight:
            return found
        pairs = zip(found, learned, strict=True)
        return [w._replace(lesson=anchored(w.lesson, d.reference or (), weight=weight)) for w, d in pairs]

    def _written(self, problem: Problem, each: Drawn) -> Written:
        places = places_of(self._policy.tokenizer, each.text, each.tokens, continues=not self._policy.apart)
        before, source = self._prompts(problem), each.found.source
        return Written(before, each.tokens, each.text, places, source, each.verdict, each.behaviour, each.heat)

    def _dealt(self, drawn: Sequence[Drawn]) -> list[Drawn]:
        """Return the programs as they are, or for the control with their verdicts dealt out among them at random.

        Those of greedy programs are dealt out among these: were they left, an advantage would tell which problems are
        easy, and the wrong way round.
        """
        self._turns += 1
        if not self._config.method.shuffled:
            return list(drawn)
        dealt, generator = list(drawn), random.Random(f"{self._config.seed}\0{self._turns}")
        for greedy in (False, True):
            at = [place for place, each in enumerate(drawn) if each.is_greedy == greedy]
            verdicts = [drawn[place].verdict for place in at]
            generator.shuffle(verdicts)
            for place, verdict in zip(at, verdicts, strict=True):
                dealt[place] = replace(dealt[place], verdict=verdict)
        return dealt
