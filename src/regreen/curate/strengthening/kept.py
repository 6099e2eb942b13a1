"""What is finished of a benchmark that is made stronger, so that a killed process goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

from regreen.curate.strengthening.stronger import Stronger
from regreen.errors import InputError
from regreen.problem import problem_from_line, problem_to_line
from regreen.records import Lines, Record, read_records

_COUNTS = ("passed", "killed", "dropped")


class Kept:
    """The problems that are finished, in a file ``NAME.part`` beside the one that is written at the end.

    Args:
        out: the file that is written at the end.
        decides: all that decides the result.

    Raises:
        InputError: there is such a file of other settings.
    """

    def __init__(self, out: Path, decides: Record) -> None:
        self._path = out.with_name(f"{out.name}.part")
        self._key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
        self._lines = Lines(self._path)
        records = [record for _, record in read_records(self._path)]
        if records and records[0].get("settings") != self._key:
            self._lines.close()
            raise InputError(f"{self._path}: begun with other settings; give the same, another -o, or delete it")
        if not records:
            self._lines.append({"settings": self._key})
        self._done = {record["problem"]["id"]: _from_line(record) for record in records[1:]}

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._lines.close()

    def get(self, name: str) -> Stronger | None:
        """Return what became of a problem, None where it is not finished."""
        return self._done.get(name)

    def add(self, stronger: Stronger) -> None:
        """Write down what became of a problem."""
        if stronger.problem.id not in self._done:
            self._lines.append(_to_line(stronger))

    def forget(self) -> None:
        """Delete the file: all is written elsewhere."""
        self._path.unlink()


def _to_line(stronger: Stronger) -> Record:
    return {**vars(stronger), "problem": problem_to_line(stronger.problem)}


def _from_line(line: dict[str, Any]) -> Stronger:
    counts = {name: Counter(line[name]) for name in _COUNTS}
    return Stronger(**{**line, **counts, "problem": problem_from_line(line["problem"])})
