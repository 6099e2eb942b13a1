"""How alike two programs are: the same by three notions, and by edit distance.

Source: Ding et al. 2024 (arXiv 2403.18746), section 2: how often a model that is asked to refine a program returns it
as it is. The softer measure is ours.
"""

from __future__ import annotations

from typing import NamedTuple

from regreen.syntax import syntax_of


class Copies(NamedTuple):
    """Whether two programs are the same: as texts, but for white space, and as syntax trees.

    White space around a whole text never counts: it comes of where a prompt ends. Programs of which one does not parse,
    or is too deep to compare, are the same as trees where they are the same but for white space.
    """

    raw: bool
    spaces: bool
    syntax: bool


def copies(before: str, after: str) -> Copies:
    """Compare two programs."""
    spaces = before.split() == after.split()
    first, second = syntax_of(before), syntax_of(after)
    known = first is not None and second is not None
    return Copies(before.strip() == after.strip(), spaces, first == second if known else spaces)


def edit_distance(first: str, second: str) -> int:
    """Return the least number of characters to insert, delete or replace between two texts (Levenshtein 1966)."""
    first, second = _differing(first, second)
    if not first or not second:
        return len(first) + len(second)
    import numpy as np

    letters = np.frombuffer(second.encode("utf-32-le", "surrogatepass"), np.uint32)
    places = np.arange(len(second) + 1)
    row = places
    for count, letter in enumerate(first, 1):
        kept = np.minimum(row[1:] + 1, row[:-1] + (letters != ord(letter)))
        row = np.minimum.accumulate(np.concatenate(([count], kept)) - places) + places  # then insertions
    return int(row[-1])


def edit_similarity(first: str, second: str) -> float:
    """Return 1 - edit distance / length of the longer text: 1 for the same text, 0 where nothing is in common."""
    longer = max(len(first), len(second))
    return 1.0 if not longer else 1.0 - edit_distance(first, second) / longer


def _differing(first: str, second: str) -> tuple[str, str]:
    """Return two texts without what both begin and end with."""
    shorter = min(len(first), len(second))
    start = next((at for at in range(shorter) if first[at] != second[at]), shorter)
    most = shorter - start
    end = next((at for at in range(most) if first[-1 - at] != second[-1 - at]), most)
    return first[start : len(first) - end], second[start : len(second) - end]
