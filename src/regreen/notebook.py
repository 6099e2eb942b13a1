"""A run directory in a notebook: its tables when it is shown, its programs as a data frame.

run = regreen.read_run("runs/first")
run                                             # the tables of regreen report
run.frame().groupby("problem").passed.mean()
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from regreen.records import Record
from regreen.report import Table, every_table, render, report

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FinishedRun:
    """What a run directory holds, read when it is asked for."""

    path: Path

    @cached_property
    def found(self) -> Record:
        """What ``regreen report --json`` prints."""
        return report([self.path])

    @property
    def scores(self) -> dict[str, float]:
        """The values of pass@k, without their intervals."""
        return {name: score["value"] for name, score in self.found.get("scores", {}).items()}

    def frame(self) -> pd.DataFrame:
        """Return its programs, a row each; see :func:`regreen.export.frame`."""
        from regreen.export import frame

        return frame(self.path)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name} {value:.3f}" for name, value in self.scores.items() if value is not None)
        return f"<run {self.path}{': ' if scores else ''}{scores}>"

    def __str__(self) -> str:
        return render(every_table(self.found), "text")

    def _repr_html_(self) -> str:
        return "".join(_html(every_table(self.found)))


def read_run(path: str | Path) -> FinishedRun:
    """Return a run directory to look at, finished or not; raises InputError if it is none."""
    run = FinishedRun(Path(path))
    run.found  # noqa: B018  what is no run is said now
    return run


def _html(tables: Iterable[Table]) -> Iterable[str]:
    for table in tables:
        yield f"<h4>{escape(table.title)}</h4><table><thead>{_row('th', table.header)}</thead><tbody>"
        yield from (_row("td", [str(cell) for cell in row]) for row in table.rows)
        yield "</tbody></table>" + "".join(f"<p><small>{escape(note)}</small></p>" for note in table.notes)


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
