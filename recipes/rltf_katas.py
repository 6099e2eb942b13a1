"""Does RLTF teach a model more than further imitation, and more than simpler ways to use the same verdicts? On katas.

Run it with torch installed: ``python recipes/rltf_katas.py OUT [NAME ...] [--seeds 0 1 2 3 4]``; NAME is one of
``RUNS``, all of them unless given; what lies in OUT is kept, and a killed run goes on. Several may run side by side on
other names or seeds once ``OUT/corpus.jsonl`` is there; ``sft`` and ``sft-time`` need the ``paper`` of their seed.
``--table`` prints what is there.

Data. The warm start is ``tiny-noisy``, which imitates a corpus of which four programs in ten have a bug. Programs are
drawn for the 400 problems of katas:unsolved, which have checks and no solution. What is imitated beside that is more of
the noisy corpus, bugs and all. Measured on the 400 problems of katas:test, none of whose compositions or behaviours any
of these has; the best checkpoint is chosen on katas:validation.

Equal compute. All draw as many programs and learn from as many in as many steps; ``sft`` takes as many steps of as many
tokens as ``paper`` of its seed, ``sft-time`` more of them: for as many processor seconds, those of drawing and judging
included. ``offline`` and ``coderl`` draw before the first step what the others draw in all.

Hypotheses; each is claimed only if the interval over seeds and problems leaves out 0:

1. paper - warm start, in pass@1 at temperature 0.8: above 0.
2. paper - the best of sft, sft-time, offline, coderl, rejection, rloo and grpo: above 0.
3. shuffled - sft: not above 0.
4. The paper's parts: coarse < coarse + fine < coarse + fine + adaptive; offline < online.

pass@10 and greedy pass@1 stand beside each, since a gain at one temperature alone may be sharpening.

Status: not run; nothing is claimed. What chose the learning rate, one run each on one seed, pass@1 of two programs at
0.8 for each of the 150 validation problems: 49.3 at the start. At 1e-4 after 160 steps: paper 57.0, loo (the same
terms, each program compared with the others of its problem) 63.3, and after 120 rloo 57.3. At 3e-4 after 80 steps:
paper 59.0, rloo 58.7, loo 65.3, and after 160 loo 71.0. The greedy program that paper compares with passes far more
often than those that are drawn, so that nearly all advantages are negative. What further imitation comes to was not
measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import cycle_parts as parts

from regreen.benchmarks import katas
from regreen.evaluate import Choice, Sampling, evaluate
from regreen.metrics import interval_over_seeds
from regreen.models import open_model
from regreen.problem import problem_to_line
from regreen.records import write_lines
from regreen.train.config import RltfConfig, SftConfig
from regreen.train.rltf import rltf
from regreen.train.sft import sft

SEEDS, CORPUS, TOKENS = 5, 20_000, 160
BASE: dict[str, Any] = {
    "model": "tiny-noisy",
    "problems": "katas:unsolved",
    "validation": "katas:validation",
    "dtype": "float32",
    "optimizer": {"lr": 3e-4, "warmup": 10},
    "batch": {"programs": 48, "most": 2048, "steps": 160},
    "draw": {"n": 8, "problems": 8, "max_tokens": TOKENS},
    "buffer": {"size": 256, "refresh": 2},
    "check": {"every": 40, "n": 2, "temperature": 0.8, "max_tokens": TOKENS},
}
RUNS: dict[str, dict[str, dict[str, Any]]] = {  # how each differs, by table
    "paper": {},
    "coarse": {"method": {"fine": 0.0, "adaptive": 0.0}},
    "coarse-fine": {"method": {"adaptive": 0.0}},
    "official-code": {"method": {"name": "official-code"}},
    "loo": {"method": {"baseline": "leave-one-out"}},
    "offline": {"buffer": {"mode": "offline", "size": 6400}, "draw": {"first": 640}},
    "coderl": {"method": {"name": "coderl"}, "buffer": {"mode": "offline", "size": 6400}, "draw": {"first": 640}},
    "rejection": {"method": {"name": "rejection"}},
    "rloo": {"method": {"name": "rloo"}},
    "grpo": {"method": {"name": "grpo"}},
    "grpo-mixed": {"method": {"name": "grpo"}, "draw": {"mixed": True}},
    "shuffled": {"method": {"shuffled": True}},
    "sft": {},
    "sft-time": {},
}
START, OURS = "start", ("paper", "loo")  # the warm start; those that all are held against
CPU = "cpu.json"  # of a run: its processor seconds
MEASURED = {"warm": (10, 0.8), "greedy": (1, 0.0)}  # programs for each problem, and how hot


def main() -> None:
    """Do what is not done yet, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", default=list(RUNS), metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(SEEDS)))
    parser.add_argument("--table", action="store_true", help="train and measure nothing")
    options = parser.parse_args()
    if not options.table:
        measure("tiny-noisy", options.out, START, 0)
        for seed, name in product(options.seeds, options.names):
            checkpoint = trained(name, seed, options.out, options.out / f"{name}-{seed}")
            measure(f"hf:{checkpoint}", options.out, f"{name}-{seed}", seed)
    table(options.out)


def corpus(out: Path) -> str:
    """Return the file with the noisy corpus as what is to be imitated, made unless it is there."""
    file = out / "corpus.jsonl"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        some = islice(katas.generate("noisy", count=CORPUS, seed=3), CORPUS)
        write_lines(file, (problem_to_line(replace(p, solution=p.meta["corpus"])) for p in some))
    return str(file)


def trained(name: str, seed: int, out: Path, folder: Path) -> str:
    """Return the checkpoint of a run, trained unless it is there."""
    before = spent()
    found = _imitated(name, seed, out, folder) if name.startswith("sft") else _reinforced(name, seed, out, folder)
    if not (folder / CPU).exists():
        (folder / CPU).write_text(json.dumps(spent() - before))
    return str(found["checkpoint"])


def _reinforced(name: str, seed: int, out: Path, folder: Path) -> dict[str, Any]:
    differs = {table: {**BASE.get(table, {}), **values} for table, values in RUNS[name].items()}
    told = {**BASE, **differs, "supervised": {"problems": corpus(out)}, "seed": seed}
    return rltf(RltfConfig.model_validate(told), out=folder / "run", quiet=False)


def _imitated(name: str, seed: int, out: Path, folder: Path) -> dict[str, Any]:
    shared = {key: BASE[key] for key in ("model", "validation", "dtype", "optimizer")}
    paper = json.loads((out / f"paper-{seed}" / "run" / "scores.json").read_text())
    batch = {"tokens": round(paper["tokens"] / paper["step"]), "most": 2048, "steps": paper["step"]}
    if name == "sft-time":
        seconds = [json.loads((out / f"{other}-{seed}" / CPU).read_text()) for other in ("paper", "sft")]
        batch["steps"] = round(paper["step"] * seconds[0] / seconds[1])
    check = {**BASE["check"], "every": max(1, batch["steps"] // 4)}
    told = {**shared, "problems": corpus(out), "batch": batch, "check": check, "seed": seed}
    return sft(SftConfig.model_validate(told), out=folder / "run", quiet=False)


def spent() -> float:
    """Return the processor seconds of this process and of those below it that have ended, as a sandbox's have."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def measure(place: str, out: Path, name: str, seed: int) -> None:
    """Write programs for the problems that are measured on, and keep what became of them."""
    for which, (n, heat) in MEASURED.items():
        run, sampling = out / name / which, Sampling(n, (heat,), 1.0, TOKENS, prompt="codex", seed=seed)
        evaluate("katas:test", open_model(place), sampling=sampling, choice=Choice(), out=run, quiet=False)
        parts.write_outcomes(run, out / f"{name}.{which}.jsonl")


class Run:
    """What a run came to: each number of the table, by problem."""

    def __init__(self, out: Path, name: str) -> None:
        warm, greedy = (parts.Outcomes.of(out / f"{name}.{which}.jsonl") for which in MEASURED)
        self.clusters = warm.clusters
        self.columns = {
            "pass@1": parts.pass_at(warm.passed, 1),
            "pass@10": parts.pass_at(warm.passed, 10),
            "greedy": parts.pass_at(greedy.passed, 1),
        }


def table(out: Path) -> None:
    """Print what every run came to, and less the warm start and the paper's."""
    every = {name: runs_of(out, name) for name in RUNS}
    known = {name: runs for name, runs in every.items() if runs}
    start = Run(out, START)
    print("per cent on katas:test; 95 % over seeds and compositions; seeds in brackets")
    print(f"{START:<14}" + "".join(f" {name} {100 * parts.mean(values):.1f}" for name, values in start.columns.items()))
    for name, runs in known.items():
        numbers = (f" {c} {said([run.columns[c] for run in runs.values()], start)}" for c in start.columns)
        print(f"{name:<14}" + "".join(numbers))
    for first, second in product(OURS, (START, *RUNS)):
        if first in known and first != second and second in (START, *known):
            print(f"{first} - {second:<14}" + "".join(_less(known, start, first, second)))


def runs_of(out: Path, name: str) -> dict[int, Run]:
    """Return what every seed of a run came to that is there."""
    last = [*MEASURED][-1]
    return {seed: Run(out, f"{name}-{seed}") for seed in range(100) if (out / f"{name}-{seed}.{last}.jsonl").exists()}


def _less(known: Mapping[str, Mapping[int, Run]], start: Run, first: str, second: str) -> Iterator[str]:
    """Yield each number of one less that of another, over the seeds that both have."""
    theirs = dict.fromkeys(known[first], start) if second == START else known[second]
    seeds = sorted(known[first].keys() & theirs.keys())
    for column in start.columns if seeds else ():
        gains = [parts.less(known[first][seed].columns[column], theirs[seed].columns[column]) for seed in seeds]
        yield f" {column} {said(gains, start)}"


def said(seeds: Sequence[parts.Values], start: Run) -> str:
    """Return the mean with its interval, and each seed's."""
    rows, labels = [[values[name] for name in start.clusters] for values in seeds], [*start.clusters.values()]
    each = ", ".join(f"{100 * sum(row) / len(row):.1f}" for row in rows)
    return f"{parts.points(interval_over_seeds(rows, clusters=labels))} ({each})"


if __name__ == "__main__":
    main()
