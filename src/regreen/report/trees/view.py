"""How the trees of runs are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Verdicts = Literal["ours", "recorded"]


class Prices(NamedTuple):
    """What a million tokens cost: read, read from what the backend had kept, generated."""

    read: float
    cached: float
    generated: float


@dataclass(frozen=True, slots=True)
class RepairView:
    """Which cells of a run's trees are reported, and how; none of it decides what was grown.

    ``n_p`` and ``n_fr`` are the grid's sides (None: the paper's, as far as trees go). Where explanations stand apart
    ``n_fr`` counts them, and ``n_r`` repairs are drawn for each, one in the paper. ``order`` is the search's.
    ``replacement`` is how trees are drawn from the frozen ones: "without" is unbiased, "with" is the paper's.
    ``estimator`` computes expectations or draws ``trees`` trees a problem. ``tokens`` counts all that were sampled, or
    by the paper's rule those of extracted code and of the text before it. ``budget`` is the axis on which baselines are
    matched. ``prices`` has a model's prices. ``verdicts`` None: ours if there are any, else the recorded ones.
    """

    n_p: tuple[int, ...] | None = None
    n_fr: tuple[int, ...] | None = None
    n_r: int = 1
    order: Literal["batched", "bfs", "dfs"] = "batched"
    replacement: Literal["with", "without"] = "without"
    estimator: Literal["exact", "bootstrap"] = "exact"
    trees: int = 1000
    tokens: Literal["sampled", "paper"] = "sampled"
    budget: Literal["sampled", "total", "price", "calls"] = "sampled"
    prices: Mapping[str, Prices] = field(default_factory=dict)
    verdicts: Verdicts | None = None
