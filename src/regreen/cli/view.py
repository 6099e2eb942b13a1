"""``regreen report`` and ``show``: what a run came to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from typer import Argument

from regreen.cli.app import DONE, command
from regreen.cli.options import Json, Scores, Trees, Verbose, option
from regreen.errors import InputError


@command()
def report(
    runs: Annotated[list[Path], Argument(help="run directories", metavar="RUN...")],
    scores: Scores,
    trees: Trees,
    md: Annotated[bool, option("--md", help="print Markdown")] = False,
    csv: Annotated[bool, option("--csv", help="print CSV")] = False,
    as_json: Json = False,
    html: Annotated[Path | None, option("--html", help="write a page with every program", metavar="FILE")] = None,
    plots: Annotated[Path | None, option("--plots", help="draw the figures here", metavar="FILE")] = None,
    out: Annotated[Path | None, option("-o", "--out", help="write here", metavar="FILE")] = None,
    verbose: Verbose = False,
) -> int:
    """Print tables of runs, and compare two.

    Two runs are compared problem by problem: the difference, its interval and a paired test. Repair trees are held
    against resampling at an equal budget.
    """
    from regreen import report as reports

    if md + csv + as_json > 1:
        raise InputError("--md, --csv and --json exclude each other; give one")
    _check_places(html, plots, out)
    found = reports.report(runs, scores.view(), repair_view=trees.view())
    if html is not None:
        html.write_text(reports.html_page(runs, found), encoding="utf-8")
    form: reports.Form = "md" if md else "csv" if csv else "text" if out else "terminal"
    text = json.dumps(found) + "\n" if as_json else reports.render(reports.every_table(found), form)
    if verbose and not (md or csv or as_json):
        text += "".join(reports.differences(run) for run in found.get("runs", [found]))
    if out is None:
        print(text, end="")
    else:
        out.write_text(text)
    if plots is not None:
        reports.draw(reports.figures(found), plots)
    for file in (html, plots):
        if file is not None and not (as_json or md or csv):
            print(f"\n{file}: {file.stat().st_size / 1000:,.0f} kB")
    return DONE


def _check_places(html: Path | None, plots: Path | None, out: Path | None) -> None:
    """Refuse files that cannot be written, or that are one."""
    from regreen.records import require_place
    from regreen.report import check_figure

    files = [file for file in (html, plots, out) if file is not None]
    if len({file.resolve() for file in files}) < len(files):
        raise InputError(f"{files[0]}: given twice; --html, --plots and -o are different files")
    for file in files:
        require_place(file)
    if plots is not None:
        check_figure(plots)


@command()
def show(
    run: Annotated[Path, Argument(help="a run directory", metavar="RUN")],
    problem: Annotated[str, Argument(help="a problem's id", metavar="ID")],
    index: Annotated[
        int | None, option("--index", help="which program; the first that failed by default", metavar="N")
    ] = None,
    as_json: Json = False,
) -> int:
    """Show one program and why it failed.

    The statement, the program with the failing line marked, the failing check with got and expected.
    """
    from regreen import report as reports

    found = reports.show(run, problem, index)
    print(json.dumps(found) + "\n" if as_json else reports.page(found), end="")
    return DONE
