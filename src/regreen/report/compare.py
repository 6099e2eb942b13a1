"""Two runs on the same problems: the paired difference, and whether it can be told from chance."""

from __future__ import annotations

from collections.abc import Sequence

from regreen.metrics import mcnemar_exact, paired_difference, paired_permutation, pass_at_k
from regreen.records import Counts, ProblemCounts, Record
from regreen.summary import correct, estimate_record

ALPHA = 0.05


def compare(first: Counts, second: Counts, *, ks: Sequence[int] = (1,), seed: int = 0) -> Record:
    """Return the difference second - first for each k, over the problems that both runs have programs for.

    Exact McNemar where both have one program a problem, else a permutation that swaps whole problems (or clusters).
    Whether a difference is distinguishable is said of ``p_holm``, which is ``p`` corrected for the number of ks.
    """
    names = [name for name in sorted(first.problems) if _has_programs(first, name) and _has_programs(second, name)]
    pairs = [(first.problems[name], second.problems[name]) for name in names]
    clusters = [name if one.cluster is None else one.cluster for name, (one, _) in zip(names, pairs, strict=True)]
    found = {f"pass@{k}": _difference(pairs, clusters, k, seed) for k in ks} if names else {}
    _conclude([record for record in found.values() if record["value"] is not None])
    return {
        "problems": len(names),
        "asked_otherwise": sum(one.asked != other.asked for one, other in pairs),
        "only_first": sum(problem.programs > 0 for problem in first.problems.values()) - len(names),
        "only_second": sum(problem.programs > 0 for problem in second.problems.values()) - len(names),
        "differences": found,
    }


def _conclude(differences: Sequence[Record]) -> None:
    """Say of each difference whether it can be told from chance, over all of them together."""
    correct(differences)
    for record in differences:
        record["distinguishable"] = record["p_holm"] is not None and record["p_holm"] < ALPHA


def _has_programs(counts: Counts, name: str) -> bool:
    return name in counts.problems and counts.problems[name].programs > 0


def _difference(
    pairs: Sequence[tuple[ProblemCounts, ProblemCounts]], clusters: Sequence[str], k: int, seed: int
) -> Record:
    sides = [[pass_at_k(side.programs, side.passed, k) for side in pair] for pair in pairs]
    if any(value is None for side in sides for value in side):
        return estimate_record(None, k)
    first, second = ([value for value in column if value is not None] for column in zip(*sides, strict=True))
    record = estimate_record(paired_difference(first, second, clusters=clusters, seed=seed), k)
    return record | _test(pairs, first, second, clusters, seed)


def _test(
    pairs: Sequence[tuple[ProblemCounts, ProblemCounts]],
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[str],
    seed: int,
) -> Record:
    single = all(side.programs == 1 for pair in pairs for side in pair)
    if single and len(set(clusters)) == len(clusters):
        b = sum(one > other for one, other in zip(first, second, strict=True))
        c = sum(one < other for one, other in zip(first, second, strict=True))
        return {"test": "exact McNemar", "only_first_solves": b, "only_second_solves": c, "p": mcnemar_exact(b, c)}
    p = paired_permutation(first, second, clusters=clusters, seed=seed)
    return {"test": "paired permutation over problems", "p": p}
