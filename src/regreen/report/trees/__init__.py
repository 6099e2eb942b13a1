"""Runs with repair trees: pass@t of every cell, what stands beside it, and the tables of both.

``tree_summary`` lies in :mod:`regreen.report.trees.summary` and is imported from there, since it needs NumPy, which
reports of other runs do without.
"""

from regreen.report.trees.tables import tree_tables
from regreen.report.trees.view import Prices, RepairView

__all__ = ["Prices", "RepairView", "tree_tables"]
