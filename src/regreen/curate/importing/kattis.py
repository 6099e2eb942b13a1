"""Kattis problem packages: ``problem.yaml``, ``data/sample`` and ``data/secret``, ``submissions/``.

The judge of that format compares tokens without regard to case unless told otherwise; here case counts.
"""

from __future__ import annotations

from pathlib import Path

from regreen.curate.importing.contest import (
    NO_STATEMENT,
    OWN_CHECKER,
    Case,
    Contest,
    cases_of,
    programs_in,
    read_text,
    read_yaml,
    require_text,
)
from regreen.curate.tally import Unfit

MARK = "problem.yaml"
_STATEMENTS = ("problem_statement", "statement")
_ANSWERS = (".ans", ".out")


def read(folder: Path) -> Contest:
    """Read a package; raises :class:`Unfit`."""
    about = read_yaml(folder / MARK)
    submissions = folder / "submissions"
    return Contest(
        statement=_statement(folder),
        cases=[*_cases(folder / "data" / "sample", sample=True), *_cases(folder / "data" / "secret", sample=False)],
        compare=_rule(about, folder),
        right=programs_in(submissions / "accepted"),
        wrong=programs_in(submissions / "wrong_answer"),
        details={"name": about["name"]} if isinstance(about.get("name"), str) else {},
    )


def _statement(folder: Path) -> str:
    for place in _STATEMENTS:
        found = [path for path in sorted((folder / place).glob("problem*")) if path.suffix in (".md", ".tex")]
        english = [path for path in found if path.stem in ("problem", "problem.en")]
        if found:
            return require_text(read_text((english or found)[0]))
    raise Unfit(NO_STATEMENT)


def _rule(about: object, folder: Path) -> str:
    told = about if isinstance(about, dict) else {}
    kind = " ".join(str(told.get(name, "")) for name in ("validation", "type"))
    own = any((folder / name).is_dir() for name in ("output_validators", "output_validator"))
    if "custom" in kind or "interactive" in kind or (own and "default" not in kind):
        raise Unfit(OWN_CHECKER)
    flags = f"{told.get('validator_flags', '')} {told.get('validator', '')}"
    return "floats" if "float" in flags else "tokens"


def _cases(folder: Path, *, sample: bool) -> list[Case]:
    inputs = sorted(folder.rglob("*.in"))
    return cases_of(((a, b) for a in inputs for b in (a.with_suffix(end) for end in _ANSWERS)), sample=sample)
