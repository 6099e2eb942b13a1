"""CYCLE on a public code model of 0.5 B parameters: MBPP's training problems to MBPP's test and HumanEval.

Run it on a GPU with REGREEN_DATA set: ``python recipes/cycle_mbpp.py OUT`` (OUT is a new folder, or an earlier one that
it goes on with). The model comes from the hub; ``MODEL`` may be any causal one.

Data. 374 problems of mbpp:train with their solutions; 500 of mbpp:test; 164 of humaneval. The papers' protocol:
feedback comes from the scoring checks (``reveal="all"``), and every table says so.

Hypotheses, metrics, directions (Ding et al. 2024, their section on results), each for one seed here and for five in a
claim:

1. Before training, one refinement is no better than one fresh program, and refinements are the wrong program again more
   often than fresh programs are.
2. After it, the problems solved within four rounds rise by more than with as many fresh programs, on both benchmarks.
3. One-shot pass@1 is not lower than before.
4. The effect of feedback (true less the same problem's on another wrong program) is above 0.

Differences from the paper: a newer and smaller base; MBPP's training problems stand for CodeContests, so that there are
few; descriptions are in the form of ``austin`` for both benchmarks.

Status: not run.
"""

import sys
from pathlib import Path

from regreen.evaluate import Sampling
from regreen.models import open_model
from regreen.refine import Refining, refine
from regreen.report import every_table, render, report
from regreen.train.config import BatchConfig, CycleConfig, FirstConfig, OptimizerConfig, PairsConfig, ProbeConfig
from regreen.train.cycle import cycle

MODEL = "hf:Qwen/Qwen2.5-Coder-0.5B"
PROMPT, REFINE = "austin", "refine-program"
BENCHMARKS = ("mbpp:test", "humaneval")


def main(out: Path) -> None:
    """Measure the base, train it, measure what became of it."""
    measured(MODEL, out / "before")
    trained = cycle(config(), out=out / "trained", quiet=False)
    measured(f"hf:{trained['checkpoint']}", out / "after")


def config() -> CycleConfig:
    """Return what is trained: phase I for one epoch, eight probes a problem, half of the rows refine."""
    small_steps = OptimizerConfig(lr=1e-5, warmup=0)
    return CycleConfig(
        model=MODEL, problems="mbpp:train", validation="mbpp:validation", prompt=PROMPT,
        first=FirstConfig(optimizer=small_steps, batch=BatchConfig(epochs=1.0)),
        probe=ProbeConfig(n=8),
        pairs=PairsConfig(share=0.5, reveal="all", template=REFINE),
        optimizer=small_steps,
    )  # fmt: skip


def measured(name: str, out: Path) -> None:
    """Refine both benchmarks and print what came out."""
    model = open_model(name)
    sampling = Sampling(n=5, temperatures=(0.2,), max_tokens=256, prompt=PROMPT, examples=0)
    refining = Refining(reveal="all", template=REFINE, until="problem")
    for benchmark in BENCHMARKS:
        run = out / benchmark.replace(":", "-")
        refine(benchmark, model, sampling=sampling, refining=refining, out=run, quiet=False)
        print(render(every_table(report([run]))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
