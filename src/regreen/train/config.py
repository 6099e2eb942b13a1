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
CLIP = 1.0  # no paper of ours gives one; GPT-3 (Brown et al. 2020, appendix B) has it

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
_Config = TypeVar("_Config", bound=BaseModel)


class Strict(BaseModel):
    """Fields that nobody has heard of are errors, and no number is read out of a text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.0
    max_tokens: Positive = 256
    limit: Positive | None = None


class CheckConfig(MeasureConfig):
    """The same; ``monitor`` chooses the best checkpoint."""

    monitor: Literal["pass@1", "validation_loss"] = "pass@1"


class TrainConfig(Strict):
    """What every training on problems reads.

    ``problems`` names a benchmark or a file; ``validation`` is a share of them to hold out, or names another benchmark.
    ``prompt`` is a template; by default the one that ``regreen evaluate`` takes for a model that continues text.
    """

    model: str
    problems: str
    validation: Annotated[float, Field(gt=0, lt=1)] | str = 0.1
    data: str | None = None
    limit: Positive | None = None
    prompt: str | None = None
    seed: int = 0
    device: str | None = None
    dtype: Literal["float32", "bfloat16"] | None = None
    optimizer: OptimizerConfig = OptimizerConfig()
    batch: BatchConfig = BatchConfig()
    lora: LoraConfig | None = None


class SftConfig(TrainConfig):
    """What ``regreen train sft`` reads."""

    check: CheckConfig = CheckConfig()


class FirstConfig(Strict):
    """Phase I of CYCLE: fine-tuning on the verified solutions; with a step of its own."""

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
    probe: ProbeConfig = ProbeConfig()
    pairs: PairsConfig = PairsConfig()
    mask: MaskConfig = MaskConfig()
    check: CycleCheckConfig = CycleCheckConfig()


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
