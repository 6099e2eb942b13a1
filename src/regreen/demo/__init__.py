"""The demonstration: eight small problems, and 24 programs of which some are right, some wrong, and some cheat."""

from __future__ import annotations

from pathlib import Path

from regreen.evaluate import Judging, Samples, score
from regreen.records import Record
from regreen.summary import View

FOLDER = Path(__file__).parent
PROBLEMS = FOLDER / "demo.jsonl"
SAMPLES = FOLDER / "samples.jsonl"


def demo(out: Path | None = None, *, quiet: bool = True) -> Record:
    """Score the programs that ship with the package; returns what ``regreen score --json`` prints."""
    judging = Judging(timeout=1.0)  # two of the programs run for ever
    out = out or Path("runs/demo")
    return score(Samples(SAMPLES), str(PROBLEMS), judging=judging, view=View(ks=(1, 3)), out=out, quiet=quiet)
