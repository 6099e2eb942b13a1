"""What the commands of ``regreen curate`` share: the group, the file written, and how it is said what became of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from regreen.cli.app import app
from regreen.cli.options import grouped, option
from regreen.cli.printing import say_notes
from regreen.errors import InputError
from regreen.records import require_place

curate = typer.Typer(help="Make problems and texts, and make problems stronger.", rich_markup_mode=None)
app.add_typer(curate, name="curate", short_help="Make problems and texts, and make problems stronger.")

Problems = Annotated[Path, option("-o", "--out", help="the file of problems to write", metavar="FILE.jsonl")]
Seed = Annotated[int, option("--seed", help="of all that is drawn", min=0, show=True, metavar="N")]


@curate.callback()
def _curate() -> None:
    """Make problems and texts, and make problems stronger."""


def command(name: str, **settings: Any) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add a command, whose parameters may be groups of options, and which returns its exit code."""
    return lambda function: curate.command(name, **settings)(grouped(function))


def require_problems(out: Path) -> Path:
    """Return where problems are to be written; raises InputError where that cannot be, before any work is done."""
    if out.suffix != ".jsonl":
        raise InputError(f"-o {out}: problems are JSON Lines; give a name that ends in .jsonl")
    return require_place(out)


def show(found: dict[str, Any], what: str, *, as_json: bool) -> None:
    """Print what became of all that was looked at, which is called ``what``, and what to type next."""
    from regreen.report import Table, render

    say_notes(found)
    if as_json:
        print(json.dumps(found))
        return
    rows = [["kept", str(found["kept"])], *([why, str(len(names))] for why, names in found["dropped"].items())]
    print(render([Table(f"{found['seen']} {what}", ["", what], rows)]), end="")
    if found["out"] is None:
        print(f"\nno problem was kept, and nothing written; {found['seconds']:.1f} s")
    else:
        print(f"\n{found['kept']} problems, {found['checks']} checks in {found['seconds']:.1f} s: {found['out']}")
        print(f"regreen check {found['out']}")
