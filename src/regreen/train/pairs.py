"""From a model's programs and their verdicts to what it is taught: rows, each a prompt and its answer.

Ding et al. 2024 (arXiv 2403.18746), section 3 of their code: a program that passes is learned as the answer to its own
problem; one that fails is shown, with its failure, and the answer is a solution.

Differences from the paper:
- Equal programs of one problem are taken once, unless told otherwise.
- A text without a program is left out: there is nothing to refine.
- The mixture may be told as the share of refinements, which is then exact to a row.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeVar

from regreen.attempt.opening import as_json
from regreen.errors import InputError
from regreen.feedback import error_sentences
from regreen.problem import Problem, with_revealed
from regreen.prompts import Prompt, Template, Wrong
from regreen.records import Record
from regreen.telling import Telling
from regreen.train.choosing import Chooser, Select, human_failures
from regreen.train.teaching import answer_to
from regreen.verdict import Verdict

Kind = Literal["own", "solution", "refine", "human"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt and its answer.

    ``kind`` is "own" (a program that passed), "solution" (a problem's, as in phase I), "refine" (a solution after an
    own program that failed) or "human" (the same after one that a person wrote). ``index`` is the program's among its
    problem's, ``outcome`` its verdict's, ``failures`` what each failing check that may be told says.
    """

    problem: str
    index: int
    kind: Kind
    prompt: Prompt
    answer: str
    outcome: str | None = None
    failures: tuple[str, ...] = ()

    @property
    def refines(self) -> bool:
        """True if a wrong program is shown."""
        return self.kind in ("refine", "human")

    def to_json(self) -> Record:
        """Return the row as a line of ``rows.jsonl``."""
        line: Record = {"v": 1, "problem": self.problem, "index": self.index, "kind": self.kind}
        told = {"outcome": self.outcome, "failures": list(self.failures)} if self.outcome else {}
        return line | told | {"prompt": as_json(self.prompt), "answer": self.answer}


class Builder:
    """Makes rows; what cannot be one is counted under ``left_out``, by why.

    Args:
        write: asks for a program.
        refine: asks for a better one.
        telling: what is told of a wrong one.
        reveal: whose failures may be told, "shown", "revealed" or "all"; None leaves it to the problem.
        select: how the solution is chosen that a wrong program is to become.
        seed: of a random choice.
    """

    def __init__(
        self, write: Template, refine: Template, telling: Telling, *, reveal: str | None, select: Select, seed: int
    ) -> None:
        self._write, self._refine, self._telling = write, refine, telling
        self._reveal, self._select, self._seed = reveal, select, seed
        self._choosers: dict[str, Chooser] = {}
        self.left_out: Counter[str] = Counter()

    def program(
        self, problem: Problem, index: int, source: str, verdict: Verdict, solutions: Sequence[str]
    ) -> Row | None:
        """Return what one program of the model's own teaches."""
        if verdict.passed:
            return self._row(problem, index, "own", source, outcome=verdict.outcome.value)
        if not source.strip() or not solutions:
            self.left_out["without a program" if solutions else "without a solution"] += 1
            return None
        told = problem if self._reveal is None else with_revealed(problem, self._reveal)
        wrong = self._telling.wrong(source, self._telling.words(told, verdict))
        said = tuple(error_sentences(told, verdict, len(told.checks)))
        better = self._better(problem, source, solutions)
        return self._row(problem, index, "refine", better, wrong, verdict.outcome.value, said)

    def solutions(self, problem: Problem, solutions: Sequence[str]) -> list[Row]:
        """Return phase I's rows of a problem."""
        rows = (self._row(problem, index, "solution", source) for index, source in enumerate(solutions))
        return [row for row in rows if row]

    def human(self, problem: Problem, solutions: Sequence[str], most: int) -> list[Row]:
        """Return what the wrong programs teach that people wrote, of which nothing is told."""
        wrong = human_failures(problem, most) if solutions else ()
        rows = (
            self._row(
                problem, index, "human", self._better(problem, source, solutions), self._telling.wrong(source, "")
            )
            for index, source in enumerate(wrong)
        )
        return [row for row in rows if row]

    def _better(self, problem: Problem, wrong: str, solutions: Sequence[str]) -> str:
        if problem.id not in self._choosers:
            self._choosers[problem.id] = Chooser(solutions, self._select, self._seed)
        return self._choosers[problem.id](wrong)

    def _row(
        self,
        problem: Problem,
        index: int,
        kind: Kind,
        source: str,
        wrong: Wrong | None = None,
        outcome: str | None = None,
        failures: tuple[str, ...] = (),
    ) -> Row | None:
        template = self._write if wrong is None else self._refine
        answer = answer_to(template, replace(problem, solution=source))
        if answer is None:
            self.left_out["does not continue its prompt"] += 1
            return None
        prompt = template.render(problem) if wrong is None else template.render(problem, wrong=wrong)
        return Row(problem.id, index, kind, prompt, answer, outcome, failures)


def mixed(
    rows: Sequence[Row], solutions: Sequence[Row], *, rho: float | None, share: float | None, seed: int
) -> list[Row]:
    """Return what is trained on.

    Args:
        rows: what the model's programs teach.
        solutions: phase I's rows.
        rho: all rows and this share of phase I's, as the paper mixes.
        share: in its place, the share of rows that refine; programs of the model's own and phase I's are drawn alike
            for the rest, and refinements are left out where there are too few of those.
        seed: of what is drawn.

    Raises:
        InputError: nothing is to be refined though it should be, or there is no row at all.
    """
    refining, writing = [row for row in rows if row.refines], [row for row in rows if not row.refines]
    if not refining and share != 0:
        raise InputError(
            "no program failed, so there is nothing to refine; probe hotter, or more: temperature and n of [probe]"
        )
    if share is None:
        return [*rows, *_some(solutions, round((rho or 0.0) * len(solutions)), seed)]
    return _at_share(refining, [*writing, *solutions], share, seed)


def _at_share(refining: Sequence[Row], writing: Sequence[Row], share: float, seed: int) -> list[Row]:
    if share in (0.0, 1.0):
        chosen = list(refining if share else writing)
    else:
        most = min(len(refining) / share, len(writing) / (1 - share))
        chosen = [*_some(refining, round(share * most), seed), *_some(writing, round((1 - share) * most), seed)]
    if not chosen:
        raise InputError(f"no rows are left at a share of {share} refinements; give another share")
    return chosen


def facts_of(rows: Sequence[Row]) -> Record:
    """Return what a set holds: rows by kind and by outcome, problems, the share that refines."""
    return {
        "rows": len(rows),
        "problems": len({row.problem for row in rows}),
        "kinds": dict(Counter(row.kind for row in rows)),
        "outcomes": dict(Counter(row.outcome for row in rows if row.outcome)),
        "share_refine": sum(row.refines for row in rows) / len(rows) if rows else None,
        "digest": digest_of(rows),
    }


def digest_of(rows: Iterable[Row]) -> str:
    """Return a digest of all that is taught."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps([as_json(row.prompt), row.answer]).encode())
    return digest.hexdigest()[:16]


def _some(values: Sequence[T], count: int, seed: int) -> list[T]:
    """Return so many of the values, drawn at random, in their order."""
    kept = Random(seed).sample(range(len(values)), min(count, len(values)))
    return [values[at] for at in sorted(kept)]
