"""APPS as the Codex paper reports it: strict accuracy, filtered by the shown checks, and with time-outs in brackets.

Source: Chen et al. 2021 (arXiv 2107.03374), section 3.5 and table 2; the average of checks passed is that of Hendrycks
et al. 2021 (arXiv 2105.09938), section 4.

Differences from the paper:
- Where no program passes the shown checks, the problem counts as failed under filtering; the paper does not say.
- Where fewer than k pass them, all of these are taken: the problem is solved if one of them is right.
- A problem that shows no check cannot be filtered and keeps all of its programs.
- Checks that were not run, because an earlier one timed out, count as not passed in the average.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval, paired_difference, pass_at_k
from regreen.records import PROBLEMS, Record, read_records
from regreen.run import read_manifest
from regreen.studies.finding import Cell, estimate_of, finding, plot, table
from regreen.studies.judged import Judged, read_judged

DIFFICULTIES = ("introductory", "interview", "competition")  # the order of the columns; any other comes after
_EVERY = "all"
_KS = (1, 5, 10, 100, 1000)


@dataclass(frozen=True, slots=True)
class Counted:
    """A problem's programs: how many, which pass everything, time out but never err, pass what is shown.

    ``right`` and ``bracket`` (right ones among them) say of each program whether it counts, ``kept`` whether it passes
    the shown checks; ``average`` is the mean share of checks passed.
    """

    right: tuple[bool, ...]
    bracket: tuple[bool, ...]
    kept: tuple[bool, ...]
    average: float

    def raw(self, k: int, *, bracket: bool = False) -> float:
        """Return pass@k over all programs; there must be k."""
        counts = self.bracket if bracket else self.right
        value = pass_at_k(len(counts), sum(counts), k)
        if value is None:
            raise InputError(f"pass@{k} needs {k} programs for each problem, one has {len(counts)}; leave out -k {k}")
        return value

    def filtered(self, k: int, *, bracket: bool = False) -> float:
        """Return pass@k over the programs that pass the shown checks: 0 if none does, of all if fewer than k do."""
        counts = [c for c, kept in zip(self.bracket if bracket else self.right, self.kept, strict=True) if kept]
        value = pass_at_k(len(counts), sum(counts), min(k, len(counts))) if counts else 0.0
        return value or 0.0


def apps(run: Path, *, ks: Sequence[int] = (), seed: int = 0) -> Record:
    """Return strict accuracy, raw and filtered, each with its bracket, and the average of checks passed.

    Args:
        run: a run directory; its problems say which checks were shown, and in ``meta`` how difficult they are.
        ks: of pass@k; by default 1, 5, 10, 100, 1000 as far as the programs go.
        seed: of the intervals.

    Raises:
        InputError: no run directory, no programs in it, or fewer than a k asks for.
    """
    manifest, programs = read_manifest(run), read_judged(run)
    records = {record["id"]: record for _, record in read_records(run / PROBLEMS)}
    shown = {name: tuple(records.get(name, {}).get("shown", ())) for name in programs}
    counted = {name: count(found, shown[name]) for name, found in programs.items()}
    fewest = min(len(each.right) for each in counted.values())
    ks = tuple(ks) or tuple(k for k in _KS if k <= fewest)
    groups = {name: [counted[id] for id in ids] for name, ids in _groups(records, list(counted)).items()}
    rows = {name: _scores(group, ks, seed) for name, group in groups.items()}
    return finding(
        "apps",
        benchmark=manifest["benchmark"],
        tables=[_table(rows, ks, groups, sum(not checks for checks in shown.values()))],
        plots=[_plot(rows, ks)],
        run=str(run),
        problems=len(counted),
        scores=rows,
    )


def count(programs: Sequence[Judged], shown: tuple[int, ...]) -> Counted:
    """Return what counts of a problem's programs, given the checks that were shown."""
    shares = [sum(o == "passed" for o in p.checks.values()) / len(p.checks) if p.checks else 0.0 for p in programs]
    return Counted(
        tuple(program.passed for program in programs),
        tuple(program.passed or _only_late(program) for program in programs),
        tuple(program.passes(shown) for program in programs),
        statistics.fmean(shares),
    )


def _only_late(program: Judged) -> bool:
    """Tell whether a program timed out on some check and gave no wrong answer on those before."""
    return "timeout" in program.checks.values() and set(program.checks.values()) <= {"passed", "timeout", None}


def _groups(records: Mapping[str, Record], ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the problems of each difficulty, after all of them."""
    kinds = {id: records.get(id, {}).get("meta", {}).get("difficulty") for id in ids}
    others = sorted({str(kind) for kind in kinds.values() if kind and kind not in DIFFICULTIES})
    found = {kind: [id for id in ids if kinds[id] == kind] for kind in (*DIFFICULTIES, *others)}
    return {_EVERY: list(ids), **{kind: group for kind, group in found.items() if group}}


def _scores(group: Sequence[Counted], ks: Sequence[int], seed: int) -> Record:
    raw = {k: [each.raw(k) for each in group] for k in ks}
    filtered = {k: [each.filtered(k) for each in group] for k in ks}
    first = ks[0]
    return {
        "raw": {f"pass@{k}": _mean(raw[k], seed) for k in ks},
        "raw_bracket": {f"pass@{k}": _mean([each.raw(k, bracket=True) for each in group], seed) for k in ks},
        "filtered": {f"pass@{k}": _mean(filtered[k], seed) for k in ks},
        "filtered_bracket": {f"pass@{k}": _mean([each.filtered(k, bracket=True) for each in group], seed) for k in ks},
        "gain": asdict(paired_difference(raw[first], filtered[first], seed=seed)),
        "average": _mean([each.average for each in group], seed),
        "problems": len(group),
    }


def _mean(values: Sequence[float], seed: int) -> Record:
    return asdict(mean_interval(values, seed=seed))


_ROWS = {
    "raw": ("raw", ""),
    "raw_bracket": ("raw", ", with time-outs"),
    "filtered": ("filtered", ""),
    "filtered_bracket": ("filtered", ", with time-outs"),
}


def _table(
    rows: Mapping[str, Record], ks: Sequence[int], groups: Mapping[str, Sequence[Counted]], blind: int
) -> Record:
    cells: list[list[Cell]] = [
        [f"{said} pass@{k}{more}", *(estimate_of(scores[name][f"pass@{k}"]) for scores in rows.values())]
        for name, (said, more) in _ROWS.items()
        for k in ks
    ]
    cells.append([f"gain of filtering at {ks[0]}", *(estimate_of(scores["gain"]) for scores in rows.values())])
    cells.append(["checks passed, average", *(estimate_of(scores["average"]) for scores in rows.values())])
    every = groups[_EVERY]
    none = sum(not any(each.kept) for each in every)
    notes = [
        "strict: every check of a problem must pass; filtered: only programs that pass the shown checks are drawn",
        f"no program left counts as failed ({none} of {len(every)} problems); of fewer than k all are drawn",
        "with time-outs: programs that time out and never give a wrong answer count too (the paper's brackets)",
    ]
    notes += [f"problems that show no check and keep all programs: {blind}"] if blind else []
    header = ["", *(f"{name} ({len(group)})" for name, group in groups.items())]
    return table("Strict accuracy", header, cells, notes=notes)


def _plot(rows: Mapping[str, Record], ks: Sequence[int]) -> Record:
    lines: dict[str, list[tuple[float | str, float | Estimate]]] = {
        f"{said}{more}": [(k, estimate_of(rows[_EVERY][name][f"pass@{k}"])) for k in ks]
        for name, (said, more) in _ROWS.items()
    }
    return plot("Raw and filtered", lines, x="k, programs for each problem", y="pass@k, %", log=True)
