"""Studies of recorded runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument

from regreen.cli.options import Data, ks, option
from regreen.cli.study.app import Printed, Seed, command

_SIZES = {"k": 1e3, "m": 1e6, "b": 1e9}


def parameters(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part.rstrip("kmbKMB")) * _SIZES.get(part[-1:].lower(), 1) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no list of sizes; write it as 350M,2.7B") from error
    if not all(1 <= each < math.inf for each in found):
        raise typer.BadParameter(f"{text!r}: a model has at least one parameter; write 350M,2.7B")
    return found


@command("bleu")
def bleu(
    run: Annotated[Path, Argument(help="a run directory", metavar="RUN")],
    benchmark: Annotated[str, option("--benchmark", help="with the reference solutions", metavar="BENCHMARK")],
    printed: Printed,
    seed: Seed = 0,
    data: Data = None,
) -> int:
    """Does BLEU to the reference tell right programs from wrong ones?"""
    from regreen import benchmarks
    from regreen.studies.bleu import bleu

    found = bleu(run, benchmarks.load(benchmark, data=data).problems(), seed=seed)
    return printed.show(found)


@command("scaling")
def scaling(
    runs: Annotated[list[Path], Argument(help="run directories", metavar="RUN...")],
    printed: Printed,
    parameters: Annotated[
        Any,
        option("--parameters", help="of the runs' models, as 350M,2.7B", parser=parameters, metavar="N,N"),
    ] = None,
    given_ks: Annotated[Any, option("-k", help="the k of pass@k, as 1,10", parser=ks, metavar="K,K,...")] = None,
    seed: Seed = 0,
) -> int:
    """Score against the logarithm of size, over runs of several models."""
    from regreen.studies.scaling import scaling

    found = scaling(runs, parameters=parameters or (), ks=given_ks or (1,), seed=seed)
    return printed.show(found)


@command("arithmetic")
def arithmetic(
    run: Annotated[Path, Argument(help="a run directory of mathqa or mathqa-dsl", metavar="RUN")],
    printed: Printed,
    seed: Seed = 0,
) -> int:
    """Which operations and how long chains of them does a model get right?"""
    from regreen.studies.arithmetic import arithmetic

    return printed.show(arithmetic(run, seed=seed))
