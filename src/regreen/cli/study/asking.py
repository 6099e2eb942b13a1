"""Studies that ask a model."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument

from regreen.cli.options import (
    Asked,
    Bounds,
    OneTemperature,
    Problems,
    counts,
    ks,
    option,
    temperatures,
    words,
)
from regreen.cli.study.app import Kept, Printed, command

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
    kept: Kept,
    decides: Mapping[str, Any] | None = None,
) -> Study:
    """Return a study as the library takes it."""
    from regreen.studies.asking import Study

    return Study(
        name,
        benchmark,
        asked.open(bounds.cluster),
        asked.sampling(n, temperature, kept.seed),
        chosen.choice(),
        bounds.judging(),
        out=kept.out,
        quiet=kept.quiet,
        decides=decides or {},
    )


def plain(name: str, about: str, *, n: int, temperature: str) -> None:
    """Add a study of a benchmark that takes no options of its own; it is ``regreen.studies.NAME``'s."""

    def run(
        benchmark: Benchmark,
        asked: Asked,
        chosen: Problems,
        bounds: Bounds,
        kept: Kept,
        printed: Printed,
        n: N = n,
        temperature: OneTemperature = temperature,
    ) -> int:
        function = name.replace("-", "_")
        study = getattr(importlib.import_module(f"regreen.studies.{function}"), function)
        asks = studied(name, benchmark, asked, chosen, bounds, n=n, temperature=(temperature,), kept=kept)
        return printed.show(study(asks))

    run.__doc__ = about
    command(name)(run)


@command("temperature")
def temperature(
    benchmark: Benchmark,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    n: N = 20,
    temperature: Heats = "0.2,0.4,0.6,0.8,1.0",
    given_ks: Ks = None,
) -> int:
    """Which temperature is best for which budget?"""
    from regreen.studies.temperature import temperature as study

    asks = studied(
        "temperature", benchmark, asked, chosen, bounds,
        n=n, temperature=temperature, kept=kept,
    )  # fmt: skip
    return printed.show(study(asks, ks=given_ks or ()))


@command("execution")
def execution(
    benchmark: Benchmark,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    shown: Annotated[
        Any,
        option("--shown", help="code, code+statement, statement: all by default", parser=words, metavar="WHAT,WHAT"),
    ] = None,
    pairs: Annotated[
        Any, option("--pairs", help="worked cases of the same program, as 0,1,2", parser=counts, metavar="N,N")
    ] = None,
    n: Annotated[int, option("-n", help="answers for each call", min=1, show=True, metavar="N")] = 1,
    temperature: OneTemperature = "0",
) -> int:
    """Can a model say what a program returns?"""
    from regreen.studies.execution import execution as study

    asks = studied(
        "execution", benchmark, asked, chosen, bounds,
        n=n, temperature=(temperature,), kept=kept,
    )  # fmt: skip
    return printed.show(study(asks, shown=shown or (), pairs=pairs or ()))
