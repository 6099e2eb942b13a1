"""What the commands of ``regreen study`` share: the group, and how a finding is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from regreen.cli.app import DONE, app
from regreen.cli.options import Json, Out, Quiet, grouped, option

study = typer.Typer(help="Study a model, or recorded runs, as the papers do.", rich_markup_mode=None)
app.add_typer(study, name="study", short_help="Study a model, or recorded runs.")

Figure = Annotated[Path | None, option("--figure", help="draw it here: *.svg, *.png or *.pdf", metavar="FILE")]
Seed = Annotated[int, option("--seed", help="of intervals and draws", min=0, show=True, metavar="N")]


@dataclass
class Kept:
    """What decides all draws, and where the runs of a study that asks a model are kept."""

    seed: Seed = 0
    out: Out = None
    quiet: Quiet = False


@dataclass
class Printed:
    """How a finding is shown."""

    figure: Figure = None
    as_json: Json = False

    def __post_init__(self) -> None:
        """Refuse a figure that could not be drawn in the end."""
        if self.figure is not None:
            from regreen.report import check_figure

            check_figure(self.figure)

    def show(self, found: dict[str, Any]) -> int:
        """Print what was found, draw it where that is wanted, and return the exit code."""
        from regreen.report import draw, render, study_tables

        print(json.dumps(found) + "\n" if self.as_json else render(study_tables(found)), end="")
        if "folder" in found and not self.as_json:
            print(f"\nregreen report {found['folder']}")
        if self.figure is not None:
            draw(found["plots"], self.figure)
        return DONE


@study.callback()
def _study() -> None:
    """Study a model, or recorded runs: tables, figures, intervals."""


def command(name: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add a study, whose parameters may be groups of options, and which returns its exit code."""
    return lambda function: study.command(name)(grouped(function))
