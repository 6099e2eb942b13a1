"""Chains of refinements, grown round by round, and the controls beside them.

A chain is a tree of width one: the first program ``i``, its refinement ``i.0``, that one's ``i.0.0``. A program that
passes is kept; only the newest wrong program is shown, never an earlier one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from regreen import prompts
from regreen.attempt import Ask, Attempt, Grower, Opening
from regreen.attempt.growing import Policy, all_of
from regreen.attempt.opening import as_json
from regreen.controls import RESAMPLE
from regreen.errors import InputError
from regreen.inquiry import Inquiry
from regreen.problem import Problem
from regreen.prompts import Wrong
from regreen.refine.ladder import Chain, Teller, ladder
from regreen.refine.options import CONTROLS, Refining
from regreen.tree import key_of

Step = Callable[[Grower, Problem, int], Awaitable[None]]  # for one chain


class Chains:
    """The chains of all problems of a run.

    Args:
        inquiry: who is asked for first programs, how, and of which problems; the first decides which template refines.
        refining: how they are refined.
    """

    def __init__(self, inquiry: Inquiry, refining: Refining) -> None:
        sampling, problems, model = inquiry.sampling, inquiry.problems, inquiry.model
        self.opening = inquiry.opening
        several = sampling.n > 1 or refining.rounds > 1
        if "resample" in refining.controls and refining.fresh_temperature == 0 and several:
            raise InputError(
                "fresh programs at temperature 0 are one program, however many: no control of equal budget; "
                "give --resample-temperature 0.6, or --control without resample"
            )
        self._later, self._fresh = (
            Opening(replace(sampling, n=1, temperatures=(heat,)), problems, model, inquiry.choice.data)
            for heat in (refining.temperature, refining.fresh_temperature)
        )
        chat = self.opening.template.is_chat
        self.template = prompts.load(refining.template or prompts.default_for(problems[0], chat=chat, what="repair"))
        self.rounds = 0  # that were begun
        self._teller = Teller(refining.telling, self.opening, refining.reveal)
        self._model, self._refining, self._problems, self._n = model, refining, problems, sampling.n
        self._firsts: dict[Chain, Attempt] = {}
        self._standing: dict[Chain, Attempt] = {}

    def grow(self, grower: Grower, *, quiet: bool = True) -> bool:
        """Write first programs, refine them, draw the controls; False if the tokens were spent before the end."""
        self._stage(grower, "first programs", self._write, quiet)
        while self.rounds < self._refining.rounds and not grower.out_of_tokens and self._round(grower, quiet):
            pass
        if "resample" in self._refining.controls:
            self._stage(grower, "resampling", self._resample, quiet)
        if not grower.out_of_tokens:
            self._stage(grower, "controls", self._controls(grower), quiet)
        return not grower.out_of_tokens

    def _round(self, grower: Grower, quiet: bool) -> bool:
        """Refine what fails; tell whether another round may follow."""
        before = self._passed()
        if not any(attempt.can_be_repaired for attempt in self._standing.values()):
            return False
        self.rounds += 1
        self._stage(grower, f"refining, round {self.rounds}", self._refine, quiet)
        return self._refining.until == "problem" or self._passed() > before

    def _stage(self, grower: Grower, what: str, step: Step, quiet: bool) -> None:
        if not grower.out_of_tokens:
            policy = self._for_every_chain(grower, step)
            grower.grow(self._problems, policy, what=what, total=len(self._problems), quiet=quiet)

    def _for_every_chain(self, grower: Grower, step: Step) -> Policy:
        async def one(problem: Problem, index: int) -> None:
            await step(grower, problem, index)

        async def policy(problem: Problem) -> None:
            await all_of(one(problem, index) for index in range(self._n))

        return policy

    def _passed(self) -> int:
        return sum(attempt.passed for attempt in self._standing.values())

    async def _write(self, grower: Grower, problem: Problem, index: int) -> None:
        attempt = await grower.attempt(self.opening.ask(problem, index, grower.run), self._model)
        self._firsts[problem.id, index] = self._standing[problem.id, index] = attempt

    async def _refine(self, grower: Grower, problem: Problem, index: int) -> None:
        standing = self._standing[problem.id, index]
        if standing.can_be_repaired:
            wrong = self._teller.wrong(problem, standing)
            ask = self._ask(grower, problem, wrong, f"{standing.node}.0", "repair")
            self._standing[problem.id, index] = await grower.attempt(ask, self._model)

    async def _resample(self, grower: Grower, problem: Problem, index: int) -> None:
        """Write a fresh program for each round of refinement there was, until one passes."""
        attempt, number = self._firsts[problem.id, index], 0
        while attempt.can_be_repaired and number < self.rounds:
            number += 1
            ask = self._fresh.ask(problem, index, grower.run, role=f"{RESAMPLE}:{number}")
            attempt = await grower.attempt(ask, self._model)

    def _controls(self, grower: Grower) -> Step:
        """Return the step that refines a failing first program once more for each control, told something else."""
        wanted = {CONTROLS[name] for name in self._refining.controls if name != "resample"}
        shown = self._shown_instead(grower) if wanted else {}

        async def step(grower: Grower, problem: Problem, index: int) -> None:
            instead = shown.get((problem.id, index), {})
            asks = [self._ask(grower, problem, instead[r], f"{index}.0", r) for r in sorted(wanted & set(instead))]
            await all_of(grower.attempt(ask, self._model) for ask in asks)

        return step

    def _shown_instead(self, grower: Grower) -> dict[Chain, dict[str, Wrong]]:
        failing = {chain: first for chain, first in self._firsts.items() if first.can_be_repaired}
        if not self.rounds:
            return {}
        fresh = [attempt for chain in failing for attempt in self._fresh_failures(grower, chain)]
        problems = {problem.id: problem for problem in self._problems}
        return ladder(self._teller, problems, failing, fresh, seed=self.opening.sampling.seed)

    def _fresh_failures(self, grower: Grower, chain: Chain) -> list[Attempt]:
        """Return the fresh programs drawn for one chain that failed."""
        found = []
        for number in range(1, self.rounds + 1):
            key = (*chain, f"{RESAMPLE}:{number}")
            program = grower.run.program(key)
            if program is not None:
                found.append(Attempt(program, grower.run.verdict(key)))
        return [attempt for attempt in found if attempt.can_be_repaired]

    def _ask(self, grower: Grower, problem: Problem, wrong: Wrong, child: str, kind: str) -> Ask:
        prompt = self.template.render(self.opening.showing(problem), wrong=wrong)
        key = grower.run.add_prompt(as_json(prompt))
        _, index, role = key_of(problem.id, child, kind)
        return self._later.asked(problem, prompt, key, index, role, self.template)
