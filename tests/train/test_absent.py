"""Trainings without what they need."""

import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules[{absent!r}] = None  # as if it were not installed
from regreen.cli import main
for kind in ("sft", "cycle", "rltf", "docstring", "execution"):
    try:
        main(["train", kind, {config!r}])
    except SystemExit as stopped:
        print(kind, stopped.code)
"""


@pytest.mark.parametrize("absent", ["torch", "transformers", "accelerate"])
def test_what_is_not_installed_is_named_with_its_extra_in_one_line(absent, tmp_path):
    config = tmp_path / "train.toml"
    config.write_text('model = "tiny-base"\nproblems = "katas"\n')
    program = WITHOUT.format(absent=absent, config=str(config))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["sft", "2", "cycle", "2", "rltf", "2", "docstring", "2", "execution", "2"]
    lines = done.stderr.splitlines()
    assert len(lines) == 5
    assert all(line.startswith(f"regreen: {absent} is not installed (pip install 'regreen[") for line in lines)
