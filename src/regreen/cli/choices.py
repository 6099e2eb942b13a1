"""The words that options and arguments choose from, each set of them written once."""

from __future__ import annotations

from enum import StrEnum


class Which(StrEnum):
    """Which program of a recorded chain."""

    FIRST = "first"
    LAST = "last"


class Missing(StrEnum):
    """What problems without a program count as."""

    SKIP = "skip"
    FAIL = "fail"


class Listed(StrEnum):
    """What ``regreen list`` lists."""

    BENCHMARKS = "benchmarks"
    MODELS = "models"
    PROMPTS = "prompts"


class Order(StrEnum):
    """In which order a tree is grown, and searched."""

    BATCHED = "batched"
    BFS = "bfs"
    DFS = "dfs"


class Replacement(StrEnum):
    """How trees are drawn from frozen ones."""

    WITH = "with"
    WITHOUT = "without"


class Estimator(StrEnum):
    """How pass@t is estimated."""

    EXACT = "exact"
    BOOTSTRAP = "bootstrap"


class Tokens(StrEnum):
    """Which generated tokens count."""

    SAMPLED = "sampled"
    PAPER = "paper"


class Budget(StrEnum):
    """On which axis repair and resampling are matched."""

    SAMPLED = "sampled"
    TOTAL = "total"
    PRICE = "price"
    CALLS = "calls"


class Verdicts(StrEnum):
    """Whose verdicts count."""

    RECORDED = "recorded"
    OURS = "ours"


class Reveal(StrEnum):
    """Which checks' failures may be told."""

    SHOWN = "shown"
    REVEALED = "revealed"
    ALL = "all"


class Target(StrEnum):
    """What a checkpoint or a run can become."""

    SFT = "sft"
    PREFERENCE = "preference"
    GRPO = "grpo"
    PARQUET = "parquet"
    GGUF = "gguf"


class TreeFormat(StrEnum):
    """Forms of recorded repairs."""

    SELF_REPAIR = "self-repair"
    REFLEXION = "reflexion"
    REFLEXION_UCS = "reflexion-ucs"
    LDB = "ldb"
    LATS = "lats"


class Until(StrEnum):
    """Whose pass rate ends the rounds of refinement."""

    BENCHMARK = "benchmark"
    PROBLEM = "problem"


class Detail(StrEnum):
    """How much is told of a failure."""

    DIFFERENCE = "difference"
    FULL = "full"
    NAME = "name"
    NONE = "none"
