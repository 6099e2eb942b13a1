"""What the recorder wrote, of all processes together."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regreen.curate.tally import Unfit
from regreen.curate.tracing import recorder
from regreen.errors import InputError

_OF_FUNCTION = frozenset((
    recorder.METHOD, recorder.NESTED, recorder.LAMBDA, recorder.GENERATOR, recorder.COROUTINE,
    recorder.CHANGED, recorder.OTHER_RESULT,
))  # fmt: skip


@dataclass(slots=True)
class Function:
    """A function that was called: where it stands, its calls with their results, and why others are of no use.

    ``calls`` maps ``((args..), {kwargs})`` to the result, both as literals.
    """

    file: str
    module: str
    name: str
    line: int
    calls: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def id(self) -> str:
        """Module and name."""
        return f"{self.module}.{self.name}"

    def add(self, call: str, result: str) -> None:
        """Note a call; one that another process saw give another result speaks against the function."""
        if self.calls.setdefault(call, result) != result:
            self.reasons[recorder.OTHER_RESULT] += 1

    def require_calls(self) -> None:
        """Raise :class:`Unfit` where no call can be used, or the function is none whose calls say what it does."""
        against = [reason for reason in self.reasons if reason in _OF_FUNCTION]
        if against:
            raise Unfit(against[0])
        if not self.calls:
            raise Unfit(self.reasons.most_common(1)[0][0])


def read_calls(path: Path) -> list[Function]:
    """Return the functions that were called, by module and line.

    Raises:
        InputError: no Python process was traced, or only ones too old.
    """
    functions: dict[tuple[str, str, int], Function] = {}
    versions: set[str] = set()
    for line in _lines(path):
        match line:
            case ["python", version]:
                versions.add(version)
            case [file, module, name, int(at), *said]:
                function = functions.setdefault((file, name, at), Function(file, module, name, at))
                _note(function, module, said)
    _require_python(versions)
    return sorted(functions.values(), key=lambda function: (function.module, function.line, function.name))


def _lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for line in file:
            try:
                yield list(ast.literal_eval(line.decode()))
            except (ValueError, SyntaxError, TypeError):  # torn: the disk was full
                continue


def _note(function: Function, module: str, said: list[str]) -> None:
    if function.module == "__main__":
        function.module = module
    if len(said) == 2:
        function.add(*said)
    else:
        function.reasons[said[0]] += 1


def _require_python(versions: Iterable[str]) -> None:
    if not versions:
        raise InputError(
            "the command started no Python that could be traced (python -I and -S, and tools that clear the "
            "environment, leave the tracer out); give the command that runs the tests itself, as: -- python -m pytest"
        )
    if not any(_number(version) >= (3, 11) for version in versions):
        raise InputError(f"the command ran Python {', '.join(versions)}; tracing needs Python 3.11 or later")


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
