"""Does RLTF teach a model more than further imitation, and more than simpler ways to use the same verdicts? On katas.

Run it with torch installed: ``python recipes/rltf_katas.py OUT [NAME ...] [--seeds 0 1 2 3 4]``; NAME is one of
``RUNS``, all of them unless given; what lies in OUT is kept, and a killed run goes on. Several may run side by side on
other names or seeds once ``OUT/start.greedy.jsonl`` is there; ``sft`` needs the ``paper`` of its seed, ``sft-time``
both. ``--rates`` trains the pilots that the learning rates are chosen by. ``--table`` prints what is there.

Data. Programs are drawn for the 400 problems of katas:unsolved, which have checks and no solution. What is imitated
beside that is a noisy corpus, of which four programs in ten have a bug. Measured on the 400 problems of katas:test,
none of whose compositions or behaviours any of these has.

The start. ``tiny-noisy``, which imitates such a corpus, fine-tuned for 60 steps on this one: it ends programs in its
own way, and until it has learned the corpus's, that is all that a step of imitation teaches.

Every method has the last model of its training measured, none the best of several: no choice adds chance, and harm
shows. Each has the rate of 1e-4, 3e-4 and 1e-3 that was best for it on katas:validation after 80 steps from a seed
that is not used again; those that differ from another only in a reward, or in the order of their verdicts, have that
one's. All draw eight programs and a greedy one for each of 640 problems and take 160 steps of 48 programs; so does
``grpo-mixed``, which draws for more problems to find them. ``rejection`` learns what passes, so often that its steps
are as long. ``offline`` and ``coderl`` draw before the first step what the others draw in all, and CodeRL's critic
takes as many steps as its policy. ``sft`` takes as many steps of as many tokens as ``paper`` of its seed, and
``sft-time`` more of them: for as many processor seconds, those of drawing and judging included. What each drew and
cost is in the table.

Hypotheses; each is claimed only if the interval over seeds and problems (95 %; of 4, all three at once) says so:

1. paper - the start, in pass@1 at temperature 0.8: above 0.
2. paper - each of sft, sft-time, offline, coderl, rejection, rloo and grpo: all above 0.
3. shuffled - sft: its upper end is below half of what paper gains over sft.
4. The paper's parts: coarse-fine - coarse, paper - coarse-fine and paper - offline: above 0.

``loo``, the paper's terms with each program compared with the others of its problem, is held against the same, and has
a shuffled control of its own. pass@10 and greedy pass@1 stand beside each, since a gain at one temperature alone may be
sharpening. Methods keep the sizes of their own rewards, beside an imitation of weight 1: the reinforced half of a step
has, as a root mean square over tokens, 1.5 of paper's, 1.1 of loo's, 0.7 of grpo's and 0.4 of rloo's.

Status: not run; nothing is claimed. Trials on another start, one run each on one seed, which chose the form of this
recipe: from 49.3 (pass@1 of two programs at 0.8 for each of the 150 validation problems), at 3e-4 after 80 steps paper
59.0, rloo 58.7, loo 65.3, and after 160 loo 71.0. The greedy program that paper compares with passes far more often
than those that are drawn, so that nearly all advantages are negative.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path
from statistics import fmean as mean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import cycle_parts as parts

from regreen.benchmarks import katas
from regreen.evaluate import Choice, Sampling, evaluate
from regreen.metrics import interval_over_seeds
from regreen.metrics.intervals import LEVEL
from regreen.models import open_model
from regreen.problem import problem_to_line
from regreen.records import write_lines
from regreen.train.checkpoints import LAST
from regreen.train.config import RltfConfig, SftConfig
from regreen.train.rltf import rltf
from regreen.train.sft import sft

SEEDS, CORPUS, TOKENS = 5, 20_000, 160
WARM: dict[str, Any] = {
    "model": "tiny-noisy",
    "validation": "katas:validation",
    "dtype": "float32",
    "optimizer": {"lr": 3e-4, "warmup": 10},
    "batch": {"tokens": 8192, "most": 2048, "steps": 60},
}
BASE: dict[str, Any] = {
    "problems": "katas:unsolved",
    "validation": "katas:validation",
    "dtype": "float32",
    "optimizer": {"warmup": 10},
    "batch": {"programs": 48, "most": 2048, "steps": 160},
    "draw": {"n": 8, "problems": 8, "max_tokens": TOKENS, "greedy": True},
    "buffer": {"size": 256, "refresh": 2},
    "check": {"every": 40, "n": 2, "temperature": 0.8, "max_tokens": TOKENS},
}
RUNS: dict[str, dict[str, dict[str, Any]]] = {  # how each differs, by table
    "paper": {},
    "coarse": {"method": {"fine": 0.0, "adaptive": 0.0}},
    "coarse-fine": {"method": {"adaptive": 0.0}},
    "official-code": {"method": {"name": "official-code"}},
    "loo": {"method": {"baseline": "leave-one-out"}},
    "offline": {"buffer": {"mode": "offline"}, "draw": {"first": 640}},
    "coderl": {"method": {"name": "coderl"}, "buffer": {"mode": "offline"}, "draw": {"first": 640}},
    "rejection": {"method": {"name": "rejection"}, "buffer": {"size": 64}},  # six draws' passes, as many steps old
    "rloo": {"method": {"name": "rloo"}},
    "grpo": {"method": {"name": "grpo"}},
    "grpo-mixed": {"method": {"name": "grpo"}, "draw": {"mixed": True}},
    "shuffled": {"method": {"shuffled": True}},
    "loo-shuffled": {"method": {"baseline": "leave-one-out", "shuffled": True}},
    "sft": {},
    "sft-time": {},
}
PILOT_SEED, PILOT_STEPS, TRIED = 100, 80, (1e-4, 3e-4, 1e-3)
RATES = dict.fromkeys(("paper", "loo", "offline", "coderl", "rejection", "rloo", "grpo", "sft"), 3e-4)
RATE_OF = {  # those that have another's
    **dict.fromkeys(("coarse", "coarse-fine", "official-code", "shuffled"), "paper"),
    "loo-shuffled": "loo",
    "grpo-mixed": "grpo",
    "sft-time": "sft",
}
START, COST = "start", "cost"  # what all begin with; the file of a run's costs
SIMPLER = ("sft", "sft-time", "offline", "coderl", "rejection", "rloo", "grpo")
PARTS = (("coarse-fine", "coarse"), ("paper", "coarse-fine"), ("paper", "offline"))
EVERY = (*product(("paper", "loo"), (START, *SIMPLER)), ("shuffled", "sft"), ("loo-shuffled", "sft"), *PARTS)
PAIRS = [*dict.fromkeys(EVERY)]  # what is held against what
COLUMNS = ("pass@1", "pass@10", "greedy")
MEASURED = {"warm": (10, 0.8), "greedy": (1, 0.0)}  # programs for each problem, and how hot


def main() -> None:
    """Do what is not done yet, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", default=list(RUNS), metavar="NAME")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(SEEDS)))
    parser.add_argument("--rates", action="store_true", help="train pilots at every rate, and measure nothing else")
    parser.add_argument("--table", action="store_true", help="train and measure nothing")
    options = parser.parse_args()
    if options.rates:
        pilots(options.out, [name for name in options.names if name in RATES])
        return
    if not options.table:
        measure(start(options.out), options.out, START, 0)
        for seed, name in product(options.seeds, options.names):
            measure(trained(name, seed, options.out), options.out, f"{name}-{seed}", seed)
    table(options.out)


def corpus(out: Path) -> str:
    """Return the file with the noisy corpus as what is to be imitated, made unless it is there."""
    file = out / "corpus.jsonl"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        some = islice(katas.generate("noisy", count=CORPUS, seed=3), CORPUS)
        write_lines(file, (problem_to_line(replace(p, solution=p.meta["corpus"])) for p in some))
    return str(file)


def start(out: Path) -> str:
    """Return the model that all begin with, made unless it is there."""
    told = {**WARM, "problems": corpus(out), "check": {"every": WARM["batch"]["steps"], "max_tokens": TOKENS}}
    return last(sft(SftConfig.model_validate(told), out=out / START / "run", quiet=False))


def last(found: Mapping[str, Any]) -> str:
    """Return the last model of a training."""
    return f"hf:{Path(found['checkpoint']).parent / LAST}"


def pilots(out: Path, names: Sequence[str]) -> None:
    """Train for a while at every rate, and print what validation says of each."""
    for name, rate in product(names, TRIED):
        told = {**told_of(name, PILOT_SEED, out, rate, PILOT_STEPS)}
        told["check"] = {**BASE["check"], "every": PILOT_STEPS, "n": 4}
        found = train(told, out / "pilots" / f"{name}-{rate:g}")
        print(f"{name} at {rate:g}: {100 * found['scores']['pass@1']:.1f}", flush=True)


def trained(name: str, seed: int, out: Path) -> str:
    """Return the last model of a run, trained unless it is there; what it cost is written beside."""
    folder, costs = out / f"{name}-{seed}" / "run", out / f"{name}-{seed}.{COST}.json"
    if folder.exists() and not costs.exists():
        shutil.rmtree(folder)  # begun by a process whose seconds nobody knows
    before = spent()
    found = train(told_of(name, seed, out, RATES[RATE_OF.get(name, name)], BASE["batch"]["steps"]), folder)
    if not costs.exists():
        told = {key: found.get(key) for key in ("drawn", "step", "tokens")}
        costs.write_text(json.dumps({**told, "cpu": round(spent() - before, 1)}))
    return last(found)


def train(told: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Train as it is told, by verdicts or by imitation, unless it is done."""
    if "draw" in told:
        return rltf(RltfConfig.model_validate(told), out=folder, quiet=False)
    return sft(SftConfig.model_validate(told), out=folder, quiet=False)


def told_of(name: str, seed: int, out: Path, rate: float, steps: int) -> dict[str, Any]:
    """Return what a run's training is told."""
    if name not in ("sft", "sft-time"):
        return reinforced(RUNS[name], seed, out, rate=rate, steps=steps)
    if name == "sft-time":
        steps = round(steps * cost("paper", seed, out)["cpu"] / cost("sft", seed, out)["cpu"])
    return {
        "model": start(out),
        "problems": corpus(out),
        "optimizer": {**BASE["optimizer"], "lr": rate},
        "batch": {"tokens": tokens_of_a_step(out, seed), "most": BASE["batch"]["most"], "steps": steps},
        "check": {**BASE["check"], "every": max(1, steps // 4)},
        "seed": seed,
        **{key: BASE[key] for key in ("validation", "dtype")},
    }


def reinforced(
    differs: Mapping[str, Mapping[str, Any]], seed: int, out: Path, *, rate: float, steps: int
) -> dict[str, Any]:
    """Return what a training on verdicts is told that differs so, by table."""
    merged = {table: {**BASE.get(table, {}), **values} for table, values in differs.items()}
    if merged.get("buffer", {}).get("mode") == "offline":
        merged["buffer"] = dict(differs["buffer"])  # it draws once and keeps all
    return {
        **BASE,
        **merged,
        "model": start(out),
        "optimizer": {**BASE["optimizer"], "lr": rate},
        "batch": {**BASE["batch"], "steps": steps},
        "supervised": {"problems": corpus(out), **differs.get("supervised", {})},
        "seed": seed,
    }


def cost(name: str, seed: int, out: Path) -> dict[str, float]:
    """Return what a run cost: programs drawn, steps, tokens learned from, processor seconds."""
    found: dict[str, float] = json.loads((out / f"{name}-{seed}.{COST}.json").read_text())
    return found


def tokens_of_a_step(out: Path, seed: int) -> int:
    """Return how many tokens a step of ``paper`` learns from."""
    if seed == PILOT_SEED:
        rates = (out / "pilots" / f"paper-{rate:g}" / "scores.json" for rate in TRIED)
        return round(mean(_pace(json.loads(file.read_text())) for file in rates))
    return round(_pace(cost("paper", seed, out)))


def _pace(found: Mapping[str, float]) -> float:
    return found["tokens"] / found["step"]


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
        of = (parts.pass_at(warm.passed, 1), parts.pass_at(warm.passed, 10), parts.pass_at(greedy.passed, 1))
        self.columns = dict(zip(COLUMNS, of, strict=True))


@dataclass(frozen=True)
class Table:
    """What every run came to that is there, by name and seed, and what all began with."""

    start: Run
    runs: Mapping[str, Mapping[int, Run]]
    costs: Mapping[str, Sequence[Mapping[str, float]]]

    def lines(self) -> Iterator[str]:
        """Yield what every run came to, then each difference that a hypothesis names."""
        yield "per cent on katas:test; 95 % over seeds and compositions; seeds in brackets"
        yield f"{START:<14}" + "".join(f" {n} {100 * parts.mean(v):.1f}" for n, v in self.start.columns.items())
        for name, runs in self.runs.items():
            yield f"{name:<14}" + "".join(
                f" {c} {self._said([r.columns[c] for r in runs.values()], parts.RATES)}" for c in COLUMNS
            )
            means = {key: mean([each[key] or 0 for each in self.costs[name]]) for key in ("drawn", "tokens", "cpu")}
            yield f"{'':<14} drew {means['drawn']:.0f}; {means['tokens']:.0f} tokens; {means['cpu']:.0f} s of processor"
        for first, second in PAIRS:
            if first in self.runs and second in (START, *self.runs):
                yield f"{f'{first} - {second}':<22}" + "".join(self._less(first, second))

    def _less(self, first: str, second: str) -> Iterator[str]:
        """Yield each number of one less that of another, over the seeds that both have."""
        theirs = dict.fromkeys(self.runs[first], self.start) if second == START else self.runs[second]
        seeds = sorted(self.runs[first].keys() & theirs.keys())
        level = 1 - 0.05 / len(PARTS) if (first, second) in PARTS else LEVEL
        for column in COLUMNS if seeds else ():
            gains = [parts.less(self.runs[first][s].columns[column], theirs[s].columns[column]) for s in seeds]
            yield f" {column} {self._said(gains, parts.DIFFERENCES, level)}"

    def _said(self, seeds: Sequence[parts.Values], bounds: tuple[float, float], level: float = LEVEL) -> str:
        """Return the mean with its interval, and each seed's."""
        rows = [[values[name] for name in self.start.clusters] for values in seeds]
        found = interval_over_seeds(rows, clusters=[*self.start.clusters.values()], bounds=bounds, level=level)
        return f"{parts.points(found)} ({', '.join(f'{100 * mean(row):.1f}' for row in rows)})"


def table(out: Path) -> None:
    """Print what is there."""
    every = {name: runs_of(out, name) for name in RUNS}
    known = {name: runs for name, runs in every.items() if runs}
    costs = {name: [cost(name, seed, out) for seed in runs] for name, runs in known.items()}
    print(*Table(Run(out, START), known, costs).lines(), sep="\n")


def runs_of(out: Path, name: str) -> dict[int, Run]:
    """Return what every seed of a run came to that is there."""
    newest = [*MEASURED][-1]
    return {seed: Run(out, f"{name}-{seed}") for seed in range(100) if (out / f"{name}-{seed}.{newest}.jsonl").exists()}


if __name__ == "__main__":
    main()
