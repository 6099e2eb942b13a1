"""Benchmarks: named sets of problems, and any file of problems.

``load("mbpp:test")`` finds the published files, in a data folder or on the Hugging Face hub, and yields problems in
their published order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol

from regreen.benchmarks import (
    apps,
    binding,
    chained,
    competitive,
    cruxeval,
    evalplus,
    humaneval,
    katas,
    leetcode,
    livecodebench,
    mathqa,
    mbpp,
    own,
)
from regreen.benchmarks.digests import digest
from regreen.benchmarks.rows import Row, read_rows
from regreen.benchmarks.source import Generated, Source, data_places, find, local_files
from regreen.errors import InputError, MissingDataError
from regreen.plugins import named, plugin
from regreen.problem import Problem

__all__ = ["Benchmark", "Generated", "Listing", "Purpose", "digest", "load", "names"]

Purpose = Literal["all", "ask", "train"]

_SOURCES: dict[str, Source | Generated] = {
    source.name: source
    for source in (
        katas.SOURCE,
        humaneval.SOURCE,
        evalplus.HUMANEVAL_PLUS,
        *mbpp.SOURCES,
        evalplus.MBPP_PLUS,
        apps.SOURCE,
        competitive.CODECONTESTS,
        competitive.CODEFORCES,
        leetcode.SOURCE,
        livecodebench.SOURCE,
        *cruxeval.SOURCES,
        *mathqa.SOURCES,
        chained.SOURCE,
        binding.SOURCE,
    )
}
_SPLIT_FOR = {"ask": "test", "train": "train"}


class Benchmark(Protocol):
    """A named set of problems."""

    @property
    def name(self) -> str:
        """What it is called, with its split: ``mbpp:test``."""
        ...

    def problems(self) -> Iterable[Problem]:
        """Return the problems in their published order; each call reads them anew."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """One line of ``regreen list benchmarks``; ``found`` is the local file, or None where only the hub is left.

    ``hub`` is a page where there is none, and empty for problems that are made here, from no data.
    """

    name: str
    splits: tuple[str, ...]
    checks: str
    about: str
    found: Path | None
    hub: str


def load(
    spec: str | Path,
    *,
    data: Path | None = None,
    purpose: Purpose = "all",
    after: date | None = None,
    before: date | None = None,
) -> Benchmark:
    """Return the benchmark that a name, ``name:split`` or a JSON Lines file of problems stands for.

    Args:
        spec: the name, the name with a split, or a path.
        data: a data folder, or one file of rows in the benchmark's published form; looked at before $REGREEN_DATA and
            the hub.
        purpose: which split a bare name stands for: "all", "ask" (``test``) or "train" (``train``).
        after: leave out problems dated earlier.
        before: leave out problems dated later.

    Raises:
        InputError: an unknown name or split, no such file, and while reading, a bad line, an id that is there twice,
            or a problem without a date where ``after`` or ``before`` is given.
        MissingDataError: no data was found.
    """
    found = _from_file(Path(spec)) if _is_file(spec) else _from_source(str(spec), data, purpose)
    return replace(found, after=after, before=before)


def names(*, data: Path | None = None) -> list[Listing]:
    """Return a line for each benchmark, and where its data lies on this machine."""
    return [_listing(source, data) for source in (*_SOURCES.values(), *_added())]


def _listing(source: Source | Generated, data: Path | None) -> Listing:
    if isinstance(source, Generated):
        return Listing(source.name, source.splits, source.checks, source.about, None, "")
    hub = source.hub.repo if source.hub else source.page
    return Listing(source.name, source.splits, source.checks, source.about, _local(source, data), hub)


@dataclass(frozen=True, slots=True)
class _Loaded:
    name: str
    read: Callable[[], Iterable[Problem]]
    split: str | None = None
    after: date | None = None
    before: date | None = None

    def problems(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for problem in self.read():
            if problem.id in seen:
                raise InputError(f"{self.name}: the id {problem.id!r} is there twice; give every problem its own")
            seen.add(problem.id)
            if self._wanted(problem):
                yield problem

    def _wanted(self, problem: Problem) -> bool:
        if self.split is not None and problem.meta.get("split") != self.split:
            return False
        if self.after is None and self.before is None:
            return True
        day = _day(problem, self.name)
        return (self.after or date.min) <= day <= (self.before or date.max)


def _day(problem: Problem, benchmark: str) -> date:
    try:
        return date.fromisoformat(str(problem.meta["date"])[:10])
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{benchmark}: problem {problem.id!r} has no date (meta.date, as 2024-05-31); --after and --before need one"
        ) from error


def _is_file(spec: str | Path) -> bool:
    name = str(spec)
    if isinstance(spec, Path) or "/" in name or name.removesuffix(".gz").endswith((".jsonl", ".json")):
        return True
    return name.partition(":")[0] not in _SOURCES and Path(name).is_file()


def _from_file(path: Path) -> _Loaded:
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a JSON Lines file of problems or one of {', '.join(_SOURCES)}")
    return _Loaded(str(path), lambda: own.problems(read_rows(path)))


def _from_source(spec: str, data: Path | None, purpose: Purpose) -> _Loaded:
    name, colon, split = spec.partition(":")
    source = _source(name)
    if colon or purpose != "all":
        chosen: str | None = split if colon else _SPLIT_FOR[purpose]
        if chosen not in source.splits:
            raise InputError(f"{name} has no split {chosen!r}; it has {', '.join(source.splits)}")
        full_name = f"{name}:{chosen}"
    else:
        chosen, full_name = None, name
    if isinstance(source, Generated):
        splits = [chosen] if chosen else source.splits
        return _Loaded(full_name, lambda: chain.from_iterable(map(source.make, splits)))
    return _Loaded(full_name, _reader(source, chosen, data), chosen)


def _reader(source: Source, chosen: str | None, data: Path | None) -> Callable[[], Iterator[Problem]]:
    files = find(source, [chosen] if chosen else source.splits, data)

    def read() -> Iterator[Problem]:
        rows: Iterable[Row] = chain.from_iterable(read_rows(path, split) for path, split in files)
        return _with_base(source.build(rows), source, data)

    return read


def _source(name: str) -> Source | Generated:
    if name in _SOURCES:
        return _SOURCES[name]
    added = plugin("benchmarks", name)
    if isinstance(added, Generated):
        return added
    if added is not None:
        raise InputError(
            f"{name}: another package adds {type(added).__name__}; expected a regreen.benchmarks.Generated"
        )
    close = get_close_matches(name.lower(), _SOURCES, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    known = f"known are {', '.join(_SOURCES)}, and any .jsonl file of problems"
    raise InputError(f"unknown benchmark {name!r}: {hint}{known}")


def _added() -> Iterator[Generated]:
    """Yield what other packages add; what one adds wrongly is said when it is asked for."""
    for name in named("benchmarks"):
        with suppress(InputError):
            source = _source(name)
            if isinstance(source, Generated):
                yield source


def _with_base(problems: Iterator[Problem], source: Source, data: Path | None) -> Iterator[Problem]:
    """Put the base benchmark's check first where a row published only the plus check, if its data is there too."""
    base: dict[str, Problem] | None = None
    for problem in problems:
        scores = problem.meta.get("scores", {})
        if source.base and "base" not in scores:
            folder = data if data and data.is_dir() else None  # a file holds this benchmark's rows, not the base's
            base = _base_problems(source.base, folder) if base is None else base
        if base and problem.id in base:
            checks = (*base[problem.id].checks, *problem.checks)
            meta = {**problem.meta, "scores": {"base": [0], "plus": [0, 1]}}
            problem = replace(problem, checks=checks, meta=meta)
        yield problem


def _base_problems(name: str, data: Path | None) -> dict[str, Problem]:
    try:
        return {problem.id: problem for problem in _from_source(name, data, "all").problems()}
    except MissingDataError:
        return {}


def _local(source: Source, data: Path | None) -> Path | None:
    places = (place for place in data_places(data).values() if place is not None)
    files = (file for place in places for file in local_files(source, source.splits, place))
    return next((path for path, _ in files), None)
