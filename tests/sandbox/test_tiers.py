"""The judge's tests and the cheats once more, where the machine allows less: in a container, as an ordinary user."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
INSIDE = "REGREEN_TEST_INSIDE"
PURE = ("test_compare.py", "test_plain.py", "test_wire.py")  # they start no process: nothing can differ

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="wrappers for Linux"),
    pytest.mark.skipif(INSIDE in os.environ, reason="these tests start the others, not themselves"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of which the way is open to every user; the way to ``tmp_path`` is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def run_again(wrapper: str, tier: str, folder: Path) -> str:
    """Run ``tests/sandbox`` under a wrapper script and return what pytest printed; fails if a test did."""
    command = [sys.executable, HERE / wrapper, sys.executable, "-m", "pytest", HERE, "-q", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "-p", "no:hypothesispytest", "--basetemp", folder / "inside"]
    command += [f"--ignore={HERE / name}" for name in PURE]
    settings = {INSIDE: "1", "REGREEN_TEST_TIER": tier, "TMPDIR": str(folder), "HOME": str(folder)}
    environment = {**os.environ, **settings, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(PROJECT / "src")}
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    return done.stdout


def test_the_judge_holds_inside_a_container_at_tier_b(folder: Path) -> None:
    """Namespaces are refused: Landlock and the filter confine instead, and the same tests pass."""
    assert " passed" in run_again("container.py", "B", folder)


def test_the_judge_holds_for_an_ordinary_user_at_tier_a(folder: Path) -> None:
    """Without root's rights the same tests pass, at the same tier."""
    assert " passed" in run_again("ordinary_user.py", "A", folder)
