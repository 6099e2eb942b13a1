"""What runs come to: tables, comparisons, and one program looked at closely. Reads run directories, nothing else."""

from regreen.report.compare import compare
from regreen.report.runs import RunData, load, report
from regreen.report.show import page, show
from regreen.report.tables import Form, Table, differences, render, tables

__all__ = ["Form", "RunData", "Table", "compare", "differences", "load", "page", "render", "report", "show", "tables"]
