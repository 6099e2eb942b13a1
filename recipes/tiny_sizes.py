"""Is 3 M parameters a good size for a quarter of an hour of one core? 1, 3 and 10 M, trained for equal time.

Run it with torch installed: ``python recipes/tiny_sizes.py OUT`` (three quarters of an hour of one core; what lies in
OUT already is kept). OUT may be that of recipes/tiny.py, whose tokenizer is taken.

Model, data and schedule are those of ``tiny-base`` (recipes/tiny.py). Each size takes ``SECONDS`` of processor time,
without those of looking at validation problems: after some steps its pace is measured, and the schedule made to end
there. All have one learning rate, that of 3 M, so a size may be better than is seen here.

Hypothesis, metric, direction: greedy pass@1 on validation katas is highest at 3 M: the small model is too small for
134 operations, the large one sees too few.

What came out, once each: the hypothesis does not hold, the smallest is best. On the 400 problems of katas:test, ten
programs each at temperature 0.8 (per cent, 95 % bootstrap over compositions; seconds with looking):

    | size  | steps | tokens | seconds | pass@1            | pass@10           | greedy, validation |
    |-------|-------|--------|---------|-------------------|-------------------|--------------------|
    | 0.9 M | 1,116 | 3.3 M  | 573     | 82.7 [80.0, 85.0] | 97.8 [95.6, 99.3] | 92.0               |
    | 3.0 M | 673   | 2.0 M  | 678     | 75.2 [72.3, 78.1] | 96.8 [94.8, 98.5] | 88.7               |
    | 10 M  | 215   | 0.6 M  | 594     | 21.3 [18.4, 24.3] | 53.2 [48.4, 58.3] | 27.3               |
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import islice
from pathlib import Path

import tiny as recipe
import tiny_lessons as lessons
import torch

SIZES = {"1m": (128, 5), "3m": (256, 5), "10m": (448, 6)}  # hidden, layers
SECONDS, PACED = 600, 32  # of each training; steps after which its pace is known


def main() -> None:
    """Train what is not there yet, then print the curves' ends."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in SIZES:
        curve = options.out / f"size-{name}.jsonl"
        if not curve.exists():
            train(name, options.out, options.seconds, curve)
        print(name, curve.read_text().splitlines()[-1])


def train(name: str, out: Path, seconds: int, curve: Path) -> None:
    """Train one size for as long as all have, and write its curve."""
    tokenizer = recipe.make_tokenizer(out / "tokenizer")
    hidden, layers = SIZES[name]
    module = recipe.make_module(tokenizer, hidden=hidden, layers=layers)
    steps = round(seconds / pace(module, tokenizer))
    size = sum(weight.numel() for weight in module.parameters())
    module = recipe.make_module(tokenizer, hidden=hidden, layers=layers)  # as if it had never stepped
    taught = map(lessons.write, recipe.problems("train", seed=1))
    lines = []
    for point in recipe.train(module, tokenizer, taught, steps, scratch=out / f"size-{name}.part"):
        lines.append(json.dumps({"parameters": size, "steps": steps, **point}))
        print(name, lines[-1], flush=True)
    recipe.save(module.half(), tokenizer, out / f"size-{name}")
    curve.write_text("".join(f"{line}\n" for line in lines))


def pace(module: recipe.LlamaForCausalLM, tokenizer: recipe.PreTrainedTokenizerFast) -> float:
    """Return the processor seconds of a step, making its lessons included."""
    taught = map(lessons.write, recipe.problems("train", seed=1))
    optimizers = recipe.make_optimizers(module)
    started = time.process_time()
    for ids_BT, labels_BT in islice(recipe.batches(taught, tokenizer), PACED):
        recipe.learn(module, ids_BT, labels_BT)
        for optimizer in optimizers:
            optimizer.step()
        module.zero_grad()
    return (time.process_time() - started) / PACED


if __name__ == "__main__":
    main()
