"""The checkpoints that come with the package."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "tiny" / "weights"

SHIPPED = {
    "tiny": "comes with the package: 3 million parameters that write, refine and explain katas",
    "tiny-base": "what tiny and tiny-noisy began as: writes katas, and was taught nothing else",
    "tiny-noisy": "tiny-base, taught from programs of which four in ten have a bug",
}


def folder_of(name: str) -> Path:
    """Return the folder of a checkpoint in :data:`SHIPPED`, for any tool that reads Hugging Face's layout."""
    return _FOLDER / name


def place_of(place: str) -> str:
    """Return where a checkpoint lies: in the package for a name in :data:`SHIPPED`, unless there is such a path."""
    return str(folder_of(place)) if place in SHIPPED and not Path(place).exists() else place
