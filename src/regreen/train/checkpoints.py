"""Checkpoints of a training, each a folder that ``hf:`` loads; ``last`` and ``best`` are links to two of them.

A checkpoint is whole or not there: it is written beside, synced, and renamed; then the links are replaced. Only what a
link names is kept, and only ``last`` has the state to go on from.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regreen.records import read_json, write_json
from regreen.train.learner import STATE, Learner

LAST, BEST = "last", "best"
MANIFEST = "manifest.json"


class Checkpoints:
    """The checkpoints in a folder.

    Args:
        folder: where they lie; made when the first is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, learner: Learner, facts: Mapping[str, Any], *, best: bool) -> Path:
        """Save a policy and what goes on from it as ``last``, and as ``best`` too if it is.

        Args:
            learner: whose policy.
            facts: what the checkpoint's manifest says, as plain JSON.
            best: nothing before was better.
        """
        whole = self._whole(learner.steps)
        draft = whole.with_name(f"{whole.name}.new")
        for leftover in (draft, whole):  # of a process that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        draft.mkdir(parents=True)
        learner.policy.save(draft)
        learner.save(draft)
        write_json(draft / MANIFEST, facts)
        _sync(draft)
        draft.rename(whole)
        for name in (LAST, BEST)[: 1 + best]:
            self._link(name, whole)
        self._prune()
        return whole

    def settle(self, best: int) -> None:
        """Link as ``best`` what was best after so many steps: a process may be killed between its two links."""
        self._link(BEST, self._whole(best))

    def last(self) -> Path | None:
        """Return the newest checkpoint, or None."""
        return self.folder / LAST if (self.folder / LAST).exists() else None

    def facts(self, name: str = LAST) -> dict[str, Any]:
        """Return what a checkpoint's manifest says."""
        return read_json(self.folder / name / MANIFEST)

    def _whole(self, steps: int) -> Path:
        return self.folder / f"step-{steps:06d}"

    def _link(self, name: str, whole: Path) -> None:
        draft = self.folder / f"{name}.new"
        draft.unlink(missing_ok=True)
        draft.symlink_to(whole.name)
        draft.replace(self.folder / name)

    def _prune(self) -> None:
        kept = {name: (self.folder / name).resolve() for name in (LAST, BEST)}
        for folder in self.folder.glob("step-*"):
            if folder.resolve() not in kept.values():
                shutil.rmtree(folder)
        if kept[BEST] != kept[LAST]:
            (kept[BEST] / STATE).unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
