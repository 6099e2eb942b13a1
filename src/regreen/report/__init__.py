"""What runs come to: tables, comparisons, and one program looked at closely. Reads run directories, nothing else."""

from regreen.report.compare import compare
from regreen.report.ranks import rank_tables, ranking_tables
from regreen.report.repair_tables import repair_tables
from regreen.report.runs import RunData, load, report
from regreen.report.show import page, show
from regreen.report.studies import study_tables
from regreen.report.tables import Form, Table, differences, render, tables
from regreen.report.view import Prices, RepairView

__all__ = [
    "Form",
    "Prices",
    "RepairView",
    "RunData",
    "Table",
    "compare",
    "differences",
    "load",
    "page",
    "rank_tables",
    "ranking_tables",
    "render",
    "repair_tables",
    "report",
    "show",
    "study_tables",
    "tables",
]
