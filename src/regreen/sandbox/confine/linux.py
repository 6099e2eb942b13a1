"""The few Linux system calls that Python does not offer, through ctypes. Nothing here decides anything."""

from __future__ import annotations

import ctypes
import os
import struct

# PyDLL keeps the interpreter lock during the call: the zygote clones itself through it, and a child that came out of a
# call which had let the lock go would wait for it for ever.
_libc = ctypes.PyDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long

CLONE_NEWNS = 0x00020000
CLONE_THREAD = 0x00010000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_NEWTIME = 0x00000080

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
ADDR_NO_RANDOMIZE = 0x0040000

# Numbers of the calls made here by number (x86-64; those above 423 are the same on every architecture).
_NR = {"x86_64": {"clone": 56, "capset": 126, "personality": 135, "pivot_root": 155, "seccomp": 317}}
_COMMON = {"landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446}
MACHINE = os.uname().machine
NUMBERS = {**_NR.get(MACHINE, {}), **_COMMON}


def syscall(name: str, *args: int | bytes | None) -> int:
    """Make a system call by name; raises OSError as the os module does."""
    number = NUMBERS.get(name)
    if number is None:
        raise OSError(38, f"{name}: no number known for {MACHINE}")
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = int(_syscall(ctypes.c_long(number), *words))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def _checked(name: str, *args: object) -> int:
    result = int(getattr(_libc, name)(*args))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def prctl(option: int, value: int = 0) -> int:
    """Call prctl(2) with one argument."""
    return _checked("prctl", option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    _checked("unshare", flags)


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Call mount(2)."""
    texts = [text.encode() if text is not None else None for text in (source, target, kind, data)]
    _checked("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])


def unmount(target: str) -> None:
    """Detach a mount."""
    _checked("umount2", target.encode(), MNT_DETACH)


def fork(flags: int) -> int:
    """Clone this single-threaded process with ``flags``; return 0 in the child, its id in the parent.

    Python's at-fork hooks are skipped on purpose: there are no threads to repair, and the hooks of ``random`` and
    ``threading`` cost more than the clone.
    """
    return syscall("clone", flags, 0, 0, 0, 0)


# Arguments of the two calls that every child makes, ready for C.
_ZERO = ctypes.c_ulong(0)
_DIE = (ctypes.c_int(PR_SET_PDEATHSIG), ctypes.c_ulong(9), _ZERO, _ZERO, _ZERO)
_CAPSET = (
    ctypes.c_long(NUMBERS.get("capset", -1)),
    ctypes.c_char_p(struct.pack("=Ii", 0x20080522, 0)),
    ctypes.c_char_p(bytes(24)),
)
_prctl = _libc.prctl


def die_with_parent() -> None:
    """Have this process killed when its parent ends."""
    _prctl(*_DIE)


def drop_capabilities() -> None:
    """Give up every capability of this process; ends it if that is refused."""
    if _syscall(*_CAPSET) != 0:
        os._exit(71)


def no_address_randomization() -> bool:
    """Ask for fixed addresses at the next exec; return False if this is already so or refused."""
    try:
        persona = syscall("personality", 0xFFFFFFFF)
        if persona & ADDR_NO_RANDOMIZE:
            return False
        syscall("personality", persona | ADDR_NO_RANDOMIZE)
        return bool(syscall("personality", 0xFFFFFFFF) & ADDR_NO_RANDOMIZE)
    except OSError:
        return False
