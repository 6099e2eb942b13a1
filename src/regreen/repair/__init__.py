"""Self-repair: trees of programs, explanations and repairs on live models."""

from regreen.repair.options import Repairing, explainer_of
from regreen.repair.trees import repair

__all__ = ["Repairing", "explainer_of", "repair"]
