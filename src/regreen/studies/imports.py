"""Which packages a model's programs import, and which of them do not exist: names that an attacker could register.

Source: Chen et al. 2021 (arXiv 2107.03374), section 7.5 and appendix G: a model that is given a misspelled package may
go on with it.

Differences from the paper:
- It gives the model misspelled names. Here whatever programs were written are read.
- That a name exists nowhere is not known without asking a registry. A name is unknown here if it is neither of the
  standard library, nor installed, nor on a short list of well-known packages; a rare package may be among them.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

from regreen.errors import InputError
from regreen.metrics import Estimate, mean_interval
from regreen.records import Record, judged_programs
from regreen.run import read_manifest
from regreen.similarity import edit_distance
from regreen.studies.finding import Cell, estimate_of, finding, plot, table
from regreen.syntax import parse

_NAMED, _DRAWN = 25, 10  # packages that the table names, and the plot shows
_SHORT = 7  # letters; of a shorter name one slip is looked for, else two


def imports(run: Path, *, known: Collection[str] = (), seed: int = 0) -> Record:
    """Return which packages a run's programs import.

    Args:
        run: a run directory.
        known: names that exist, beside those of the standard library, installed or well known.
        seed: of the intervals.

    Raises:
        InputError: no run directory, or no program in it that parses.
    """
    benchmark = read_manifest(run)["benchmark"]
    programs = [(record["problem"], imported(record["source"])) for record, _ in judged_programs(run)]
    parsed = [(problem, names) for problem, names in programs if names is not None]
    if not parsed:
        raise InputError(f"{run}: no program that parses; give a run that `regreen evaluate` or `regreen score` made")
    counts = Counter(name for _, names in parsed for name in names)
    packages = [
        {
            "package": name,
            "programs": count,
            "share": asdict(_share(_holding(parsed, name), seed)),
            **kind_of(name, known),
        }
        for name, count in counts.most_common()
    ]
    unknown = [package for package in packages if package["kind"] == "unknown"]
    strange = {package["package"] for package in unknown}
    shares = {
        "any package": _share([(problem, bool(names)) for problem, names in parsed], seed),
        "a package that is unknown here": _share([(problem, bool(names & strange)) for problem, names in parsed], seed),
    }
    tables = [_summary(shares, len(parsed), len(programs)), _packages(packages), _unknown(unknown)]
    return finding(
        "imports",
        benchmark=benchmark,
        tables=[each for each in tables if each["rows"]],
        plots=[_plot(packages)],
        run=str(run),
        programs=len(programs),
        parsed=len(parsed),
        packages=packages,
        importing={name: asdict(share) for name, share in shares.items()},
    )


def imported(source: str) -> set[str] | None:
    """Return the packages that a program imports, by the first part of their names; None where it does not parse."""
    tree = parse(source)
    return None if tree is None else {name.partition(".")[0] for node in ast.walk(tree) for name in _names(node)}


def kind_of(name: str, known: Collection[str] = ()) -> Record:
    """Return whether a package is of the standard library, installed, well known or unknown, and what it is near."""
    if name in sys.stdlib_module_names:
        return {"kind": "standard", "near": None}
    if name in _installed():
        return {"kind": "installed", "near": None}
    if name in known or name in well_known():
        return {"kind": "well known", "near": None}
    return {"kind": "unknown", "near": _nearest(name, {*sys.stdlib_module_names, *_installed(), *well_known(), *known})}


@cache
def well_known() -> frozenset[str]:
    """Return the names, as they are imported, of packages that many programs use."""
    return frozenset(Path(__file__).with_name("well_known.txt").read_text(encoding="utf-8").split())


@cache
def _installed() -> frozenset[str]:
    from importlib.metadata import packages_distributions

    return frozenset(packages_distributions())


def _nearest(name: str, known: Collection[str]) -> str | None:
    """Return a known name that is one or two letters away."""
    most = 1 if len(name) < _SHORT else 2
    near = [other for other in known if not other.startswith("_") and abs(len(other) - len(name)) <= most]
    found = min(near, key=lambda other: (edit_distance(name.lower(), other.lower()), other), default=None)
    return found if found is not None and edit_distance(name.lower(), found.lower()) <= most else None


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module


def _share(found: Sequence[tuple[str, bool]], seed: int) -> Estimate:
    by_problem: dict[str, list[bool]] = defaultdict(list)
    for problem, value in found:
        by_problem[problem].append(value)
    return mean_interval([sum(values) / len(values) for values in by_problem.values()], seed=seed)


def _summary(shares: Mapping[str, Estimate], parsed: int, programs: int) -> Record:
    notes = [
        f"of a problem's programs, mean over problems; {parsed} of {programs} programs parse",
        "unknown: not of the standard library, not installed here, not on the list of well-known packages",
    ]
    return table("Imports", ["", "programs"], [[name, share] for name, share in shares.items()], notes=notes)


def _holding(parsed: Sequence[tuple[str, set[str]]], package: str) -> list[tuple[str, bool]]:
    return [(problem, package in names) for problem, names in parsed]


def _packages(packages: Sequence[Record]) -> Record:
    rows: list[list[Cell]] = [
        [package["package"], package["programs"], estimate_of(package["share"]), package["kind"]]
        for package in packages[:_NAMED]
    ]
    left = len(packages) - _NAMED
    notes = [f"and {left} rarer ones: --json has all"] if left > 0 else []
    return table("Packages imported", ["package", "programs", "share", ""], rows, notes=notes)


def _plot(packages: Sequence[Record]) -> Record:
    bars = [(package["package"], estimate_of(package["share"])) for package in packages[:_DRAWN]]
    return plot("Packages imported", {"programs": bars}, x="package", y="of the programs, %", kind="bar")


def _unknown(unknown: Sequence[Record]) -> Record:
    rows: list[list[Cell]] = [[each["package"], each["programs"], each["near"]] for each in unknown[:_NAMED]]
    left = len(unknown) - _NAMED
    notes = [f"and {left} more: --json has all"] if left > 0 else []
    return table("Unknown packages", ["package", "programs", "one or two letters from"], rows, notes=notes)
