"""What options hold, and the groups of them that several commands share."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from regreen.evaluate import Choice, Judging
    from regreen.summary import View

_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class Which(StrEnum):
    """Which program of a recorded chain."""

    FIRST = "first"
    LAST = "last"


class Missing(StrEnum):
    """What problems without a program count as."""

    SKIP = "skip"
    FAIL = "fail"


class Listed(StrEnum):
    """What ``regreen list`` lists."""

    BENCHMARKS = "benchmarks"


def size(text: str) -> int:
    """Return a number of bytes, from ``1048576``, ``512M`` or ``2G``."""
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].lower() in _UNITS else (text, "")
    try:
        return int(float(number) * _UNITS.get(unit, 1))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no size; write bytes, or 512M, or 2G") from error


def day(text: str) -> date:
    """Return a date, from ``2024-05-31``."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no date; write it as 2024-05-31") from error


def ks(text: str) -> tuple[int, ...]:
    """Return the k of pass@k, from ``1,10,100``."""
    try:
        numbers = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no list of numbers; write it as 1,10,100") from error
    if min(numbers) < 1:
        raise typer.BadParameter(f"{text!r}: every k must be at least 1")
    return numbers


def option(*names: str, show: bool = False, **more: Any) -> Any:
    """Return an option; its default is shown only where it tells something."""
    return typer.Option(*names, show_default=show, **more)


Json = Annotated[bool, option("--json", help="print one JSON object and nothing else")]
Out = Annotated[Path | None, option("-o", "--out", help="the run directory", metavar="RUN")]
Quiet = Annotated[bool, option("-q", "--quiet", help="no progress")]
Verbose = Annotated[bool, option("-v", "--verbose", help="name every difference from recorded verdicts")]
Data = Annotated[Path | None, option("--data", help="folder or file with the benchmark's data", metavar="PATH")]
Sandbox = Annotated[
    str, option("--sandbox", help="local, or local:A, local:B, local:C for a tier", show=True, metavar="WHERE")
]


@dataclass
class Problems:
    """Which problems of a benchmark."""

    data: Data = None
    only: Annotated[list[str] | None, option("--only", help="this problem alone; may be repeated", metavar="ID")] = None
    limit: Annotated[int | None, option("--limit", help="the first problems alone", min=1, metavar="N")] = None
    after: Annotated[Any, option("--after", help="problems from this date on", parser=day, metavar="DATE")] = None
    before: Annotated[Any, option("--before", help="problems up to this date", parser=day, metavar="DATE")] = None

    def choice(self) -> Choice:
        """Return them as the library takes them."""
        from regreen.evaluate import Choice

        return Choice(self.data, tuple(self.only or ()), self.limit, self.after, self.before)


@dataclass
class Bounds:
    """What a program may use, and where it is judged."""

    timeout: Annotated[
        float, option("--timeout", help="CPU seconds for one run of a program", show=True, metavar="SECONDS")
    ] = 3.0
    memory: Annotated[Any, option("--memory", help="of a program", parser=size, metavar="SIZE", show=True)] = "1G"
    output_limit: Annotated[
        Any, option("--output-limit", help="output of a program", parser=size, metavar="SIZE", show=True)
    ] = "1M"
    sandbox: Sandbox = "local"
    jobs: Annotated[
        int | None, option("-j", "--jobs", help="programs judged at once; all cores by default", min=1, metavar="N")
    ] = None

    def judging(self) -> Judging:
        """Return them as the library takes them."""
        from regreen.evaluate import Judging

        return Judging(self.timeout, self.memory, self.output_limit, self.sandbox, self.jobs)


@dataclass
class Scores:
    """How a run is reported."""

    ks: Annotated[Any, option("-k", help="the k of pass@k, as 1,10,100", parser=ks, metavar="K,K,...")] = None
    biased: Annotated[bool, option("--biased", help="print 1-(1-c/n)^k too")] = False
    model_cutoff: Annotated[
        Any, option("--model-cutoff", help="scores before and after a date", parser=day, metavar="DATE")
    ] = None
    seed: Annotated[int, option("--seed", help="of the intervals", show=True, metavar="N")] = 0

    def view(self) -> View:
        """Return it as the library takes it."""
        from regreen.summary import View

        return View(self.ks, self.biased, self.model_cutoff, self.seed)


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of each parameter that is a group, after its own, and the group made of them."""
    given_as = inspect.signature(command, eval_str=True).parameters.values()
    groups: dict[str, Any] = {p.name: p.annotation for p in given_as if is_dataclass(p.annotation)}
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in given_as if p.name not in groups]
    parameters += [option for group in groups.values() for option in _options_of(group)]

    @functools.wraps(command)
    def run(**given: Any) -> int:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        return command(**given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _options_of(group: type) -> list[inspect.Parameter]:
    types = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=types[f.name])
        for f in fields(group)
    ]
