"""Studies on problems that are made for them."""

from __future__ import annotations

from regreen.cli.options import Asked, Bounds, OneTemperature, Problems
from regreen.cli.study.app import Kept, Printed, command
from regreen.cli.study.asking import N, studied


@command("chained")
def chained(
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    n: N = 1,
    temperature: OneTemperature = "0",
) -> int:
    """How fast does the pass rate fall along a chain of blocks?"""
    from regreen.studies.chained import BENCHMARK, chained

    asks = studied("chained", BENCHMARK, asked, chosen, bounds, n=n, temperature=(temperature,), kept=kept)
    return printed.show(chained(asks))


@command("binding")
def binding(
    asked: Asked,
    chosen: Problems,
    bounds: Bounds,
    kept: Kept,
    printed: Printed,
    n: N = 1,
    temperature: OneTemperature = "0",
) -> int:
    """Are operations forgotten, or applied to the wrong variable?"""
    from regreen.studies.binding import BENCHMARK, binding

    asks = studied("binding", BENCHMARK, asked, chosen, bounds, n=n, temperature=(temperature,), kept=kept)
    return printed.show(binding(asks))
