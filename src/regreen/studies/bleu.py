"""BLEU against correctness: how badly likeness to the reference tells right programs from wrong ones.

Source: Chen et al. 2021 (arXiv 2107.03374), section 3.2 and figure 7; Austin et al. 2021 (arXiv 2108.07732).

Differences from the paper:
- Where they show two overlapping distributions for four problems, every problem has a number here: the probability that
  a right program is more like the reference than a wrong one (0.5: BLEU says nothing).
- Any run will do, not the samples at temperature 0.8 alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from regreen.analysis import bleu_against_correctness
from regreen.errors import InputError
from regreen.problem import Problem
from regreen.records import Record, judged_programs
from regreen.run import read_manifest
from regreen.studies.finding import estimate_of, finding, plot, table


def bleu(run: Path, problems: Iterable[Problem], *, seed: int = 0) -> Record:
    """Return how well BLEU tells right programs of a run from wrong ones.

    Args:
        run: a run directory.
        problems: those of its benchmark, for their reference solutions.
        seed: of the intervals.

    Raises:
        InputError: no run directory, or no problem with a reference solution, right programs and wrong ones.
    """
    manifest = read_manifest(run)
    references = {problem.id: problem.solution for problem in problems if problem.solution}
    programs = _programs(run)
    try:
        found = bleu_against_correctness(programs, references, seed=seed)
    except ValueError as error:
        raise InputError(
            f"{run}: no problem with a reference solution, a right program and a wrong one; "
            f"give more programs (-n), or the benchmark of the run ({manifest['benchmark']})"
        ) from error
    benchmark, tables, plots = manifest["benchmark"], [_table(found)], _plots(found)
    return finding("bleu", benchmark=benchmark, tables=tables, plots=plots, run=str(run), **found)


def _table(found: Record) -> Record:
    kinds = {"right": found["right"], "wrong": found["wrong"]}
    rows = [[kind, d["programs"], *(f"{q:.1f}" for q in d["quartiles"])] for kind, d in kinds.items()]
    notes = [
        f"a right program has the higher BLEU than a wrong one with probability {_interval(found['auc'])}",
        f"overlap of the two distributions {_interval(found['overlap'])} (1: the same, 0: apart)",
        f"means over {found['problems']} problems with both kinds; 95 % bootstrap over problems",
    ]
    header = ["", "programs", "first quartile", "median", "third quartile"]
    return table("BLEU to the reference", header, rows, notes=notes)


def _plots(found: Record) -> list[Record]:
    kinds = {kind: found[kind]["tenths"] for kind in ("right", "wrong")}
    shares = {
        kind: [(100 * (at + 0.5) / len(tenths), share) for at, share in enumerate(tenths)]
        for kind, tenths in kinds.items()
    }
    means = [("a right one has the higher BLEU", estimate_of(found["auc"])), ("overlap", estimate_of(found["overlap"]))]
    return [
        plot("BLEU to the reference", shares, x="BLEU", y="of the programs, %"),
        plot("Does BLEU tell right from wrong?", {"mean over problems": means}, x="", y="%", kind="bar"),
    ]


def _interval(found: Record) -> str:
    return "{value:.3f} [{low:.3f}, {high:.3f}]".format(**found)


def _programs(run: Path) -> dict[str, list[tuple[str, bool]]]:
    programs: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for record, passed in judged_programs(run):
        if passed is not None and record["source"]:
            programs[record["problem"]].append((record["source"], passed))
    return programs
