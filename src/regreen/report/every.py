"""All tables of what was reported, whatever the runs are."""

from __future__ import annotations

from regreen.records import Record
from regreen.report.dialog import dialog_tables
from regreen.report.imports import import_tables
from regreen.report.ranks import rank_tables
from regreen.report.refined_tables import refined_tables
from regreen.report.studies import study_tables
from regreen.report.tables import Table, tables
from regreen.report.training import training_tables
from regreen.report.trees import tree_tables


def every_table(found: Record) -> list[Table]:
    """Return the tables of what :func:`regreen.report.report` returned, whatever kinds of runs there are."""
    if "study" in found:
        return study_tables(found)
    if "imported" in found and not found["programs"]:  # none of our verdicts: no score of ours
        return import_tables(found["imported"])
    grown = [*tree_tables(found), *refined_tables(found)]
    return [*tables(found), *grown, *dialog_tables(found), *rank_tables(found), *training_tables(found)]
