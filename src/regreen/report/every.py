"""All tables of what was reported, whatever the runs are."""

from __future__ import annotations

from regreen.records import Record
from regreen.report.dialog import dialog_tables
from regreen.report.ranks import rank_tables
from regreen.report.refined_tables import refined_tables
from regreen.report.repair_tables import repair_tables
from regreen.report.tables import Table, tables


def every_table(found: Record) -> list[Table]:
    """Return the tables of what :func:`regreen.report.report` returned: scores, trees, chains, dialogs, rankings."""
    trees = [*repair_tables(found), *refined_tables(found)]
    return [*tables(found), *trees, *dialog_tables(found), *rank_tables(found)]
