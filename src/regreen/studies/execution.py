"""Execution: can a model say what a program returns, from its code, its description, or both?

The model is shown the program, its description or both, none to two worked cases of the same program, and one more
call, whose value it writes as a literal.

Source: Austin et al. 2021 (arXiv 2108.07732), on predicting what programs return.

Differences from the paper:
- A model is asked as it is: there is no fine-tuning on execution, and no test of what that does to synthesis.
- The same calls are asked for under every condition: those of problems that have cases enough for all. Worked cases are
  the ones that follow the call asked for, in a circle, the next one last.
- Calls that the description works out are left out, and docstrings are no part of the program.
- Three guesses that understand nothing stand beside: the value most frequent in the other problems, the value of the
  last worked case, and the call's first argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from regreen.cases import Case, asked, cases, name_of
from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval, paired_difference
from regreen.problem import parse_literal
from regreen.records import VERDICTS, Record, read_records
from regreen.sandbox.checks.compare import close
from regreen.studies.asking import Study
from regreen.studies.finding import Cell, finding, plot, table

SHOWN = ("code", "code+statement", "statement")
PAIRS = (0, 1, 2)
GUESSES = ("most frequent value", "last worked case", "first argument")
MOST = 3  # cases of a problem: as many as MBPP has asserts

Chosen = Mapping[str, Sequence[Case]]  # by problem
Rights = Mapping[str, Sequence[Sequence[bool]]]  # by problem, for each case, for each answer: is it right?
Condition = tuple[str, int]


def execution(study: Study, *, shown: Sequence[str] = (), pairs: Sequence[int] = ()) -> Record:
    """Return how often the values of calls are predicted, for every way to ask, and what mere guesses come to.

    Args:
        study: who is asked; any benchmark whose checks call a reference program with plain data will do.
        shown: what is shown of the program: "code", "code+statement", "statement"; by default all that there is.
        pairs: how many worked cases are shown; by default 0, 1 and 2, as far as there are cases.

    Raises:
        InputError: there are no cases, or not enough of them, or no statements, for what is asked.
    """
    every = {problem.id: found for problem in study.problems if (found := cases(problem, MOST))}
    shown, pairs = _wanted(study.benchmark, every, shown, pairs)
    kept = {problem: found for problem, found in every.items() if len(found) > max(pairs)}
    asking, chosen = _choosing(study, kept, max(pairs))
    rights, runs = {}, {}
    for what, count in ((what, count) for what in shown for count in pairs):
        problems = [asked(found, at, what, count) for found in kept.values() for at in range(len(found))]
        run = runs[what, count] = asking.run(f"{what}-{count}", problems=problems)
        rights[what, count] = _read(Path(run["run"]), chosen, study.sampling.n * len(study.sampling.temperatures))
    few = len(study.problems) - len(kept)
    return asking.found(_found(study, rights, runs, chosen, few))


def guesses(chosen: Chosen) -> dict[str, Rights]:
    """Return how often guesses are right that understand nothing, each as if it were one answer to every case."""
    total = Counter(case.expected for found in chosen.values() for case in found)
    guessed: dict[str, dict[str, list[list[bool]]]] = {name: {} for name in GUESSES}
    for problem, found in chosen.items():
        others = total - Counter(case.expected for case in found)
        frequent = min(others, key=lambda value: (-others[value], value), default="")
        following = [case.expected for case in (*found[1:], found[0])]
        firsts = [case.first for case in found]
        for name, values in zip(GUESSES, ([frequent] * len(found), following, firsts), strict=True):
            guessed[name][problem] = [[_is_right(value, case)] for value, case in zip(values, found, strict=True)]
    if any(len(found) == 1 for found in chosen.values()):  # where nothing follows, it would be the answer itself
        del guessed["last worked case"]
    return dict(guessed)


def _is_right(value: str, case: Case) -> bool:
    try:
        return close(parse_literal(value), parse_literal(case.expected))
    except ValueError:  # there is no such value
        return False


def _wanted(
    benchmark: str, every: Chosen, shown: Sequence[str], pairs: Sequence[int]
) -> tuple[Sequence[str], Sequence[int]]:
    """Return the conditions, by default all that can be asked for."""
    if not every:
        raise InputError(f"{benchmark}: no check calls a reference program with plain data; try mbpp, katas, cruxeval")
    most = max(map(len, every.values()))
    told = any(case.statement.strip() for found in every.values() for case in found)
    if unknown := [what for what in shown if what not in SHOWN]:
        raise InputError(f"--shown {unknown[0]}: expected {', '.join(SHOWN)}")
    if not told and any("statement" in what for what in shown):
        raise InputError(f"--shown {','.join(shown)}: {benchmark} has no statements beside its programs; give code")
    if pairs and max(pairs) >= most:
        raise InputError(f"--pairs {max(pairs)}: {benchmark} has at most {most} cases of a program; give fewer")
    return shown or (SHOWN if told else SHOWN[:1]), pairs or [count for count in PAIRS if count < most]


def _choosing(study: Study, kept: Chosen, worked: int) -> tuple[Study, Chosen]:
    """Return the study as it chooses among cases, where it chose among problems, and the cases of the chosen ones.

    How many cases are worked out decides which problems have enough of them, and so the folder's name.
    """
    sources = [problem for problem in study.problems if problem.id in kept]
    chosen = {problem.id: kept[problem.id] for problem in study.choice.choose(sources)}
    names = [name_of(case, at) for found in chosen.values() for at, case in enumerate(found)]
    only = tuple(names) if study.choice.only else ()
    limit = len(names) if study.choice.limit else None
    choice = replace(study.choice, only=only, limit=limit)
    return replace(study, choice=choice, decides={**study.decides, "worked": worked}), chosen


def _read(run: Path, chosen: Chosen, answers: int) -> Rights:
    """Return which answers are right; one that a backend refused is not."""
    passed = {
        (record["problem"], record["index"])
        for _, record in read_records(run / VERDICTS)
        if record["outcome"] == "passed"
    }
    return {
        problem: [[(name_of(case, at), index) in passed for index in range(answers)] for at, case in enumerate(found)]
        for problem, found in chosen.items()
    }


def per_case(rights: Rights) -> list[float]:
    """Return for every case the share of right answers."""
    return [fmean(answers) for found in rights.values() for answers in found]


def all_cases(rights: Rights) -> list[float]:
    """Return for every problem how often an answer to each of its cases is right, the first to each, the second ..."""
    return [fmean(all(together) for together in zip(*found, strict=True)) for found in rights.values()]


@dataclass(frozen=True, slots=True)
class _Intervals:
    """What is resampled together: the cases of a problem, and problems of one cluster."""

    cases: list[str]
    problems: list[str]
    seed: int

    @classmethod
    def of(cls, chosen: Chosen, seed: int) -> _Intervals:
        every = [case.cluster for found in chosen.values() for case in found]
        return cls(every, [found[0].cluster for found in chosen.values()], seed)

    def both(self, rights: Rights) -> tuple[Estimate, Estimate]:
        """Return the share of cases that are right, and of programs all of whose cases are."""
        per_check = mean_interval(per_case(rights), clusters=self.cases, seed=self.seed)
        return per_check, mean_interval(all_cases(rights), clusters=self.problems, seed=self.seed)

    def difference(self, less: Rights, more: Rights) -> Estimate:
        """Return what more cases are right."""
        return paired_difference(per_case(less), per_case(more), clusters=self.cases, seed=self.seed)


def _found(
    study: Study, rights: Mapping[Condition, Rights], runs: Mapping[Condition, Record], chosen: Chosen, few: int
) -> Record:
    intervals = _Intervals.of(chosen, study.sampling.seed)
    scores = {condition: intervals.both(right) for condition, right in rights.items()}
    beside = {name: intervals.both(right) for name, right in guesses(chosen).items()}
    silent = {condition: run["no_program"] / max(1, run["programs"]) for condition, run in runs.items()}
    added = _added(rights, intervals)
    count = sum(map(len, chosen.values()))
    notes = [f"{count} calls of {len(chosen)} programs; intervals resample programs, or their clusters"]
    notes += [f"{few} more problems have too few calls with plain data, or none"] * bool(few)
    return finding(
        "execution",
        benchmark=study.benchmark,
        tables=_tables(scores, silent, beside, added, notes),
        plots=[_plot(scores)],
        problems=len(chosen),
        cases=count,
        conditions=[
            {"shown": what, "pairs": n, **_record(found), "no_literal": silent[what, n]}
            for (what, n), found in scores.items()
        ],
        guesses=[{"guess": name, **_record(found)} for name, found in beside.items()],
        added={name: asdict(difference) for name, difference in added.items()},
    )


def _record(found: tuple[Estimate, Estimate]) -> Record:
    return {"cases_right": asdict(found[0]), "programs_right": asdict(found[1])}


_STEPS: Mapping[str, tuple[Condition, Condition]] = {
    "the statement, to the code": (("code", 0), ("code+statement", 0)),
    "the code, to the statement": (("statement", 0), ("code+statement", 0)),
    "one worked case, to the code": (("code", 0), ("code", 1)),
    "a second one": (("code", 1), ("code", 2)),
}


def _added(rights: Mapping[Condition, Rights], intervals: _Intervals) -> dict[str, Estimate]:
    """Return what it changes to show more, over the same cases."""
    return {
        name: intervals.difference(rights[less], rights[more])
        for name, (less, more) in _STEPS.items()
        if less in rights and more in rights
    }


def _tables(
    scores: Mapping[Condition, tuple[Estimate, Estimate]],
    silent: Mapping[Condition, float],
    beside: Mapping[str, tuple[Estimate, Estimate]],
    added: Mapping[str, Estimate],
    notes: Sequence[str],
) -> list[Record]:
    header = ["shown", "worked cases", "right", "all of a program right", "no literal"]
    rows: list[list[Cell]] = [
        [what, count, *found, f"{silent[what, count]:.1%}".replace("%", " %")]
        for (what, count), found in scores.items()
    ]
    rows += [[f"guess: {name}", None, *found, None] for name, found in beside.items()]
    tables = [table("What does the program return?", header, rows, notes=notes)]
    if added:
        steps: list[list[Cell]] = [[name, difference] for name, difference in added.items()]
        tables.append(table("What it changes to show more", ["", "right"], steps, notes=["over the same calls"]))
    return tables


def _plot(scores: Mapping[Condition, tuple[Estimate, Estimate]]) -> Record:
    lines: dict[str, Any] = {}
    for (what, count), (checks, _) in scores.items():
        lines.setdefault(what, []).append((str(count), checks))
    return plot("What does the program return?", lines, x="worked cases shown", y="right, %", kind="bar")
