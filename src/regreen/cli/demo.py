"""``regreen demo``: the whole loop on what ships with the package."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regreen.cli.app import DONE, command
from regreen.cli.options import Json, Out, Quiet

if TYPE_CHECKING:
    from regreen.report import Table


@command()
def demo(out: Out = None, as_json: Json = False, quiet: Quiet = False) -> int:
    """Judge, evaluate and repair, with what comes in the package.

    Scores right, wrong and cheating programs, evaluates the tiny model on katas, grows repair trees.
    """
    from regreen.demo import STAGES
    from regreen.report import render

    started, folder = time.monotonic(), out or Path("runs/demo")
    found: dict[str, Any] = {}
    made: list[Table] = []
    for number, stage in enumerate(STAGES, 1):
        if not as_json:
            print(f"{number} {stage.name}: {stage.asked}\n", flush=True)
        stage.run(folder / stage.name, quiet)
        found[stage.name], tables = _reported(folder / stage.name)
        made += tables
        if not as_json:
            print(render(tables))
    path = folder / "report.md"
    path.write_text(render(made, "md"))
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print(json.dumps({"stages": found, "report": str(path), "seconds": seconds}))
    else:
        print(f"{seconds} s; all of it: {path}\nregreen report {folder / 'repair'}\nregreen show {folder / 'judge'} ID")
    return DONE


def _reported(run: Path) -> tuple[dict[str, Any], list[Table]]:
    from regreen import report as reports

    found = reports.report([run])
    return found, reports.every_table(found)
