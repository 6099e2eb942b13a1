"""The judge's tests and the cheats once more, where the machine allows less: in a container, as an ordinary user."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
INSIDE = "REGREEN_TEST_INSIDE"

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="wrappers for Linux"),
    pytest.mark.skipif(INSIDE in os.environ, reason="these tests start the others, not themselves"),
]


def run_again(wrapper: str, tier: str, folder: Path) -> str:
    """Run ``tests/sandbox`` under a wrapper script and return what pytest printed; fails if a test did."""
    folder.chmod(0o777)
    command = [sys.executable, HERE / wrapper, sys.executable, "-m", "pytest", HERE, "-q", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "-p", "no:hypothesispytest", "--basetemp", folder / "inside"]
    settings = {INSIDE: "1", "REGREEN_TEST_TIER": tier, "TMPDIR": str(folder), "HOME": str(folder)}
    environment = {**os.environ, **settings, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(PROJECT / "src")}
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    return done.stdout


def test_the_judge_holds_inside_a_container_at_tier_b(tmp_path: Path) -> None:
    """Namespaces are refused: Landlock and the filter confine instead, and the same tests pass."""
    assert " passed" in run_again("container.py", "B", tmp_path)


def test_the_judge_holds_for_an_ordinary_user_at_tier_a(tmp_path: Path) -> None:
    """Without root's rights the same tests pass, at the same tier."""
    assert " passed" in run_again("ordinary_user.py", "A", tmp_path)
