"""Fixtures for the tests of the judge: sandboxes in the tier that ``REGREEN_TEST_TIER`` asks for."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from regreen.sandbox import Limits, LocalSandbox

# The same examples every time; no folder is written, since these tests also run where nothing may be.
settings.register_profile(
    "sandbox", deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sandbox")


@pytest.fixture(scope="session")
def tier() -> str:
    """The weakest tier that will do."""
    return os.environ.get("REGREEN_TEST_TIER", "B")


@pytest.fixture(scope="session")
def sandbox(tier: str) -> Iterator[LocalSandbox]:
    """A sandbox with the usual limits and one lane."""
    with LocalSandbox(jobs=1, tier=tier) as local:
        yield local


@pytest.fixture(scope="session")
def hasty(tier: str) -> Iterator[LocalSandbox]:
    """A sandbox with short limits and one lane, for programs that exceed them."""
    with LocalSandbox(Limits(timeout=0.25, memory=256 << 20, output=10_000), jobs=1, tier=tier) as local:
        yield local
