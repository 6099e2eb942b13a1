"""The rankers: each gives the programs of one problem a score, None where it cannot say, and never sees the verdict.

| ranker | score | source |
|---|---|---|
| random | the same for all | |
| mean_logprob | log-probability / tokens | Chen et al. 2021, section 3.3 |
| sum_logprob | log-probability | the same |
| back_translation | log-probability of the statement, given the program | the same, section 5 |
| shown | 1 if it passes all shown checks, else 0 | Chen et al. 2021, section 3.4 (filtered pass@k) |
| majority | how many programs give the same outputs | Shi et al. 2022 (arXiv 2204.11454), Li et al. 2022 (AlphaCode) |
| dual_agreement | sqrt(programs) x checks | Chen et al. 2022 (CodeT, arXiv 2207.10397) |
| oracle | 1 if it is right, else 0 | Chen et al. 2021, section 3.3: the upper bound, pass@k |

Differences from the papers: where no program passes the shown checks, one is chosen among all (Chen et al. do not say).
Outputs are those on the inputs of the written checks, without these of the shown ones: they are equal as far as the
checks tell them apart; programs that give no value at all have score 0. The root in CodeT's score is that of its
published code, which also counts a check as often as it was written.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from regreen.rank.pools import Answer, Candidate, Pool, all_passed

Scores = list[float | None]
POWERS = {"majority": 1.0, "dual_agreement": 0.5}  # of a group's size in its score, of rankers that score groups
_VALUES = ("passed", "wrong_answer")  # outcomes of a check to which the program gave a value


def random(pool: Pool) -> Scores:
    """Know nothing."""
    return [0.0 for _ in pool.candidates]


def oracle(pool: Pool) -> Scores:
    """Know everything: the upper bound."""
    return [float(passed) for passed in pool.passed]


def mean_logprob(pool: Pool) -> Scores:
    """Prefer programs whose tokens were likely."""
    return [c.logprob / c.tokens if c.logprob is not None and c.tokens else None for c in pool.candidates]


def sum_logprob(pool: Pool) -> Scores:
    """Prefer programs that were likely as a whole, which favours short ones."""
    return [candidate.logprob for candidate in pool.candidates]


def shown(pool: Pool) -> Scores:
    """Prefer programs that pass the checks which the prompt shows."""
    return [None if c.shown is None else float(all_passed(c.shown)) for c in pool.candidates]


def majority(pool: Pool) -> Scores:
    """Prefer programs whose outputs many others give too."""
    groups = majority_groups(pool)
    sizes = Counter(groups)
    return [_majority_score(_outputs(c), sizes[g]) for c, g in zip(pool.candidates, groups, strict=True)]


def majority_groups(pool: Pool) -> list[int]:
    """Return the group of each program: those with equal outputs on all shared inputs."""
    return _number([_outputs(candidate) for candidate in pool.candidates])


def dual_agreement(pool: Pool) -> Scores:
    """Prefer programs that pass many written checks together with many other programs that pass the same ones."""
    groups = dual_agreement_groups(pool)
    sizes = Counter(groups)
    passed = [_passed_checks(candidate) for candidate in pool.candidates]
    # the square under the root keeps equal scores equal to the last bit
    return [None if p is None else math.sqrt(sizes[g] * len(p) ** 2) for p, g in zip(passed, groups, strict=True)]


def dual_agreement_groups(pool: Pool) -> list[int]:
    """Return the group of each program: those that pass exactly the same written checks."""
    return _number([_passed_checks(candidate) for candidate in pool.candidates])


RANKERS: dict[str, Callable[[Pool], Scores]] = {
    "random": random,
    "mean_logprob": mean_logprob,
    "sum_logprob": sum_logprob,
    "shown": shown,
    "majority": majority,
    "dual_agreement": dual_agreement,
    "oracle": oracle,
}
GROUPS: dict[str, Callable[[Pool], list[int]]] = {
    "majority": majority_groups,
    "dual_agreement": dual_agreement_groups,
}


def _outputs(candidate: Candidate) -> tuple[Answer, ...] | None:
    return candidate.written or candidate.shown


def _majority_score(outputs: tuple[Answer, ...] | None, size: int) -> float | None:
    if outputs is None:
        return None
    return float(size) if any(outcome in _VALUES for outcome, _, _ in outputs) else 0.0


def _passed_checks(candidate: Candidate) -> tuple[int, ...] | None:
    """Return the written checks that a program passes; one that was written twice counts twice."""
    if candidate.written is None:
        return None
    return tuple(i for i, (outcome, _, _) in enumerate(candidate.written) if outcome == "passed")


def _number(labels: Sequence[Hashable]) -> list[int]:
    """Number labels in the order of their first appearance."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]
