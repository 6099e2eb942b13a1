"""What the controls show in place of a failing program and what was said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from regreen.attempt import Attempt, Opening
from regreen.controls import NAMED, STRANGER, SWAPPED, UNTOLD, WITHIN, Told, neighbours, strangers
from regreen.problem import Problem, with_revealed
from regreen.prompts import Wrong
from regreen.telling import Telling
from regreen.tree import SAMPLE

Chain = tuple[str, int]  # a problem, and the index of a first program


@dataclass(frozen=True, slots=True)
class Teller:
    """Says how programs failed, as far as it may be told: ``reveal`` is "shown", "revealed", "all", or None."""

    telling: Telling
    opening: Opening
    reveal: str | None

    def words(self, problem: Problem, failing: Attempt, *, telling: Telling | None = None) -> str:
        """Return what is said of a failing program."""
        assert failing.verdict is not None  # it failed
        told = self.opening.showing(problem)
        told = told if self.reveal is None else with_revealed(told, self.reveal)
        return (telling or self.telling).words(told, failing.verdict)

    def wrong(self, problem: Problem, failing: Attempt) -> Wrong:
        """Return a failing program and what is said of it."""
        return self.telling.wrong(failing.program.source, self.words(problem, failing))

    def told(self, problem: Problem, failing: Attempt) -> Told:
        """Return what is said of a failing program, as the controls draw from it."""
        assert failing.verdict is not None  # it failed
        program, outcome = failing.program, failing.verdict.outcome.value
        child = f"{program.index}.0" if program.role == SAMPLE else f"{program.index} {program.role}"
        words = self.words(problem, failing)
        return Told(problem.id, str(program.index), child, words, outcome, program.source)


def ladder(
    teller: Teller,
    problems: Mapping[str, Problem],
    failing: Mapping[Chain, Attempt],
    fresh: Iterable[Attempt],
    *,
    seed: int = 0,
) -> dict[Chain, dict[str, Wrong]]:
    """Return what each control shows of each failing first program, by the control's role.

    Args:
        teller: says how programs failed.
        problems: by id.
        failing: the first programs that failed.
        fresh: further failing programs, from which the same problem's other feedback may come.
        seed: of what is drawn, which depends on nothing but what failed.

    Returns:
        By chain; a control for which nothing could be drawn is not there.
    """
    told = {chain: teller.told(problems[chain[0]], attempt) for chain, attempt in failing.items()}
    more = [teller.told(problems[attempt.program.problem], attempt) for attempt in fresh]
    others, same = strangers([*told.values()], seed=seed), neighbours([*told.values()], more, seed=seed)
    found: dict[Chain, dict[str, Wrong]] = {}
    for chain, entry in told.items():
        key, wrong = (entry.problem, entry.child), teller.telling.wrong
        name = teller.words(problems[chain[0]], failing[chain], telling=replace(teller.telling, feedback="name"))
        shown = {UNTOLD: wrong(entry.source, ""), NAMED: wrong(entry.source, name)}
        if key in same:
            shown[WITHIN] = wrong(entry.source, same[key].words)
        if key in others:
            source = moved(others[key].source, problems[others[key].problem], problems[entry.problem])
            shown |= {SWAPPED: wrong(entry.source, others[key].words), STRANGER: wrong(source, entry.words)}
        found[chain] = shown
    return found


def moved(source: str, from_problem: Problem, to_problem: Problem) -> str:
    """Return another problem's program below this problem's own header, where the problems have headers."""
    header = from_problem.prompt.rstrip()
    body = source.removeprefix(header)
    return source if not header or body == source else to_problem.prompt.rstrip() + body
