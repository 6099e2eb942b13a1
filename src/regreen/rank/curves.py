"""What the scores of ``ranks.jsonl`` come to: for each ranker, how often the program that it chooses of k is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from regreen.errors import InputError
from regreen.metrics import mean_interval, paired_difference
from regreen.rank.choice import best_group_of_k, best_of_k
from regreen.rank.rankers import POWERS
from regreen.records import PROBLEMS, RANKS, Record, read_records
from regreen.summary import estimate_record

_STEPS = (1, 2, 5)

_Table = Sequence[Sequence[float | None]]  # a row for each problem, a column for each k


@dataclass(slots=True)
class _Problem:
    """The scores and groups of one problem's programs, by ranker."""

    scores: dict[str, list[float | None]] = field(default_factory=dict)
    groups: dict[str, list[int]] = field(default_factory=dict)

    @property
    def passed(self) -> list[bool]:
        return [score == 1.0 for score in self.scores["oracle"]]

    def add(self, record: Record) -> None:
        for name, score in record["scores"].items():
            self.scores.setdefault(name, []).append(score)
        for name, group in record["groups"].items():
            self.groups.setdefault(name, []).append(group)

    def curve(self, name: str, ks: Sequence[int], seed: int) -> list[float | None]:
        """Return how often the best of k is right, for each k."""
        scores, passed = self.scores[name], self.passed
        if name in self.groups:
            return best_group_of_k(scores, self.groups[name], passed, ks, power=POWERS[name], seed=seed)
        return [best_of_k(scores, passed, k) for k in ks]


def curves(run: Path, *, ks: Sequence[int] | None = None, seed: int = 0) -> Record:
    """Return what the ``ranks.jsonl`` of a run comes to, as plain JSON.

    Args:
        run: a run directory that has been ranked.
        ks: how many programs are drawn; by default 1, 2, 5, 10, 20 ... up to the fewest programs of a problem.
        seed: of the intervals, and of the draws for rankers that score groups.

    Returns:
        ``rankers`` has for each name ``problems`` (in how many it tells any two programs apart), ``curve`` and
        ``gain_over_random``, each a list of ``{"k", "value", "low", "high", "interval"}``. Gains are paired: their
        intervals resample differences; there are none at k = 1, where nothing is chosen. ``all_shown`` counts problems
        whose scoring checks are all shown: there the shown checks are the oracle.

    Raises:
        InputError: the run has not been ranked.
    """
    problems = _read(run)
    fewest = min(len(problem.passed) for problem in problems.values())
    chosen = tuple(ks) if ks else _default_ks(fewest)
    about = {record["id"]: record for _, record in read_records(run / PROBLEMS)}
    clusters = [_cluster(about.get(name, {}), name) for name in problems]
    names = list(next(iter(problems.values())).scores)
    found = {name: [problem.curve(name, chosen, seed) for problem in problems.values()] for name in names}
    return {
        "run": str(run),
        "problems": len(problems),
        "programs": sum(len(problem.passed) for problem in problems.values()),
        "all_shown": sum(_all_shown(about.get(name, {})) for name in problems),
        "seed": seed,
        "rankers": {
            name: {
                "problems": sum(len(set(problem.scores[name])) > 1 for problem in problems.values()),
                "curve": _estimates(chosen, found[name], clusters, seed),
                "gain_over_random": _gains(chosen, found[name], found["random"], clusters, seed),
            }
            for name in names
        },
    }


def _read(run: Path) -> dict[str, _Problem]:
    problems: dict[str, _Problem] = {}
    for _, record in read_records(run / RANKS):
        problems.setdefault(record["problem"], _Problem()).add(record)
    if not problems:
        raise InputError(f"{run}: not ranked yet (no {RANKS}); type: regreen rank {run}")
    return problems


def _default_ks(most: int) -> tuple[int, ...]:
    steps = [step * 10**power for power in range(len(str(most))) for step in _STEPS]
    return tuple(sorted({*(k for k in steps if k <= most), most}))


def _cluster(problem: Record, name: str) -> str:
    cluster = problem.get("meta", {}).get("cluster")
    return name if cluster is None else str(cluster)


def _all_shown(problem: Record) -> bool:
    return len(set(problem.get("shown", ()))) == len(problem.get("checks", ())) > 0


def _estimates(ks: Sequence[int], values_PK: _Table, clusters: Sequence[str], seed: int) -> list[Record]:
    """Return the mean over problems for each k."""
    columns = [_column(values_PK, at) for at in range(len(ks))]
    found = [None if column is None else mean_interval(column, clusters=clusters, seed=seed) for column in columns]
    return [{"k": k, **estimate_record(estimate, k)} for k, estimate in zip(ks, found, strict=True)]


def _gains(ks: Sequence[int], values_PK: _Table, random_PK: _Table, clusters: Sequence[str], seed: int) -> list[Record]:
    """Return the mean difference from choosing at random for each k, but where it is 0 by construction."""
    gains = []
    for at, k in enumerate(ks):
        values, base = _column(values_PK, at), _column(random_PK, at)
        if k > 1 and values_PK is not random_PK:
            found = paired_difference(base, values, clusters=clusters, seed=seed) if base and values else None
            gains.append({"k": k, **estimate_record(found, k)})
    return gains


def _column(values_PK: _Table, at: int) -> list[float] | None:
    """Return every problem's value for one k; None where some problem has fewer than k programs."""
    values = [row[at] for row in values_PK]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None
