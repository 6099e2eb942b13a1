"""Folders of no system: a statement, files that pair by their names, programs with a telling name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from regreen.curate.importing.contest import NO_CASES, NO_STATEMENT, Case, Contest, read_text, require_text
from regreen.curate.tally import Unfit

_NAMES = ("statement", "problem", "question", "description", "task", "readme")
_ENDS = (".md", ".txt", ".tex", ".rst", "")
_PLACES = ("", "statement", "problem_statement", "statements")
_SAMPLE = re.compile(r"(?:^|[^a-z])(?:sample|example)", re.IGNORECASE)
_OUTPUTS = (  # from an input's name to its output's
    (r"\.in(?=\.txt$|$)", (".out", ".ans", ".a", ".sol")),
    (r"(?<![a-z])inputs?(?![a-z])", ("output", "outputs", "answer", "answers")),
    (r"(?<![a-z])in(?=/)", ("out", "ans")),
)
_RIGHT = re.compile(r"(?:sol|solution|solutions|accepted|ac|main|answer|reference)[\W_\d]*", re.IGNORECASE)
_WRONG = re.compile(r"(?:wrong|wa|incorrect)", re.IGNORECASE)


def read(folder: Path) -> Contest:
    """Read a folder; raises :class:`Unfit`."""
    statement = find_statement(folder)
    if statement is None:
        raise Unfit(NO_STATEMENT)
    right, wrong = programs(folder)
    return Contest(require_text(read_text(statement)), files_paired(folder), right=right, wrong=wrong)


def find_statement(folder: Path) -> Path | None:
    """Return the file that tells what is asked."""
    files = [file for place in _PLACES if (folder / place).is_dir() for file in sorted((folder / place).iterdir())]
    for name in _NAMES:
        for file in files:
            if file.is_file() and file.stem.lower() == name and file.suffix.lower() in _ENDS:
                return file
    return None


def files_paired(folder: Path) -> list[Case]:
    """Return a case for each input below a folder that has an output; raises :class:`Unfit` where there is none."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    cases = [Case(files[a].read_bytes(), files[b].read_bytes(), is_sample(a)) for a, b in paired(files)]
    if not cases:
        raise Unfit(NO_CASES)
    return sorted(cases, key=lambda case: not case.sample)


def paired(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of inputs and their outputs: ``1.in`` with ``1.ans``, ``input/1.txt`` with ``output/1.txt``."""
    known = set(names)
    for name in sorted(known, key=_natural):
        output = next((other for other in _outputs(name) if other in known), None)
        if output is not None:
            yield name, output


def is_sample(name: str) -> bool:
    """True if a file's path says that everybody may see it."""
    return _SAMPLE.search(name) is not None


def programs(folder: Path) -> tuple[list[str], list[str]]:
    """Return right and wrong programs, by the names of their files and folders."""
    right, wrong = list[str](), list[str]()
    for path in sorted(folder.rglob("*.py")):
        parts = [*path.relative_to(folder).parts[:-1], path.stem]
        if any(map(_WRONG.match, parts)):
            wrong.append(read_text(path))
        elif any(map(_RIGHT.fullmatch, parts)):
            right.append(read_text(path))
    return right, wrong


def _outputs(name: str) -> Iterator[str]:
    """Yield what an input's output may be called; the bare name of a test has its answer in ``NAME.a``."""
    names = [name]
    for pattern, words in _OUTPUTS:
        names += [re.sub(pattern, word, old) for old in names for word in words]
    yield from (new for new in dict.fromkeys(names) if new != name)
    if not PurePosixPath(name).suffix:
        yield f"{name}.a"


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key by which 2 comes before 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
