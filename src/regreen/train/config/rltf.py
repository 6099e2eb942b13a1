"""What ``regreen train rltf`` reads."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

from regreen.train.config.tables import FirstConfig, MeasureConfig, Positive, Share, Strict, TrainConfig

RLTF_POOL, RLTF_REFRESH, RLTF_N = 6400, 50, 20  # Liu et al. 2023, their code: programs, steps, programs for a problem


class RlBatchConfig(Strict):
    """``programs`` learned from in a step; ``most`` tokens in one pass through the model; ``steps`` in all."""

    programs: Positive = 32
    most: Positive = 4096
    steps: Positive = 1000


class ServerConfig(Strict):
    """A vLLM or SGLang server that writes the programs, and reads the policy's checkpoints from the run's folder."""

    model: str
    engine: Literal["vllm", "sglang"]
    base_url: str


class DrawConfig(Strict):
    """Programs drawn of the policy: ``n`` for each of so many ``problems`` at a time, ``first`` before the first step.

    ``temperature`` is one, or the ends of a range from which each program's is drawn. What is learned is scored at the
    temperature at which it was drawn, so ``top_p`` below 1 alone makes it another distribution than was drawn from.
    ``greedy`` draws one more at temperature 0, by default where the baseline needs it. ``order`` "difficulty" rests
    problems whose programs all came to the same. ``mixed`` keeps only problems of which some programs pass and some
    fail, and draws on until there are enough, or four times as many have been asked. A ``server`` writes in the
    policy's place.
    """

    n: Positive = RLTF_N
    problems: Positive = 16
    first: Positive | None = None
    temperature: Annotated[float, Field(gt=0, le=10)] | list[Annotated[float, Field(gt=0, le=10)]] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_tokens: Positive = 512
    greedy: bool | None = None
    order: Literal["uniform", "difficulty"] = "uniform"
    mixed: bool = False
    server: ServerConfig | None = None

    @pydantic.field_validator("temperature")
    @classmethod
    def _two_ends(cls, value: float | list[float]) -> float | list[float]:
        if isinstance(value, list) and (len(value) != 2 or value[0] > value[1]):
            raise ValueError("a range has two ends, the lower one first")
        return value


class BufferConfig(Strict):
    """The pool of programs: its ``size``, and after how many steps new ones come (``refresh``).

    ``mode`` "interleaved" draws between steps, "asynchronous" beside them, "offline" once, before the first step, and
    its pool holds all that was drawn.
    """

    size: Positive = RLTF_POOL
    refresh: Positive = RLTF_REFRESH
    mode: Literal["interleaved", "asynchronous", "offline"] = "interleaved"

    @pydantic.model_validator(mode="after")
    def _drawn_once(self) -> BufferConfig:
        if self.mode == "offline" and self.model_fields_set & {"size", "refresh"}:
            raise ValueError('mode = "offline" draws once and keeps all of it: leave size and refresh out')
        return self


class MethodConfig(Strict):
    """What verdicts weigh; ``name`` is a preset, and what else is given changes it.

    ``coarse``, ``fine`` and ``adaptive`` weigh the terms of "paper" (0 leaves one out), ``analysed`` one more: what a
    static analyser finds on the line at fault. ``penalty`` is R_fine. ``baseline`` replaces the preset's. ``alpha`` is
    the most that alpha may be. ``ratio`` truncates the importance weights of stale programs, 0 leaves these out. ``kl``
    weighs the divergence from the model that the training began with. ``rewards`` weighs further ones, by the names
    that other packages give them, for methods that add terms up. ``shuffled`` is the control: the verdicts of
    programs drawn together are dealt out among them at random.
    """

    name: Literal["paper", "official-code", "coderl", "rloo", "grpo", "rejection"] = "paper"
    coarse: Annotated[float, Field(ge=0)] = 1.0
    fine: Annotated[float, Field(ge=0)] = 1.0
    adaptive: Annotated[float, Field(ge=0)] = 1.0
    analysed: Annotated[float, Field(ge=0)] = 0.0
    penalty: Annotated[float, Field(le=0)] = -0.3
    baseline: Literal["none", "greedy-latest", "best-so-far", "mean", "leave-one-out", "grpo"] | None = None
    alpha: Annotated[float, Field(ge=1)] = 10.0
    reduction: Literal["mean", "sum"] = "mean"
    ratio: Annotated[float, Field(ge=0)] = 2.0
    kl: Annotated[float, Field(ge=0)] = 0.0
    rewards: dict[str, float] = Field(default_factory=dict)
    shuffled: bool = False

    @pydantic.model_validator(mode="after")
    def _nothing_to_anchor(self) -> MethodConfig:
        if self.name == "rejection" and self.kl:
            raise ValueError("rejection imitates programs, so there is no reward to charge a divergence to: kl = 0")
        return self


class RltfCheckConfig(MeasureConfig):
    """The same; the best checkpoint is that of the highest pass@1."""

    monitor: Literal["pass@1"] = "pass@1"


class SupervisedConfig(Strict):
    """The supervised half: ``share`` of a step's lessons imitate the solutions of these ``problems``, unverified.

    Without ``problems`` those of the training that have a solution are taken; where none has, there is no such half.
    """

    share: Share = 0.5
    problems: str | None = None
    limit: Positive | None = None


class RltfConfig(TrainConfig):
    """What ``regreen train rltf`` reads. With the table ``first`` the model is fine-tuned before, as ``sft`` does."""

    first: FirstConfig | None = None
    batch: RlBatchConfig = RlBatchConfig()
    draw: DrawConfig = DrawConfig()
    buffer: BufferConfig = BufferConfig()
    method: MethodConfig = MethodConfig()
    supervised: SupervisedConfig = SupervisedConfig()
    check: RltfCheckConfig = RltfCheckConfig()

    @property
    def interval(self) -> int:
        """Steps from one draw to the next."""
        return self.batch.steps if self.buffer.mode == "offline" else self.buffer.refresh
