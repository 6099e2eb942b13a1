"""What a training is told by its file: every field named, and every wrong one named at once.

model = "hf:runs/base"
problems = "katas:train"

[optimizer]
lr = 1e-3
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regreen.errors import InputError

AUSTIN_LR = 3e-5  # Austin et al. 2021, section 3.2
AUSTIN_TOKENS = 8192  # of a batch, there
WARMUP = 175  # steps; Chen et al. 2021, section 3.2
BETAS, EPS, WEIGHT_DECAY = (0.9, 0.95), 1e-8, 0.1  # there too, and CYCLE's code (Ding et al. 2024)
CYCLE_WORDS, CYCLE_SOLUTIONS, CYCLE_RHO = 512, 100, 0.1  # Ding et al. 2024, their code: section 3 of it, and help text
RLTF_POOL, RLTF_REFRESH, RLTF_N = 6400, 50, 20  # Liu et al. 2023, their code: programs, steps, programs for a problem
CLIP = 1.0  # no paper of ours gives one; GPT-3 (Brown et al. 2020, appendix B) has it

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=1 << 63)]  # what numpy and torch both take
Tracker = Literal["tensorboard", "trackio", "wandb"]
_Config = TypeVar("_Config", bound=BaseModel)


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


class MeasureConfig(Strict):
    """Measuring on held-out problems: ``every`` so many steps, by default ten times in all.

    Training ends after ``patience`` checks that were no better. pass@1 comes of ``n`` programs for each of the first
    ``limit`` problems.
    """

    every: Positive | None = None
    patience: Positive | None = None
    n: Positive = 1
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    max_tokens: Positive = 256
    limit: Positive | None = None
    monitor: Any = None  # each training's own: the number that chooses the best checkpoint


class CheckConfig(MeasureConfig):
    """The same; ``monitor`` chooses the best checkpoint."""

    monitor: Literal["pass@1", "validation_loss"] = "pass@1"


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


class FirstConfig(Strict):
    """Fine-tuning on solutions before the method itself, its own way: phase I of CYCLE, RLTF's warm start."""

    optimizer: OptimizerConfig = OptimizerConfig()
    batch: BatchConfig = BatchConfig()
    check: CheckConfig = CheckConfig()


class ProbeConfig(Strict):
    """Programs of the model of phase I for every training problem; or those of an evaluation, the directory ``run``."""

    run: str | None = None
    n: Positive = 1
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.8
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

    ``mode`` "interleaved" draws between steps, "asynchronous" beside them, "offline" once, before the first step.
    """

    size: Positive = RLTF_POOL
    refresh: Positive = RLTF_REFRESH
    mode: Literal["interleaved", "asynchronous", "offline"] = "interleaved"


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
    rewards: dict[str, float] = {}
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


def read_config(path: Path, kind: type[_Config]) -> _Config:
    """Return the configuration in a TOML file.

    Raises:
        InputError: there is no such file, it is no TOML, or fields are unknown, missing or wrong: all are named.
    """
    try:
        with path.open("rb") as file:
            return kind.model_validate(tomllib.load(file))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; give a TOML file, as docs/guides/train.md shows") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no TOML: {error}") from error
    except ValidationError as error:
        raise InputError(f"{path}: {_all_of(error, kind)}") from error


def _all_of(error: ValidationError, kind: type[BaseModel]) -> str:
    """Say of every wrong field what is wrong; a field of several kinds is named once."""
    wrong: dict[str, str] = {}
    for found in error.errors(include_url=False):
        where = _place(found["loc"], kind)
        text = _said(found, where, kind)
        wrong[where] = f"{wrong[where]}, or {text}" if where in wrong else text
    count = f"{len(wrong)} wrong field{'s' if len(wrong) > 1 else ''}"
    return f"{count}: " + "; ".join(f"{where}: {text}" for where, text in wrong.items())


def _said(found: Any, where: str, kind: type[BaseModel]) -> str:
    if found["type"] == "extra_forbidden":
        known = _fields(where.split(".")[:-1], kind)
        close = get_close_matches(where.split(".")[-1], known, n=1)
        return f"unknown; did you mean {close[0]}?" if close else f"unknown; there are {', '.join(known)}"
    if found["type"] == "missing":
        return "missing"
    return f"{found['msg'][:1].lower()}{found['msg'][1:]}, not {found['input']!r}"


def _place(location: tuple[int | str, ...], kind: type[BaseModel]) -> str:
    """Return a field's name with dots; pydantic adds which kind it tried, which says nothing to a user."""
    parts: list[str] = []
    known: list[str] | None = list(kind.model_fields)
    for part in map(str, location):
        if known is None:
            break
        parts.append(part)
        known = _fields(parts, kind) or None
    return ".".join(parts)


def _fields(path: list[str], kind: type[BaseModel]) -> list[str]:
    """Return the names of the fields in a table of the file, none if it is no table."""
    for part in path:
        field = kind.model_fields.get(part)
        kinds = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = [k for k in kinds if isinstance(k, type) and issubclass(k, pydantic.BaseModel)]
        if not inner:
            return []
        kind = inner[0]
    return list(kind.model_fields)
