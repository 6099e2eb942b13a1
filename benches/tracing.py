"""What the tracer of ``regreen curate trace`` costs a test suite: CPU time beside a plain run, and beside a bare hook.

The bare hook is a profile function that does nothing, which is the least that tracing costs where Python has nothing
better (before 3.12). Contenders take turns in rounds, since a machine's speed drifts; ratios are taken within a round,
and the table gives their median and, in brackets, the lowest and highest.

    python benches/tracing.py
    python benches/tracing.py --package statistics -- python3.13 -m test test_statistics
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from regreen.curate.tracing.running import traced  # noqa: E402

SUITE = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_extract.py", "tests/test_tree.py"]
HOOK = "import sys, threading\nhook = lambda *event: None\nthreading.setprofile(hook)\nsys.setprofile(hook)\n"


def main() -> None:
    options = _options()
    command = options.command or SUITE
    rounds = [_round(command, options.package) for _ in range(options.rounds + 1)][1:]  # the first warms up
    print(f"{platform.platform()}, {os.cpu_count()} cores, {' '.join(map(str, command))}")
    plain = statistics.median(seconds["plain"] for seconds in rounds)
    print(f"plain: {plain:.2f} s of CPU, median of {len(rounds)} rounds")
    for name in ("a hook that does nothing", "regreen"):
        ratios = sorted(seconds[name] / seconds["plain"] for seconds in rounds)
        print(f"{name}: {statistics.median(ratios):.2f} times [{ratios[0]:.2f}, {ratios[-1]:.2f}]")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--package", action="append", help="whose functions are recorded (regreen)")
    parser.add_argument("command", nargs="*", help="the suite (some of regreen's tests)")
    return parser.parse_args()


def _round(command: list[str], packages: list[str] | None) -> Mapping[str, float]:
    """Return each contender's seconds of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(HOOK)
        return {
            "plain": _seconds(lambda: _run(command, {})),
            "a hook that does nothing": _seconds(lambda: _run(command, {"PYTHONPATH": folder})),
            "regreen": _seconds(lambda: _traced(command, packages or ["regreen"])),
        }


def _seconds(job: Callable[[], None]) -> float:
    """Return the seconds of CPU that a job's child processes took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    job()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _run(command: list[str], more: Mapping[str, str]) -> None:
    paths = [more.get("PYTHONPATH"), str(ROOT / "src")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONHASHSEED": "1"}
    subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def _traced(command: list[str], packages: list[str]) -> None:
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    os.chdir(ROOT)
    with traced(command, packages=packages, most=20, quiet=True) as (code, calls):
        assert code == 0
        assert calls.stat().st_size > 0


if __name__ == "__main__":
    main()
