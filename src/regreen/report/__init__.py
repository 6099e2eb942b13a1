"""What runs come to: tables, comparisons, and one program looked at closely. Reads run directories, nothing else."""

from regreen.report.annotations import annotation_tables
from regreen.report.compare import compare
from regreen.report.every import every_table
from regreen.report.figures import figures
from regreen.report.html import page as html_page
from regreen.report.imports import import_tables, share_cell
from regreen.report.plots import check_figure, draw
from regreen.report.ranks import ranking_tables
from regreen.report.runs import RunData, load, report
from regreen.report.show import page, show
from regreen.report.studies import study_tables
from regreen.report.tables import Form, Table, differences, render, tables
from regreen.report.trees import Prices, RepairView

__all__ = [
    "Form",
    "Prices",
    "RepairView",
    "RunData",
    "Table",
    "annotation_tables",
    "check_figure",
    "compare",
    "differences",
    "draw",
    "every_table",
    "figures",
    "html_page",
    "import_tables",
    "load",
    "page",
    "ranking_tables",
    "render",
    "report",
    "share_cell",
    "show",
    "study_tables",
    "tables",
]
