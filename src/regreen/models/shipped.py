"""The checkpoints that come with the package."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "tiny" / "weights"

SHIPPED = {
    "tiny-base": "comes with the package: 3 million parameters that write katas",
}


def folder_of(name: str) -> Path:
    """Return the folder of a checkpoint in :data:`SHIPPED`, for any tool that reads Hugging Face's layout."""
    return _FOLDER / name
