"""How programs fail, and how that changes with the size of the model: the outcomes of several runs side by side.

Source: Austin et al. 2021 (arXiv 2108.07732), section 4.2 and figure 4.

Differences from the paper:
- Exceptions are told apart by class; each share has an interval, and its trend a slope against log10(parameters).
- Texts without a program count as syntax errors, as everywhere here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

from regreen.analysis import scaling_fit
from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval
from regreen.records import Record, read_counts
from regreen.run import read_manifest
from regreen.studies.finding import Cell, finding, plot, table
from regreen.studies.judged import Judged, read_judged

_CLASSES = 6  # classes of exceptions that are named; all others are one row
_OTHER = "other exceptions"
_FIRST = ("passed", "wrong_answer", "syntax_error")  # the order of the rows; then exceptions, then limits


def errors(runs: Sequence[Path], *, parameters: Sequence[float] = (), seed: int = 0) -> Record:
    """Return the share of each outcome in each run, and with sizes its slope against log10(parameters).

    Args:
        runs: run directories, on the same problems.
        parameters: each model's number of parameters; by default what the runs recorded, if all did.
        seed: of the intervals.

    Raises:
        InputError: runs without problems in common, or sizes that do not fit them.
    """
    manifests = [read_manifest(run) for run in runs]
    sizes = _sizes(manifests, parameters)
    programs = [read_judged(run) for run in runs]
    names = sorted(set.intersection(*(set(found) for found in programs)))
    if not names:
        raise InputError(f"{', '.join(map(str, runs))}: no problem has programs in all of them")
    known = _classes(programs, names)
    labels = [read_counts(runs[0]).problems[name].cluster or name for name in names]
    kinds = _kinds(programs, names, known)
    shares = {kind: [_shares(found, names, kind, known) for found in programs] for kind in kinds}
    means = {k: [mean_interval(row, clusters=labels, seed=seed) for row in rows] for k, rows in shares.items()}
    slopes = {k: _slope(sizes, rows, labels, seed) for k, rows in shares.items()}
    models = _models(runs, manifests, sizes)
    return finding(
        "errors",
        benchmark=manifests[0]["benchmark"],
        tables=[_table(means, slopes, models, len(names))],
        plots=[_plot(means, models)],
        models=models,
        problems=len(names),
        outcomes={
            kind: {"shares": [asdict(each) for each in means[kind]], "slope": (s := slopes[kind]) and asdict(s)}
            for kind in kinds
        },
    )


def _models(runs: Sequence[Path], manifests: Sequence[Record], sizes: Sequence[float]) -> list[Record]:
    return [
        {"run": str(run), "model": manifest["settings"].get("model"), "parameters": size}
        for run, manifest, size in zip_longest(runs, manifests, sizes)
    ]


def _sizes(manifests: Sequence[Record], parameters: Sequence[float]) -> list[float]:
    """Return a size for each run, given or recorded; none where they cannot tell a trend."""
    if parameters and len(parameters) != len(manifests):
        raise InputError(
            f"{len(manifests)} runs and {len(parameters)} sizes: expected one size for each (--parameters)"
        )
    found = list(parameters) or [manifest.get("model", {}).get("parameters") for manifest in manifests]
    sizes = [float(size) for size in found if size]
    return sizes if len(sizes) == len(manifests) and len(set(sizes)) > 1 else []


def _kind(program: Judged, known: Sequence[str]) -> str:
    """Return a program's row: its outcome, or the class of its exception where that is named."""
    if program.outcome != "exception":
        return program.outcome
    return program.error_type if program.error_type and program.error_type in known else _OTHER


def _classes(programs: Sequence[Mapping[str, Sequence[Judged]]], names: Sequence[str]) -> list[str]:
    raised = Counter(
        each.error_type
        for found in programs
        for name in names
        for each in found[name]
        if each.outcome == "exception" and each.error_type
    )
    return [name for name, _ in sorted(raised.items(), key=lambda item: (-item[1], item[0]))[:_CLASSES]]


def _kinds(programs: Sequence[Mapping[str, Sequence[Judged]]], names: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the rows that any program belongs to, in their order."""
    there = {_kind(each, known) for found in programs for name in names for each in found[name]}
    exceptions = [*known, _OTHER]
    rest = sorted(there - {*_FIRST, *exceptions})
    return [kind for kind in (*_FIRST, *exceptions, *rest) if kind in there]


def _shares(
    found: Mapping[str, Sequence[Judged]], names: Sequence[str], kind: str, known: Sequence[str]
) -> list[float]:
    """Return the share of each problem's programs that belong to a row."""
    return [sum(_kind(each, known) == kind for each in found[name]) / len(found[name]) for name in names]


def _slope(
    sizes: Sequence[float], shares_MP: Sequence[Sequence[float]], labels: Sequence[str], seed: int
) -> Estimate | None:
    return scaling_fit(sizes, shares_MP, clusters=labels, seed=seed).slope if sizes else None


def _table(
    means: Mapping[str, Sequence[Estimate]],
    slopes: Mapping[str, Estimate | None],
    models: Sequence[Record],
    problems: int,
) -> Record:
    told = any(slopes.values())
    rows: list[list[Cell]] = [
        [kind.replace("_", " "), *shares, *([slopes[kind]] if told else [])] for kind, shares in means.items()
    ]
    header = ["programs that", *map(_label, models), *(["slope for ten times the size"] if told else [])]
    notes = [f"{problems} problems that all runs have; 95 % bootstrap over problems, the same for all runs"]
    return table("How programs end", header, rows, notes=notes)


def _label(model: Record) -> str:
    size = model["parameters"]
    unit, sign = next((pair for pair in ((1e9, "B"), (1e6, "M"), (1e3, "K")) if size and size >= pair[0]), (1, ""))
    return Path(model["run"]).name + (f" ({size / unit:.3g}{sign})" if size else "")


def _plot(means: Mapping[str, Sequence[Estimate]], models: Sequence[Record]) -> Record:
    sized = all(model["parameters"] for model in models)
    at = [model["parameters"] if sized else _label(model) for model in models]
    lines = {kind.replace("_", " "): list(zip(at, shares, strict=True)) for kind, shares in means.items()}
    x, y = "parameters" if sized else "run", "share of programs, %"
    return plot("How programs end", lines, x=x, y=y, kind="line" if sized else "bar", log=sized)
