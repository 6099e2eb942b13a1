"""Find a problem by the id that a foreign file gives it.

Tools write one problem's id in many ways: ``HumanEval/0``, ``HumanEval_0``, ``0``; ``Mbpp/11``, ``11``,
``mbpp_11_remove_occ``. An exact id wins. Otherwise an id is read as words, a number and an optional name, and finds the
problem with the same number whose words contain its own or are contained in them, if there is exactly one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from regreen.formats.form import BadRow
from regreen.problem import Problem

_NUMBERED = re.compile(r"(?P<words>(?:[A-Za-z]+\+?[/_ -])*)(?P<number>\d+)(?P<name>_[A-Za-z_]\w*)?")
_EMPTY_WORDS = {"problem", "sample", "task"}  # say nothing about the benchmark

_MOST_SEARCHES = 20  # unknown ids for which the closest one is looked for: a file of another benchmark has thousands

Key = tuple[frozenset[str], int]


class Ids:
    """The ids of a benchmark's problems, found by any of their spellings."""

    def __init__(self, problems: Mapping[str, Problem]) -> None:
        self._problems = problems
        self._numbered: dict[int, list[tuple[frozenset[str], str]]] = {}
        self._found: dict[str, Problem | BadRow] = {}
        self._searches = 0
        for id in problems:
            if key := parse_id(id):
                self._numbered.setdefault(key[1], []).append((key[0], id))

    def find(self, spelled: str | int) -> Problem:
        """Return the problem meant; raises BadRow that names the closest id if there is none, or more than one."""
        spelled = str(spelled).strip()
        if spelled not in self._found:
            self._found[spelled] = self._find(spelled)
        found = self._found[spelled]
        if isinstance(found, BadRow):
            raise BadRow(str(found))
        return found

    def _find(self, spelled: str) -> Problem | BadRow:
        matches = [spelled] if spelled in self._problems else self._matches(parse_id(spelled))
        if len(matches) == 1:
            return self._problems[matches[0]]
        if matches:
            return BadRow(f"id {spelled[:60]!r} may mean {' or '.join(matches[:3])}; write the whole id")
        return BadRow(f"no problem {spelled[:60]!r} in the benchmark; {self._hint(spelled)}")

    def _hint(self, spelled: str) -> str:
        self._searches += 1
        near = difflib.get_close_matches(spelled, self._problems, n=1) if self._searches <= _MOST_SEARCHES else []
        return f"the closest id is {near[0]!r}" if near else f"its ids read like {next(iter(self._problems))!r}"

    def _matches(self, key: Key | None) -> list[str]:
        if key is None:
            return []
        words, number = key
        return [id for others, id in self._numbered.get(number, []) if words <= others or others <= words]


def parse_id(id: str) -> Key | None:
    """Read an id as lower-case words and a number, or return None.

    A name may follow the number only where words precede it: ``mbpp_11_name`` is number 11, but ``1873_A`` and
    ``1873_B`` are two problems of one contest.
    """
    match = _NUMBERED.fullmatch(id)
    if match is None or (match["name"] and not match["words"]):
        return None
    return frozenset(re.findall(r"[a-z]+\+?", match["words"].lower())) - _EMPTY_WORDS, int(match["number"])
