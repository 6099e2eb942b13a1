"""What clients send, read with suspicion: bounded, JSON, the right fields, limits no higher than the server's own."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from regreen.errors import InputError
from regreen.problem import Problem, problem_from_line
from regreen.sandbox import Limits
from regreen.sandbox.lane import spec_of

BODY_LIMIT = 64 << 20  # bytes of one request
_PROBLEMS_KEPT = 1024
_TEXT_KEPT = 64 << 20  # characters of the problems kept

_SINGLE, _BATCH = {"problem", "source"}, {"rows"}


class Refused(Exception):
    """A request that cannot be done as it is: an HTTP status, and one line that says what was expected."""

    def __init__(self, status: int, words: str, *, pause: int | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.pause = status, " ".join(words.split()), pause


@dataclass(frozen=True, slots=True)
class Asked:
    """Programs to judge and their limits; ``alone`` where there is one, not a batch."""

    rows: Sequence[tuple[Problem, str]]
    limits: Limits
    alone: bool


def read_json(body: bytes) -> Any:
    """Return what a body holds; raises Refused."""
    try:
        return json.loads(body)
    except RecursionError:
        _refuse(400, "the body is nested too deep")
    except ValueError as error:
        _refuse(400, f"the body is no JSON: {error}")


class Reader:
    """Makes rows of bodies, and knows a problem again, so that it is prepared once and not for every program."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits
        self._lock = threading.Lock()
        self._problems: OrderedDict[bytes, tuple[Problem, int]] = OrderedDict()
        self._text = 0

    def asked(self, body: bytes) -> Asked:
        """Return what a body for ``/judge`` asks; raises Refused."""
        given = read_json(body)
        fields = set(given) - {"limits"} if isinstance(given, dict) else None
        if fields not in (_SINGLE, _BATCH):
            found = f"fields {sorted(fields)}" if fields is not None else type(given).__name__
            _refuse(422, f"expected {{'problem', 'source'}} or {{'rows'}}, and 'limits' if you like, not {found}")
        limits = self.limits(given.get("limits", {}))
        if fields == _SINGLE:
            return Asked([self._row(given, "the body", [])], limits, alone=True)
        return Asked(self._rows(given["rows"]), limits, alone=False)

    def limits(self, given: Any) -> Limits:
        """Return the server's limits, lowered as asked; raises Refused."""
        if not isinstance(given, dict) or not set(given) <= set(Limits._fields):
            _refuse(422, f"'limits' must be an object with some of {', '.join(Limits._fields)}")
        for name, value in given.items():
            most = getattr(self._most, name)
            whole = (int,) if name != "timeout" else (int, float)
            if type(value) not in whole or not 0 < value <= most:
                _refuse(422, f"limit {name!r} must be a number above 0, and {most} at most")
        return self._most._replace(**given)

    def _rows(self, given: Any) -> list[tuple[Problem, str]]:
        if not isinstance(given, list) or not given:
            _refuse(422, "'rows' must be a list with at least one {'problem', 'source'}")
        rows: list[tuple[Problem, str]] = []
        for number, row in enumerate(given):
            if not isinstance(row, dict) or set(row) != _SINGLE:
                _refuse(422, f"row {number}: expected an object with 'problem' and 'source' and nothing else")
            rows.append(self._row(row, f"row {number}", rows))
        return rows

    def _row(self, given: Mapping[str, Any], where: str, before: Sequence[tuple[Problem, str]]) -> tuple[Problem, str]:
        problem, source = given["problem"], given["source"]
        if not isinstance(source, str):
            _refuse(422, f"{where}: 'source' must be a string")
        if type(problem) is int and before:
            if not 0 <= problem < len(before):
                _refuse(422, f"{where}: 'problem' must be a problem or the number of an earlier row")
            return before[problem][0], source
        return self._problem(problem, where), source

    def _problem(self, line: Any, where: str) -> Problem:
        """Return the problem that a line holds, the same object for the same line."""
        try:
            text = json.dumps(line, sort_keys=True)
            key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
            known = self._known(key)
            if known is None:
                known = problem_from_line(line, where=where)
                spec_of(known)  # so that what cannot be judged is refused here
                self._keep(key, known, len(text))
            return known
        except InputError as error:
            _refuse(422, str(error))
        except (ValueError, TypeError, AttributeError, RecursionError, MemoryError) as error:
            _refuse(422, f"{where}: the problem cannot be used: {error or 'it is too large'}")

    def _known(self, key: bytes) -> Problem | None:
        with self._lock:
            if key not in self._problems:
                return None
            self._problems.move_to_end(key)
            return self._problems[key][0]

    def _keep(self, key: bytes, problem: Problem, size: int) -> None:
        with self._lock:
            self._problems[key] = problem, size
            self._text += size
            while self._text > _TEXT_KEPT or len(self._problems) > _PROBLEMS_KEPT:
                self._text -= self._problems.popitem(last=False)[1][1]


def _refuse(status: int, words: str) -> NoReturn:
    raise Refused(status, words[:500])
