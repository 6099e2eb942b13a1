"""Trees and their controls, grown one stage after the other: each stage's policy is awaited for every problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from functools import partial

from regreen.arms import Static, open_arms, split_arms
from regreen.attempt import Grower, Opening
from regreen.attempt.growing import Policy, all_of
from regreen.controls import ALONE, WITHIN, Told, neighbours, resample, swap
from regreen.inquiry import Inquiry
from regreen.models import Model
from regreen.problem import Problem, with_revealed
from regreen.records import TREES, Record, read_records
from regreen.repair.growth import Growth
from regreen.repair.options import Repairing, explainer_of, open_voices
from regreen.repair.orders import ORDERS, batched
from regreen.run import Run
from regreen.sandbox import Sandbox
from regreen.tree import Node, node_from_line


class Repairer:
    """Grows the trees that a repair asks for; everything that it was given decides them.

    Raises InputError where the feedback asked for is not to be had.
    """

    def __init__(
        self,
        inquiry: Inquiry,
        explainer: Model | None,
        repairing: Repairing,
        sandbox: Sandbox,
    ) -> None:
        self._inquiry = inquiry
        self._repairing = repairing
        self._sandbox = sandbox
        model, problems = inquiry.model, inquiry.problems
        arms, speaker = split_arms(repairing.feedback)[0], explainer_of(repairing.feedback)
        ids = {problem.id for problem in problems}
        names = "+".join(arm for arm in arms if arm != "none")
        opened = open_arms(names, sandbox, problems=ids, seed=inquiry.sampling.seed) if names else []
        voice = {None: None, "self": model}.get(speaker, explainer)
        self._voices = open_voices(
            repairing, problems[0], model, voice, tuple(opened), chat=inquiry.opening.template.is_chat
        )
        self._widths = repairing.widths(inquiry.sampling.n, self._voices)

    def decides(self) -> Record:
        """Return what decides the trees beside the first programs."""
        explainer = self._voices.model
        named = {"feedback": self._voices.feedback, "repair": self._voices.repair}
        return {
            **self._repairing.decides(),
            "explainer": explainer and [explainer.name, dict(explainer.decides)],
            "arms": {arm.name: dict(arm.decides) for arm in self._voices.arms if isinstance(arm, Static)},
            "templates": {name: f"{template.name} {template.hash}" for name, template in named.items() if template},
        }

    def grows(self) -> dict[str, int | None]:
        """Return the widths, which may grow from one call to the next."""
        widths = self._widths
        return {"np": widths.np, "nf": widths.nf, "nr": widths.nr}

    def grow(self, run: Run, *, quiet: bool = True) -> bool:
        """Grow all trees, then the controls; False if the tokens were spent before the end."""
        problems = self._inquiry.problems
        grower = Grower(run, self._sandbox, self._models(), tokens=self._inquiry.sampling.total)
        stages: dict[str, Callable[[Grower], Policy]] = {"growing trees": self._tree}
        if "resample" in self._repairing.controls:
            stages["resampling"] = self._resample
            if self._voices.model not in (None, self._inquiry.model):
                stages["the explaining model alone"] = self._alone
        if "swapped" in self._repairing.controls:
            stages["swapping feedback"] = self._swapped
        if "within" in self._repairing.controls:
            stages["swapping feedback within problems"] = self._within
        for what, stage in stages.items():
            if not grower.out_of_tokens:
                grower.grow(problems, stage(grower), what=what, total=len(problems), quiet=quiet)
        return not grower.out_of_tokens

    def _models(self) -> list[Model]:
        return [self._inquiry.model, *([self._voices.model] if self._voices.model else [])]

    def _growth(self, grower: Grower, problem: Problem) -> Growth:
        opening = self._inquiry.opening
        told = opening.showing(problem)
        if self._repairing.reveal is not None:
            told = with_revealed(told, self._repairing.reveal)
        return Growth(problem, told, grower, opening, self._inquiry.model, self._voices)

    def _tree(self, grower: Grower) -> Policy:
        order = partial(batched, full=True) if self._repairing.full else ORDERS[self._repairing.order]
        return lambda problem: order(self._growth(grower, problem), self._widths)

    def _resample(self, grower: Grower) -> Policy:
        budgets = _spent(grower.run, firsts=False)
        opening, model = self._inquiry.opening, self._inquiry.model
        draw = partial(resample, grower=grower, opening=opening, model=model, full=self._repairing.full)
        return lambda problem: draw(problem, budgets[problem.id])

    def _alone(self, grower: Grower) -> Policy:
        model, budgets = self._voices.model, _spent(grower.run, firsts=True)
        assert model is not None  # else there is no such stage
        sampling, data = replace(self._inquiry.sampling, prompt=None), self._inquiry.choice.data
        opening = Opening(sampling, self._inquiry.problems, model, data)
        draw = partial(resample, grower=grower, opening=opening, model=model, role=ALONE, full=self._repairing.full)
        return lambda problem: draw(problem, budgets[problem.id])

    def _swapped(self, grower: Grower) -> Policy:
        growths, told = self._told(grower)
        swapped = swap(told, seed=self._inquiry.sampling.seed)

        async def policy(problem: Problem) -> None:
            given = swapped.get(problem.id, ())
            await all_of(growths[problem.id].repair_swapped(entry, words) for entry, words in given)

        return policy

    def _within(self, grower: Grower) -> Policy:
        growths, told = self._told(grower)
        same = neighbours(told, seed=self._inquiry.sampling.seed)

        async def policy(problem: Problem) -> None:
            given = [(entry, same[key]) for entry in told if (key := (entry.problem, entry.child)) in same]
            own = [(entry, other.words) for entry, other in given if entry.problem == problem.id]
            await all_of(growths[problem.id].repair_swapped(entry, words, role=WITHIN) for entry, words in own)

        return policy

    def _told(self, grower: Grower) -> tuple[dict[str, Growth], list[Told]]:
        """Return every problem's growth, and what was said right below first programs."""
        growths = {problem.id: self._growth(grower, problem) for problem in self._inquiry.problems}
        nodes = (node for node in _nodes(grower.run) if _first_words(node, growths))
        return growths, [growths[node.problem].told(node) for node in nodes]


def _spent(run: Run, *, firsts: bool) -> Counter[str]:
    """Return the tokens of each problem's tree, with its first programs or without."""
    spent: Counter[str] = Counter()
    for node in _nodes(run):
        spent[node.problem] += (node.tokens or 0) if firsts or node.parent is not None else 0
    return spent


def _nodes(run: Run) -> Iterator[Node]:
    return (node_from_line(record) for _, record in read_records(run.path / TREES))


def _first_words(node: Node, wanted: Container[str]) -> bool:
    """Tell whether a node stands right below a first program, where words are told, and its problem is wanted."""
    return node.problem in wanted and len(node.path) == 2
