"""Studies of what is dangerous in what a model writes, and of whether it does what it is told."""

from __future__ import annotations

from regreen.cli.options import Asked, Bounds, OneTemperature, Problems
from regreen.cli.study.app import Kept, Printed, command
from regreen.cli.study.asking import N, plain, studied


@command("insecure")
def insecure(
    asked: Asked,
    kept: Kept,
    printed: Printed,
    n: N = 100,
    temperature: OneTemperature = "0.8",
) -> int:
    """How often are RSA keys short, and AES in mode ECB?"""
    from regreen.studies.insecure import BENCHMARK, insecure

    asks = studied(
        "insecure", BENCHMARK, asked, Problems(), Bounds(),
        n=n, temperature=(temperature,), kept=kept,
    )  # fmt: skip
    return printed.show(insecure(asks))


@command("refusal")
def refusal(
    asked: Asked,
    kept: Kept,
    printed: Printed,
    n: N = 10,
    temperature: OneTemperature = "0.8",
) -> int:
    """Are harmful requests refused, and harmless ones not?"""
    from regreen.studies.refusal import BENCHMARK, refusal

    asks = studied(
        "refusal", BENCHMARK, asked, Problems(), Bounds(),
        n=n, temperature=(temperature,), kept=kept,
    )  # fmt: skip
    return printed.show(refusal(asks))


plain(
    "instructions", "Is a program written in the way that was asked for, and what does that cost?", n=1, temperature="0"
)
