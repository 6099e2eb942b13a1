"""What the commands of ``regreen curate`` share: the group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from regreen.cli.app import app
from regreen.cli.options import grouped, option

curate = typer.Typer(help="Make problems and texts, and make problems stronger.", rich_markup_mode=None)
app.add_typer(curate, name="curate", short_help="Make problems and texts, and make problems stronger.")

Seed = Annotated[int, option("--seed", help="of all that is drawn", show=True, metavar="N")]


@curate.callback()
def _curate() -> None:
    """Make problems and texts, and make problems stronger."""


def command(name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add a command, whose parameters may be groups of options, and which returns its exit code."""
    return lambda function: curate.command(name)(grouped(function))
