"""RLTF on a public code model: APPS to train on, APPS and MBPP (zero-shot) to measure on.

Run it on a GPU with REGREEN_DATA set: ``python recipes/rltf_apps.py OUT`` (OUT is a new folder, or an earlier one that
it goes on with). The model comes from the hub; ``MODEL`` may be any causal or sequence-to-sequence one.

Data. The 5,000 problems of apps:train, with their solutions for the warm start and the supervised half; 5,000 of
apps:test; 500 of mbpp:test, whose problems the model has not been trained on.

Hypotheses, metrics, directions (Liu et al. 2023, section 5), each for one seed here and for five in a claim:

1. pass@1 and pass@5 on APPS: online above offline and above further imitation, and each reward part adds to the one
   before it, on each level.
2. On MBPP, zero-shot, pass@1 rises too.
3. Of what is drawn, syntax errors fall most; wrong answers may become more.

All go on from one warm start. Offline draws before the first step what the others draw in all; imitation takes as many
steps of as many tokens as rltf.

Differences from the paper: a newer and smaller base in the place of CodeT5 770M; programs are drawn between steps on
one device; tokens are scored at the temperature of drawing.

Status: not run.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regreen.evaluate import Choice, Sampling, evaluate
from regreen.models import open_model
from regreen.summary import View
from regreen.train.config import (
    BatchConfig,
    BufferConfig,
    DrawConfig,
    MethodConfig,
    OptimizerConfig,
    RltfConfig,
    SftConfig,
)
from regreen.train.rltf import rltf
from regreen.train.sft import sft

MODEL, PROBLEMS = "hf:Qwen/Qwen2.5-Coder-0.5B", "apps:train"
IN_ALL = DrawConfig(first=320)  # problems: online 16 for every 50 of the 1,000 steps
OFFLINE = {"buffer": BufferConfig(mode="offline"), "draw": IN_ALL}
RUNS: Mapping[str, Mapping[str, Any]] = {
    "offline": {**OFFLINE, "method": MethodConfig(fine=0.0, adaptive=0.0)},
    "offline-rltf": OFFLINE,
    "coarse": {"method": MethodConfig(fine=0.0, adaptive=0.0)},
    "coarse-fine": {"method": MethodConfig(adaptive=0.0)},
    "rltf": {},
}
MEASURED = {
    "apps:test": ("apps", 0.6, 5),
    "mbpp:test": ("austin", 1.2, 80),
}  # prompt, temperature, programs (section 5)


def main(out: Path) -> None:
    """Measure the base and the warm start, train that in every way, measure what became of it."""
    measured(MODEL, out / "before")
    warm = sft(imitation(MODEL, 2e-5, BatchConfig(epochs=2.0)), out=out / "warm" / "run", quiet=False)
    start = f"hf:{warm['checkpoint']}"
    measured(start, out / "warm")
    for name in RUNS:
        trained = rltf(config(name, start), out=out / name / "run", quiet=False)
        measured(f"hf:{trained['checkpoint']}", out / name)
    like = json.loads((out / "rltf" / "run" / "scores.json").read_text())
    batch = BatchConfig(tokens=round(like["tokens"] / like["step"]), steps=like["step"])
    further = sft(
        imitation(start, config("rltf", start).optimizer.lr, batch), out=out / "imitation" / "run", quiet=False
    )
    measured(f"hf:{further['checkpoint']}", out / "imitation")


def config(name: str, start: str) -> RltfConfig:
    """Return what is trained; rate, penalty, buffer and halves are the paper's (section 6 of the specification)."""
    optimizer = OptimizerConfig(lr=2e-6, weight_decay=0.05, schedule="linear", warmup=500)
    return RltfConfig(model=start, problems=PROBLEMS, optimizer=optimizer, **RUNS[name])


def imitation(model: str, rate: float, batch: BatchConfig) -> SftConfig:
    """Return a training on solutions."""
    return SftConfig(model=model, problems=PROBLEMS, optimizer=OptimizerConfig(lr=rate), batch=batch)


def measured(name: str, out: Path) -> None:
    """Write programs for both benchmarks; ``regreen report`` prints them."""
    model = open_model(name)
    for benchmark, (prompt, heat, n) in MEASURED.items():
        sampling = Sampling(n=n, temperatures=(heat,), max_tokens=512, prompt=prompt, examples=0)
        view, run = View(ks=(1, n)), out / benchmark.replace(":", "-")
        evaluate(benchmark, model, sampling=sampling, choice=Choice(), view=view, out=run, quiet=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
