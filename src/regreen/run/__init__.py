"""A run directory: what was asked, every program, every verdict; append-only, locked and resumable."""

from regreen.run.directory import Run
from regreen.run.manifest import Settings, read_manifest

__all__ = ["Run", "Settings", "read_manifest"]
