"""One server for all tests of it, in a process of its own, on a free port of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.servers import Server, started


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server with one job, in whose queue 40 programs may wait; it must say nothing but its address."""
    with started("-j", "1", "--queue", "40") as running:
        yield running
        running.process.terminate()
        assert running.process.communicate(timeout=20) == ("", "")
