"""A training's numbers, shown where one watches trainings: TensorBoard, trackio or Weights & Biases.

By accelerate's own trackers. They only show: what is kept of a training is its ``metrics.jsonl``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.train.config import Tracker

PROJECT = "regreen"

Log = Callable[[Mapping[str, float], int], None]
_EXTRA = ("tensorboard", "trackio")  # what the extra [track] installs


def require(name: Tracker | None) -> None:
    """See that a tracker is installed, before anything is loaded.

    Raises:
        InputError: it is not.
    """
    if name is not None and importlib.util.find_spec(name) is None:
        what = "'regreen[track]'" if name in _EXTRA else name
        raise InputError(f'track = "{name}": not installed; pip install {what}, or leave track out')


@contextmanager
def tracked(name: Tracker | None, folder: Path, *, since: int) -> Iterator[Log]:
    """Open a tracker for a run directory, whose name the run has there.

    TensorBoard's events lie in the directory itself. A training that goes on has the same run, in which TensorBoard
    drops what is done again; in Weights & Biases, where no step comes twice, it has another run of that name.

    Args:
        name: which one, None for none.
        folder: the run directory.
        since: the first step that is not yet known, or is done again.

    Yields:
        A function to call with numbers by name, and their step.

    Raises:
        InputError: it cannot be opened.
    """
    if name is None:
        yield lambda numbers, step: None
        return
    with redirect_stdout(sys.stderr):  # they greet; standard output is for results
        tracker = _started(name, folder.resolve(), since)
    try:
        yield lambda numbers, step: tracker.log(dict(numbers), step=step)
    finally:
        with redirect_stdout(sys.stderr):
            _finish(name, tracker)


def _started(name: Tracker, folder: Path, since: int) -> Any:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS  # type: ignore[import-untyped]

    settings: dict[Tracker, dict[str, Any]] = {
        "tensorboard": {"run_name": folder.name, "logging_dir": folder.parent, "purge_step": since},
        "trackio": {"run_name": PROJECT, "name": folder.name, "resume": "allow"},
        "wandb": {"run_name": PROJECT, "name": folder.name, "dir": str(folder)},
    }
    tracker = LOGGER_TYPE_TO_CLASS[name](**settings[name])
    try:
        tracker.start()
    except Exception as error:  # whatever theirs may raise, as for a key that is missing
        first = " ".join(str(error).split())
        raise InputError(f'track = "{name}": {type(error).__name__}: {first}; mend it, or leave track out') from error
    return tracker


def _finish(name: Tracker, tracker: Any) -> None:
    if name == "trackio":  # accelerate's leaves the run to be finished once more at exit, on standard output
        import trackio

        trackio.finish()  # type: ignore[no-untyped-call]
    else:
        tracker.finish()
