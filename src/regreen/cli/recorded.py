"""``regreen import``: what other harnesses recorded, as a run."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from regreen.cli.app import BAD_INPUT, DONE, command
from regreen.cli.options import Bounds, Json, Out, Problems, Quiet, option
from regreen.cli.score import say_bad_lines


class TreeFormat(StrEnum):
    """Forms of recorded repairs."""

    SELF_REPAIR = "self-repair"
    REFLEXION = "reflexion"
    REFLEXION_UCS = "reflexion-ucs"
    LDB = "ldb"
    LATS = "lats"


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
