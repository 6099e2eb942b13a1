"""Which answers are believed, and which few inputs are kept: counting, nothing is run here.

Source: Liu et al. 2023 (arXiv 2305.01210), section 2.2, for the greedy cover.
"""

from __future__ import annotations

from collections.abc import Sequence

from regreen.curate.strengthening.answers import Answer

_VOTES = 3  # programs without which there is no agreement


def is_disputed(expected: Answer, votes: Sequence[Answer], share: float) -> bool:
    """Tell whether too few answer as the reference does, which is one of the voters itself.

    Where most programs that pass every known check answer otherwise, the input is more likely to lie outside what the
    statement promises than they are to be wrong.
    """
    known = [vote for vote in votes if vote.is_known]
    return 1 + sum(expected.agrees(vote) for vote in known) < share * (1 + len(known))


def agreed(votes: Sequence[Answer], share: float) -> Answer | None:
    """Return the value that more than half of the programs give, and no less than a share; None where there is none."""
    known = [vote for vote in votes if vote.is_known]
    if len(known) < _VOTES:
        return None
    groups: list[list[Answer]] = []
    for vote in known:
        group = next((group for group in groups if group[0].agrees(vote)), None)
        groups.append([vote]) if group is None else group.append(vote)
    largest = max(groups, key=len)
    enough = len(largest) > len(known) / 2 and len(largest) >= share * len(known)
    return largest[0] if enough and largest[0].happened is None else None


def killed_by(expected: Answer, answers: Sequence[Answer]) -> frozenset[int]:
    """Return the places of the answers that are known and not as expected."""
    return frozenset(at for at, answer in enumerate(answers) if answer.is_known and not expected.agrees(answer))


def cover(kills: Sequence[frozenset[int]], sizes: Sequence[int], most: int) -> list[int]:
    """Return a few of the sets that cover as many places as all of them, the one with most new places first.

    Args:
        kills: the sets.
        sizes: the smaller is taken of two that cover as many new places.
        most: how many are returned at most.
    """
    chosen: list[int] = []
    left = frozenset[int]().union(*kills)
    while left and len(chosen) < most:
        best = max(range(len(kills)), key=lambda at: (len(kills[at] & left), -sizes[at], -at))
        chosen.append(best)
        left -= kills[best]
    return chosen
