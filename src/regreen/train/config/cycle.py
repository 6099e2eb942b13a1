"""What ``regreen train cycle`` reads."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from regreen.train.config.tables import (
    BatchConfig,
    FirstConfig,
    Heat,
    MeasureConfig,
    Positive,
    Share,
    Strict,
    TrainConfig,
)

CYCLE_WORDS, CYCLE_SOLUTIONS, CYCLE_RHO = 512, 100, 0.1  # Ding et al. 2024, their code: section 3 of it, and help text


class ProbeConfig(Strict):
    """Programs of the model of phase I for every training problem; or those of an evaluation, the directory ``run``."""

    run: str | None = None
    n: Positive = 1
    temperature: Heat = 0.8
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    max_tokens: Positive = 512


class PairsConfig(Strict):
    """What is made of the programs.

    ``verify`` judges the solutions and keeps those that pass; of a problem the first ``solutions`` are looked at, and
    of problems only those whose statement has at most ``words``. ``select`` chooses the solution that a wrong program
    is to become; ``wrong`` says whose wrong programs are learned from. ``feedback``, ``code``, ``checks``, ``reveal``
    and ``template`` say what is told of them. ``distinct`` takes equal programs of one problem once. ``rho`` is the
    share of phase I's rows that are mixed in; ``share`` gives the refinements' share of all rows in its place.
    """

    verify: bool = True
    solutions: Positive = CYCLE_SOLUTIONS
    words: Positive | None = CYCLE_WORDS
    select: Literal["bm25", "random", "edit"] = "bm25"
    wrong: Literal["own", "human", "both"] = "own"
    feedback: Literal["difference", "full", "name", "none"] = "full"
    code: bool = True
    checks: Positive = 1
    reveal: Literal["shown", "revealed", "all"] | None = None
    template: str | None = None
    distinct: bool = True
    rho: Annotated[float, Field(ge=0, le=1)] | None = None
    share: Annotated[float, Field(ge=0, le=1)] | None = None

    @pydantic.model_validator(mode="after")
    def _one_mixture(self) -> PairsConfig:
        if self.rho is not None and self.share is not None:
            raise ValueError("rho and share both say how much is mixed in; give one")
        return self


class MaskConfig(Strict):
    """The past-generation mask: ``ratio`` of the tokens of a ``region``, drawn once, or every epoch (``redraw``)."""

    ratio: Share = 0.05
    region: Literal["block", "code"] = "block"
    redraw: bool = False


class CycleCheckConfig(MeasureConfig):
    """The same as for fine-tuning; ``refined@1`` is the share solved after one refinement of what fails."""

    monitor: Literal["refined@1", "pass@1", "validation_loss"] = "refined@1"


class CycleConfig(TrainConfig):
    """What ``regreen train cycle`` reads. Without the table ``first`` the model is one that phase I has made."""

    first: FirstConfig | None = None
    batch: BatchConfig = BatchConfig()
    probe: ProbeConfig = ProbeConfig()
    pairs: PairsConfig = PairsConfig()
    mask: MaskConfig = MaskConfig()
    check: CycleCheckConfig = CycleCheckConfig()
