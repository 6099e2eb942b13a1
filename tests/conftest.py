"""Fixtures for all tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Tiny models are fastest on one thread, in the tests and in the servers they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from regreen.problem import Problem, problem_from_line
from regreen.sandbox import LocalSandbox
from tests.models import tiny


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


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Make a folder or file by its name, once for all processes that run tests side by side."""
    filelock = pytest.importorskip("filelock")
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def make(name: str, maker: Callable[[Path], object]) -> Path:
        with filelock.FileLock(root / f"{name}.lock"):
            if not (root / name).exists():
                maker(root / f"{name}.part")
                (root / f"{name}.part").rename(root / name)
        return root / name

    return make


@pytest.fixture(scope="session")
def checkpoint(make_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A tiny causal checkpoint that writes programs for `tiny_problems`, some right and some wrong."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return make_once("checkpoint", tiny.make_checkpoint)


@pytest.fixture(scope="session")
def gguf(make_once: Callable[[str, Callable[[Path], object]], Path], checkpoint: Path) -> Path:
    """The same checkpoint as a file for llama.cpp."""
    pytest.importorskip("gguf")
    from regreen.export import export_gguf

    return make_once("checkpoint.gguf", lambda file: export_gguf(checkpoint, file))


@pytest.fixture(scope="session")
def tiny_problems() -> list[Problem]:
    """The problems that the tiny checkpoint has learned."""
    return [problem_from_line(line) for line in tiny.problem_lines()]
