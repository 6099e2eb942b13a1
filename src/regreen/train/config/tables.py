"""The tables that several trainings have, and what every training reads."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AUSTIN_LR = 3e-5  # Austin et al. 2021, section 3.2
AUSTIN_TOKENS = 8192  # of a batch, there
WARMUP = 175  # steps; Chen et al. 2021, section 3.2
BETAS, EPS, WEIGHT_DECAY = (0.9, 0.95), 1e-8, 0.1  # there too, and CYCLE's code (Ding et al. 2024)
CLIP = 1.0  # no paper of ours gives one; GPT-3 (Brown et al. 2020, appendix B) has it

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Heat = Annotated[float, Field(ge=0, le=10)]
Seed = Annotated[int, Field(ge=0, lt=1 << 63)]  # what numpy and torch both take
Tracker = Literal["tensorboard", "trackio", "wandb"]


class Strict(BaseModel):
    """Fields that nobody has heard of are errors, no number is read out of a text, and TOML's inf and nan are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class OptimizerConfig(Strict):
    """AdamW and the course of its learning rate.

    ``warmup`` counts steps, and is cut to a tenth of them all; ``clip = 0`` clips nothing.
    """

    lr: Annotated[float, Field(gt=0)] = AUSTIN_LR
    betas: Annotated[list[Share], Field(min_length=2, max_length=2)] = list(BETAS)
    eps: Annotated[float, Field(gt=0)] = EPS
    weight_decay: Annotated[float, Field(ge=0)] = WEIGHT_DECAY
    clip: Annotated[float, Field(ge=0)] = CLIP
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Annotated[int, Field(ge=0)] = WARMUP
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0


class BatchConfig(Strict):
    """How much is read: ``tokens`` a step, ``most`` in one pass through the model; ``steps``, or ``epochs``."""

    tokens: Positive = AUSTIN_TOKENS
    most: Positive = 4096
    steps: Positive | None = None
    epochs: Annotated[float, Field(gt=0)] = 3.0

    def count(self, epoch: int) -> int:
        """Return how many steps there are in all, of which an epoch has so many."""
        return self.steps or max(1, round(self.epochs * epoch))


class LoraConfig(Strict):
    """Adapters (Hu et al. 2021); ``targets`` is "all-linear", or the ends of layers' names."""

    rank: Positive = 16
    alpha: Positive = 32
    dropout: Share = 0.0
    targets: str | list[str] = "all-linear"


class MeasureConfig(Strict):
    """Measuring on held-out problems: ``every`` so many steps, by default ten times in all.

    Training ends after ``patience`` checks that were no better. pass@1 comes of ``n`` programs for each of the first
    ``limit`` problems.
    """

    every: Positive | None = None
    patience: Positive | None = None
    n: Positive = 1
    temperature: Heat = 0.0
    max_tokens: Positive = 256
    limit: Positive | None = None
    monitor: Any = None  # each training's own: the number that chooses the best checkpoint


class CheckConfig(MeasureConfig):
    """The same; ``monitor`` chooses the best checkpoint."""

    monitor: Literal["pass@1", "validation_loss"] = "pass@1"


class FirstConfig(Strict):
    """Fine-tuning on solutions before the method itself, its own way: phase I of CYCLE, RLTF's warm start."""

    optimizer: OptimizerConfig = OptimizerConfig()
    batch: BatchConfig = BatchConfig()
    check: CheckConfig = CheckConfig()


class TrainConfig(Strict):
    """What every training on problems reads.

    ``problems`` names a benchmark or a file; ``validation`` is a share of them to hold out, or names another benchmark.
    ``prompt`` is a template; by default the one that ``regreen evaluate`` takes for a model that continues text.
    ``track`` names where the numbers are shown too; it decides nothing, and no dump has it.
    """

    model: str
    problems: str
    validation: Annotated[float, Field(gt=0, lt=1)] | str = 0.1
    data: str | None = None
    limit: Positive | None = None
    prompt: str | None = None
    seed: Seed = 0
    device: str | None = None
    dtype: Literal["float32", "bfloat16"] | None = None
    track: Annotated[Tracker | None, Field(exclude=True)] = None
    optimizer: OptimizerConfig = OptimizerConfig()
    lora: LoraConfig | None = None


class TaughtConfig(TrainConfig):
    """What every supervised training reads."""

    batch: BatchConfig = BatchConfig()
    check: MeasureConfig = MeasureConfig()
