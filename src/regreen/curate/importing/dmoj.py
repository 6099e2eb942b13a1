"""Problem folders of DMOJ: ``init.yml``, cases beside it or in an archive, a statement as in any folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from regreen.curate.importing.contest import (
    NO_STATEMENT,
    OWN_CHECKER,
    Case,
    Contest,
    read_text,
    read_yaml,
    require_text,
)
from regreen.curate.importing.plain import find_statement, is_sample, paired, programs
from regreen.curate.tally import Unfit
from regreen.errors import InputError

MARK = "init.yml"
_RULES = {"standard": "tokens", "easy": "tokens", "identical": "exact", "floats": "floats", "rstripped": "exact"}


def read(folder: Path) -> Contest:
    """Read a folder; raises :class:`Unfit`."""
    about = read_yaml(folder / MARK)
    statement = find_statement(folder)
    if statement is None:
        raise Unfit(NO_STATEMENT)
    right, wrong = programs(folder)
    return Contest(require_text(read_text(statement)), _cases(folder, about), _rule(about), right, wrong)


def _rule(about: Mapping[str, Any]) -> str:
    checker = about.get("checker", "standard")
    name = checker.get("name") if isinstance(checker, dict) else checker
    rule = _RULES.get(str(name))
    if not rule or any(key in about for key in ("interactive", "grader", "custom_judge", "signature_grader")):
        raise Unfit(OWN_CHECKER)
    return rule


def _cases(folder: Path, about: Mapping[str, Any]) -> list[Case]:
    archive = about.get("archive")
    if not isinstance(archive, str):
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        return _read(names, about, lambda name: (folder / name).read_bytes())
    try:
        with ZipFile(folder / archive) as zipped:
            return _read(zipped.namelist(), about, zipped.read)
    except (OSError, BadZipFile) as error:
        raise InputError(f"{folder / archive}: cannot be read ({error}); mend it, or move the folder away") from error


def _read(names: Iterable[str], about: Mapping[str, Any], read: Callable[[str], bytes]) -> list[Case]:
    known = set(names)
    named = [*_named(about.get("pretest_test_cases")), *_named(about.get("test_cases"))]
    pairs = [pair for pair in named if known.issuperset(pair)] or paired(known)
    return [Case(read(a), read(b), is_sample(a)) for a, b in pairs]


def _named(cases: Any) -> Iterator[tuple[str, str]]:
    """Yield the pairs of files that a list of cases names, those of batches too."""
    for case in cases if isinstance(cases, list) else ():
        if isinstance(case, dict) and "batched" in case:
            yield from _named(case["batched"])
        elif isinstance(case, dict) and "in" in case and "out" in case:
            yield str(case["in"]), str(case["out"])
