"""Conditions of a study as scores of problems: means, and differences paired over the problems that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from regreen.errors import InputError
from regreen.metrics import Estimate, holm, mean_interval, paired_difference, paired_permutation, pass_at_k
from regreen.records import ProblemCounts, Record, read_counts


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model came to under one condition: for each problem its programs, and how many of them passed."""

    name: str
    problems: Mapping[str, ProblemCounts]

    @classmethod
    def of(cls, name: str, run: Record | Path, *, part: str | None = None) -> Scored:
        """Return the scores of a run directory, or of the run that ``Study.run`` returned.

        With ``part``, a program passes if it passes those of its problem's checks that ``meta`` calls so.
        """
        path = run if isinstance(run, Path) else Path(run["run"])
        found = {problem: counts for problem, counts in sorted(read_counts(path).problems.items()) if counts.programs}
        if part is None:
            return cls(name, found)
        return cls(name, {p: replace(counts, passed=counts.passed_part[part]) for p, counts in found.items()})

    def values(self, names: Sequence[str], k: int = 1) -> list[float]:
        """Return pass@k of the problems named; raises InputError where one has fewer than k programs."""
        counts = [self.problems[name] for name in names]
        values = [pass_at_k(each.programs, each.passed, k) for each in counts]
        if any(value is None for value in values):
            fewest = min(each.programs for each in counts)
            raise InputError(f"pass@{k} needs {k} programs for each problem, {self.name} has {fewest}; give -n {k}")
        return [value for value in values if value is not None]

    def clusters(self, names: Sequence[str]) -> list[str]:
        """Return a label for each problem named: problems of one label are resampled together."""
        return [self.problems[name].cluster or name for name in names]

    def mean(self, names: Sequence[str], k: int = 1, *, seed: int = 0) -> Estimate:
        """Return pass@k over the problems named, with its interval."""
        return mean_interval(self.values(names, k), clusters=self.clusters(names), seed=seed)

    def gain_over(self, other: Scored, names: Sequence[str], k: int = 1, *, seed: int = 0) -> Estimate:
        """Return how much higher this pass@k is than the other's on the same problems."""
        labels = self.clusters(names)
        return paired_difference(other.values(names, k), self.values(names, k), clusters=labels, seed=seed)

    def p_against(self, other: Scored, names: Sequence[str], k: int = 1, *, seed: int = 0) -> float:
        """Return the p-value of that difference: the two conditions swapped at random, a whole problem at a time."""
        labels = self.clusters(names)
        return paired_permutation(other.values(names, k), self.values(names, k), clusters=labels, seed=seed)


def shared(scored: Sequence[Scored]) -> list[str]:
    """Return the problems that all conditions have programs for; raises InputError if there are none."""
    names = sorted(set.intersection(*(set(each.problems) for each in scored)))
    if not names:
        raise InputError(f"{', '.join(each.name for each in scored)}: no problem has programs in all of them")
    return names


@dataclass(frozen=True, slots=True)
class Line:
    """One condition's line in a table: pass@k for each k, and what it gains at pass@1 on another condition.

    ``p`` is corrected by Holm for all lines of the table.
    """

    name: str
    means: Mapping[int, Estimate]
    gain: Estimate | None
    p: float | None

    def cells(self) -> list[Estimate | float | str | None]:
        """Return the line as cells of a table."""
        return [self.name, *self.means.values(), self.gain, self.p]

    def to_json(self) -> Record:
        """Return the line as plain JSON."""
        means = {f"pass@{k}": asdict(mean) for k, mean in self.means.items()}
        return {**means, "gain": self.gain and asdict(self.gain), "p": self.p}


def lines(
    scored: Sequence[Scored], bases: Sequence[Scored | None], *, ks: Sequence[int] = (1,), seed: int = 0
) -> list[Line]:
    """Return a line for each condition, on the problems that all have.

    Args:
        scored: the conditions.
        bases: for each the condition that its gain is over, or None.
        ks: the k of pass@k.
        seed: of intervals and tests.
    """
    names = shared(scored)
    pairs = list(zip(scored, bases, strict=True))
    ps = holm([None if base is None else each.p_against(base, names, seed=seed) for each, base in pairs])
    return [
        Line(
            each.name,
            {k: each.mean(names, k, seed=seed) for k in ks},
            None if base is None else each.gain_over(base, names, seed=seed),
            p,
        )
        for (each, base), p in zip(pairs, ps, strict=True)
    ]


def pooled(name: str, scored: Sequence[Scored]) -> Scored:
    """Return conditions counted together, on the problems that all have."""
    together = {}
    for problem in shared(scored):
        counts = [each.problems[problem] for each in scored]
        programs, passed = sum(c.programs for c in counts), sum(c.passed for c in counts)
        together[problem] = replace(counts[0], programs=programs, passed=passed)
    return Scored(name, together)
