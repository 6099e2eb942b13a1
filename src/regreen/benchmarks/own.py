"""A file of problems in regreen's own form, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from regreen.benchmarks.rows import Row
from regreen.errors import InputError
from regreen.problem import Problem, problem_from_line


def problems(rows: Iterable[Row]) -> Iterator[Problem]:
    """Yield a problem for each row; raises InputError that names file and line of a bad one."""
    for row in rows:
        if "task_id" in row.fields and "id" not in row.fields:
            file = row.where.rpartition(":")[0]
            hint = f"for a published benchmark give its name, and --data {file}"
            raise InputError(f"{row.where}: no field 'id'; a problem needs id, statement and checks; {hint}")
        yield problem_from_line(row.fields, where=row.where)
