"""Which solved examples a prompt shows: the spread over sets, and the best of them, chosen on other problems.

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.3.

Differences from the paper:
- The best set is chosen on one part of the problems, or on another benchmark, and its score is that of the rest.
- Beside the spread over sets stands the spread that drawing the programs anew would give one set alone.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import fsum, sqrt

from regreen.errors import InputError
from regreen.metrics import Estimate, interval_over_seeds, paired_difference
from regreen.records import Record
from regreen.studies.asking import Study
from regreen.studies.example_sets import ExampleSet
from regreen.studies.finding import Cell, interval_text, plot, table
from regreen.studies.scored import Scored, shared


@dataclass(frozen=True, slots=True)
class Chosen:
    """Sets of examples on the problems that they are chosen on, and on those that they are reported on."""

    choosing: Sequence[Scored]
    reported: Sequence[Scored]
    choose_on: Sequence[str]
    report_on: Sequence[str]
    where: str

    @property
    def best(self) -> int:
        """The set with the highest pass@1 on the problems chosen on; of equal ones the first."""
        means = [statistics.fmean(each.values(self.choose_on)) for each in self.choosing]
        return means.index(max(means))


def ask_sets(study: Study, sets: Sequence[ExampleSet], *, choose_on: str | None = None) -> Chosen:
    """Ask with every set of examples, on the study's problems and where given on those of another benchmark.

    Raises:
        InputError: fewer than two sets, or too few problems to choose on one part and report on the other.
    """
    if len(sets) < 2:
        raise InputError(f"{len(sets)} set of examples: give at least two (--sets)")
    reported = [Scored.of(each.name, study.run(each.name, examples=each.examples)) for each in sets]
    names = shared(reported)
    if choose_on is None:
        first, rest = _halves(reported[0], names)
        return Chosen(reported, reported, first, rest, "half of the problems")
    other, problems = study.choice.load(choose_on, "ask")
    runs = [study.run(f"{s.name}-choosing", benchmark=other, problems=problems, examples=s.examples) for s in sets]
    choosing = [Scored.of(each.name, run) for each, run in zip(sets, runs, strict=True)]
    return Chosen(choosing, reported, shared(choosing), names, choose_on)


def _halves(scored: Scored, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split problems in two, each cluster of them by a hash of its own, so that more problems move none."""
    labelled = zip(names, scored.clusters(names), strict=True)
    first = [name for name, label in labelled if hashlib.sha256(f"choose {label}".encode()).digest()[0] & 1]
    rest = [name for name in names if name not in first]
    if not first or not rest:
        raise InputError(f"{len(names)} problems are too few to choose on half of them; give more, or --choose-on")
    return first, rest


def which_examples(study: Study, sets: Sequence[ExampleSet], *, choose_on: str | None = None) -> Record:
    """Return each set's pass@1, their mean and range, and the score of the one chosen on other problems.

    Args:
        study: who is asked.
        sets: of solved examples.
        choose_on: a benchmark to choose on; by default half of the problems, the other half being reported on.

    Raises:
        InputError: as :func:`ask_sets` does.
    """
    found, seed = ask_sets(study, sets, choose_on=choose_on), study.sampling.seed
    values_SP = [each.values(found.report_on) for each in found.reported]
    labels = found.reported[0].clusters(found.report_on)
    means = [each.mean(found.report_on, seed=seed) for each in found.reported]
    average = [statistics.fmean(column) for column in zip(*values_SP, strict=True)]
    numbers = {
        "mean": asdict(interval_over_seeds(values_SP, clusters=labels, bounds=(0.0, 1.0))),
        "lowest": min(mean.value for mean in means),
        "highest": max(mean.value for mean in means),
        "deviation": statistics.stdev(mean.value for mean in means),
        "deviation_of_draws": _deviation_of_draws(found),
        "chosen": sets[found.best].name,
        "chosen_score": asdict(means[found.best]),
        "gain_of_choosing": asdict(paired_difference(average, values_SP[found.best], clusters=labels, seed=seed)),
        "chosen_on": {"benchmark": found.where, "problems": len(found.choose_on)},
        "problems": len(found.report_on),
    }
    bars = {"pass@1": [(each.name, mean) for each, mean in zip(sets, means, strict=True)]}
    return {
        **numbers,
        "sets": {each.name: [example.id for example in each.examples] for each in sets},
        "table": _table(found, sets, means, numbers, seed),
        "plot": plot("Which solved examples", bars, x="set of examples", y="pass@1, %", kind="bar"),
    }


def _deviation_of_draws(found: Chosen) -> float | None:
    """Return the standard deviation of a set's mean under new draws of its programs; None if nobody can know it.

    A problem's share of right programs, c of n, has the unbiased variance (c/n)(1 - c/n)/(n - 1).
    """
    variances = []
    for each in found.reported:
        counts = [each.problems[name] for name in found.report_on]
        if any(c.programs < 2 for c in counts):
            return None
        shares = [(c.passed / c.programs, c.programs) for c in counts]
        variances.append(fsum(s * (1 - s) / (n - 1) for s, n in shares) / len(counts) ** 2)
    return sqrt(statistics.fmean(variances))


def _table(found: Chosen, sets: Sequence[ExampleSet], means: Sequence[Estimate], numbers: Record, seed: int) -> Record:
    choosing = [each.mean(found.choose_on, seed=seed) for each in found.choosing]
    rows: list[list[Cell]] = [[s.name, s.ids, *pair] for s, *pair in zip(sets, choosing, means, strict=True)]
    draws = numbers["deviation_of_draws"]
    alone = "unknown (give -n 2 or more)" if draws is None else f"{100 * draws:.1f} points"
    notes = [
        f"mean over sets {interval_text(numbers['mean'])}, over sets and problems; "
        f"range {100 * numbers['lowest']:.1f} to {100 * numbers['highest']:.1f} %",
        f"standard deviation between sets {100 * numbers['deviation']:.1f} points; of drawing programs alone {alone}",
        f"best on {found.where} ({len(found.choose_on)} problems): {numbers['chosen']}, "
        f"{interval_text(numbers['chosen_score'])} on the {len(found.report_on)} others; "
        f"over the mean of all sets {interval_text(numbers['gain_of_choosing'])}",
    ]
    return table("Which solved examples", ["set", "examples", "pass@1, to choose", "pass@1"], rows, notes=notes)
