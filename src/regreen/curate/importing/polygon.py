"""Packages of Codeforces' Polygon: ``problem.xml``, ``statement-sections/``, ``tests/01`` and ``tests/01.a``."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

from regreen.curate.importing.contest import (
    NO_STATEMENT,
    OWN_CHECKER,
    Case,
    Contest,
    cases_of,
    inside,
    read_text,
    require_text,
)
from regreen.curate.tally import Unfit
from regreen.errors import InputError
from regreen.records import read_json

MARK = "problem.xml"
_SECTIONS = {"legend": "", "input": "Input", "output": "Output", "interaction": "Interaction", "notes": "Note"}
_RULES = {
    "exact": ("fcmp",),
    "tokens": ("lcmp", "wcmp", "ncmp", "hcmp", "icmp", "yesno", "nyesno"),
    "floats": ("rcmp", "rcmp4", "rcmp6", "rcmp9", "rncmp"),
}


def read(folder: Path) -> Contest:
    """Read a package; raises :class:`Unfit`."""
    try:
        root = Xml.fromstring((folder / MARK).read_bytes())
    except Xml.ParseError as error:
        raise InputError(f"{folder / MARK}: not XML ({error}); mend it, or move the folder away") from error
    limit = root.findtext("judging/testset/time-limit")
    return Contest(
        statement=_statement(folder),
        cases=_cases(folder, root),
        compare=_rule(root),
        right=_programs(folder, root, ("main", "accepted")),
        wrong=_programs(folder, root, ("wrong-answer",)),
        details={"name": folder.name, **({"time_limit": int(limit) / 1000} if limit else {})},
    )


def _statement(folder: Path) -> str:
    places = sorted((folder / "statement-sections").glob("*"))
    for place in sorted(places, key=lambda place: place.name != "english"):
        return require_text("\n\n".join(filter(None, (_section(place, *title) for title in _SECTIONS.items()))))
    for file in sorted(folder.glob("statements/*/problem-properties.json"), key=lambda f: f.parent.name != "english"):
        told = read_json(file)
        parts = [f"{title}\n\n{told[name]}".strip() for name, title in _SECTIONS.items() if told.get(name)]
        return require_text("\n\n".join(parts))
    raise Unfit(NO_STATEMENT)


def _section(place: Path, name: str, title: str) -> str:
    file = place / f"{name}.tex"
    text = read_text(file).strip() if file.is_file() else ""
    return f"{title}\n\n{text}".strip() if text else ""


def _rule(root: Xml.Element) -> str:
    if root.find("assets/interactor") is not None:
        raise Unfit(OWN_CHECKER)
    checker = root.find("assets/checker")
    name = "std::wcmp.cpp" if checker is None else checker.get("name", "")
    known = name.removeprefix("std::").removesuffix(".cpp") if name.startswith("std::") else ""
    for rule, checkers in _RULES.items():
        if known in checkers:
            return rule
    raise Unfit(OWN_CHECKER)


def _cases(folder: Path, root: Xml.Element) -> list[Case]:
    found: list[Case] = []
    for testset in root.findall("judging/testset"):
        before, after = testset.findtext("input-path-pattern", ""), testset.findtext("answer-path-pattern", "")
        for number, test in enumerate(testset.findall("tests/test"), 1):
            if "%" in before and "%" in after:
                pair = inside(folder, before % number), inside(folder, after % number)
                found += cases_of([pair], sample=test.get("sample") == "true")
    return found


def _programs(folder: Path, root: Xml.Element, tags: tuple[str, ...]) -> list[str]:
    wanted = (s for tag in tags for s in root.findall(f"assets/solutions/solution[@tag='{tag}']/source"))
    files = (inside(folder, source.get("path", "")) for source in wanted if source.get("type", "").startswith("python"))
    return [read_text(file) for file in files if file.is_file()]
