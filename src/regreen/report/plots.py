"""Plots of what was found, in one style, as SVG, PNG or PDF; matplotlib loads when one is drawn."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.records import Record, require_place

_WIDTH, _HEIGHT = 5.6, 3.6  # inches of one plot
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")  # told apart by everybody
_BEYOND = "*"  # a cell of a heat map that has no number, but is not empty
_MARKS = "os^Dvph"
_STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "font.size": 9,
    "svg.hashsalt": "regreen",  # the same numbers, the same file
}


def check_figure(file: Path) -> None:
    """Raise InputError if no figure can be drawn into this file: so that it is said before a long study, not after."""
    if file.suffix not in (".svg", ".png", ".pdf"):
        raise InputError(f"{file}: a figure is a file *.svg, *.png or *.pdf")
    require_place(file)
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError("matplotlib is not installed (pip install 'regreen[report]')")


def draw(plots: Sequence[Record], file: Path) -> None:
    """Draw plots one below another into a file, whose ending says the form.

    Args:
        plots: what :func:`regreen.studies.finding.plot` returned.
        file: ``*.svg``, ``*.png`` or ``*.pdf``.

    Raises:
        InputError: nothing to draw, matplotlib is not installed, or a file of another form.
    """
    if not plots:
        raise InputError(f"{file}: there is nothing to draw; read the tables")
    check_figure(file)
    matplotlib = importlib.import_module("matplotlib")
    figures = importlib.import_module("matplotlib.figure")
    with matplotlib.rc_context(_STYLE):
        figure = figures.Figure(figsize=(_WIDTH, _HEIGHT * len(plots)), layout="constrained")
        for axes, plot in zip(figure.subplots(len(plots), squeeze=False)[:, 0], plots, strict=True):
            _draw_one(axes, plot)
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None, dpi=150)


def _draw_one(axes: Any, plot: Record) -> None:
    axes.set(title=plot["title"], xlabel=plot["x"], ylabel=plot["y"])
    _KINDS[plot["kind"]](axes, plot)
    if plot["log"]:
        axes.set_xscale("log")
    if len(plot["lines"]) > 1 and plot["kind"] != "heat":
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))  # beside: it must cover no interval


def _lines(axes: Any, plot: Record) -> None:
    for at, line in enumerate(plot["lines"]):
        xs = [x for x, _ in line["points"]]
        middle, below, above = _intervals(line["points"], plot["unit"])
        look = {
            "color": _COLOURS[at % len(_COLOURS)],
            "marker": _MARKS[(at + at // len(_COLOURS)) % len(_MARKS)],
            "markersize": 4,
        }
        width = 0.0 if plot["kind"] == "scatter" else 1.2
        axes.errorbar(
            xs, middle, [below, above], label=line["name"], capsize=2, linewidth=width, elinewidth=0.8, **look
        )


def _stack(axes: Any, plot: Record) -> None:
    rows = [_intervals(line["points"], plot["unit"])[0] for line in plot["lines"]]
    colours = [_COLOURS[at % len(_COLOURS)] for at in range(len(rows))]
    xs = [x for x, _ in plot["lines"][0]["points"]]
    axes.stackplot(xs, rows, labels=[line["name"] for line in plot["lines"]], colors=colours, alpha=0.85)


def _heat(axes: Any, plot: Record) -> None:
    labels, rows = _labels(plot), [dict(map(tuple, line["points"])) for line in plot["lines"]]
    values = [[math.nan if (value := row.get(label)) is None else float(value) for label in labels] for row in rows]
    axes.imshow(values, cmap="viridis", aspect="auto")
    axes.grid(visible=False)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(rows)), [line["name"] for line in plot["lines"]])
    for y, row in enumerate(rows):
        for label, value in row.items():
            text = _BEYOND if value is None else f"{value:.2f}"
            axes.text(labels.index(label), y, text, ha="center", va="center", backgroundcolor="w")


def _bars(axes: Any, plot: Record) -> None:
    labels = _labels(plot)
    width = 0.8 / len(plot["lines"])
    for at, line in enumerate(plot["lines"]):
        places = [labels.index(str(x)) + width * (at - (len(plot["lines"]) - 1) / 2) for x, _ in line["points"]]
        middle, below, above = _intervals(line["points"], plot["unit"])
        look = {"color": _COLOURS[at % len(_COLOURS)], "error_kw": {"linewidth": 0.8, "capsize": 2}}
        axes.bar(places, middle, width, yerr=[below, above], label=line["name"], **look)
    turned = {"rotation": 45, "ha": "right"} if max(map(len, labels), default=0) > 8 else {}
    axes.set_xticks(range(len(labels)), labels, **turned)


def _labels(plot: Record) -> list[str]:
    return list(dict.fromkeys(str(x) for line in plot["lines"] for x, _ in line["points"]))


def _intervals(points: Sequence[Any], unit: str) -> tuple[list[float], list[float], list[float]]:
    """Return values, and how far their intervals reach below and above them."""
    scale = 100.0 if unit == "%" else 1.0
    found = [y if isinstance(y, dict) else {"value": y, "low": y, "high": y} for _, y in points]
    middle = [scale * y["value"] for y in found]
    below = [scale * max(0.0, y["value"] - y["low"]) for y in found]
    above = [scale * max(0.0, y["high"] - y["value"]) for y in found]
    return middle, below, above


_KINDS = {"line": _lines, "scatter": _lines, "stack": _stack, "bar": _bars, "heat": _heat}
