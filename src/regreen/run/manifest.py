"""The manifest of a run directory: what was asked, and whether the same, or more of it, is asked again."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.records import MANIFEST, Record, read_json

LOCK = ".lock"
_DIGESTS = ("samples", "problems")  # settings that stand for a file's content
_MANIFEST_FIELDS: Mapping[str, Any] = {
    "command": str,
    "benchmark": str,
    "settings": dict,
    "grows": dict,
    "seconds": float | int,
    "finished": str | None,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is asked to do.

    ``decides`` holds everything that decides the result, as plain JSON: a run directory is continued only if it is the
    same. ``grows`` holds what may grow from one call to the next: ``n`` and ``limit``, None being without end.
    """

    command: str
    benchmark: str
    decides: Mapping[str, Any]
    grows: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Eight hexadecimal digits over the command, the benchmark and all that decides the result."""
        text = json.dumps([self.command, self.benchmark, self.decides], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def directory(self) -> Path:
        """Where the run lies unless ``-o`` says otherwise: ``runs/COMMAND-BENCHMARK-HASH``."""
        slug = re.sub(r"[^A-Za-z0-9+._-]+", "-", self.benchmark).strip("-") or "problems"
        return Path("runs") / f"{self.command}-{slug}-{self.hash}"


def read_manifest(path: Path) -> Record:
    """Return a run directory's manifest; raises InputError if the path is none."""
    if not (path / MANIFEST).is_file():
        if inner := sorted(path.glob(f"*/{MANIFEST}")):
            raise InputError(f"{path}: not a run directory, but it holds some; give one, as {inner[0].parent}")
        raise InputError(f"{path}: not a run directory (no {MANIFEST}); give one that `regreen score` printed")
    manifest = read_json(path / MANIFEST)
    for name, kind in _MANIFEST_FIELDS.items():
        if not isinstance(manifest.get(name, ...), kind):
            raise InputError(
                f"{path / MANIFEST}: no field {name!r} of the right kind; restore it, or begin again elsewhere"
            )
    return manifest


def begun(settings: Settings) -> Record:
    """Return the manifest of a new run."""
    return {
        "v": 1,
        "command": settings.command,
        "benchmark": settings.benchmark,
        "hash": settings.hash,
        "settings": dict(settings.decides),
        "grows": dict(settings.grows),
        "versions": _versions(),
        "argv": sys.argv,
        "started": now(),
        "finished": None,
        "seconds": 0.0,
    }


def _versions() -> dict[str, str]:
    return {
        "regreen": metadata.version("regreen"),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def resumed(path: Path, settings: Settings) -> Record | None:
    """Return the manifest of the run to continue, grown to the new settings, or None for a new directory."""
    if not (path / MANIFEST).exists():
        strangers = {entry.name for entry in path.iterdir()} - {LOCK, f"{MANIFEST}.new"}
        if strangers:
            raise InputError(f"{path}: a folder with other files and no {MANIFEST}; give -o a new or an empty folder")
        return None
    manifest = read_manifest(path)
    if manifest["command"] != settings.command:
        given = f"{path} holds a run of {manifest['command']!r}, not of {settings.command!r}"
        raise InputError(f"{given}; give another -o")
    wanted = {"command": settings.command, "benchmark": settings.benchmark, **settings.decides}
    held = {"command": manifest["command"], "benchmark": manifest["benchmark"], **manifest["settings"]}
    differing = [_difference(name, held.get(name), wanted.get(name)) for name in _union(held, wanted)]
    differing += [_shrunk(name, manifest["grows"].get(name), size) for name, size in settings.grows.items()]
    named = [text for text in differing if text]
    if named:
        raise InputError(f"{path} holds another run: {'; '.join(named)}. Give the same settings, or another -o")
    if manifest["grows"] != dict(settings.grows):
        manifest.update(grows=dict(settings.grows), finished=None)
    return manifest


def _union(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    return [*first, *(name for name in second if name not in first)]


def _difference(name: str, held: Any, wanted: Any) -> str | None:
    if held == wanted:
        return None
    if name in _DIGESTS and held and wanted:
        return f"the content of {name} is another"
    return f"{name} is {_short(held)} there, {_short(wanted)} here"


def _shrunk(name: str, held: int | None, wanted: int | None) -> str | None:
    """Say that a size would shrink; None, without end, is the largest."""
    if wanted is None or (held is not None and held <= wanted):
        return None
    return f"{name} is {'all' if held is None else held} there, {wanted} here, and may only grow"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def now() -> str:
    """Return the time as manifests say it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
