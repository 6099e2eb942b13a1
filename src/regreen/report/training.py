"""What a training came to: its course, its checks, and where its checkpoints lie."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from regreen.records import METRICS, SCORES, Record, read_json, read_records
from regreen.report.tables import Table

_TOLD = ("lessons", "too_long", "held_out", "examples")  # of what a finished training wrote down
_WATCHED = ("passed", "greedy_passed", "category/failure", "category/error", "category/syntax", "entropy", "duplicates")
_ROWS = 10  # of the table of what was drawn
_COURSE = 400  # steps whose loss is told


def is_training(manifest: Mapping[str, Any]) -> bool:
    """Say whether a run is a training."""
    return str(manifest["command"]).startswith("train")


def training_summary(run: Path, manifest: Mapping[str, Any]) -> Record:
    """Return what a training's metrics add up to, finished or not, as plain JSON.

    Returns:
        ``steps`` done and ``of`` how many (None: not known yet), ``tokens``, ``seconds``, ``tokens_per_second``,
        ``course`` with the losses of some steps, ``first_loss``, ``last_loss``, ``checks`` with their numbers by step,
        the ``best`` of them by ``monitor``, ``draws``, numbers of what an online training drew by step, ``checkpoints``
        by name, and the ``prompt`` to evaluate with. Seconds are those of steps and checks.
    """
    records = [record for _, record in read_records(run / METRICS)]
    steps, checks = [r for r in records if "loss" in r], [r for r in records if "loss" not in r]
    tokens, seconds = (steps[-1]["tokens"] if steps else 0), (records[-1]["seconds"] if records else 0.0)
    settings, written = manifest["settings"], read_json(run / SCORES) if manifest["finished"] else {}
    monitor = settings.get("check", {}).get("monitor")
    return {
        "command": manifest["command"],
        "benchmark": manifest["benchmark"],
        "model": settings.get("model"),
        "finished": manifest["finished"] is not None,
        "steps": len(steps),
        "of": written.get("steps", settings.get("batch", {}).get("steps")),
        "tokens": tokens,
        "seconds": seconds,
        "tokens_per_second": _rate(records),
        "course": [[steps[at]["step"], steps[at]["loss"]] for at in _spread(len(steps), _COURSE)],
        "first_loss": steps[0]["loss"] if steps else None,
        "last_loss": steps[-1]["loss"] if steps else None,
        "monitor": monitor,
        "checks": [{k: v for k, v in check.items() if k != "v"} for check in checks],
        "best": _best(checks, monitor),
        "draws": [{k: v for k, v in step.items() if k != "v"} for step in steps if "drawn" in step],
        "checkpoints": {name: str(path) for name in ("best", "last") if (path := run / "checkpoints" / name).exists()},
        "prompt": str(settings.get("prompt") or "").split(" ")[0],
        **{name: written[name] for name in _TOLD if name in written},
        "run": str(run),
    }


def training_tables(found: Record) -> list[Table]:
    """Return the tables of the trainings among what :func:`regreen.report.report` returned."""
    runs = [run for run in found.get("runs", [found]) if is_training(run)]
    return [table for run in runs for table in (_course(run), _draws(run), _checks(run)) if table.rows]


def _course(run: Record) -> Table:
    steps = f"{run['steps']} of {run['of']}" if run["of"] else str(run["steps"])
    rows = [
        ["model", run["model"] or "-"],
        ["steps", steps],
        ["tokens", f"{run['tokens']:,}"],
        ["loss, first to last step", f"{_number(run['first_loss'])} to {_number(run['last_loss'])}"],
        ["seconds, checks included", f"{run['seconds']:.0f}"],
        ["tokens a second, checks excluded", _number(run["tokens_per_second"], 0)],
        *([f"checkpoint {name}", place] for name, place in run["checkpoints"].items()),
    ]
    notes = [] if run["finished"] else ["not finished: its own command goes on"]
    if "best" in run["checkpoints"]:
        place, few = shlex.quote(run["checkpoints"]["best"]), " --examples 0" if run.get("examples") else ""
        asked = f" --prompt {run['prompt']}{few}" if run["prompt"] else ""
        notes.append(f"regreen evaluate BENCHMARK -m hf:{place}{asked}")
    if run.get("too_long"):
        notes.append(f"{run['too_long']} lessons were longer than the model's context and were left out")
    return Table(f"Training on {run['benchmark']}", ["", run["run"]], rows, notes)


def _draws(run: Record) -> Table:
    """Return what an online training drew, in some rows from the first draw to the last."""
    every = run["draws"]
    chosen = [every[at] for at in _spread(len(every), _ROWS)]
    rewards = sorted({name for draw in chosen for name in draw if name.startswith("reward/")})
    names = [name for name in (*_WATCHED, *rewards, "staleness") if any(name in draw for draw in chosen)]
    rows = [[str(draw["step"]), *(_number(draw.get(name)) for name in names)] for draw in chosen]
    titles = [name.removeprefix("category/") for name in names]
    return Table("Programs drawn", ["step", *titles], rows, ["shares of the programs drawn before the step"])


def _checks(run: Record) -> Table:
    """Return the held-out numbers, a row for each check."""
    names = list(dict.fromkeys(name for check in run["checks"] for name in check if name not in ("step", "seconds")))
    rows = [
        [str(check["step"]), *(_number(check.get(name)) for name in names), "best" if check == run["best"] else ""]
        for check in run["checks"]
    ]
    held_out = f" ({run['held_out']} problems)" if "held_out" in run else ""
    note = f"the best is chosen by {run['monitor']} on what was held out{held_out}: evaluate it on other problems"
    return Table("Checks", ["step", *names, ""], rows, [note] if rows else [])


def _spread(count: int, most: int) -> list[int]:
    """Return so many places, at most, spread from the first to the last of ``count``."""
    return sorted({round(k * (count - 1) / (most - 1)) for k in range(most)}) if count else []


def _best(checks: list[Record], monitor: str | None) -> Record | None:
    """Return the first of the best checks, as the training chose it."""
    if monitor is None:
        return None
    measured = [check for check in checks if monitor in check]
    sign = -1 if monitor == "validation_loss" else 1
    best = max(measured, key=lambda check: sign * check[monitor], default=None)
    return None if best is None else {k: v for k, v in best.items() if k != "v"}


def _rate(records: list[Record]) -> float | None:
    """Return tokens a second over the steps alone: each took the time since the record before it."""
    pairs = [(one, other) for one, other in pairwise(records) if "loss" in other]
    seconds = sum(other["seconds"] - one["seconds"] for one, other in pairs)
    return (pairs[-1][1]["tokens"] - records[0].get("tokens", 0)) / seconds if seconds > 0 else None


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
