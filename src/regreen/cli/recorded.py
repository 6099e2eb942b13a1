"""``regreen import`` and ``annotate``: recorded repairs as a run, and people's marks on feedback."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from regreen.cli.app import BAD_INPUT, DONE, command
from regreen.cli.choices import TreeFormat
from regreen.cli.options import Bounds, Json, Out, Problems, Quiet, option
from regreen.cli.printing import say_bad_lines
from regreen.errors import InputError


@command("import")
def import_trees(
    file: Annotated[Path, Argument(help="JSON Lines that a repairing harness wrote", metavar="FILE")],
    form: Annotated[TreeFormat, option("--format", help="the harness", metavar="FORM")],
    chosen: Problems,
    bounds: Bounds,
    benchmark: Annotated[
        str | None, option("--benchmark", help="name, name:split or file of the problems", metavar="BENCHMARK")
    ] = None,
    judge: Annotated[bool, option("--judge", help="judge every program again")] = False,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make a run of recorded repair trees and chains.

    FORM is self-repair, reflexion, reflexion-ucs, ldb or lats. Recorded verdicts and tokens are kept; --judge adds our
    verdicts beside them, and after a kill goes on.
    """
    from regreen.evaluate import import_trees
    from regreen.report import import_tables, render

    found = import_trees(
        file,
        form.value,
        benchmark,
        judge=judge,
        choice=chosen.choice(),
        judging=bounds.judging(),
        out=out,
        quiet=quiet,
    )
    print(json.dumps(found) + "\n" if as_json else render(import_tables(found)) + _where(found), end="")
    say_bad_lines(found)
    return BAD_INPUT if found["bad_lines"] else DONE


def _where(found: dict[str, Any]) -> str:
    return f"\n{found['seconds']:.1f} s: regreen report {shlex.quote(found['run'])}\n"


@command()
def annotate(
    runs: Annotated[list[Path], Argument(help="run directories with feedback", metavar="RUN...")],
    out: Annotated[Path | None, option("-o", "--out", help="write the sheet here", metavar="CSV")] = None,
    sheet: Annotated[Path | None, option("--sheet", help="read this filled sheet", metavar="CSV")] = None,
    seed: Annotated[int, option("--seed", help="of the order", min=0, show=True, metavar="N")] = 0,
    limit: Annotated[int | None, option("--limit", help="texts of each writer", min=1, metavar="N")] = None,
    as_json: Json = False,
) -> int:
    """Write feedback to a blinded CSV sheet for people to mark, and read it back.

    A person writes x in the columns that fit, or 0 in one of them where none does.
    """
    from regreen.annotation import read_sheet, write_sheet
    from regreen.report import annotation_tables, render

    if (out is None) == (sheet is None):
        raise InputError("annotate: give either -o, to write a sheet, or --sheet, to read one")
    if out is not None:
        found = write_sheet(runs, out, seed=seed, limit=limit)
        text = f"{found['texts']} texts in {out}: write x where a column fits, then --sheet {shlex.quote(str(out))}\n"
    else:
        found = read_sheet(runs, sheet or Path())
        text = "" if as_json else render(annotation_tables(found))
    print(json.dumps(found) + "\n" if as_json else text, end="")
    return DONE
