"""Fixtures for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from regreen.sandbox import LocalSandbox


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the public data sets, from $REGREEN_DATA or beside the repository."""
    root = Path(os.environ.get("REGREEN_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not root.is_dir():
        pytest.skip("no public data: set REGREEN_DATA")
    return root


@pytest.fixture(scope="session")
def sandbox() -> Iterator[LocalSandbox]:
    """A sandbox with the usual limits, in the strongest tier of this machine."""
    with LocalSandbox() as local:
        yield local
