"""Where a benchmark's rows are published, and how they are found."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from regreen.benchmarks.rows import Row
from regreen.errors import InputError, MissingDataError
from regreen.hub import out_of_reach
from regreen.problem import Problem

Files = list[tuple[Path, str | None]]


@dataclass(frozen=True, slots=True)
class Hub:
    """A data set on the Hugging Face hub at a pinned revision; ``repo`` may also be a local folder of that layout.

    ``files`` maps each split to the pattern of its files in the repository.
    """

    repo: str
    revision: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Source:
    """A named benchmark: its splits, where its files lie, and how its rows become problems.

    ``files`` are patterns below a data folder with the split they hold (None: the rows themselves say); for each split
    the first pattern that matches wins. ``base`` names the benchmark that gives the base check to rows without one.
    Without a ``hub`` the files are fetched by hand, from ``page``.
    """

    name: str
    about: str
    checks: str
    splits: tuple[str, ...]
    files: tuple[tuple[str, str | None], ...]
    build: Callable[[Iterable[Row]], Iterator[Problem]]
    hub: Hub | None
    base: str | None = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """A named benchmark that is made here, from no data: ``make`` yields the problems of a split."""

    name: str
    about: str
    checks: str
    splits: tuple[str, ...]
    make: Callable[[str], Iterator[Problem]]


def find(source: Source, splits: Sequence[str], data: Path | None) -> Files:
    """Return the files that hold the splits: from ``data``, then $REGREEN_DATA, then the hub.

    Raises MissingDataError that says what was looked for, where, and what to type next.
    """
    for place in data_places(data).values():
        files = place and local_files(source, splits, place)
        if files:
            return files
    if source.hub is None:
        raise _missing(source, splits, data, f"not there; the files are in {source.page}")
    return _hub_files(source, source.hub, splits, data)


def data_places(data: Path | None) -> dict[str, Path | None]:
    """Return the local places to look in, by the name that a user knows them by."""
    if data is not None and not data.exists():
        raise InputError(f"--data {data}: no such file or folder; give one with the layout of $REGREEN_DATA")
    variable = os.environ.get("REGREEN_DATA")
    if variable and Path(variable).is_file():
        raise InputError(f"$REGREEN_DATA is the file {variable}; expected a folder (--data takes one benchmark's file)")
    return {"--data": data, "$REGREEN_DATA": Path(variable) if variable else None}


def local_files(source: Source, splits: Sequence[str], place: Path) -> Files:
    """Return the files below a data folder that hold the splits; a file is taken as it is.

    Raises InputError for one file that has another split's name: its problems would stand in the wrong split.
    """
    if place.is_file():
        _refuse_other_split(source, splits, place)
        return [(place, splits[0] if len(splits) == 1 else None)]
    found: dict[str | None, Files] = {}
    for pattern, split in source.files:
        matches = sorted(place.glob(pattern)) if split is None or split in splits else []
        if matches and split not in found:
            found[split] = [(path, split) for path in matches]
    return [file for files in found.values() for file in files]


def _refuse_other_split(source: Source, splits: Sequence[str], file: Path) -> None:
    named = {split for pattern, split in source.files if fnmatchcase(file.name, Path(pattern).name)}
    if len(splits) == 1 and named and not named & {None, splits[0]}:
        other = ", ".join(sorted(filter(None, named)))
        raise InputError(
            f"{file}: by its name it holds {source.name}:{other}, and {source.name}:{splits[0]} is needed too; "
            "give --data the folder of both"
        )


def _hub_files(source: Source, hub: Hub, splits: Sequence[str], data: Path | None) -> Files:
    patterns = {split: hub.files[split] for split in splits if split in hub.files}
    folder = _hub_folder(source, hub, splits, list(patterns.values()), data)
    files: Files = [(path, split) for split in patterns for path in sorted(folder.glob(patterns[split]))]
    if not files:
        raise _missing(source, splits, data, f"{hub.repo} holds no {', '.join(patterns.values())}")
    return files


def _hub_folder(source: Source, hub: Hub, splits: Sequence[str], patterns: list[str], data: Path | None) -> Path:
    if Path(hub.repo).is_dir():
        return Path(hub.repo)
    try:
        library = importlib.import_module("huggingface_hub")
    except ImportError as error:
        reason = f"{hub.repo}: huggingface_hub is not installed (pip install 'regreen[data]')"
        raise _missing(source, splits, data, reason) from error
    offline = out_of_reach()
    more = {"revision": hub.revision, "allow_patterns": patterns, "etag_timeout": 10, "local_files_only": offline}
    try:
        return Path(library.snapshot_download(hub.repo, repo_type="dataset", **more))
    except Exception as error:  # the library raises its own, its HTTP client's and the system's errors
        reason = f"{hub.repo}: could not be fetched ({'no connection' if offline else type(error).__name__})"
        raise _missing(source, splits, data, reason) from error


def _missing(source: Source, splits: Sequence[str], data: Path | None, hub: str) -> MissingDataError:
    patterns = " or ".join(pattern for pattern, split in source.files if split is None or split in splits)
    places = "; ".join(f"{name}: {place or 'not given'}" for name, place in data_places(data).items())
    what = source.name if len(splits) != 1 or len(source.splits) == 1 else f"{source.name}:{splits[0]}"
    return MissingDataError(
        f"{what}: no data found. Looked for {patterns} ({places}; hub: {hub}). "
        "Give --data FOLDER or set REGREEN_DATA to a folder that holds it"
    )
