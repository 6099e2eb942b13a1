"""TRL's trainer with this package's weights: one advantage for each token, where TRL has one for each completion.

trainer = SpanTrainer("my/model", problems=problems, args=GRPOConfig(...), train_dataset=rows)  # with prompt, problem
trainer = SpanTrainer(..., weigh=lambda group: paper(group, terms=(Term("fine", FineGrained(), compared=False),)))

TRL's loss multiplies by advantages of shape (B,) or (B, T), for those who give them. Under TRL's default,
``loss_type="dapo"``, it is ours with ``reduction="mean"``: a sum over tokens, divided by all that were generated.

What TRL logs as rewards is whether programs pass; what it logs as advantages is made of these, and is not used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from trl.trainer.grpo_trainer import GRPOTrainer

from regreen.errors import InputError
from regreen.models.texts import Texts
from regreen.problem import Problem
from regreen.prompts import Template
from regreen.sandbox import Sandbox
from regreen.train.doors import Found, Scorer
from regreen.train.lessons import Floats
from regreen.train.placing import places_of
from regreen.train.weighing import Group, Weighed, Written, paper

Weigh = Callable[[Group], Sequence[Weighed]]
_WEIGH: Weigh = partial(paper, baseline="leave-one-out")
_BEFORE = (0,)  # stands for the prompt, whose tokens weigh nothing


class SpanTrainer(GRPOTrainer):
    """TRL's ``GRPOTrainer`` whose advantages are weights of tokens, from verdicts on programs; on one device.

    Args:
        model: as TRL takes it.
        problems: those that rows name, in the data set's column ``problem``.
        weigh: what makes lessons of the programs of one problem; by default RLTF's three terms, each program compared
            with the others. There is no greedy program to compare with.
        template: how the program is found in a completion; by default as ``regreen evaluate`` finds it.
        sandbox: where programs are judged; by default this machine, one at a time, under the default limits.
        options: what ``GRPOTrainer`` takes beside ``reward_funcs``.

    Raises:
        InputError: several processes train, or a row names no problem.
    """

    def __init__(
        self,
        model: Any,
        *,
        problems: Iterable[Problem],
        weigh: Weigh = _WEIGH,
        template: Template | None = None,
        sandbox: Sandbox | None = None,
        **options: Any,
    ) -> None:
        self._scorer, self._weigh = Scorer(problems, template=template, sandbox=sandbox), weigh
        self._weights: list[Floats] = []
        super().__init__(model=model, reward_funcs=self.regreen_reward, **options)
        if self.accelerator.num_processes > 1:
            raise InputError("several processes share out the programs of one problem; train with one")

    def regreen_reward(
        self,
        prompts: Any,
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]],
        problem: Sequence[str] | None = None,
        **_: Any,
    ) -> list[float | None]:
        """Return to TRL which programs pass, and keep what their tokens weigh."""
        if problem is None:
            raise InputError("TRL passed no column 'problem'; add one with each row's problem id to the data set")
        judged = self._scorer.judged(list(zip(problem, completions, strict=True)))
        self._weights = self._weighed(judged, completion_ids)
        return [float(each.verdict.passed) for each in judged]

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        ids_BT = output["completion_ids"]  # filled up on the right, as here
        advantages_BT = torch.zeros(ids_BT.shape, dtype=torch.float32)
        for row, weights_T in zip(advantages_BT, self._weights, strict=True):
            row[: len(weights_T)] = torch.from_numpy(weights_T)
        return {**output, "advantages": advantages_BT.to(ids_BT.device)}

    def _weighed(self, judged: Sequence[Found], ids: Sequence[Sequence[int]]) -> list[Floats]:
        """Return the weights of each completion's tokens, in order."""
        by_problem: dict[str, list[int]] = defaultdict(list)
        for at, each in enumerate(judged):
            by_problem[each.problem.id].append(at)
        found: dict[int, Floats] = {}
        for rows in by_problem.values():
            group = Group(judged[rows[0]].problem, [self._written(judged[at], ids[at]) for at in rows])
            for at, weighed in zip(rows, self._weigh(group), strict=True):
                found[at] = weighed.lesson.rl[len(_BEFORE) :]
        return [found[at] for at in range(len(judged))]

    def _written(self, judged: Found, ids: Sequence[int]) -> Written:
        tokenizer = self.processing_class
        (text,) = Texts(tokenizer, "the tokenizer", continues=True).decode([ids])
        return Written(_BEFORE, ids, text, places_of(tokenizer, text, ids), judged.program.source, judged.verdict)
