"""Studies of what is dangerous in what a model writes."""

from __future__ import annotations

from regreen.cli.options import Asked, Bounds, Json, OneTemperature, Out, Problems, Quiet
from regreen.cli.study.app import Figure, Seed, command, show
from regreen.cli.study.asking import N, studied


@command("insecure")
def insecure(
    asked: Asked,
    n: N = 100,
    temperature: OneTemperature = "0.8",
    seed: Seed = 0,
    figure: Figure = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """How often are RSA keys short, and AES in mode ECB?"""
    from regreen.studies.insecure import BENCHMARK, insecure

    asks = studied(
        "insecure", BENCHMARK, asked, Problems(), Bounds(),
        n=n, temperature=(temperature,), seed=seed, out=out, quiet=quiet,
    )  # fmt: skip
    return show(insecure(asks), figure=figure, as_json=as_json)
