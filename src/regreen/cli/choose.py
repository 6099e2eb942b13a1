"""``regreen rank``, ``study`` and ``export``: what is made of runs and checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument

from regreen.cli.app import DONE, command
from regreen.cli.choices import Study, Target
from regreen.cli.options import Data, Json, Quiet, ks, option
from regreen.errors import InputError

_SIZES = {"k": 1e3, "m": 1e6, "b": 1e9}


def _parameters(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part.rstrip("kmbKMB")) * _SIZES.get(part[-1:].lower(), 1) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no list of sizes; write it as 350M,2.7B") from error


Seed = Annotated[int, option("--seed", help="of intervals and draws", show=True, metavar="N")]
Ks = Annotated[Any, option("-k", help="how many programs are drawn, as 1,10,100", parser=ks, metavar="K,K,...")]


@command()
def rank(
    run: Annotated[Path, Argument(help="a run directory", metavar="RUN")],
    model: Annotated[
        str | None, option("-m", "--model", help="says how likely a statement is: back-translation", metavar="MODEL")
    ] = None,
    base_url: Annotated[str | None, option("--base-url", help="the model's endpoint", metavar="URL")] = None,
    checks: Annotated[
        Path | None, option("--checks", help="checks that a model wrote: dual agreement", metavar="FILE")
    ] = None,
    given_ks: Ks = None,
    seed: Seed = 0,
    jobs: Annotated[int | None, option("-j", "--jobs", help="programs run at once", min=1, metavar="N")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Choose one program of k without the scoring checks.

    Writes RUN/ranks.jsonl, which report prints: random, log-probabilities, shown checks, majority, oracle and more.
    """
    from regreen.models import open_model
    from regreen.rank import rank as rank_run
    from regreen.report import ranking_tables, render

    asked = open_model(model, base_url=base_url) if model else None
    found = rank_run(run, model=asked, checks=checks, ks=given_ks or None, seed=seed, jobs=jobs, quiet=quiet)
    print(json.dumps(found) + "\n" if as_json else render(ranking_tables(found)), end="")
    return DONE


@command()
def study(
    name: Annotated[Study, Argument(help="bleu or scaling", metavar="NAME")],
    runs: Annotated[list[Path], Argument(help="run directories", metavar="RUN...")],
    benchmark: Annotated[
        str | None, option("--benchmark", help="with the reference solutions (bleu)", metavar="BENCHMARK")
    ] = None,
    parameters: Annotated[
        Any,
        option("--parameters", help="of the runs' models, as 350M,2.7B", parser=_parameters, metavar="N,N"),
    ] = None,
    given_ks: Ks = None,
    seed: Seed = 0,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Study recorded runs: BLEU against correctness, score against size."""
    from regreen.report import render, study_tables

    if name is Study.SCALING:
        from regreen.studies.scaling import scaling

        found = scaling(runs, parameters=parameters or (), ks=given_ks or (1,), seed=seed)
    else:
        found = _bleu(runs, benchmark, data, seed)
    print(json.dumps(found) + "\n" if as_json else render(study_tables(found)), end="")
    return DONE


def _bleu(runs: list[Path], benchmark: str | None, data: Path | None, seed: int) -> dict[str, Any]:
    from regreen import benchmarks
    from regreen.studies.bleu import bleu

    if len(runs) != 1 or benchmark is None:
        raise InputError("study bleu: give one run, and --benchmark for the reference solutions")
    return bleu(runs[0], benchmarks.load(benchmark, data=data).problems(), seed=seed)


@command()
def export(
    source: Annotated[str, Argument(help="a checkpoint's folder, or tiny and its kin", metavar="CHECKPOINT")],
    to: Annotated[Target, option("--to", help="gguf", metavar="FORM")],
    out: Annotated[Path, option("-o", "--out", help="write here", metavar="FILE")],
) -> int:
    """Write a checkpoint for another tool: gguf is llama.cpp's form."""
    from regreen.export import export_gguf
    from regreen.models.shipped import place_of

    export_gguf(Path(place_of(source)), out)
    print(f"{out}: {out.stat().st_size:,} bytes")
    return DONE
