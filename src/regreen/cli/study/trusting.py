"""Studies of what a passed check is worth, on recorded runs or on a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from regreen.cli.options import Asked, Bounds, OneTemperature, Problems, option
from regreen.cli.study.app import Kept, Printed, command
from regreen.cli.study.asking import N, studied
from regreen.errors import InputError

if TYPE_CHECKING:
    from regreen.problem import Problem

Of = Annotated[
    str | None, option("--benchmark", help="the run's, where it cannot be told from the run", metavar="BENCHMARK")
]
Target = Annotated[
    str, Argument(help="a run directory, or a benchmark to ask a model about (-m)", metavar="RUN|BENCHMARK")
]


def is_run(target: str) -> bool:
    """Tell whether what was given is a run directory."""
    from regreen.records import MANIFEST

    return (Path(target) / MANIFEST).is_file()


def problems_of(run: Path, benchmark: str | None, data: Path | None) -> list[Problem]:
    """Return the problems of a run's benchmark; raises InputError that asks for --benchmark where none are found."""
    from regreen import benchmarks
    from regreen.run import read_manifest

    name = benchmark or read_manifest(run)["benchmark"]
    try:
        return list(benchmarks.load(name, data=data).problems())
    except InputError as error:
        if benchmark is not None:
            raise
        raise InputError(f"{run} is a run on {name!r}: {error}; or give --benchmark FILE") from error


@command("hidden")
def hidden(
    target: Target,
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    benchmark: Of = None,
    n: N = 5,
    temperature: OneTemperature = "0.5",
) -> int:
    """Do programs that pass the shown checks pass the hidden ones, and do they hard-code?

    A recorded run is studied as it is. A model is asked with one check shown, or as many as --show says.
    """
    from regreen.studies.hidden import ask_hidden
    from regreen.studies.hidden import hidden as study

    if is_run(target):
        problems = chosen.choice().choose(problems_of(Path(target), benchmark, chosen.data))
        found = study(
            Path(target), problems, show=asked.show, judging=bounds.judging(), seed=kept.seed, quiet=kept.quiet
        )
        return printed.show(found)
    if not asked.model:
        raise InputError(f"{target}: not a run directory (no manifest.json); give one, or a benchmark and -m MODEL")
    asks = studied(
        "hidden", target, replace(asked, show=None), chosen, bounds,
        n=n, temperature=(temperature,), kept=kept, decides={"shown": asked.show or "1"},
    )  # fmt: skip
    return printed.show(ask_hidden(asks, asked.show or "1"))
