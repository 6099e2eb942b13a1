"""Evaluate a model: ask for programs, judge them as they come, pass@k.

Source: Chen et al. 2021 (arXiv 2107.03374), sections 2.1 and 3.3; Austin et al. 2021 (arXiv 2108.07732), section 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from regreen import benchmarks, prompts
from regreen.attempt import Ask, Asking, seed_of
from regreen.errors import InputError
from regreen.evaluate.options import Choice, Judging
from regreen.evaluate.working import about, finish, judge_rows
from regreen.models import Model, Request
from regreen.problem import Problem, with_shown
from regreen.prompts import Prompt, Template
from regreen.records import Record
from regreen.run import Run, Settings
from regreen.summary import View

_NAMED = 10  # problems whose samples were refused


@dataclass(frozen=True, slots=True)
class Sampling:
    """What is asked of a model: ``n`` programs for each problem at each temperature.

    ``prompt`` names a template or is the path of one; None takes what fits the problems and the model. ``examples`` are
    solved problems shown before: their number, or their ids. ``show`` says which checks may be displayed: "none",
    "all", a number, or None for the problem's own. ``stop`` strings come on top of the template's. ``total`` ends the
    asking after so many generated tokens.
    """

    n: int = 1
    temperatures: tuple[float, ...] = (0.0,)
    top_p: float = 0.95
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    prompt: str | None = None
    examples: int | tuple[str, ...] | None = None
    show: str | None = None
    total: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if len(set(self.temperatures)) < len(self.temperatures) or not self.temperatures:
            raise InputError(f"--temperature {self.temperatures}: give each once")
        if self.n > 1 and 0.0 in self.temperatures:
            raise InputError(f"-n {self.n} at temperature 0 gives one program {self.n} times; give --temperature 0.8")

    def decides(self) -> Record:
        """Return what decides the samples."""
        given = asdict(self)
        kept = {name: given[name] for name in ("top_p", "max_tokens", "stop", "examples", "show", "seed")}
        return {
            "temperature": list(self.temperatures),
            **{k: list(v) if type(v) is tuple else v for k, v in kept.items()},
        }


def evaluate(
    benchmark: str,
    model: Model,
    *,
    sampling: Sampling | None = None,
    choice: Choice | None = None,
    judging: Judging | None = None,
    view: View | None = None,
    out: Path | None = None,
    quiet: bool = True,
) -> Record:
    """Ask a model for programs, judge them, and return the scores.

    Args:
        benchmark: a name, ``name:split`` (without a split the test split, where there is one), or a file.
        model: who is asked.
        sampling: how many programs, at which temperatures, with which prompt.
        choice: which problems.
        judging: limits and sandbox.
        view: which scores.
        out: the run directory; by default one named after all that decides the result.
        quiet: show no progress.

    Returns:
        The object that ``regreen evaluate --json`` prints.

    Raises:
        InputError: something given cannot be used, or the model refuses every request.
        InfrastructureError: the model or the judge cannot be reached; the same call continues.
    """
    sampling, choice, judging = sampling or Sampling(), choice or Choice(), judging or Judging()
    name, problems = choice.load(benchmark, "ask")
    chosen = choice.choose(problems)
    template = _template(sampling, chosen, model)
    examples = _examples(choice, template, sampling)
    settings = _settings(name, problems, model, template, sampling, choice, judging)
    with ExitStack() as stack:
        sandbox = stack.enter_context(judging.open())
        facts = about(sandbox, model=dict(model.facts), tokens_total=sampling.total)
        run = stack.enter_context(Run(out, settings, about=facts))
        asks = _asks(chosen, template, examples, sampling, run)
        asking = stack.enter_context(Asking(asks, model, run, tokens=sampling.total))
        total = len(chosen) * sampling.n * len(sampling.temperatures)
        judge_rows(asking, sandbox, run, quiet=quiet, total=total)
        run.manifest.update(model=dict(model.facts))
        found = finish(run, view)
    return found | {"notes": [*model.facts.get("warnings", ()), *_notes(found, out_of_tokens=asking.out_of_tokens)]}


def _notes(found: Record, *, out_of_tokens: bool) -> list[str]:
    """Return what the user must hear of a run's asking, a sentence each."""
    refused = list(found["refusals"].items())
    notes = [f"{problem}: refused: {why}" for problem, why in refused[:_NAMED]]
    if len(refused) > _NAMED:
        notes.append(f"and {len(refused) - _NAMED} more problems with refused samples: --json names them all")
    if out_of_tokens:
        notes.append(f"stopped after {found['tokens']} tokens; a larger --max-tokens-total goes on")
    return notes


def _template(sampling: Sampling, problems: Sequence[Problem], model: Model) -> Template:
    return prompts.load(sampling.prompt or prompts.default_for(problems[0], chat=model.chat))


def _examples(choice: Choice, template: Template, sampling: Sampling) -> tuple[Problem, ...]:
    """Return the solved problems that the prompt shows: the template's own, or those asked for."""
    wanted = template.examples if sampling.examples is None else sampling.examples
    if not wanted:
        return ()
    if template.pool is None:
        raise InputError(f"--prompt {template.name} shows no examples; leave out --examples")
    pool = benchmarks.load(template.pool, data=choice.data).problems()
    if isinstance(wanted, int):
        return prompts.choose_examples(pool, count=wanted, seed=sampling.seed)
    return prompts.choose_examples(pool, ids=wanted)


def _settings(
    name: str,
    problems: list[Problem],
    model: Model,
    template: Template,
    sampling: Sampling,
    choice: Choice,
    judging: Judging,
) -> Settings:
    decides: dict[str, Any] = {
        "model": model.name,
        **({"model_options": dict(model.decides)} if model.decides else {}),
        "prompt": f"{template.name} {template.hash}",
        **sampling.decides(),
        "problems": benchmarks.digest(problems),
        "only": sorted(choice.only),
        **judging.decides(),
    }
    grows = {"n": sampling.n, "limit": choice.limit, "max_tokens_total": sampling.total}
    return Settings("evaluate", name, decides, grows)


def _asks(
    problems: Sequence[Problem], template: Template, examples: tuple[Problem, ...], sampling: Sampling, run: Run
) -> Iterator[Ask]:
    """Yield every program wanted: one for each problem, then the next for each, so that a stop leaves them even.

    Temperatures go round within a problem's samples, so that a larger n moves no index.
    """
    round_of = len(sampling.temperatures)
    solved = [_showing(example, sampling.show) for example in examples]
    rendered: dict[str, tuple[Prompt, str]] = {}
    for index in range(sampling.n * round_of):
        for problem in problems:
            if problem.id not in rendered:
                prompt = template.render(_showing(problem, sampling.show), examples=solved)
                rendered[problem.id] = prompt, run.add_prompt(_as_json(prompt))
            prompt, key = rendered[problem.id]
            request = Request(
                prompt,
                seed=seed_of(sampling.seed, problem.id, index, "sample"),
                temperature=sampling.temperatures[index % round_of],
                top_p=sampling.top_p,
                max_tokens=sampling.max_tokens,
                stop=(*template.stops, *sampling.stop),
                problem=problem.id,
                index=index,
            )
            yield Ask(problem, request, template.source, key)


def _showing(problem: Problem, show: str | None) -> Problem:
    return problem if show is None else with_shown(problem, show)


def _as_json(prompt: Prompt) -> str | list[Record]:
    return prompt if isinstance(prompt, str) else [asdict(message) for message in prompt]
