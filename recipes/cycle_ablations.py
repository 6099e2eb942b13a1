"""Which part of CYCLE makes a model read its feedback? One configuration at a time, on katas with the tiny model.

Run it: ``python recipes/cycle_ablations.py OUT NAME [STEPS] [SEED]``; NAME is one of those in ``ABLATIONS``, OUT holds
the programs of ``tiny-base`` that all configurations share. STEPS is 60 unless given: enough to see that it runs, and
no more.

Hypotheses, metrics and directions (Ding et al. 2024); a claim needs five seeds, and a bootstrap over both seeds and
problems:

1. full > each of no-code, no-feedback and name, in the problems solved after one round less those with as many fresh
   programs.
2. The effect of feedback (true less the same problem's, on another wrong program) is above 0 for full.
3. mask-0 has more exact copies than full, in excess of fresh programs.
4. one-shot pass@1: share-100 < full; share-0 refines no better than its fresh programs.

What came out: not run.
"""

import json
import sys
from pathlib import Path
from typing import Any

from regreen.evaluate import Choice, Sampling, evaluate
from regreen.models import open_model
from regreen.refine import Refining, Telling, refine
from regreen.report import every_table, render, report
from regreen.train.config import CycleConfig
from regreen.train.cycle import cycle

PROBLEMS, VALIDATION, N, TOKENS = 1000, 60, 4, 160
ABLATIONS: dict[str, dict[str, Any]] = {  # what differs from BASE
    "full": {},
    "no-code": {"pairs": {"code": False}},
    "no-feedback": {"pairs": {"feedback": "none"}},
    "name": {"pairs": {"feedback": "name"}},
    "plain": {"pairs": {"template": "refine-plain"}},
    "random": {"pairs": {"select": "random"}},
    "mask-0": {"mask": {"ratio": 0.0}},
    "mask-5": {"mask": {"ratio": 0.05}},
    "mask-30": {"mask": {"ratio": 0.3}},
    "mask-block": {"mask": {"region": "block"}},
    "share-0": {"pairs": {"share": 0.0}},
    "share-75": {"pairs": {"share": 0.75}},
    "share-100": {"pairs": {"share": 1.0}},
}
BASE: dict[str, Any] = {
    "model": "tiny-base",
    "problems": "katas:train",
    "validation": "katas:validation",
    "limit": PROBLEMS,
    "dtype": "float32",
    "optimizer": {"lr": 1e-3},
    "pairs": {"share": 0.5, "verify": False},
    "mask": {"ratio": 0.15, "region": "code", "redraw": True},
    "check": {"limit": VALIDATION, "max_tokens": TOKENS},
}


def main(out: Path, name: str, steps: int, seed: int) -> None:
    """Train one configuration, refine held-out problems with it, and print what came out."""
    config = config_of(name, probes(out), steps, seed)
    trained = cycle(config, out=out / f"{name}-{seed}", quiet=False)
    print(json.dumps(trained["set"], indent=1))
    found = refined(trained, config, out / f"{name}-{seed}-refined")
    print(render(every_table(found)))


def probes(out: Path) -> Path:
    """Return the programs that the model of phase I writes for the training problems."""
    sampling = Sampling(N, (0.8,), max_tokens=TOKENS)
    choice = Choice(limit=PROBLEMS)
    model = open_model("tiny-base")
    evaluate("katas:train", model, sampling=sampling, choice=choice, out=out / "probes", quiet=False)
    return out / "probes"


def config_of(name: str, run: Path, steps: int, seed: int) -> CycleConfig:
    """Return a configuration: the base, and what differs from it."""
    differs = ABLATIONS[name]
    merged = {**BASE, **{table: {**BASE[table], **values} for table, values in differs.items()}}
    return CycleConfig(**merged, seed=seed, batch={"steps": steps}, probe={"run": str(run)})  # type: ignore[arg-type]


def refined(trained: dict[str, Any], config: CycleConfig, out: Path) -> dict[str, Any]:
    """Refine held-out problems as the model was taught, beside all controls."""
    pairs = config.pairs
    refining = Refining(
        rounds=2, until="problem", telling=Telling(pairs.feedback, pairs.code, pairs.checks), template=pairs.template
    )
    sampling = Sampling(2, (0.2,), max_tokens=TOKENS, prompt=trained["prompt"], seed=config.seed)
    model, choice = open_model(f"hf:{trained['checkpoint']}"), Choice(limit=VALIDATION)
    found = refine("katas:validation", model, sampling=sampling, refining=refining, choice=choice, out=out, quiet=False)
    return report([Path(found["run"])])


if __name__ == "__main__":
    steps_and_seed = [int(given) for given in sys.argv[3:]]
    main(Path(sys.argv[1]), sys.argv[2], *steps_and_seed, *(60, 0)[len(steps_and_seed) :])
