"""Studies that ask a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from regreen.cli.options import Asked, Bounds, Json, OneTemperature, Out, Problems, Quiet, ks, option, temperatures
from regreen.cli.study.app import Figure, Seed, command, show

if TYPE_CHECKING:
    from regreen.studies.asking import Study

Benchmark = Annotated[str, Argument(help="a name, name:split, or a file", metavar="BENCHMARK")]
N = Annotated[int, option("-n", help="programs for each problem", min=1, show=True, metavar="N")]
Heats = Annotated[
    Any, option("--temperature", help="one, or several as 0.2,0.8", parser=temperatures, show=True, metavar="T,T,...")
]
Ks = Annotated[Any, option("-k", help="the k of pass@k, as 1,10,100", parser=ks, metavar="K,K,...")]


def studied(
    name: str,
    benchmark: str,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    *,
    n: int,
    temperature: tuple[float, ...],
    seed: int,
    out: Path | None,
    quiet: bool,
    decides: Mapping[str, Any] | None = None,
) -> Study:
    """Return a study as the library takes it."""
    from regreen.studies.asking import Study

    return Study(
        name,
        benchmark,
        asked.open(),
        asked.sampling(n, temperature, seed),
        chosen.choice(),
        bounds.judging(),
        out=out,
        quiet=quiet,
        decides=decides or {},
    )


@command("temperature")
def temperature(
    benchmark: Benchmark,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    n: N = 20,
    temperature: Heats = "0.2,0.4,0.6,0.8,1.0",
    given_ks: Ks = None,
    seed: Seed = 0,
    figure: Figure = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Which temperature is best for which budget?"""
    from regreen.studies.temperature import temperature as study

    asks = studied(
        "temperature", benchmark, asked, chosen, bounds,
        n=n, temperature=temperature, seed=seed, out=out, quiet=quiet,
    )  # fmt: skip
    return show(study(asks, ks=given_ks or ()), figure=figure, as_json=as_json)


@command("docstring")
def docstring(
    benchmark: Benchmark,
    coder: Annotated[str, option("--coder", help="who writes programs from the docstrings", metavar="MODEL")],
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    n: N = 10,
    temperature: OneTemperature = "0.8",
    sheet: Annotated[Path | None, option("--sheet", help="write a sheet for people to mark", metavar="FILE")] = None,
    graded: Annotated[Path | None, option("--graded", help="the sheet, marked", metavar="FILE")] = None,
    seed: Seed = 0,
    figure: Figure = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Does a program's docstring lead back to the program?

    A model writes docstrings for solutions; another one writes a program from each, and the checks judge it.
    """
    from regreen.models import open_model
    from regreen.studies.docstring import docstring as study

    asks = studied(
        "docstring", benchmark, asked, chosen, bounds,
        n=n, temperature=(temperature,), seed=seed, out=out, quiet=quiet, decides={"coder": coder},
    )  # fmt: skip
    return show(study(asks, open_model(coder), sheet=sheet, graded=graded), figure=figure, as_json=as_json)
