"""A dialog in turns: the model answers, its program fails, a hint follows, the model writes a new full program.

Source: Austin et al. 2021 (arXiv 2108.07732), section 6 (human-model collaboration).

Differences from the paper:
- A chat model sees the whole exchange as messages; a model that continues text sees its newest program with its failure
  and the hint, in place of a few-shot conversation.
- Fresh programs without hints, as many as the turns that were had, are drawn beside as a control.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from regreen import prompts
from regreen.attempt import Ask, Attempt, Grower, Opening
from regreen.attempt.growing import spoken
from regreen.attempt.opening import as_json
from regreen.controls import RESAMPLE
from regreen.dialog.hinters import Hinter
from regreen.feedback import error_sentence
from regreen.inquiry import Inquiry
from regreen.models import Model
from regreen.options import Choice, Judging, Sampling
from regreen.problem import Problem, with_revealed
from regreen.prompts import Message, Prompt, Template, Wrong
from regreen.records import Record
from regreen.summary import View
from regreen.tree import key_of

TURNS = 4  # of the model: section 6
_AGAIN = "Give the whole program again, corrected, in a single ```python code block."


class Talk:
    """Dialogs about problems of one run."""

    def __init__(
        self, grower: Grower, opening: Opening, model: Model, hinter: Hinter, *, turns: int, reveal: str | None
    ) -> None:
        self._grower = grower
        self._opening = opening
        self._model = model
        self._hinter = hinter
        self._turns = turns
        self._reveal = reveal
        self._had: dict[str, int] = {}  # programs that could follow the first one, by problem

    async def about(self, problem: Problem) -> None:
        """Talk about one problem until a program passes, the turns are over, or no hint comes."""
        attempt = await self._grower.attempt(self._opening.ask(problem, 0, self._grower.run), self._model)
        said: list[tuple[Attempt, str]] = []
        for turn in range(1, self._turns):
            hint = await self._hint(problem, attempt, turn) if attempt.can_be_repaired else None
            if hint is None:
                break
            said.append((attempt, hint))
            attempt = await self._grower.attempt(self._again(problem, said), self._model)
        self._had[problem.id] = len(said) if attempt.can_be_repaired else self._turns - 1
        self._hinter.ended(problem, attempt)

    async def fresh(self, problem: Problem) -> None:
        """Draw as many programs without hints as there were turns with one; end at a pass, as the dialog does."""
        if self._grower.known(problem, 0).passed:
            return
        for index in range(self._had[problem.id]):
            ask = self._opening.ask(problem, index, self._grower.run, role=RESAMPLE)
            if (await self._grower.attempt(ask, self._model)).passed:
                return

    def failure(self, problem: Problem, failing: Attempt, *, to_person: bool = False) -> str:
        """Return the sentence that says how a program failed, as far as it may be told; a person may be told all."""
        assert failing.verdict is not None  # what was not judged is not talked about
        told = with_revealed(problem, "all") if to_person else self._told(problem)
        return error_sentence(told, failing.verdict)

    async def asked(self, problem: Problem, model: Model, template: Template, failing: Attempt) -> str:
        """Return what a model says of a failing program, recorded as its hint."""
        wrong = Wrong(failing.program.source, self.failure(problem, failing))
        prompt = template.render(self._opening.showing(problem), wrong=wrong)
        return await self._grower.say(self._ask(problem, prompt, f"{failing.node}.0", "hint", template), model)

    async def _hint(self, problem: Problem, failing: Attempt, turn: int) -> str | None:
        """Return the hint that the run has, or the hinter's; an empty one is none."""
        node = f"{failing.node}.0"
        known = self._grower.run.program(key_of(problem.id, node, "hint"))
        if known is not None:
            return self._hinter.recall(problem, turn, known.text or "") or None
        hint = await self._hinter.hint(self, problem, failing, turn)
        if hint and self._grower.run.program(key_of(problem.id, node, "hint")) is None:  # a model's is there
            self._grower.note(spoken(problem, node, "hint", hint, self._hinter.name))
        return hint or None

    def _again(self, problem: Problem, said: list[tuple[Attempt, str]]) -> Ask:
        """Return the ask for a new program after all that was said."""
        failing, hint = said[-1]
        first, template = self._opening.prompt(problem, self._grower.run)[0], self._opening.template
        if isinstance(first, str):
            template = prompts.load(prompts.default_for(problem, chat=False, what="repair"))
            wrong = Wrong(failing.program.source, self.failure(problem, failing), hint)
            prompt = template.render(self._opening.showing(problem), wrong=wrong)
            return self._ask(problem, prompt, f"{failing.node}.0.0", "repair", template)
        turns = [(Message("assistant", a.program.text or ""), Message("user", f"{h}\n\n{_AGAIN}")) for a, h in said]
        chat = (*first, *(message for turn in turns for message in turn))
        return self._ask(problem, chat, f"{failing.node}.0.0", "repair", template)

    def _ask(self, problem: Problem, prompt: Prompt, node: str, kind: str, template: Template) -> Ask:
        _, index, role = key_of(problem.id, node, kind)
        key = self._grower.run.add_prompt(as_json(prompt))
        return self._opening.asked(problem, prompt, key, index, role, template)

    def _told(self, problem: Problem) -> Problem:
        shown = self._opening.showing(problem)
        return shown if self._reveal is None else with_revealed(shown, self._reveal)


def dialog(
    benchmark: str,
    model: Model,
    open_hinter: Callable[[Sequence[Problem]], Hinter],
    *,
    sampling: Sampling | None = None,
    turns: int = TURNS,
    reveal: str | None = None,
    control: bool = True,
    choice: Choice | None = None,
    judging: Judging | None = None,
    view: View | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Talk with a model about the problems of a benchmark.

    Args:
        benchmark: a name, ``name:split`` (without a split the test split, where there is one), or a file.
        model: who writes programs.
        open_hinter: returns who hints, given the problems chosen.
        sampling: how the model is asked.
        turns: programs that the model may write for a problem.
        reveal: which checks' failures may be told: "shown", "revealed" or "all"; None leaves it to the problem.
        control: draw fresh programs without hints beside.
        choice: which problems.
        judging: limits and sandbox.
        view: which scores of the first programs.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The scores of the first programs; the transcripts lie in the run as trees.

    Raises:
        InputError: something given cannot be used, or the model refuses every request.
        InfrastructureError: the model or the judge cannot be reached; the same call continues.
    """
    sampling = sampling or Sampling(temperatures=(0.8,))
    choice, judging = choice or Choice(), judging or Judging()
    inquiry = Inquiry.of(benchmark, model, sampling, choice, judging)
    chosen = inquiry.problems
    hinter = open_hinter(chosen)
    decides = {"hints": hinter.name, "turns": turns, "reveal": reveal, "control": control}
    with judging.open() as sandbox, inquiry.run("dialog", out, sandbox, decides=decides) as run:
        grower = Grower(run, sandbox, hinter.models(model), tokens=sampling.total)
        talk = Talk(grower, inquiry.opening, model, hinter, turns=turns, reveal=reveal)
        stages = {"talking": talk.about} | ({"resampling": talk.fresh} if control else {})
        for what, policy in stages.items():
            if not grower.out_of_tokens:
                quietly = quiet or hinter.at_once is not None
                grower.grow(chosen, policy, what=what, total=len(chosen), at_once=hinter.at_once, quiet=quietly)
        return inquiry.end(run, view, *hinter.models(model), out_of_tokens=grower.out_of_tokens)
