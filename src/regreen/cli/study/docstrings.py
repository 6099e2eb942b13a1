"""The study of docstrings: from a program to words, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from regreen.cli.options import Asked, Bounds, OneTemperature, Problems, option
from regreen.cli.study.app import Kept, Printed, command
from regreen.cli.study.asking import Benchmark, N, studied


@command("docstring")
def docstring(
    benchmark: Benchmark,
    coder: Annotated[str, option("--coder", help="who writes programs from the docstrings", metavar="MODEL")],
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    n: N = 10,
    temperature: OneTemperature = "0.8",
    sheet: Annotated[Path | None, option("--sheet", help="write a sheet for people to mark", metavar="FILE")] = None,
    graded: Annotated[Path | None, option("--graded", help="the sheet, marked", metavar="FILE")] = None,
) -> int:
    """Does a program's docstring lead back to the program?

    A model writes docstrings for solutions; another one writes a program from each, and the checks judge it.
    """
    from regreen.models import open_model
    from regreen.studies.docstring import docstring as study

    asks = studied(
        "docstring", benchmark, asked, chosen, bounds,
        n=n, temperature=(temperature,), kept=kept, decides={"coder": coder},
    )  # fmt: skip
    return printed.show(study(asks, open_model(coder), sheet=sheet, graded=graded))
