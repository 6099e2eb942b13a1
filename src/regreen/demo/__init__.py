"""The demonstration: a list of stages, each a real run of the package on what ships with it.

A stage says in a line what is asked, does it, and says in a line what came out. Nothing is downloaded, and no torch is
needed: the model is the small one that comes with the package, run by NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from regreen.evaluate import Choice, Judging, Samples, Sampling, evaluate, score
from regreen.models import open_model
from regreen.records import Record
from regreen.repair import Repairing, repair
from regreen.summary import View

__all__ = ["PROBLEMS", "SAMPLES", "STAGES", "Stage"]

FOLDER = Path(__file__).parent
PROBLEMS = FOLDER / "demo.jsonl"
SAMPLES = FOLDER / "samples.jsonl"
MODEL = "tiny"
KATAS = "katas:test"
_EVALUATED = 50  # problems; the first of the split
_REPAIRED = 40
_WARM = 1.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name, what is asked, and how it is done: in a run directory, with or without progress."""

    name: str
    asked: str
    run: Callable[[Path, bool], Record]


def _judge(out: Path, quiet: bool) -> Record:
    judging = Judging(timeout=1.0)  # two of the programs run for ever
    return score(Samples(SAMPLES), str(PROBLEMS), judging=judging, view=View(ks=(1, 3)), out=out, quiet=quiet)


def _evaluate(out: Path, quiet: bool) -> Record:
    sampling = Sampling(n=10, temperatures=(_WARM,), max_tokens=128)
    choice, view = Choice(limit=_EVALUATED), View(ks=(1, 10))
    return evaluate(KATAS, open_model(MODEL), sampling=sampling, choice=choice, view=view, out=out, quiet=quiet)


def _repair(out: Path, quiet: bool) -> Record:
    sampling = Sampling(n=5, temperatures=(_WARM,), max_tokens=192)
    repairing = Repairing(feedback="none", nfr=2, full=True)
    choice = Choice(limit=_REPAIRED)
    return repair(KATAS, open_model(MODEL), sampling=sampling, repairing=repairing, choice=choice, out=out, quiet=quiet)


STAGES = (
    Stage("judge", "24 programs for 8 problems, of which some are wrong and some cheat: which are right?", _judge),
    Stage("evaluate", f"10 programs of a tiny model for each of {_EVALUATED} katas: how many pass?", _evaluate),
    Stage(
        "repair",
        f"5 programs for each of {_REPAIRED} katas, 2 repairs of each that fails: better than as many fresh programs?",
        _repair,
    ),
)
