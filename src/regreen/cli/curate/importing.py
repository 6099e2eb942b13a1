"""``regreen curate import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from regreen.cli.app import DONE
from regreen.cli.curate.app import Problems, command, require_problems, show
from regreen.cli.options import Bounds, Json, Quiet


@command("import")
def import_folder(
    folder: Annotated[Path, Argument(help="one contest problem, or folders of them", metavar="FOLDER")],
    out: Problems,
    bounds: Bounds,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Make problems of folders of programming competitions.

    Kattis (problem.yaml), Polygon (problem.xml), DMOJ (init.yml), or any folder with a statement beside tests that pair
    by name. Python solutions that come with a problem are judged.
    """
    from regreen.curate.importing import import_folder

    found = import_folder(folder, require_problems(out), judging=bounds.judging(), quiet=quiet)
    show(found, "folders", as_json=as_json)
    return DONE
