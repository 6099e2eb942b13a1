"""Pure functions of counts and costs: pass@k, pass@t of repair trees, intervals and paired tests.

What needs NumPy to be there at all is loaded when it is first used: importing this package stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from regreen.metrics.intervals import (
    LEVEL,
    RESAMPLES,
    Estimate,
    holm,
    interval_over_seeds,
    mcnemar_exact,
    mean_interval,
    paired_difference,
    paired_permutation,
)
from regreen.metrics.passk import pass_at_k, pass_at_k_biased, pass_at_k_P, score

if TYPE_CHECKING:
    from regreen.metrics.baselines import fixed, one_by_one, placebo, same_stop
    from regreen.metrics.budget import at_budget
    from regreen.metrics.drawn import Drawn, bootstrap
    from regreen.metrics.forest import (
        Feedback,
        First,
        Forest,
        FrozenTree,
        Order,
        Repair,
        Width,
        joint,
    )
    from regreen.metrics.passt import Expected, expected

__all__ = [
    "LEVEL",
    "RESAMPLES",
    "Drawn",
    "Estimate",
    "Expected",
    "Feedback",
    "First",
    "Forest",
    "FrozenTree",
    "Order",
    "Repair",
    "Width",
    "at_budget",
    "bootstrap",
    "expected",
    "fixed",
    "holm",
    "interval_over_seeds",
    "joint",
    "mcnemar_exact",
    "mean_interval",
    "one_by_one",
    "paired_difference",
    "paired_permutation",
    "pass_at_k",
    "pass_at_k_P",
    "pass_at_k_biased",
    "placebo",
    "same_stop",
    "score",
]

_HOMES = {
    "baselines": ("fixed", "one_by_one", "placebo", "same_stop"),
    "drawn": ("Drawn", "bootstrap"),
    "budget": ("at_budget",),
    "forest": ("Feedback", "First", "Forest", "FrozenTree", "Order", "Repair", "Width", "joint"),
    "passt": ("Expected", "expected"),
}


def __getattr__(name: str) -> Any:
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'regreen.metrics' has no attribute {name!r}")
    return getattr(importlib.import_module(f"regreen.metrics.{home}"), name)
