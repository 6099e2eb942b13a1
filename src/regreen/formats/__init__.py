"""Other tools' files in: programs, recorded verdicts, and the problems that rows bring with them.

A form is recognised by the shape of its rows. Each family has one small module: ``lines`` (one program or continuation
a row), ``lists`` (several), ``agents`` (recorded runs of repairing agents). What such agents wrote on the way, repairs
and what was said of programs, ``trees`` reads as nodes of repair trees, in forms that are named by whoever opens them.
"""

from regreen.formats.form import Which
from regreen.formats.reading import Reading, Row, known_forms, open_samples
from regreen.formats.trees import TREE_FORMS, TreeReading, TreeRow, open_trees

__all__ = [
    "TREE_FORMS",
    "Reading",
    "Row",
    "TreeReading",
    "TreeRow",
    "Which",
    "known_forms",
    "open_samples",
    "open_trees",
]
