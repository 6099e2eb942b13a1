"""Studies on problems that are made for them."""

from __future__ import annotations

from regreen.cli.options import Asked, Bounds, Json, OneTemperature, Out, Problems, Quiet
from regreen.cli.study.app import Figure, Seed, command, show
from regreen.cli.study.asking import N, studied


@command("chained")
def chained(
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    n: N = 1,
    temperature: OneTemperature = "0",
    seed: Seed = 0,
    figure: Figure = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """How fast does the pass rate fall along a chain of blocks?"""
    from regreen.studies.chained import BENCHMARK, chained

    asks = studied(
        "chained", BENCHMARK, asked, chosen, bounds, n=n, temperature=(temperature,), seed=seed, out=out, quiet=quiet
    )
    return show(chained(asks), figure=figure, as_json=as_json)


@command("binding")
def binding(
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    n: N = 1,
    temperature: OneTemperature = "0",
    seed: Seed = 0,
    figure: Figure = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Are operations forgotten, or applied to the wrong variable?"""
    from regreen.studies.binding import BENCHMARK, binding

    asks = studied(
        "binding", BENCHMARK, asked, chosen, bounds, n=n, temperature=(temperature,), seed=seed, out=out, quiet=quiet
    )
    return show(binding(asks), figure=figure, as_json=as_json)
