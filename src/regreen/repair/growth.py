"""What can be done to one problem's tree: write a first program, say what is wrong with one, repair it.

Each is asked for, judged and recorded as a node; done again, it is found in the run.

Source: Olausson et al. 2023 (arXiv 2306.09896), section 3; prompts and messages after its published code.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from regreen.arms import Arm, join_words, words_of
from regreen.attempt import Ask, Attempt, Grower, Opening
from regreen.attempt.growing import spoken
from regreen.attempt.opening import as_json
from regreen.controls import SWAPPED, Told
from regreen.feedback import error_sentence
from regreen.models import Model
from regreen.problem import Problem
from regreen.prompts import Template, Wrong
from regreen.tree import Node, key_of


@dataclass(frozen=True, slots=True)
class Voices:
    """Who says what is wrong, and by which templates the models are asked.

    ``model`` writes explanations, ``arms`` add words that need no model. ``joint`` has the repairing model write the
    explanation and the repair in one text. ``swapped`` asks for a repair given another problem's words.
    """

    model: Model | None
    arms: tuple[Arm, ...]
    joint: bool
    feedback: Template | None
    repair: Template
    swapped: Template

    @property
    def silent(self) -> bool:
        """True if nothing is said beyond the error sentence."""
        return self.model is None and not self.arms and not self.joint


class Growth:
    """One problem's tree as it grows."""

    def __init__(
        self, problem: Problem, told: Problem, grower: Grower, opening: Opening, model: Model, voices: Voices
    ) -> None:
        """Begin with a problem; ``told`` is the same one with the checks whose failures may be told."""
        self._problem = problem
        self._told = told
        self._grower = grower
        self._opening = opening
        self._model = model
        self.voices = voices
        self._words: dict[str, asyncio.Future[str]] = {}

    async def first(self, index: int) -> Attempt:
        """Have a first program written and judged."""
        return await self._grower.attempt(self._opening.ask(self._problem, index, self._grower.run), self._model)

    async def explain(self, failing: Attempt, number: int) -> str:
        """Return what is said about a failing program: nothing, an explanation by a model, or the arms' words."""
        voices = self.voices
        if voices.joint or voices.silent:
            return ""
        child = f"{failing.node}.{number}"
        if voices.model is None:
            return await self._arms_node(failing, child)
        assert voices.feedback is not None  # a model that explains is asked by it
        wrong = Wrong(failing.program.source, await self._error(failing))
        text = await self._grower.say(self._ask(voices.feedback, wrong, child, "feedback"), voices.model)
        return voices.feedback.words(text)

    async def repair(self, failing: Attempt, branch: int, words: str, number: int) -> Attempt:
        """Have a failing program repaired, given the words of one branch."""
        voices = self.voices
        apart = not (voices.joint or voices.silent)
        child = f"{failing.node}.{branch}.{number}" if apart else f"{failing.node}.{branch}"
        wrong = Wrong(failing.program.source, await self._told_error(failing), words)
        ask = self._ask(voices.repair, wrong, child, "joint" if voices.joint else "repair")
        return await self._grower.attempt(ask, self._model)

    def told(self, node: Node) -> Told:
        """Return what was said in a node right below a first program; the error sentence where nothing more was."""
        voices, parent = self.voices, node.parent or ""
        asked = voices.repair if voices.joint else voices.feedback  # by which a model was asked for words
        if asked is not None:
            words = asked.words(node.text or "")
        else:
            words = self._sentence(self._first(parent)) if voices.silent else node.text or ""
        return Told(node.problem, parent, node.node, words, source=self._first(parent).program.source)

    async def repair_swapped(self, entry: Told, words: str, *, role: str = SWAPPED) -> None:
        """Have a failing first program repaired, given what was said about another one."""
        failing = self._first(entry.node)
        sentence = words if self.voices.silent else await self._told_error(failing)
        wrong = Wrong(failing.program.source, sentence, "" if self.voices.silent else words)
        await self._grower.attempt(self._ask(self.voices.swapped, wrong, entry.child, role), self._model)

    async def _told_error(self, failing: Attempt) -> str:
        """Return what a repair is told of how its program failed: with the arms' words, unless they are the words."""
        joined = self.voices.joint or self.voices.model
        return await self._error(failing) if joined else self._sentence(failing)

    def _first(self, node: str) -> Attempt:
        return self._grower.known(self._problem, int(node))

    async def _arms_node(self, failing: Attempt, child: str) -> str:
        """Return the arms' words, recorded as a feedback node that cost no tokens."""
        said = self._grower.run.program(key_of(self._problem.id, child, "feedback"))
        if said is None:
            name = "+".join(arm.name for arm in self.voices.arms)
            said = spoken(self._problem, child, "feedback", await self._said(failing), name)
        return self._grower.note(said)

    async def _error(self, failing: Attempt) -> str:
        """Return the error sentence, and below it what the arms say."""
        return join_words([self._sentence(failing), await self._said(failing)])

    async def _said(self, failing: Attempt) -> str:
        """Return what the arms say of a program; they are asked once, however many repairs are."""
        if failing.node not in self._words:
            self._words[failing.node] = asyncio.ensure_future(self._ask_arms(failing))
        return await self._words[failing.node]

    async def _ask_arms(self, failing: Attempt) -> str:
        assert failing.verdict is not None  # what was not judged is not repaired
        arms, source = self.voices.arms, failing.program.source
        return await words_of(arms, self._told, source, failing.verdict, node=failing.node)

    def _sentence(self, failing: Attempt) -> str:
        assert failing.verdict is not None
        return error_sentence(self._told, failing.verdict)

    def _ask(self, template: Template, wrong: Wrong, child: str, kind: str) -> Ask:
        prompt = template.render(self._opening.showing(self._problem), wrong=wrong)
        key = self._grower.run.add_prompt(as_json(prompt))
        _, index, role = key_of(self._problem.id, child, kind)
        return self._opening.asked(self._problem, prompt, key, index, role, template)
