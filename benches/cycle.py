"""Where the time of a CYCLE training goes: sampling, judging, and training of either phase.

A small but whole ``regreen train cycle`` on katas with ``tiny-base``. The phases are those of its manifest, by the
clock. A probe samples and judges side by side; "judging" is what judging its programs takes when they are judged once
more by themselves, and "sampling" the rest of the probe, so that the part of judging that is hidden behind sampling is
counted as judging. "training" is phase II with its looks at held-out problems.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from regreen.benchmarks import katas
from regreen.records import read_records
from regreen.sandbox import LocalSandbox
from regreen.train.config import CycleConfig
from regreen.train.cycle import PROBE, cycle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--steps", type=int, default=30, help="of either phase")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = cycle(config(options.problems, options.steps), out=Path(folder))
        judging = judged_alone(Path(folder) / PROBE, options.problems)
    spent = found["phases"]
    parts = {
        "judging solutions": spent["solutions"],
        "phase I": spent["first"],
        "sampling": spent["probe"] - judging,
        "judging": judging,
        "training": spent["training"],
    }
    total = sum(parts.values())
    print(f"{options.problems} problems, 2 programs each, {options.steps} steps of 4,096 tokens: {total:.0f} s")
    print(", ".join(f"{name} {seconds:.1f} s ({seconds / total:.0%})" for name, seconds in parts.items()))


def config(problems: int, steps: int) -> CycleConfig:
    batch = {"tokens": 4096, "steps": steps}
    check = {"every": steps, "limit": 50, "max_tokens": 160}
    return CycleConfig.model_validate({
        "model": "tiny-base", "problems": "katas:ambiguous-train", "limit": problems, "dtype": "float32",
        "first": {"optimizer": {"lr": 2e-3}, "batch": batch, "check": check},
        "optimizer": {"lr": 1e-3}, "batch": batch, "check": check,
        "probe": {"n": 2, "temperature": 1.0, "max_tokens": 160}, "pairs": {"share": 0.7},
    })  # fmt: skip


def judged_alone(probe: Path, problems: int) -> float:
    """Return the seconds that judging the programs of a probe takes, with the zygotes up."""
    known = {problem.id: problem for problem in katas.generate("ambiguous-train", count=problems)}
    rows = [(known[record["problem"]], record["source"]) for _, record in read_records(probe / "programs.jsonl")]
    with LocalSandbox() as sandbox:
        sandbox.judge_now(*rows[0])
        started = time.perf_counter()
        assert sum(1 for _ in sandbox.judge_all(rows)) == len(rows)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
