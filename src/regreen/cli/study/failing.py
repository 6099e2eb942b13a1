"""Studies of where and how programs of recorded runs fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from regreen.cli.options import Data, Json, ks, option
from regreen.cli.study.app import Figure, Seed, command, show
from regreen.cli.study.recorded import parameters as sizes
from regreen.cli.study.trusting import Of, problems_of

Recorded = Annotated[Path, Argument(help="a run directory", metavar="RUN")]


@command("difficulty")
def difficulty(
    run: Recorded,
    benchmark: Of = None,
    seed: Seed = 0,
    data: Data = None,
    figure: Figure = None,
    as_json: Json = False,
) -> int:
    """Which problems are hard?"""
    from regreen.studies.difficulty import difficulty as study

    return show(study(run, problems_of(run, benchmark, data), seed=seed), figure=figure, as_json=as_json)


@command("errors")
def errors(
    runs: Annotated[list[Path], Argument(help="run directories", metavar="RUN...")],
    parameters: Annotated[
        Any, option("--parameters", help="of the runs' models, as 350M,2.7B", parser=sizes, metavar="N,N")
    ] = None,
    seed: Seed = 0,
    figure: Figure = None,
    as_json: Json = False,
) -> int:
    """How do programs fail, and what of it goes away with size?"""
    from regreen.studies.errors import errors as study

    return show(study(runs, parameters=parameters or (), seed=seed), figure=figure, as_json=as_json)


@command("apps")
def apps(
    run: Recorded,
    given_ks: Annotated[Any, option("-k", help="the k of pass@k, as 1,5,100", parser=ks, metavar="K,K,...")] = None,
    seed: Seed = 0,
    figure: Figure = None,
    as_json: Json = False,
) -> int:
    """Strict accuracy, raw and filtered by the shown checks, with time-outs beside."""
    from regreen.studies.apps import apps as study

    return show(study(run, ks=given_ks or (), seed=seed), figure=figure, as_json=as_json)
