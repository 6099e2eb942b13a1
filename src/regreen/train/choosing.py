"""Solutions of a problem, and which of them a wrong program is to become.

Source: Ding et al. 2024 (arXiv 2403.18746), section 3 of their code: at random, or by BM25 over word tokens; the
nearest by edit distance is ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any, Literal

from regreen.errors import InputError
from regreen.problem import Problem
from regreen.similarity import edit_distance

Select = Literal["bm25", "random", "edit"]

_WORD = re.compile(r"\w+")


def solutions_of(problem: Problem, most: int) -> tuple[str, ...]:
    """Return the different Python solutions among the first ``most`` of ``meta["solutions"]``; or else ``solution``."""
    published = _sources(problem.meta.get("solutions"))[:most]
    return tuple(dict.fromkeys(published)) or ((problem.solution,) if problem.solution else ())


def human_failures(problem: Problem, most: int) -> tuple[str, ...]:
    """Return people's different wrong programs among the first ``most`` of ``meta["incorrect_solutions"]``."""
    return tuple(dict.fromkeys(_sources(problem.meta.get("incorrect_solutions"))[:most]))


class Chooser:
    """Chooses among the solutions of one problem.

    Args:
        solutions: at least one.
        select: "random", "bm25" (the most similar by Robertson's score over words) or "edit" (the fewest edits away);
            the first of equals.
        seed: of the random choice, which depends on the wrong program and nothing else.

    Raises:
        InputError: bm25s is not installed.
    """

    def __init__(self, solutions: Sequence[str], select: Select, seed: int) -> None:
        self._solutions, self._select, self._seed = solutions, select, seed
        self._index = _bm25(solutions) if select == "bm25" and len(solutions) > 1 else None

    def __call__(self, wrong: str) -> str:
        """Return the solution that a wrong program is to become."""
        if self._select == "random":
            return Random(f"{self._seed}\0{wrong}").choice(self._solutions)
        if self._select == "edit":
            return min(self._solutions, key=lambda solution: edit_distance(wrong, solution))
        return self._solutions[0] if self._index is None else self._solutions[self._best(wrong)]

    def _best(self, wrong: str) -> int:
        assert self._index is not None  # there are several solutions
        known = [word for word in _WORD.findall(wrong) if word in self._index.vocab_dict]
        return int(self._index.get_scores(known).argmax()) if known else 0


def _bm25(solutions: Sequence[str]) -> Any:
    try:
        import bm25s  # type: ignore[import-untyped]
    except ImportError as error:
        raise InputError('select = "bm25" needs bm25s (pip install \'regreen[train]\'), or choose "edit"') from error
    index = bm25s.BM25()
    index.index([_WORD.findall(solution) or [""] for solution in solutions], show_progress=False)
    return index


def _sources(published: object) -> list[str]:
    """Return the Python 3 programs of a list of sources, or of entries with language and source."""
    entries = published if isinstance(published, list | tuple) else ()
    sources = [e if isinstance(e, str) else e["source"] for e in entries if isinstance(e, str) or _is_python(e)]
    return [source for source in sources if source.strip()]


def _is_python(entry: dict[str, str]) -> bool:
    return entry.get("language", "python3") == "python3"
