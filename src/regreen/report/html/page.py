"""From run directories to the text of a page."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from regreen.records import STUDY, Record
from regreen.report.every import every_table
from regreen.report.figures import figures
from regreen.report.html.opened import opened
from regreen.report.tables import Table

_SCRIPTS = ("base.js", "charts.js", "rows.js", "program.js", "tree.js", "app.js")  # in the order of their use


def page(paths: Sequence[Path], found: Record) -> str:
    """Return the text of a page on run directories.

    Args:
        paths: run directories, or the folder of one study.
        found: what :func:`regreen.report.report` returned of them.

    Raises:
        InputError: a path is no run directory.
    """
    runs = [] if (paths[0] / STUDY).exists() else [opened(path) for path in paths]
    head = {
        "title": " and ".join(path.name for path in paths),
        "tables": [_table(table) for table in every_table(found)],
        "plots": figures(found),
        "runs": [run.head for run in runs],
    }
    script, style = "\n".join(map(_asset, _SCRIPTS)), _asset("style.css")
    parts = {
        "TITLE": escape(f"regreen: {head['title']}"),
        "STYLE": style,
        "LOOK": _hash(style),
        "SCRIPT": script,
        "HASH": _hash(script),
        "HEAD": _packed(head),
        "BODY": _packed([run.body for run in runs]),
    }
    text = _asset("page.html")
    before, *rest = text.split("{{")
    return before + "".join(parts[name] + after for name, _, after in (part.partition("}}") for part in rest))


def _table(table: Table) -> Record:
    rows = [[str(cell) for cell in row] for row in table.rows]
    return {"title": table.title, "header": list(table.header), "rows": rows, "notes": list(table.notes)}


def _packed(value: Any) -> str:
    """Return JSON, compressed, in letters that cannot end a script."""
    return base64.b64encode(gzip.compress(json.dumps(value, separators=(",", ":")).encode(), 6, mtime=0)).decode()


def _hash(text: str) -> str:
    """Return what the page's policy knows a script or style by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("assets", name).read_text()
