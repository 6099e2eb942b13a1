"""Arithmetic in programs: how often a run of MathQA is right, by operation, by length of the chain, by category.

Source: Austin et al. 2021 (arXiv 2108.07732), section 7, on MathQA-Python; Amini et al. 2019 (arXiv 1905.13319), for
operations and categories.

Differences from the paper:
- The paper reports the share of problems solved, and looks at programs by eye; these tables are ours.
- A problem counts once for each operation that its formula holds, however often it does. Long chains are hard whatever
  is in them, and some operations come in long chains: beside an operation's rate stands how far it is from that of all
  problems of the same lengths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval
from regreen.records import PROBLEMS, Record, read_counts, read_records
from regreen.run import read_manifest
from regreen.studies.finding import Cell, finding, plot, table

LONGEST = 10  # chains of so many operations and more are one group
LEAST = 5  # an operation in fewer problems has no row


@dataclass(frozen=True, slots=True)
class Scored:
    """A problem of a run: the share of its programs that pass, and the reference formula's operations and category."""

    rate: float
    operations: tuple[str, ...]
    category: str

    @property
    def length(self) -> str:
        """How many operations there are, as the tables have it."""
        steps = len(self.operations)
        return str(steps) if steps < LONGEST else f"{LONGEST}+"


Groups = Mapping[str, Sequence[Scored]]


def arithmetic(run: Path, *, seed: int = 0) -> Record:
    """Return the pass rates of a run of MathQA by operation, number of operations, and category.

    Args:
        run: a run directory, evaluated or scored.
        seed: of the intervals.

    Raises:
        InputError: no run directory, or one without programs for problems of MathQA.
    """
    manifest, scored = read_manifest(run), read_scored(run)
    operations = grouped(scored, lambda problem: sorted(set(problem.operations)), least=LEAST)
    by_length = grouped(scored, lambda problem: [problem.length])
    lengths = {name: by_length[name] for name in sorted(by_length, key=lambda name: int(name.rstrip("+")))}
    groups = {"operations": operations, "lengths": lengths, "categories": grouped(scored, lambda p: [p.category])}
    rates = {kind: {name: _rate(rows, seed) for name, rows in named.items()} for kind, named in groups.items()}
    against = {name: _against(rows, rates["operations"][name], by_length) for name, rows in operations.items()}
    return finding(
        "arithmetic",
        benchmark=manifest["benchmark"],
        tables=_tables(groups, rates, against, _rate(scored, seed)),
        plots=_plots(rates),
        run=str(run),
        problems=len(scored),
        **{kind: _numbers(groups[kind], rates[kind]) for kind in groups},
        against_length={name: asdict(found) for name, found in against.items()},
    )


def read_scored(run: Path) -> list[Scored]:
    """Return the problems of a run that have programs and say which operations they take; raises InputError if none."""
    counts, scored = read_counts(run).problems, []
    for _, record in read_records(run / PROBLEMS):
        meta, found = record.get("meta", {}), counts[record["id"]]
        if meta.get("operations") and found.programs:
            rate = found.passed / found.programs
            scored.append(Scored(rate, tuple(meta["operations"]), str(meta.get("category"))))
    if not scored:
        raise InputError(f"{run}: no programs for problems of mathqa or mathqa-dsl; give a run of one of them")
    return scored


def grouped(scored: Iterable[Scored], names: Callable[[Scored], Iterable[str]], *, least: int = 1) -> Groups:
    """Return the problems by each of their names, the largest group first, those of fewer than ``least`` left out."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for problem in scored:
        for name in names(problem):
            groups[name].append(problem)
    by_size = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {name: rows for name, rows in by_size if len(rows) >= least}


def _rate(rows: Sequence[Scored], seed: int) -> Estimate:
    return mean_interval([problem.rate for problem in rows], seed=seed)


def _against(rows: Sequence[Scored], rate: Estimate, by_length: Groups) -> Estimate:
    """Return a rate less the mean of all problems that are as long, with the rate's own interval.

    The mean is taken as known. Differences problem by problem would have no spread where no program passes.
    """
    means = {length: fmean(problem.rate for problem in same) for length, same in by_length.items()}
    mean = fmean(means[problem.length] for problem in rows)
    return Estimate(rate.value - mean, rate.low - mean, rate.high - mean, rate.method)


def _numbers(groups: Groups, rates: Mapping[str, Estimate]) -> Record:
    return {name: {"problems": len(rows), **asdict(rates[name])} for name, rows in groups.items()}


def _tables(
    groups: Mapping[str, Groups],
    rates: Mapping[str, Mapping[str, Estimate]],
    against: Mapping[str, Estimate],
    overall: Estimate,
) -> list[Record]:
    every: list[Cell] = ["all", sum(map(len, groups["categories"].values())), overall]
    steps = [*_rows("lengths", groups, rates), every]
    kinds = [*_rows("categories", groups, rates), every]
    operations = [[*row, against[str(row[0])]] for row in _rows("operations", groups, rates)]
    notes = [
        f"operations of at least {LEAST} problems; a problem counts for each operation in its formula",
        "against its length: less the mean of all problems with as many operations",
        "each interval stands for itself: about one in twenty misses",
    ]
    return [
        table("By number of operations", ["operations", "problems", "pass rate"], steps),
        table("By category", ["category", "problems", "pass rate"], kinds),
        table("By operation", ["operation", "problems", "pass rate", "against its length"], operations, notes=notes),
    ]


def _rows(kind: str, groups: Mapping[str, Groups], rates: Mapping[str, Mapping[str, Estimate]]) -> list[list[Cell]]:
    return [[name, len(rows), rates[kind][name]] for name, rows in groups[kind].items()]


def _plots(rates: Mapping[str, Mapping[str, Estimate]]) -> list[Record]:
    """Return two plots: the chain's length as a line, and the operations as bars."""
    lengths = [(int(name.rstrip("+")), rate) for name, rate in rates["lengths"].items()]
    drawn = [
        plot("By number of operations", {"programs": lengths}, x=f"operations ({LONGEST}: and more)", y="passed, %")
    ]
    if rates["operations"]:
        operations = list(rates["operations"].items())
        drawn.append(plot("By operation", {"programs": operations}, x="", y="passed, %", kind="bar"))
    return drawn
