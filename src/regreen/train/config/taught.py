"""What the supervised trainings read, and the presets of two papers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from regreen.train.config.tables import CheckConfig, MeasureConfig, Positive, TaughtConfig

PRESETS: dict[str, dict[str, Any]] = {
    # Chen et al. 2021, section 4.5: until the validation loss flattens, a tenth of the learning rate of Codex's own
    # fine-tuning, which was that of the GPT-3 of the same size: 6e-4 for 125 M (Brown et al. 2020, table 2.1).
    "codex-s": {
        "prompt": "codex",
        "optimizer": {"lr": 6e-5},
        "batch": {"epochs": 10.0},
        "check": {"monitor": "validation_loss", "patience": 2},
    },
    # Austin et al. 2021, section 3.2: 100 steps on the 374 problems of MBPP, the checkpoint chosen on its 90.
    "austin": {
        "problems": "mbpp:train",
        "validation": "mbpp:validation",
        "prompt": "austin",
        "optimizer": {"schedule": "constant", "warmup": 0},
        "batch": {"steps": 100},
        "check": {"every": 10, "patience": 3},
    },
}


def _merged(below: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return what is given, and below it, table by table, what is not."""
    both = {name: _merged(below[name], given[name]) for name in given if _are_tables(below.get(name), given[name])}
    return {**below, **given, **both}


def _are_tables(*values: Any) -> bool:
    return all(isinstance(value, dict) for value in values)


class SftConfig(TaughtConfig):
    """What ``regreen train sft`` reads; ``preset`` gives what else is not given the values of a paper."""

    preset: Literal["codex-s", "austin"] | None = None
    check: CheckConfig = CheckConfig()

    @pydantic.model_validator(mode="before")
    @classmethod
    def _preset(cls, given: Any) -> Any:
        preset = PRESETS.get(str(given.get("preset"))) if isinstance(given, dict) else None
        return given if preset is None else _merged(preset, given)


class LossCheckConfig(MeasureConfig):
    """The same; only the loss chooses."""

    monitor: Literal["validation_loss"] = "validation_loss"


class DocstringConfig(TaughtConfig):
    """What ``regreen train docstring`` reads."""

    check: LossCheckConfig = LossCheckConfig()


class ExecutionConfig(SftConfig):
    """What ``regreen train execution`` reads.

    Of each problem the results of the first ``calls`` are learned, from what is ``shown`` of it and so many worked
    ``pairs`` of the same program; pass@1 is the share of held-out results that are right.
    """

    calls: Positive = 3
    shown: Literal["code", "code+statement", "statement"] = "code+statement"
    pairs: Annotated[int, Field(ge=0)] = 0
