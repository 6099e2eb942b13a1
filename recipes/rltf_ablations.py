"""Which settings of RLTF matter for the tiny model? One at a time, on katas; and does what it learned carry over?

Run it with torch installed: ``python recipes/rltf_ablations.py OUT [NAME ...]``; NAME is one of ``ABLATIONS``, all of
them unless given. OUT may be that of ``recipes/rltf_katas.py``, whose corpus all imitate; what is there is kept.
``--table`` prints what is there. The parts of the reward, offline and online are runs of that recipe.

Each is trained once, as long as there. Measured, ten programs each at temperature 0.8: the 400 problems of katas:test,
and, zero-shot, the 300 of katas:ambiguous, whose statements leave a choice open and of whose kind nothing was trained
on. The cell that is called the best is chosen on half of the problems of katas:test and reported on the other.

Hypotheses, metrics and directions (Liu et al. 2023, their ablations):

1. Every penalty in {-0.1, ..., -0.5} is above 0.
2. A hotter drawing (1.0) trains better than a colder one (0.2).
3. alpha capped at 10 trains better than the code's 1.
4. Zero-shot pass@1 rises where pass@1 does.

Status: not run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import cycle_parts as parts
import rltf_katas as recipe

from regreen.evaluate import Choice, Sampling, evaluate
from regreen.metrics import mean_interval
from regreen.models import open_model
from regreen.train.config import RltfConfig
from regreen.train.rltf import rltf

LOO = {"baseline": "leave-one-out"}
ABLATIONS: dict[str, dict[str, dict[str, Any]]] = {  # what differs from the recipe's ``loo``, by table
    "full": {},
    **{f"penalty-{tenths}": {"method": {"penalty": -tenths / 10}} for tenths in (0, 1, 2, 4, 5)},
    **{f"heat-{heat}": {"draw": {"temperature": heat}} for heat in (0.2, 0.6, 1.4)},
    "heat-range": {"draw": {"temperature": [0.6, 1.0]}},
    "alpha-1": {"method": {"alpha": 1.0}},
    "best-so-far": {"method": {"baseline": "best-so-far"}},
    "no-ratio": {"method": {"ratio": 0.0}},
    "kl": {"method": {"kl": 0.05}},
    "analysed": {"method": {"analysed": 1.0}},
    "difficulty": {"draw": {"order": "difficulty"}},
    "share-0": {"supervised": {"share": 0.0}},
    "share-75": {"supervised": {"share": 0.75}},
}
START, ZERO_SHOT = "start", "zero-shot"
MEASURED = {"test": "katas:test", ZERO_SHOT: "katas:ambiguous"}
N, HEAT = 10, 0.8


def main() -> None:
    """Train and measure what is not there yet, then print the table."""
    options = parts.asked(__doc__, ABLATIONS)
    if not options.table:
        measure("tiny-noisy", options.out, START)
        for name in options.names:
            trained = rltf(config(name, options.out), out=options.out / f"ablation-{name}", quiet=False)
            measure(f"hf:{trained['checkpoint']}", options.out, name)
    table(options.out)


def config(name: str, out: Path) -> RltfConfig:
    """Return the configuration of one cell."""
    differs = ABLATIONS[name]
    tables = {table: {**recipe.BASE.get(table, {}), **values} for table, values in differs.items()}
    tables["method"] = {**LOO, **differs.get("method", {})}
    tables["supervised"] = {"problems": recipe.corpus(out), **differs.get("supervised", {})}
    return RltfConfig.model_validate({**recipe.BASE, **tables})


def measure(place: str, out: Path, name: str) -> None:
    """Write programs for what is measured on, and keep what became of them."""
    for which, benchmark in MEASURED.items():
        run, sampling = out / f"ablation-{name}" / which, Sampling(N, (HEAT,), 1.0, recipe.TOKENS, prompt="codex")
        evaluate(benchmark, open_model(place), sampling=sampling, choice=Choice(), out=run, quiet=False)
        parts.write_outcomes(run, outcomes(out, name, which))


def outcomes(out: Path, name: str, which: str) -> Path:
    """Return the file of what became of a cell's programs."""
    return out / f"ablation-{name}.{which}.jsonl"


def table(out: Path) -> None:
    """Print every cell, then the best on half of the problems as it does on the other half."""
    names = [name for name in (START, *ABLATIONS) if outcomes(out, name, ZERO_SHOT).exists()]
    known = {name: {which: parts.Outcomes.of(outcomes(out, name, which)) for which in MEASURED} for name in names}
    print("pass@1, per cent; 95 % bootstrap over compositions; one training each")
    for name, cells in known.items():
        print(f"{name:<12}" + "".join(f" {which} {said(found, pass_1(found))}" for which, found in cells.items()))
    trained = {name: cells["test"] for name, cells in known.items() if name != START}
    if trained:
        half = set(sorted(next(iter(trained.values())).clusters)[1::2])
        best = max(trained, key=lambda n: parts.mean({p: v for p, v in pass_1(trained[n]).items() if p in half}))
        other = {problem: value for problem, value in pass_1(trained[best]).items() if problem not in half}
        print(f"best on half: {best}; on the other {said(trained[best], other)}")


def pass_1(found: parts.Outcomes) -> parts.Values:
    """Return pass@1 by problem."""
    return parts.pass_at(found.passed, 1)


def said(found: parts.Outcomes, values: parts.Values) -> str:
    """Return a mean with its interval."""
    return parts.points(mean_interval([*values.values()], clusters=[found.clusters[name] for name in values]))


if __name__ == "__main__":
    main()
