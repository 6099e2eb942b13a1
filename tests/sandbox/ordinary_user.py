"""Run a command as an ordinary user; as root, where Python and this project may lie in folders that only root may pass.

python ordinary_user.py COMMAND...
"""

import os
import sys
import sysconfig
from pathlib import Path

from regreen.sandbox.confine import linux

USER = 54321
PROJECT = Path(__file__).resolve().parents[2]


def needed() -> list[Path]:
    """The folders that the command must reach."""
    places = {PROJECT, Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib"))}
    data = os.environ.get("REGREEN_DATA")
    return [*places, *([Path(data)] if data else [])]


def closed_ancestor(path: Path) -> Path | None:
    """The outermost folder on the way to ``path`` that others may not pass."""
    return next((p for p in reversed([path, *path.parents]) if not p.stat().st_mode & 0o001), None)


def open_ways() -> None:
    """In a mount namespace of our own, replace closed folders by open ones that show only what is needed."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    ways: dict[Path, list[Path]] = {}
    for path in needed():
        closed = closed_ancestor(path)
        if closed is not None:
            ways.setdefault(closed, []).append(path)
    for closed, paths in ways.items():
        handles = {path: os.open(path, os.O_PATH) for path in paths}
        linux.mount("tmpfs", str(closed), "tmpfs", 0, "size=1m,mode=755")
        for path, handle in handles.items():
            path.mkdir(parents=True, exist_ok=True)
            linux.mount(f"/proc/self/fd/{handle}", str(path), None, linux.MS_BIND | linux.MS_REC)
            os.close(handle)


if __name__ == "__main__":
    if os.geteuid() == 0:
        open_ways()
        os.setgroups([])
        os.setresgid(USER, USER, USER)
        os.setresuid(USER, USER, USER)
    os.execvp(sys.argv[1], sys.argv[1:])
