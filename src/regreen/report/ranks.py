"""Tables of how well choosing one program of k goes."""

from __future__ import annotations

from collections.abc import Iterator

from regreen.rank.rankers import POWERS
from regreen.records import Record
from regreen.report.tables import Table, estimate_cell

_CHOSEN = "Pass rate of the program chosen of k"
_GAIN = "Gain over choosing at random"


def rank_tables(found: Record) -> list[Table]:
    """Return the tables of all runs that have been ranked in what :func:`regreen.report.report` returned."""
    return [table for run in found.get("runs", [found]) if "ranks" in run for table in ranking_tables(run["ranks"])]


def ranking_tables(found: Record) -> list[Table]:
    """Return the tables of what :func:`regreen.rank.rank` returned."""
    made = [_table(_CHOSEN, found, "curve", list(_notes(found))), _table(_GAIN, found, "gain_over_random", [])]
    return [table for table in made if table.rows]


def _table(title: str, found: Record, part: str, notes: list[str]) -> Table:
    signed = part == "gain_over_random"
    curves_of = {name: ranker[part] for name, ranker in found["rankers"].items() if ranker[part]}
    ks = [point["k"] for curve in curves_of.values() for point in curve]
    rows = [[name, *(estimate_cell(point, signed=signed) for point in curve)] for name, curve in curves_of.items()]
    return Table(title, ["", *(f"k = {k}" for k in dict.fromkeys(ks))], rows, notes)


def _notes(found: Record) -> Iterator[str]:
    yield f"{found['problems']} problems, {found['programs']} programs; [low, high]: 95 % bootstrap over problems"
    partly = {name: ranker["problems"] for name, ranker in found["rankers"].items() if name != "random"}
    said = ", ".join(f"{name} {count}" for name, count in partly.items())
    yield f"problems in which a ranker tells programs apart: {said}"
    if drawn := [name for name in partly if name in POWERS]:
        yield f"{', '.join(drawn)}: agreement among the k drawn, estimated from shuffled draws"
    if "shown" in partly and found["all_shown"]:
        yield f"all scoring checks are shown in {found['all_shown']} problems: there the shown checks are the oracle"
