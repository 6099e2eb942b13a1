"""The tables of studies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regreen.records import Record
from regreen.report.tables import Table


def study_tables(found: Record) -> list[Table]:
    """Return the tables of what a study returned."""
    return {"bleu": _bleu, "scaling": _scaling}[found["study"]](found)


def _bleu(found: Record) -> list[Table]:
    kinds = {"right": found["right"], "wrong": found["wrong"]}
    rows = [[kind, str(d["programs"]), *(f"{q:.1f}" for q in d["quartiles"])] for kind, d in kinds.items()]
    notes = [
        f"a right program has the higher BLEU than a wrong one with probability {_interval(found['auc'])}",
        f"overlap of the two distributions {_interval(found['overlap'])} (1: the same, 0: apart)",
        f"means over {found['problems']} problems with both kinds; 95 % bootstrap over problems",
    ]
    return [Table("BLEU to the reference", ["", "programs", "first quartile", "median", "third quartile"], rows, notes)]


def _scaling(found: Record) -> list[Table]:
    rows = [
        [name, *(_interval(fit[part]) for part in ("slope", "intercept", "r_squared"))]
        for name, fit in found["fits"].items()
    ]
    models = ", ".join(f"{model['model'] or model['run']} ({model['parameters']:.3g})" for model in found["models"])
    notes = [f"score against log10(parameters): {models}", "95 % bootstrap over problems, the same for all models"]
    return [Table("Scaling", ["", "slope for ten times the size", "intercept", "R squared"], rows, notes)]


def _interval(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
