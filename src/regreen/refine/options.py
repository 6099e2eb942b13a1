"""How programs are refined, and what refinement is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from regreen.controls import NAMED, RESAMPLE, STRANGER, SWAPPED, UNTOLD, WITHIN
from regreen.errors import InputError
from regreen.records import Record
from regreen.telling import Telling

ROUNDS = 4  # Ding et al. 2024, section 6 of their code's settings
FIRST, LATER = 0.2, 0.6  # temperatures of first programs and of refinements, there

Until = Literal["benchmark", "problem"]
CONTROLS: Mapping[str, str] = {
    name.removeprefix("control:"): name for name in (RESAMPLE, SWAPPED, WITHIN, NAMED, UNTOLD, STRANGER)
}


@dataclass(frozen=True, slots=True)
class Refining:
    """How failing programs are refined.

    Args:
        rounds: of refinement, at most.
        temperature: of refinements.
        until: "benchmark" ends after a round in which the benchmark's pass rate did not rise, as the paper does;
            "problem" refines each chain until it passes or the rounds are over.
        telling: what a refinement is told.
        reveal: which checks' failures may be told: "shown", "revealed", "all"; None leaves it to the problem.
        template: asks for refinements; None takes what fits the problems and the first prompt.
        controls: drawn beside, names in ``CONTROLS``.
        resample_temperature: of fresh programs; None: that of refinements.

    Raises:
        InputError: a number or a word that cannot be.
    """

    rounds: int = ROUNDS
    temperature: float = LATER
    until: Until = "benchmark"
    telling: Telling = field(default_factory=Telling)
    reveal: str | None = None
    template: str | None = None
    controls: tuple[str, ...] = tuple(CONTROLS)
    resample_temperature: float | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.until not in get_args(Until):
            raise InputError(f"refine: {self.rounds} rounds until {self.until}: expected 1 and benchmark or problem")
        for control in self.controls:
            if control not in CONTROLS:
                raise InputError(f"--control {control}: expected {','.join(CONTROLS)}, some of them, or none")

    @property
    def fresh_temperature(self) -> float:
        """The temperature of fresh programs."""
        return self.temperature if self.resample_temperature is None else self.resample_temperature

    def decides(self) -> Record:
        """Return what decides refinements and controls but the rounds, which may grow."""
        return {
            "refine_temperature": self.temperature,
            "until": self.until,
            "telling": self.telling.decides(),
            "reveal": self.reveal,
            "controls": list(self.controls),
            "resample_temperature": self.fresh_temperature,
        }
