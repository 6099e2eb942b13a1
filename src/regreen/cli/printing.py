"""What several commands print at their end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regreen.cli.app import say

if TYPE_CHECKING:
    from regreen.summary import View

_BAD_LINES = 20  # said one by one


def print_trees(found: dict[str, Any], view: View, *, as_json: bool) -> None:
    """Print all that ``regreen report`` says of the run that was just made, then what the user must hear of it."""
    from regreen import report as reports

    reported = reports.report([Path(found["run"])], view)
    print(json.dumps(reported) + "\n" if as_json else reports.render(reports.every_table(reported)), end="")
    say_notes(found)


def say_notes(found: dict[str, Any]) -> None:
    """Say what the user must hear of a run, a line each."""
    for note in found["notes"]:
        say(note)


def say_bad_lines(found: dict[str, Any]) -> None:
    """Say the first bad lines, and where the others are."""
    for line in found["bad_lines"][:_BAD_LINES]:
        say(line)
    left = len(found["bad_lines"]) - _BAD_LINES
    if left > 0:
        say(f'and {left} more; all are under "bad_lines" in {Path(found["run"], "scores.json")}')
