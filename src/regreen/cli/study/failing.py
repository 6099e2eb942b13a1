"""Studies of where and how programs of recorded runs fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from regreen.cli.options import Data, ks, option
from regreen.cli.study.app import Printed, Seed, command
from regreen.cli.study.recorded import parameters as sizes
from regreen.cli.study.trusting import Of, problems_of

Recorded = Annotated[Path, Argument(help="a run directory", metavar="RUN")]


@command("difficulty")
def difficulty(
    run: Recorded,
    printed: Printed,
    benchmark: Of = None,
    seed: Seed = 0,
    data: Data = None,
) -> int:
    """Which problems are hard?"""
    from regreen.studies.difficulty import difficulty as study

    return printed.show(study(run, problems_of(run, benchmark, data), seed=seed))


@command("errors")
def errors(
    runs: Annotated[list[Path], Argument(help="run directories", metavar="RUN...")],
    printed: Printed,
    parameters: Annotated[
        Any, option("--parameters", help="of the runs' models, as 350M,2.7B", parser=sizes, metavar="N,N")
    ] = None,
    seed: Seed = 0,
) -> int:
    """How do programs fail, and what of it goes away with size?"""
    from regreen.studies.errors import errors as study

    return printed.show(study(runs, parameters=parameters or (), seed=seed))


@command("apps")
def apps(
    run: Recorded,
    printed: Printed,
    given_ks: Annotated[Any, option("-k", help="the k of pass@k, as 1,5,100", parser=ks, metavar="K,K,...")] = None,
    seed: Seed = 0,
) -> int:
    """Strict accuracy, raw and filtered by the shown checks, with time-outs beside."""
    from regreen.studies.apps import apps as study

    return printed.show(study(run, ks=given_ks or (), seed=seed))
