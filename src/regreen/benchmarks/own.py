"""A file of problems in regreen's own form, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from regreen.benchmarks.rows import Row
from regreen.problem import Problem, problem_from_line


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row; raises InputError that names file and line of a bad one."""
    for row in rows:
        yield problem_from_line(row.fields, where=row.where)
