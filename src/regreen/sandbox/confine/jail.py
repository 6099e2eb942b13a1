"""The jail: what is done once in a zygote and inherited, and what is done in each child before foreign code runs.

==== ================================================================= ==========================================
tier once per zygote                                                    per child
==== ================================================================= ==========================================
A    namespaces (user, mount, net, ipc, uts), private root, seccomp,    process namespace, no capabilities
     limits
B    Landlock, seccomp, limits                                          no capabilities, a second filter
C    limits                                                             a session of its own
==== ================================================================= ==========================================
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Sequence
from typing import NamedTuple

from regreen.sandbox.limits import Limits

if sys.platform == "linux":
    from regreen.sandbox.confine import landlock, linux, root, seccomp

NOBODY = 65534
_DESCRIPTORS = 64
_THREADS = 64
_STACK = 64 << 20
_FILE_SIZE = 16 << 20


class Jail(NamedTuple):
    """How zygotes are confined: tier, limits, folders of preloaded packages, and (tiers B and C) a scratch folder."""

    tier: str
    limits: Limits
    packages: tuple[str, ...] = ()
    scratch: str = "/tmp"

    @property
    def fork_flags(self) -> int:
        """The clone flags of a child: its own process namespace in tier A."""
        return signal.SIGCHLD | (linux.CLONE_NEWPID if self.tier == "A" else 0)

    def enter(self, *, judge: bool) -> None:
        """Confine this zygote, and with it all its children; ``judge`` for the side that runs the checks."""
        if self.tier == "A":
            _enter_namespaces(self.packages)
        elif self.tier == "B":
            _confine_to_folders(self.packages, self.scratch)
        os.chdir(self.scratch)
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_DFL)
        if not judge:
            set_limits(self.limits, threads=self.tier == "A")
        if self.tier != "C":
            if not judge:  # the judge ends when the engine's socket closes: its parent is a thread, which may end first
                linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
            linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
            own_filter = self.tier == "B"
            seccomp.install(
                seccomp.zygote_filter(fork_flags=self.fork_flags, memory_files=judge, more_filters=own_filter)
            )

    def fork(self) -> int:
        """Make a child; returns 0 in it."""
        return os.fork() if self.tier == "C" else linux.fork(self.fork_flags)

    def confine_child(self, descriptors: Sequence[int]) -> None:
        """In a new child: install ``descriptors`` as 0, 1, 2 ..., close all others, leave the group, drop rights.

        Every page that a child touches first is copied, which costs more than the calls themselves: hence no more
        than calls here, into C, with arguments made beforehand.
        """
        for number, fd in enumerate(descriptors):
            _dup2(fd, number)
        _closerange(len(descriptors), 1 << 16)
        _setsid()  # a signal to "my process group" must not reach the zygote
        if self.tier != "C":
            linux.die_with_parent()
            linux.drop_capabilities()
        self.finish_child()

    def finish_child(self) -> None:
        """In a new child, last: what only Python can do."""
        if self.tier == "B":
            seccomp.install(_CHILD_FILTER)


_dup2, _closerange, _setsid = os.dup2, os.closerange, os.setsid
_CHILD_FILTER = seccomp.child_filter() if sys.platform == "linux" and seccomp.IS_KNOWN_HERE else b""


def reserve_low_descriptors(count: int) -> None:
    """Fill 0 .. ``count - 1``, so that a child's descriptors never lie where others are to be installed."""
    while (fd := os.open("/dev/null", os.O_RDWR)) < count:
        pass
    os.close(fd)


def set_limits(limits: Limits, *, threads: bool) -> None:
    """Set this process's limits, which its children inherit; time is watched by the zygote instead."""
    size = max(limits.output, _FILE_SIZE)
    wanted = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_FSIZE: size,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_STACK: _STACK,
    }
    if threads:  # elsewhere the user's other processes would count
        wanted[resource.RLIMIT_NPROC] = _THREADS
    for name, value in wanted.items():
        _, hard = resource.getrlimit(name)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (value, value))


def _enter_namespaces(packages: tuple[str, ...]) -> None:
    apart = linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    if os.geteuid() == 0:
        # Folders that only root may pass are bound while this still is root; then it becomes nobody, for good.
        linux.unshare(apart)
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        root.enter_private_root(packages, owner=NOBODY)
        _become_nobody(proc)
        os.close(proc)
    else:
        uid, gid = os.geteuid(), os.getegid()
        linux.unshare(apart | linux.CLONE_NEWUSER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {uid} 1")
        _write("/proc/self/gid_map", f"0 {gid} 1")
        root.enter_private_root(packages, owner=0)


def _become_nobody(proc: int) -> None:
    """Enter a user namespace in which this process is user 0, and outside it nobody."""
    parent = os.getpid()
    ready, go = os.pipe()
    helper = os.fork()
    if helper == 0:
        # Only a process outside the namespace may write its maps.
        os.close(go)
        os.read(ready, 1)
        for name in ("uid_map", "gid_map"):
            fd = os.open(f"{parent}/{name}", os.O_WRONLY, dir_fd=proc)
            os.write(fd, f"0 {NOBODY} 1".encode())
        os._exit(0)
    os.close(ready)
    linux.unshare(linux.CLONE_NEWUSER)
    os.close(go)
    _, status = os.waitpid(helper, 0)
    if status:
        raise OSError("the user namespace's maps could not be written")
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _confine_to_folders(packages: tuple[str, ...], scratch: str) -> None:
    readable = [*root.readable_folders(packages), "/dev/urandom", "/dev/random", "/dev/zero", "/dev/full"]
    landlock.confine(readable=readable, writable=[scratch, "/dev/null"])
