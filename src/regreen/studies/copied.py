"""What programs share with a corpus, found in one pass over it: runs of tokens, and lines.

The programs are kept, never the corpus: their lines as a table, and their n-grams of tokens as sorted 64-bit hashes.
Each part of the corpus is hashed by a polynomial, so that the hash of any run is a difference of two sums; a run is
looked for at n + 1 tokens only where one of n was found.

Source: Karp and Rabin 1987 (Efficient randomized pattern-matching algorithms), for the hashes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_COMMENT = re.compile(r"#[^\n]*")
_BASE = 0x9E3779B97F4A7C15  # odd, so that its powers have inverses modulo 2**64
_PART = 1 << 20  # characters of the corpus that are hashed at once, at least
_TELLING = 3  # words; a line of fewer, as `return result`, says nothing
_WORD = re.compile(r"\w+")


def code_lines(text: str) -> list[str]:
    """Return a text's lines without comments and with single spaces; empty lines are left out.

    A ``#`` inside a literal is taken for a comment too: on both sides alike.
    """
    bare = (" ".join(line.split()) for line in _COMMENT.sub("", text).split("\n"))
    return [line for line in bare if line]


def telling(lines: Iterable[str]) -> list[str]:
    """Return the lines that are not trivial."""
    return [line for line in lines if len(_WORD.findall(line)) >= _TELLING]


class SharedLines:
    """Which document shares most lines with each program.

    Args:
        programs: of each the lines that count, as :func:`telling` returns them.
    """

    def __init__(self, programs: Sequence[Sequence[str]]) -> None:
        self.best: list[tuple[int, str | None]] = [(0, None)] * len(programs)
        self._owners: dict[str, list[int]] = defaultdict(list)
        for at, lines in enumerate(programs):
            for line in set(lines):
                self._owners[line].append(at)
        self._sizes = [Counter(lines) for lines in programs]

    def read(self, name: str, lines: Iterable[str]) -> None:
        """Count the lines of a document that programs have too."""
        shared: Counter[int] = Counter()
        for line in self._owners.keys() & set(lines):
            for at in self._owners[line]:
                shared[at] += self._sizes[at][line]
        for at, count in shared.items():
            if count > self.best[at][0]:
                self.best[at] = count, name


class SharedRuns:
    """The longest run of tokens that each program shares with a corpus, and where.

    Args:
        programs: their texts.
        shortest: runs of fewer tokens are not looked for.
        longest: nor those of more; a longer one counts as this long.
    """

    def __init__(self, programs: Sequence[str], *, shortest: int, longest: int = 400) -> None:
        self._shortest, self._longest = shortest, longest
        self._ids: dict[str, int] = {}
        for token in chain.from_iterable(map(_TOKEN.findall, programs)):
            self._ids.setdefault(token, len(self._ids) + 1)
        self._sums = [_sums(self._hashed(text)) for text in programs]
        self._wanted: dict[int, Hashes] = {}
        self._found: dict[int, dict[int, str]] = defaultdict(dict)
        self._part: list[tuple[str, str]] = []
        self._waiting = 0

    def read(self, name: str, text: str) -> None:
        """Look for the programs' runs in a document."""
        self._part.append((name, text))
        self._waiting += len(text)
        if self._waiting >= _PART:
            self._search()

    def longest(self) -> list[tuple[int, str | None]]:
        """Return each program's longest run in tokens, 0 where there is none, and a document that has it."""
        self._search()
        return [self._longest_of(sums) for sums in self._sums]

    def shares(self) -> list[float]:
        """Return the share of each program's shortest runs that the corpus has; 0 for a program shorter than them."""
        self._search()
        found = self._found[self._shortest]
        grams = [_grams(sums, self._shortest).tolist() for sums in self._sums]
        return [sum(gram in found for gram in of_one) / len(of_one) if of_one else 0.0 for of_one in grams]

    def _longest_of(self, sums: Hashes) -> tuple[int, str | None]:
        best: tuple[int, str | None] = (0, None)
        for n in range(self._shortest, min(self._longest, len(sums) - 1) + 1):
            found = self._found.get(n, {})
            document = next((found[gram] for gram in _grams(sums, n).tolist() if gram in found), None)
            if document is None:
                break
            best = n, document
        return best

    def _hashed(self, text: str) -> Hashes:
        """Return a number for each token, the same number for the same token, 0 for what no program has."""
        import numpy as np

        tokens = _TOKEN.findall(text)
        numbers = np.fromiter(map(self._ids.get, tokens, repeat(0)), np.uint64, len(tokens))
        mixed = (numbers ^ (numbers >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        return mixed ^ (mixed >> np.uint64(27))

    def _search(self) -> None:
        """Look into the documents that wait, a token that no program has between one and the next."""
        if not self._part:
            return
        import numpy as np

        hashed = [np.append(self._hashed(text), np.uint64(0)) for _, text in self._part]
        starts = np.cumsum([0, *map(len, hashed)])
        sums = _sums(np.concatenate(hashed))
        places: Any = np.arange(len(sums) - 1)
        for n in range(self._shortest, self._longest + 1):
            places = places[places + n < len(sums)]
            grams = _grams_at(sums, places, n)
            hits = _in_sorted(grams, self._wanted_of(n))
            places = places[hits]
            if not len(places):
                break
            self._note(n, grams[hits], places, starts)
        self._part, self._waiting = [], 0

    def _note(self, n: int, grams: Hashes, places: Any, starts: Any) -> None:
        import numpy as np

        unique, first = np.unique(grams, return_index=True)
        documents = np.searchsorted(starts, places[first], side="right") - 1
        found = self._found[n]
        for gram, document in zip(unique.tolist(), documents.tolist(), strict=True):
            found.setdefault(gram, self._part[document][0])

    def _wanted_of(self, n: int) -> Hashes:
        """Return the sorted hashes of the programs' runs of n tokens."""
        if n not in self._wanted:
            import numpy as np

            self._wanted[n] = np.unique(np.concatenate([_grams(sums, n) for sums in self._sums] or [_grams_of_none()]))
        return self._wanted[n]


def _grams_of_none() -> Hashes:
    import numpy as np

    return np.empty(0, np.uint64)


def _sums(numbers: Hashes) -> Hashes:
    """Return the sums of numbers times powers of the base, before the first number, after it, and so on."""
    import numpy as np

    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(numbers * _powers(len(numbers)), dtype=np.uint64)])


def _grams(sums: Hashes, n: int) -> Hashes:
    """Return the hash of every run of n tokens."""
    import numpy as np

    return _grams_at(sums, np.arange(max(0, len(sums) - n)), n)


def _grams_at(sums: Hashes, places: Any, n: int) -> Hashes:
    """Return the hashes of the runs of n tokens at some places, as if each stood at the beginning."""
    grams: Hashes = (sums[places + n] - sums[places]) * _inverses(len(sums))[places]
    return grams


def _in_sorted(values: Hashes, wanted: Hashes) -> NDArray[np.bool_]:
    import numpy as np

    if not len(wanted):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[at] == values
    return found


class _Powers:
    """Powers of a number modulo 2**64, as many as were ever needed."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._made: Any = None

    def __call__(self, count: int) -> Hashes:
        import numpy as np

        if self._made is None or len(self._made) < count:
            factors = np.full(max(count, 1 << 12), self._base, np.uint64)
            factors[0] = 1
            self._made = np.multiply.accumulate(factors)
        made: Hashes = self._made[:count]
        return made


_powers = _Powers(_BASE)
_inverses = _Powers(pow(_BASE, -1, 1 << 64))
