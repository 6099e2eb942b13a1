"""Run a command with the recorder loaded into every Python process that it starts."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from regreen.curate.tracing import recorder
from regreen.errors import InputError

_HASH_SEED = "1"  # the judge has 0: what depends on the order of a set shows when it is judged


@contextmanager
def traced(
    command: Sequence[str], *, packages: Sequence[str] = (), most: int, quiet: bool
) -> Iterator[tuple[int, Path]]:
    """Run a command, and yield its exit code and the file of what was recorded, which is gone afterwards.

    What it prints goes to standard error, or nowhere.

    Args:
        command: what to run, in the current directory.
        packages: whose functions are recorded; none for what lies below the current directory.
        most: calls kept of a function in each process.
        quiet: show nothing of what the command prints.

    Raises:
        InputError: it cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="regreen-trace-") as folder:
        calls = _prepare(Path(folder))
        where = subprocess.DEVNULL if quiet else 2
        environment = _environment(folder, packages, most)
        try:
            done = subprocess.run(command, env=environment, stdout=where, stderr=where, stdin=subprocess.DEVNULL)
        except OSError as error:
            raise InputError(f"{command[0]}: cannot be started ({error.strerror}); give a command after --") from error
        yield done.returncode, calls


def _prepare(folder: Path) -> Path:
    (folder / f"{recorder.NAME}.py").write_bytes(Path(recorder.__file__).read_bytes())
    (folder / "sitecustomize.py").write_text(recorder.START)
    (folder / recorder.FILE).touch()
    return folder / recorder.FILE


def _environment(folder: str, packages: Sequence[str], most: int) -> Mapping[str, str]:
    given = os.environ
    path = os.pathsep.join(filter(None, (folder, given.get("PYTHONPATH"))))
    asked = "\n".join((folder, os.getcwd(), " ".join(packages), str(most)))
    return {"PYTHONHASHSEED": _HASH_SEED, **given, "PYTHONPATH": path, recorder.VARIABLE: asked}
