"""What a score owes to the prompt: the checks it shows, its solved examples, which ones they are, and its words.

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.3.

Differences from the paper:
- The best set of examples is chosen on other problems than its score is reported on; the paper reports the best of
  several seeds on the problems that it was found on (:mod:`regreen.studies.which_examples`).
- Every difference is paired over problems and has an interval; p-values are corrected for the size of their table.
- A reworded statement is judged by the checks of the first benchmark, so that the words alone differ.
- The share of problems that some program solves is pass@k at k = n here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from regreen.attempt import Opening
from regreen.errors import InputError
from regreen.problem import Problem, with_shown
from regreen.prompts import load
from regreen.records import Record
from regreen.studies.asking import Study
from regreen.studies.example_sets import Drawing
from regreen.studies.finding import finding, interval_text, plot, table
from regreen.studies.rewording import with_parts
from regreen.studies.scored import Scored, lines, shared
from regreen.studies.which_examples import which_examples

MOST_SHOWN = 3  # checks: MBPP has three
VARY = ("checks", "examples", "which", "wording")
_NEVER = "never shown"


@dataclass(frozen=True, slots=True)
class Wording:
    """Ways to say the same: by several ``templates``, or with the statements of another benchmark, ``against``.

    Those take the place of the statements of problems with the same ids.
    """

    templates: tuple[str, ...] = ()
    against: str | None = None


def prompt(
    study: Study,
    *,
    vary: Sequence[str] | None = None,
    drawing: Drawing | None = None,
    wording: Wording | None = None,
) -> Record:
    """Return the scores under prompts that differ in one thing each.

    Args:
        study: who is asked; its sampling says how many programs each prompt gets.
        vary: of "checks", "examples", "which" and "wording"; None: all that can be varied, the others being named.
        drawing: which solved examples are compared.
        wording: which ways to say the same.

    Raises:
        InputError: what is to be varied cannot be, or an unknown name in ``vary``.
    """
    drawing = drawing or Drawing()
    planners: Mapping[str, Callable[[], Callable[[], Record]]] = {
        "checks": partial(_checks, study),
        "examples": partial(_examples, study, drawing),
        "which": partial(_which, study, drawing),
        "wording": partial(_wording, study, wording or Wording()),
    }
    plans: dict[str, Callable[[], Record]] = {}
    left_out = {}
    for name in vary or VARY:
        if name not in planners:
            raise InputError(f"--vary {name}: expected {', '.join(VARY)}")
        try:
            plans[name] = planners[name]()
        except InputError as error:
            if vary is not None:
                raise
            left_out[name] = str(error)
    if not plans:
        raise InputError(f"nothing can be varied: {'; '.join(left_out.values())}")
    return study.found(_finding(study, {name: plan() for name, plan in plans.items()}, left_out))


def _finding(study: Study, parts: Mapping[str, Record], left_out: Mapping[str, str]) -> Record:
    tables = [found.pop("table") for found in parts.values()]
    tables[-1]["notes"] += [f"not varied: {name} ({why})" for name, why in left_out.items()]
    plots = [found.pop("plot") for found in parts.values()]
    return finding("prompt", benchmark=study.called, tables=tables, plots=plots, varied=dict(parts))


def _checks(study: Study) -> Callable[[], Record]:
    """Compare prompts that show no check, one, two, three."""
    asked = study.choice.choose(study.problems)
    most = min(MOST_SHOWN, *(len(problem.checks) for problem in asked))
    _refuse_blind(study, asked[0], most)
    problems = [_with_hidden_part(problem, most) for problem in study.problems]
    conditions = {
        f"{at}": {"condition": f"checks-{at}", "problems": problems, "show": f"{at}"} for at in range(most + 1)
    }
    notes = ["scored on all checks, those that are shown among them"]
    return partial(_compared, study, conditions, title="Checks shown", x="checks that the prompt shows", notes=notes)


def _refuse_blind(study: Study, problem: Problem, most: int) -> None:
    """Refuse a template whose prompt is the same with checks shown as with none."""
    opening = Opening(study.sampling, [problem], study.model, study.choice.data, examples=())
    none, some = (opening.template.render(with_shown(problem, at)) for at in (0, most))
    if none == some:
        raise InputError(f"--prompt {opening.template.name} shows no checks of {problem.id}; give another, as austin")


def _with_hidden_part(problem: Problem, most: int) -> Problem:
    """Return the problem scored apart on the checks that no prompt here shows, where it has any."""
    shown = with_shown(problem, min(most, len(problem.checks))).shown
    hidden = [at for at in range(len(problem.checks)) if at not in shown]
    return with_parts(problem, {_NEVER: hidden}) if hidden else problem


def _examples(study: Study, drawing: Drawing) -> Callable[[], Record]:
    """Compare prompts with no solved example, one, two, three, each of which adds one to the last."""
    drawn = drawing.draw(study, 1)[0]
    prefixes = [drawn.first(at) for at in range(drawing.size + 1)]
    conditions = {f"{at}": {"condition": p.name, "examples": p.examples} for at, p in enumerate(prefixes)}
    notes = [f"in this order: {drawn.ids}"]
    return partial(_compared, study, conditions, title="Solved examples", x="solved examples shown", notes=notes)


def _which(study: Study, drawing: Drawing) -> Callable[[], Record]:
    return partial(which_examples, study, drawing.draw(study), choose_on=drawing.choose_on)


def _wording(study: Study, wording: Wording) -> Callable[[], Record]:
    """Compare templates, or statements with those of another benchmark."""
    if len(wording.templates) == 1 or not (wording.templates or wording.against):
        raise InputError("give two templates (--wording codex,chat), or a benchmark that words them anew (--against)")
    conditions: dict[str, Record] = {}
    for name in wording.templates:
        conditions[name] = {"condition": f"wording-{load(name).name}", "prompt": name}
    if wording.against:
        first, second = _said_twice(study, wording.against)
        conditions[study.benchmark] = {"condition": "wording-original", "problems": first}
        conditions[wording.against] = {"condition": "wording-against", "problems": second}
    return partial(_compared, study, conditions, title="Wording", x="wording", notes=[])


def _said_twice(study: Study, against: str) -> tuple[list[Problem], list[Problem]]:
    """Return the problems that both benchmarks have in other words, in their own and in the other's."""
    other = {problem.id: problem for problem in study.choice.load(against, "ask")[1]}
    pairs = [(p, other[p.id].statement) for p in study.problems if p.id in other and not p.prompt]
    pairs = [(problem, said) for problem, said in pairs if said.strip() != problem.statement.strip()]
    if not pairs:
        raise InputError(f"--against {against}: no problem of {study.benchmark} with the same id and other words")
    return [problem for problem, _ in pairs], [replace(problem, statement=said) for problem, said in pairs]


def _compared(
    study: Study, conditions: Mapping[str, Mapping[str, Any]], *, title: str, x: str, notes: Sequence[str]
) -> Record:
    """Ask under each condition, and compare each with the one before: what does one more check, or example, give?"""
    runs = {name: study.run(**how) for name, how in conditions.items()}
    scored = [Scored.of(name, run) for name, run in runs.items()]
    ks = sorted({1, study.sampling.n})
    found = lines(scored, [None, *scored[:-1]], ks=ks, seed=study.sampling.seed)
    parts = {name: run.get("by_checks", {}).get(_NEVER) for name, run in runs.items()}
    never = {name: part["pass@1"] for name, part in parts.items() if part}
    said = [
        *notes,
        *_never_shown_notes(never),
        f"problems: {len(shared(scored))}; programs for each: {study.sampling.n}",
    ]
    header = [x, *(f"pass@{k}" for k in ks), "gain on the row above", "p (Holm)"]
    bars = {f"pass@{k}": [(line.name, line.means[k]) for line in found] for k in ks}
    return {
        "conditions": {line.name: line.to_json() for line in found},
        "never_shown": never,
        "table": table(title, header, [line.cells() for line in found], notes=said),
        "plot": plot(title, bars, x=x, y="pass@k, %", kind="bar"),
    }


def _never_shown_notes(never: Mapping[str, Record]) -> list[str]:
    said = [f"{name}: {interval_text(found)}" for name, found in never.items()]
    return [f"pass@1 on the checks that none of these prompts shows: {'; '.join(said)}"] if said else []
