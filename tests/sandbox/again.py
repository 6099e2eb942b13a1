"""The judge's tests and the cheats once more, where the machine allows less.

Each way is a file of tests of its own: they take minutes, and files are what the workers share out.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
INSIDE = "REGREEN_TEST_INSIDE"

OUTERMOST = [
    pytest.mark.skipif(sys.platform != "linux", reason="wrappers for Linux"),
    pytest.mark.skipif(INSIDE in os.environ, reason="these tests start the others, not themselves"),
]


# What does not depend on the tier need not be run again.
AGAIN = [HERE / name for name in ("test_cheats.py", "test_judge.py", "test_local.py", "test_proxy.py")]


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that any user may write to, and reach."""
    with tempfile.TemporaryDirectory(prefix="regreen-tests-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def run_again(wrapper: str, tier: str) -> str:
    """Run the tests of the judge under a wrapper script and return what pytest printed; fails if a test did."""
    with open_folder() as folder:
        return _run_again(wrapper, tier, folder)


def _run_again(wrapper: str, tier: str, folder: Path) -> str:
    command = [sys.executable, HERE / wrapper, sys.executable, "-m", "pytest", *AGAIN, "-q", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "--basetemp", folder / "inside"]
    settings = {INSIDE: "1", "REGREEN_TEST_TIER": tier, "TMPDIR": str(folder), "HOME": str(folder)}
    environment = {**os.environ, **settings, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(PROJECT / "src")}
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    return done.stdout
