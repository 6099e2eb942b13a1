"""Several prompts against one for as many programs: does a budget go further when it is split over example sets?

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.3.

Differences from the paper:
- Every set of examples is asked for the whole budget, and the share of problems solved when the budget is split is an
  unbiased estimate from all of its programs, as pass@k is (Chen et al. 2021), not one draw.
- The one prompt is the mean over all sets, and the set that is best on other problems. Against the mean an ensemble
  can only gain in expectation: the product of the chances to fail is their geometric mean. The other comparison can
  be lost.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import prod

from regreen.errors import InputError
from regreen.metrics import holm, mean_interval, paired_difference, paired_permutation, pass_at_k
from regreen.records import Record
from regreen.studies.asking import Study
from regreen.studies.example_sets import Drawing
from regreen.studies.finding import Cell, estimate_of, finding, plot, table
from regreen.studies.which_examples import Chosen, ask_sets


def ensemble(study: Study, *, budgets: Sequence[int] = (), drawing: Drawing | None = None) -> Record:
    """Return the problems solved by a budget that is split over sets of examples, and by one set alone.

    Args:
        study: who is asked; its sampling says how many programs each set gets.
        budgets: programs for each problem; by default as many as there are sets, twice as many, four times, ...
        drawing: which sets of examples, and on what the best is chosen.

    Raises:
        InputError: a budget that cannot be split over the sets, or above the number of programs.
    """
    drawing, n = drawing or Drawing(), study.sampling.n
    budgets = tuple(budgets) or tuple(drawing.sets << at for at in range(n.bit_length()) if drawing.sets << at <= n)
    _refuse(budgets or (drawing.sets,), drawing.sets, n)
    sets = drawing.draw(study)
    found = ask_sets(study, sets, choose_on=drawing.choose_on)
    rows = {str(budget): _at_budget(found, budget, study.sampling.seed) for budget in budgets}
    _correct([row[side] for row in rows.values() for side in ("over_mean", "over_best")])
    return study.found(
        finding(
            "ensemble",
            benchmark=study.called,
            tables=[_table(found, rows, sets[found.best].name)],
            plots=[_plot(rows)],
            problems=len(found.report_on),
            chosen=sets[found.best].name,
            sets={each.name: [example.id for example in each.examples] for each in sets},
            budgets=rows,
        )
    )


def _refuse(budgets: Sequence[int], sets: int, n: int) -> None:
    for budget in budgets:
        if budget % sets or budget > n:
            raise InputError(f"-k {budget}: expected a multiple of the {sets} sets (--sets), at most -n, which is {n}")


def _correct(gains: Sequence[Record]) -> None:
    for gain, p in zip(gains, holm([gain["p"] for gain in gains]), strict=True):
        gain["p"] = p


def solved_by_parts(counts: Sequence[tuple[int, int]], each: int) -> float:
    """Return the chance that some program is right of ``each`` drawn, without replacement, from every prompt's.

    Args:
        counts: for each prompt its programs and how many of them are right.
        each: programs drawn of each prompt, at most as many as it has.

    Returns:
        1 - the product over prompts of C(n - c, each) / C(n, each).
    """
    return 1.0 - prod(1.0 - (pass_at_k(n, c, each) or 0.0) for n, c in counts)


def _at_budget(found: Chosen, budget: int, seed: int) -> Record:
    """Return the problems solved by one budget, split and not, and the paired differences."""
    names, every = found.report_on, found.reported
    counts = [[(each.problems[name].programs, each.problems[name].passed) for each in every] for name in names]
    split = [solved_by_parts(row, budget // len(every)) for row in counts]
    single = [each.values(names, budget) for each in every]
    mean, best = [statistics.fmean(column) for column in zip(*single, strict=True)], single[found.best]
    labels = every[0].clusters(names)
    values = {"ensemble": split, "mean": mean, "best": best}
    return {
        **{name: asdict(mean_interval(column, clusters=labels, seed=seed)) for name, column in values.items()},
        "over_mean": _gain(mean, split, labels, seed),
        "over_best": _gain(best, split, labels, seed),
    }


def _gain(one: Sequence[float], split: Sequence[float], labels: Sequence[str], seed: int) -> Record:
    gain = paired_difference(one, split, clusters=labels, seed=seed)
    return {**asdict(gain), "p": paired_permutation(one, split, clusters=labels, seed=seed)}


def _table(found: Chosen, rows: Mapping[str, Record], chosen: str) -> Record:
    estimates = ("ensemble", "mean", "best")
    gains = ("over_mean", "over_best")
    cells: list[list[Cell]] = [
        [budget, *(estimate_of(row[name]) for name in estimates), *(estimate_of(row[name]) for name in gains)]
        for budget, row in rows.items()
    ]
    header = [
        "programs",
        "split over the sets",
        "one set, mean",
        f"one set, {chosen}",
        "gain on the mean",
        "on the best",
    ]
    ps = "; ".join(f"{b}: {row['over_mean']['p']:.2g}, {row['over_best']['p']:.2g}" for b, row in rows.items())
    notes = [
        f"problems solved by so many programs, of {len(found.report_on)}; {len(found.reported)} sets",
        f"{chosen} is the best on {found.where} ({len(found.choose_on)} problems)",
        "against the mean a split budget can only gain in expectation",
        f"p of the two gains, paired permutation with Holm's correction: {ps}",
    ]
    return table("Several prompts against one", header, cells, notes=notes)


def _plot(rows: Mapping[str, Record]) -> Record:
    names = {"ensemble": "split over the sets", "mean": "one set, mean", "best": "one set, the best"}
    lines = {said: [(int(b), estimate_of(row[name])) for b, row in rows.items()] for name, said in names.items()}
    return plot("Several prompts against one", lines, x="programs for each problem", y="problems solved, %")
