"""Score programs made elsewhere, check a benchmark's own solutions, evaluate a model."""

from regreen.evaluate.check import check
from regreen.evaluate.options import Choice, Judging
from regreen.evaluate.sampling import Sampling, evaluate
from regreen.evaluate.score import Samples, score

__all__ = ["Choice", "Judging", "Samples", "Sampling", "check", "evaluate", "score"]
