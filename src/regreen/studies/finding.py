"""What a study returns: its numbers as plain JSON, with the tables and the plots that show them.

finding("scaling", benchmark="mbpp:test", tables=[table("Scaling", ["", "slope"], [["pass@1", slope]])], fits=fits)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from regreen.metrics import Estimate
from regreen.records import Record

Cell = str | int | float | Estimate | None
Point = tuple[float | str, float | Estimate | None]


def finding(name: str, *, benchmark: str | None = None, tables: Sequence[Record], **numbers: Any) -> Record:
    """Return a finding of a study: ``numbers`` are what a program reads, ``tables`` and ``plots`` what a person does.

    Args:
        name: the study's.
        benchmark: the full name of the benchmark, where there is one.
        tables: what :func:`table` returned.
        numbers: everything else, as plain JSON; ``plots`` are what :func:`plot` returned.
    """
    return {"study": name, "benchmark": benchmark, "plots": [], **numbers, "tables": list(tables)}


def table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    notes: Sequence[str] = (),
    unit: Literal["%", "1"] = "%",
) -> Record:
    """Return a table: estimates in it are shares, printed in per cent, or with unit "1" plain numbers."""
    cells = [[_plain(cell) for cell in row] for row in rows]
    return {"title": title, "header": list(header), "rows": cells, "notes": list(notes), "unit": unit}


def plot(
    title: str,
    lines: Mapping[str, Sequence[Point]],
    *,
    x: str,
    y: str,
    kind: Literal["line", "bar", "scatter", "stack", "heat"] = "line",
    log: bool = False,
    unit: Literal["%", "1"] = "%",
) -> Record:
    """Return a plot: named lines of points with or without intervals.

    Args:
        title: what is seen.
        lines: for each name its points; the first of a point is a number, or for bars and heat maps a label.
            A cell of a heat map that is None is marked; one without a point is empty.
        x: what the first axis shows, with its unit.
        y: what the other one shows.
        kind: "line"; "scatter", points alone; "stack", areas one upon another; "bar", groups of them; "heat", a row of
            a heat map for each name.
        log: the first axis is logarithmic.
        unit: "%" for shares, "1" for plain numbers.
    """
    drawn = [{"name": name, "points": [[at, _plain(value)] for at, value in line]} for name, line in lines.items()]
    return {"title": title, "x": x, "y": y, "kind": kind, "log": log, "unit": unit, "lines": drawn}


def estimate_of(found: Record) -> Estimate:
    """Return an estimate from plain JSON that holds one."""
    return Estimate(found["value"], found["low"], found["high"])


def interval_text(found: Record | Estimate) -> str:
    """Return an estimate of a share as words can hold it: ``12.5 % [3.1, 25.0]``."""
    numbers = found if isinstance(found, dict) else asdict(found)
    return "{:.1f} % [{:.1f}, {:.1f}]".format(*(100 * numbers[name] for name in ("value", "low", "high")))


def _plain(value: Cell) -> Any:
    return asdict(value) if isinstance(value, Estimate) else value
