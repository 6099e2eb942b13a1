"""What a training is told by its file: every field named, and every wrong one named at once.

model = "hf:runs/base"
problems = "katas:train"

[optimizer]
lr = 1e-3
"""

from regreen.train.config.cycle import CYCLE_RHO, CycleConfig, MaskConfig, PairsConfig, ProbeConfig
from regreen.train.config.reading import read_config
from regreen.train.config.rltf import BufferConfig, DrawConfig, MethodConfig, RltfConfig, ServerConfig, SupervisedConfig
from regreen.train.config.tables import (
    BETAS,
    CLIP,
    EPS,
    WEIGHT_DECAY,
    BatchConfig,
    CheckConfig,
    FirstConfig,
    LoraConfig,
    MeasureConfig,
    OptimizerConfig,
    TaughtConfig,
    Tracker,
    TrainConfig,
)
from regreen.train.config.taught import DocstringConfig, ExecutionConfig, SftConfig

__all__ = [
    "BETAS",
    "CLIP",
    "CYCLE_RHO",
    "EPS",
    "WEIGHT_DECAY",
    "BatchConfig",
    "BufferConfig",
    "CheckConfig",
    "CycleConfig",
    "DocstringConfig",
    "DrawConfig",
    "ExecutionConfig",
    "FirstConfig",
    "LoraConfig",
    "MaskConfig",
    "MeasureConfig",
    "MethodConfig",
    "OptimizerConfig",
    "PairsConfig",
    "ProbeConfig",
    "RltfConfig",
    "ServerConfig",
    "SftConfig",
    "SupervisedConfig",
    "TaughtConfig",
    "Tracker",
    "TrainConfig",
    "read_config",
]
