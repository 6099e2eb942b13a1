"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the public data sets, from $REGREEN_DATA or beside the repository."""
    root = Path(os.environ.get("REGREEN_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not root.is_dir():
        pytest.skip("no public data: set REGREEN_DATA")
    return root
