"""Score against size: a straight line in the logarithm of the number of parameters, over several models' runs.

Source: Chen et al. 2021 (arXiv 2107.03374), figure 6; Austin et al. 2021 (arXiv 2108.07732), section 4.

Differences from the paper:
- A line for every k, where Chen et al. draw a sigmoid by eye; the interval resamples problems, the same ones for all
  models, so it does not cover the choice of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from regreen.analysis import ScalingFit, scaling_fit
from regreen.errors import InputError
from regreen.metrics import mean_interval, pass_at_k
from regreen.records import Record, read_counts
from regreen.run import read_manifest
from regreen.studies.finding import Cell, finding, plot, table


def scaling(
    runs: Sequence[Path], *, parameters: Sequence[float] = (), ks: Sequence[int] = (1,), seed: int = 0
) -> Record:
    """Return slope, intercept and R squared of pass@k against log10(parameters).

    Args:
        runs: a run directory for each model, all on the same problems.
        parameters: each model's number of parameters; by default what the runs recorded of their models.
        ks: the k of pass@k.
        seed: of the intervals.

    Raises:
        InputError: runs on different problems, too few programs for a k, unknown or equal sizes.
    """
    manifests = [read_manifest(run) for run in runs]
    sizes = list(parameters) or [_size(run, manifest) for run, manifest in zip(runs, manifests, strict=True)]
    if len(sizes) != len(runs) or len(set(sizes)) < 2:
        raise InputError(f"{len(runs)} runs and sizes {sizes}: expected one size for each, at least two different ones")
    scores = {f"pass@{k}": _scores(runs, k) for k in ks}
    fits = {name: scaling_fit(sizes, rows, seed=seed) for name, rows in scores.items()}
    models = [
        {"run": str(run), "model": manifest["settings"].get("model"), "parameters": size}
        for run, manifest, size in zip(runs, manifests, sizes, strict=True)
    ]
    means = {
        name: [(size, mean_interval(row, seed=seed)) for size, row in zip(sizes, rows, strict=True)]
        for name, rows in scores.items()
    }
    return finding(
        "scaling",
        benchmark=manifests[0]["benchmark"],
        tables=[_table(fits, models)],
        plots=[plot("Score against size", means, x="parameters", y="%", log=True)],
        models=models,
        fits={name: asdict(fit) for name, fit in fits.items()},
    )


def _table(fits: Mapping[str, ScalingFit], models: Sequence[Record]) -> Record:
    rows: list[list[Cell]] = [[name, fit.slope, fit.intercept, fit.r_squared] for name, fit in fits.items()]
    known = ", ".join(f"{model['model'] or model['run']} ({model['parameters']:.3g})" for model in models)
    notes = [f"score against log10(parameters): {known}", "95 % bootstrap over problems, the same for all models"]
    header = ["", "slope for ten times the size", "intercept", "R squared"]
    return table("Scaling", header, rows, notes=notes, unit="1")


def _size(run: Path, manifest: Record) -> float:
    size = manifest.get("model", {}).get("parameters")
    if not size:
        raise InputError(
            f"{run}: the run does not say how many parameters its model has; give --parameters for all runs"
        )
    return float(size)


def _scores(runs: Sequence[Path], k: int) -> list[list[float]]:
    """Return each run's pass@k on each problem that all runs have."""
    counts = [read_counts(run).problems for run in runs]
    names = sorted(set.intersection(*(set(found) for found in counts)))
    scores = [[pass_at_k(found[name].programs, found[name].passed, k) for name in names] for found in counts]
    if not names or any(score is None for row in scores for score in row):
        raise InputError(f"pass@{k} needs runs with problems in common, and at least {k} programs for each of them")
    return [[score for score in row if score is not None] for row in scores]
