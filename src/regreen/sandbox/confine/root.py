"""The private root of a zygote: the standard library read-only, a small scratch folder, nothing of the host's."""

from __future__ import annotations

import os
from collections.abc import Iterable

from regreen.sandbox.confine import linux

SCRATCH = "/tmp"
_SCRATCH_LIMITS = "size=64m,nr_inodes=4096,mode=1777"
_LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_STAND = "/tmp"  # where the new root is put together: a folder that every host has
_RELATIME = 1 << 21
_KEPT_FLAGS = {2: linux.MS_NOSUID, 4: linux.MS_NODEV, 8: linux.MS_NOEXEC, 1024: 1024, 2048: 2048, 4096: _RELATIME}


def readable_folders(packages: Iterable[str]) -> list[str]:
    """The folders a program needs: shared libraries, the standard library, and those of preloaded ``packages``."""
    standard = os.path.dirname(os.__file__)
    return [*(f for f in _LIBRARY_FOLDERS if os.path.isdir(f)), standard, *packages]


def enter_private_root(packages: Iterable[str], *, owner: int) -> None:
    """Build the root in this process's own mount namespace and move into it; scratch belongs to user ``owner``."""
    folders = [*readable_folders(packages), *(d for d in _DEVICES if os.path.exists(d))]
    handles = {path: os.open(path, os.O_PATH) for path in folders if not os.path.islink(path)}
    links = {path: os.readlink(path) for path in folders if os.path.islink(path)}
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    proc = os.open("/proc", os.O_PATH)
    linux.mount("tmpfs", _STAND, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,mode=755")
    for path, handle in handles.items():
        _bind(f"/proc/self/fd/{handle}", path)
        os.close(handle)
    for path, target in links.items():
        os.makedirs(_STAND + os.path.dirname(path), exist_ok=True)
        os.symlink(target, _STAND + path)
    os.close(proc)
    _hide_site_packages()
    _mount_scratch(owner)
    _move_in()


def _bind(source: str, path: str) -> None:
    """Show ``source`` read-only at ``path`` of the new root."""
    target = _STAND + path
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    # Flags that the host's mount carries are locked in a user namespace and must be named again.
    there = os.statvfs(target).f_flag
    kept = sum(flag for bit, flag in _KEPT_FLAGS.items() if there & bit)
    linux.mount("none", target, None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | kept)


def _hide_site_packages() -> None:
    """Installed packages are the host's affair: a program must not depend on which happen to lie there."""
    standard = _STAND + os.path.dirname(os.__file__)
    for name in ("site-packages", "dist-packages"):
        folder = os.path.join(standard, name)
        if os.path.isdir(folder) and not os.listdir(folder + "/../"):
            continue
        if os.path.isdir(folder):
            linux.mount("tmpfs", folder, "tmpfs", linux.MS_RDONLY | linux.MS_NOSUID, "size=4k,mode=755")


def _mount_scratch(owner: int) -> None:
    scratch = _STAND + SCRATCH
    os.makedirs(scratch, exist_ok=True)
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("tmpfs", scratch, "tmpfs", flags, f"{_SCRATCH_LIMITS},uid={owner}")


def _move_in() -> None:
    os.chdir(_STAND)
    os.mkdir("old")
    linux.syscall("pivot_root", b".", b"old")
    os.chdir("/")
    linux.unmount("/old")
    os.rmdir("/old")
    linux.mount("none", "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID)
    os.chdir(SCRATCH)


def wipe(folder: str) -> None:
    """Empty ``folder`` and undo what a program may have done to the folder itself.

    Folders inside folders are first moved up to ``folder``: however deep they were nested, no path grows long and
    nothing recurses.
    """
    os.chmod(folder, 0o700)
    name = int.from_bytes(os.urandom(8), "big")  # not to be guessed: a folder may not stand in the way
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in os.scandir(entry.path):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)
                name += 1
                os.rename(inner.path, f"{folder}/{name}")
            os.rmdir(entry.path)
    os.utime(folder, (0, 0))
