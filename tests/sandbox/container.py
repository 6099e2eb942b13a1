"""Run a command as a container's default profile would: root with few capabilities, and a filter of system calls.

    python container.py COMMAND...

Refuses what the usual default profile refuses: namespaces, mounts, foreign memory, keys, bpf, io_uring and the like.
"""

import errno
import os
import struct
import sys

from regreen.sandbox.confine import linux, seccomp

# x86-64 numbers: unshare, setns, mount, umount2, pivot_root, the new mount calls, keys, bpf, perf, userfaultfd, kexec,
# modules, swap, reboot, handles, accounting, clocks, quotas, syslog, foreign memory, io_uring.
REFUSED = (
    272, 308, 165, 166, 155, 428, 429, 430, 431, 432, 442, 248, 249, 250, 321, 298, 323, 246, 320, 175, 176, 313, 167,
    168, 169, 303, 304, 163, 164, 159, 227, 305, 179, 103, 310, 311, 312, 425, 426, 427, 237, 238, 239, 256, 279,
)  # fmt: skip
CLONE, CLONE3, PERSONALITY = 56, 435, 135
PERSONALITIES = (0, 8, 0x20000, 0x20008, 0xFFFFFFFF)
# chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, mknod,
# audit_write, setfcap
CAPABILITIES = sum(1 << n for n in (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31))


def profile() -> bytes:
    """The filter, assembled."""
    refuse, allow = 0x00050000 | errno.EPERM, 0x7FFF0000
    program = [(0x20, 0, 0, 0)]
    for number in REFUSED:
        program += [(0x15, 0, 1, number), (0x06, 0, 0, refuse)]
    program += [(0x15, 0, 1, CLONE3), (0x06, 0, 0, 0x00050000 | errno.ENOSYS)]
    namespaces = 0x7E020080
    program += [(0x15, 0, 4, CLONE), (0x20, 0, 0, 16), (0x45, 0, 1, namespaces), (0x06, 0, 0, refuse)]
    program += [(0x06, 0, 0, allow)]
    program += [(0x15, 0, 2 + 2 * len(PERSONALITIES), PERSONALITY), (0x20, 0, 0, 16)]
    for value in PERSONALITIES:
        program += [(0x15, 0, 1, value), (0x06, 0, 0, allow)]
    program += [(0x06, 0, 0, refuse), (0x06, 0, 0, allow)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def drop_to_container_rights() -> None:
    """Keep a container's capabilities, in the bounding set too; an ordinary user has none to drop."""
    if os.geteuid() != 0:
        return
    for number in range(41):
        if not CAPABILITIES >> number & 1:
            linux.prctl(24, number)  # PR_CAPBSET_DROP
    low, high = CAPABILITIES & 0xFFFFFFFF, CAPABILITIES >> 32
    linux.syscall("capset", struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", low, low, 0, high, high, 0))


if __name__ == "__main__":
    drop_to_container_rights()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(profile())
    os.execvp(sys.argv[1], sys.argv[1:])
