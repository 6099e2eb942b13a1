"""Stronger checks for problems whose checks let wrong programs pass."""

from regreen.curate.strengthening.stronger import Strengthening, Stronger, strengthen_problem
from regreen.curate.strengthening.work import strengthen

__all__ = ["Strengthening", "Stronger", "strengthen", "strengthen_problem"]
