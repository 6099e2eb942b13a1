"""Other tools' files in: programs, recorded verdicts, and the problems that rows bring with them.

A form is recognised by the shape of its rows. Each family has one small module: ``lines`` (one program or continuation
a row), ``lists`` (several), ``agents`` (recorded runs of repairing agents).
"""

from regreen.formats.form import Which
from regreen.formats.reading import Reading, Row, known_forms, open_samples

__all__ = ["Reading", "Row", "Which", "known_forms", "open_samples"]
