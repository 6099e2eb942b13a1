"""A training small enough for tests, and what it wrote down."""

from regreen.options import Judging
from regreen.records import read_records

JUDGING = Judging(sandbox="local:C")
TABLES = {
    "batch": {"programs": 6, "steps": 6},
    "draw": {"n": 3, "problems": 3, "max_tokens": 60},
    "buffer": {"size": 15, "refresh": 2},
    "check": {"every": 3, "limit": 1, "max_tokens": 60},
    "optimizer": {"lr": 1e-4, "warmup": 0},
}


def told(problems, **tables):
    merged = {name: {**TABLES.get(name, {}), **tables.get(name, {})} for name in {*TABLES, *tables}}
    if merged["buffer"].get("mode") == "offline":
        merged["buffer"] = tables["buffer"]  # it keeps all, and for good
    top = {"model": "tiny-noisy", "problems": str(problems / "unsolved.jsonl"), "dtype": "float32"}
    return {**top, "supervised": {"problems": str(problems / "noisy.jsonl")}, **merged}


def trained(problems, out, **tables):
    from regreen.train.config import RltfConfig
    from regreen.train.rltf import rltf

    return rltf(RltfConfig.model_validate(told(problems, **tables)), judging=JUDGING, out=out)


def records(path):
    return [record for _, record in read_records(path)]


def metrics(run):
    """What a training wrote down, but for the clock."""
    clock = ("seconds", "clock/")
    return [{k: v for k, v in r.items() if not k.startswith(clock)} for r in records(run / "metrics.jsonl")]


def weights_of(run):
    from safetensors.torch import load_file

    return load_file(run / "checkpoints" / "last" / "model.safetensors")
