"""A corpus: a folder of source files, or a JSON Lines file of texts as ``regreen curate corpus`` writes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from regreen.errors import InputError
from regreen.formats import files

SUFFIXES = (".py",)


def source_files(folder: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[Path]:
    """Yield a folder's files of these suffixes, at any depth, in the order of their names; links are not followed.

    Raises:
        InputError: no such folder, or no such file in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give one with files {', '.join(suffixes)}")
    found = False
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if name.endswith(suffixes) and path.is_file() and not path.is_symlink():
                found = True
                yield path
    if not found:
        raise InputError(f"{folder}: no file {' or '.join(suffixes)} in it; name others with --suffix")


def read_corpus(place: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each document of a folder or a file; files that are no text are passed over.

    Raises:
        InputError: neither a folder with such files nor a file of lines ``{"path", "text"}``.
    """
    if place.is_dir() or not place.exists():
        for path in source_files(place, suffixes):
            try:
                yield str(path.relative_to(place)), path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError):
                continue
        return
    for line in files.lines(place):
        row = line.value
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise InputError(f'{line.where}: expected {{"path", "text"}}; give a folder, or what curate corpus wrote')
        yield str(row.get("path", line.where)), row["text"]
