"""Score programs made elsewhere, import recorded repairs, check a benchmark's own solutions, evaluate a model."""

from regreen.evaluate.check import check
from regreen.evaluate.importing import import_trees
from regreen.evaluate.sampling import evaluate, evaluate_problems
from regreen.evaluate.score import Samples, score
from regreen.options import Choice, Judging, Sampling

__all__ = [
    "Choice",
    "Judging",
    "Samples",
    "Sampling",
    "check",
    "evaluate",
    "evaluate_problems",
    "import_trees",
    "score",
]
