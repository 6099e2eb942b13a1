"""How first programs are asked for: a template, its solved examples, and what a prompt may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from regreen import benchmarks, prompts
from regreen.attempt.asking import Ask, seed_of
from regreen.errors import InputError, MissingDataError
from regreen.models import Model, Request
from regreen.options import Sampling
from regreen.problem import Problem, with_shown
from regreen.prompts import Prompt, Template
from regreen.records import Record
from regreen.run import Run
from regreen.tree import SAMPLE


class Opening:
    """What a model is asked first, for every problem.

    Args:
        sampling: what is asked.
        problems: those that will be asked; they and the model decide which template is the default.
        model: who is asked.
        data: where the data of the examples' benchmark lies.
        examples: solved problems to show instead of those that the sampling names; none where that is empty.

    Raises:
        InputError: no such template or example, or a template that shows no examples.
    """

    def __init__(
        self,
        sampling: Sampling,
        problems: Sequence[Problem],
        model: Model,
        data: Path | None = None,
        *,
        examples: Sequence[Problem] | None = None,
    ) -> None:
        self.sampling = sampling
        self.template = prompts.load(sampling.prompt or prompts.default_for(problems[0], chat=model.chat))
        solved = _examples(sampling, self.template, data) if examples is None else examples
        self._examples = [self.showing(example) for example in solved]
        self._rendered: dict[str, tuple[Prompt, str]] = {}

    def ask(self, problem: Problem, index: int, run: Run, *, role: str = SAMPLE) -> Ask:
        """Return the ask for a problem's first program of this index, whose prompt the run then holds.

        Temperatures go round within a problem's programs, so that more programs move no index.
        """
        prompt, key = self.prompt(problem, run)
        return self.asked(problem, prompt, key, index, role, self.template)

    def asked(self, problem: Problem, prompt: Prompt, key: str, index: int, role: str, template: Template) -> Ask:
        """Return an ask with this sampling's numbers; its seed is its own, whatever else is asked."""
        sampling = self.sampling
        request = Request(
            prompt,
            seed=seed_of(sampling.seed, problem.id, index, role),
            temperature=sampling.temperatures[index % len(sampling.temperatures)],
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            stop=(*template.stops, *sampling.stop),
            problem=problem.id,
            index=index,
            role=role,
        )
        return Ask(problem, request, template.source, key, role)

    def showing(self, problem: Problem) -> Problem:
        """Return the problem with the checks that prompts may show."""
        show = self.sampling.show
        return problem if show is None else with_shown(problem, show)

    def prompt(self, problem: Problem, run: Run) -> tuple[Prompt, str]:
        """Return the first prompt for a problem, and the key under which the run has it."""
        if problem.id not in self._rendered:
            prompt = self.template.render(self.showing(problem), examples=self._examples)
            self._rendered[problem.id] = prompt, run.add_prompt(as_json(prompt))
        return self._rendered[problem.id]


def as_json(prompt: Prompt) -> str | list[Record]:
    """Return a prompt as a run records it."""
    return prompt if isinstance(prompt, str) else [asdict(message) for message in prompt]


def _examples(sampling: Sampling, template: Template, data: Path | None) -> tuple[Problem, ...]:
    """Return the solved problems that the prompt shows: the template's own, or those asked for."""
    wanted = template.examples if sampling.examples is None else sampling.examples
    if not wanted:
        return ()
    if template.pool is None:
        raise InputError(f"--prompt {template.name} shows no examples; leave out --examples")
    try:
        pool = benchmarks.load(template.pool, data=data).problems()
    except MissingDataError as error:
        raise MissingDataError(
            f"{error}. The prompt {template.name} shows examples of it; or give --examples 0"
        ) from error
    if isinstance(wanted, int):
        return prompts.choose_examples(pool, count=wanted, seed=sampling.seed)
    return prompts.choose_examples(pool, ids=wanted)
