"""Run directories as the report sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from regreen.errors import InputError
from regreen.rank import curves
from regreen.records import RANKS, SCORES, STUDY, TREES, Counts, Record, read_counts, read_json
from regreen.report.compare import compare
from regreen.report.dialog import dialog_summary
from regreen.report.training import is_training, training_summary
from regreen.run import read_manifest
from regreen.summary import View, recorded_verdicts, summarise

if TYPE_CHECKING:
    from regreen.report.trees import RepairView


@dataclass(frozen=True, slots=True)
class RunData:
    """A run directory, read: what was asked, and what its records add up to."""

    path: Path
    manifest: Record
    counts: Counts


def load(path: Path) -> RunData:
    """Read a run directory; raises InputError if it is none."""
    manifest = read_manifest(path)
    return RunData(path, manifest, read_counts(path))


def report(paths: Sequence[Path], view: View | None = None, *, repair_view: RepairView | None = None) -> Record:
    """Return what runs come to, as plain JSON.

    Args:
        paths: run directories.
        view: which scores; without k, those of the first run's own scores.
        repair_view: how repair trees are reported, of runs that have any.

    Returns:
        What a study found, of its folder. One run's summary, with trees also what
        :func:`regreen.report.trees.summary.tree_summary` says of them. For several, ``runs`` with a summary each, and
        for exactly two, ``paired``: their difference.

    Raises:
        InputError: a path is no run directory.
    """
    if len(paths) == 1 and (paths[0] / STUDY).exists():
        return _finding(paths[0] / STUDY)
    runs = [load(path) for path in paths]
    view = view or View()
    ks = view.ks or _own_ks(paths[0])
    view = replace(view, ks=ks)
    summaries = [_summary(run, view, repair_view) for run in runs]
    if len(runs) == 1:
        return summaries[0]
    scored = len(runs) == 2 and not any(is_training(run.manifest) for run in runs)
    paired = compare(runs[0].counts, runs[1].counts, ks=ks, seed=view.seed) if scored else None
    return {"runs": summaries, "paired": paired}


def _finding(file: Path) -> Record:
    found = read_json(file)
    whole = {"study", "tables", "plots"} <= set(found)
    if not whole or not all({"title", "header", "rows", "notes", "unit"} <= set(table) for table in found["tables"]):
        raise InputError(f"{file}: not what a study writes; type the study's command again")
    return found


def _summary(run: RunData, view: View, repair_view: RepairView | None) -> Record:
    if is_training(run.manifest):
        return training_summary(run.path, run.manifest)
    summary = summarise(run.manifest, run.counts, view)
    if recorded := recorded_verdicts(run.path):
        summary["recorded"] = recorded
    if (run.path / RANKS).exists():
        summary["ranks"] = curves(run.path, seed=view.seed)
    if run.manifest["command"] == "dialog":
        summary["dialog"] = dialog_summary(run.path, turns=run.manifest["settings"]["turns"], seed=view.seed)
    elif (run.path / TREES).exists():
        summary |= _grown(run, repair_view, seed=view.seed)
        if run.manifest["command"] == "refine":
            from regreen.report.refined import refined

            reveal = {"reveal": run.manifest["settings"]["reveal"]}
            summary["refine"] = refined(run.path, seed=view.seed) | reveal
    return {**summary, "run": str(run.path), "seconds": run.manifest["seconds"]}


def _grown(run: RunData, repair_view: RepairView | None, *, seed: int) -> Record:
    """Return what trees come to; of imported ones that lack verdicts, what can be said without these."""
    from regreen.report.trees.grown import Unjudged
    from regreen.report.trees.summary import tree_summary  # NumPy, which other runs do without

    try:
        found = tree_summary(run.path, repair_view, seed=seed)
    except Unjudged as why:
        if run.manifest["command"] != "import" or (repair_view and repair_view.verdicts):
            raise
        return {"imported": read_json(run.path / SCORES) | {"unscored": str(why)}}
    found["repair"]["reveal"] = run.manifest["settings"].get("reveal")
    return found


def _own_ks(path: Path) -> tuple[int, ...]:
    """Return the k that the run was last scored with."""
    try:
        names = read_json(path / SCORES).get("scores", {})
        return tuple(int(name.removeprefix("pass@")) for name in names) or (1,)
    except (InputError, ValueError, TypeError):  # none written yet, or not by us: nothing depends on it
        return (1,)
