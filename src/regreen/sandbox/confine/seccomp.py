"""The system-call filter of a zygote and of everything it clones: a list of what is allowed, all else refused.

A refused call fails with EPERM (ENOSYS where the C library then takes an older way), so that a program which tries is
told so by an exception and its verdict says why. The filter is installed once per zygote and inherited.
"""

from __future__ import annotations

import ctypes
import errno
import signal
import struct

from regreen.sandbox.confine import linux

_AUDIT_ARCH = {"x86_64": 0xC000003E}
IS_KNOWN_HERE = linux.MACHINE in _AUDIT_ARCH  # the calls' numbers differ from processor to processor
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR_OFFSET, _ARCH_OFFSET = 0, 4

# Calls that every program may make, whatever the arguments (x86-64 numbers). Left out on purpose: execve, fork, sockets
# but for connected pairs, ptrace, process_vm_*, mounts, namespaces, keys, bpf, perf, io_uring, userfaultfd, shared
# memory, message queues, extended attributes, setpriority, scheduling, personality.
_ANY = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8,
    "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
    "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21, "pipe": 22, "select": 23,
    "sched_yield": 24, "mremap": 25, "msync": 26, "mincore": 27, "madvise": 28, "dup": 32, "dup2": 33, "pause": 34,
    "nanosleep": 35, "getitimer": 36, "alarm": 37, "setitimer": 38, "getpid": 39, "sendfile": 40, "sendto": 44,
    "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "getsockname": 51, "getpeername": 52,
    "setsockopt": 54, "getsockopt": 55, "exit": 60, "wait4": 61, "uname": 63, "flock": 73, "fsync": 74,
    "fdatasync": 75, "truncate": 76, "ftruncate": 77, "getdents": 78, "getcwd": 79, "chdir": 80, "fchdir": 81,
    "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88, "readlink": 89,
    "chmod": 90, "fchmod": 91, "umask": 95, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99,
    "times": 100, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "getpgrp": 111,
    "setsid": 112, "getgroups": 115, "getresuid": 118, "getresgid": 120, "getpgid": 121, "getsid": 124,
    "capget": 125, "capset": 126,
    "rt_sigpending": 127, "rt_sigtimedwait": 128, "rt_sigsuspend": 130, "sigaltstack": 131, "utime": 132,
    "statfs": 137, "fstatfs": 138, "getpriority": 140, "sched_getparam": 143, "sched_getscheduler": 145,
    "sched_get_priority_max": 146, "sched_get_priority_min": 147, "gettid": 186, "futex": 202,
    "sched_getaffinity": 204, "epoll_create": 213, "getdents64": 217, "set_tid_address": 218, "restart_syscall": 219,
    "fadvise64": 221, "timer_create": 222, "timer_settime": 223, "timer_gettime": 224, "timer_getoverrun": 225,
    "timer_delete": 226, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
    "epoll_wait": 232, "epoll_ctl": 233, "utimes": 235, "openat": 257, "mkdirat": 258, "newfstatat": 262,
    "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "readlinkat": 267, "fchmodat": 268,
    "faccessat": 269, "pselect6": 270, "ppoll": 271, "set_robust_list": 273, "utimensat": 280, "epoll_pwait": 281,
    "timerfd_create": 283, "eventfd": 284, "fallocate": 285, "timerfd_settime": 286, "timerfd_gettime": 287,
    "eventfd2": 290, "epoll_create1": 291, "dup3": 292, "pipe2": 293, "preadv": 295, "pwritev": 296,
    "getcpu": 309, "renameat2": 316, "getrandom": 318, "membarrier": 324, "copy_file_range": 326,
    "statx": 332, "rseq": 334, "close_range": 436, "faccessat2": 439,
}  # fmt: skip
_SIGNALS = {"kill": 62, "tgkill": 234, "tkill": 200}
_SOCKETPAIR, _CLONE, _IOCTL, _PRCTL, _MEMFD_CREATE, _FCNTL, _PRLIMIT64 = 53, 56, 16, 157, 319, 72, 302
# chmod, fchmod, fchmodat, fchmodat2, utime, utimes, futimesat, utimensat: what Landlock does not watch over
_FILE_MARKS = (90, 91, 268, 452, 132, 235, 261, 280)
_OWNER_COMMANDS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: a way to send signals to any process
_AF_UNIX = 1
_TERMINAL_QUESTIONS = (0x5401, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA = 15, 16, 0x53564D41
_FIRST_UNKNOWN = 335  # calls from here on are young: "not implemented" makes the C library take an older way

_Instruction = tuple[int, int, int, int]


def _argument(index: int) -> int:
    return 16 + 8 * index


def _load(offset: int) -> _Instruction:
    return (_LOAD, 0, 0, offset)


def _return(action: int) -> _Instruction:
    return (_RETURN, 0, 0, action)


def _allow_call(number: int) -> list[_Instruction]:
    return [(_JEQ, 0, 1, number), _return(_ALLOW)]


def _allow_values(number: int, argument: int, values: tuple[int, ...]) -> list[_Instruction]:
    """Allow the call ``number`` only if its ``argument`` is one of ``values``."""
    body = [_load(_argument(argument))]
    for value in values:
        body += [(_JEQ, 0, 1, value), _return(_ALLOW)]
    body.append(_return(_ERRNO | errno.EPERM))
    return [(_JEQ, 0, len(body), number), *body]


def _allow_other_values(number: int, argument: int, values: tuple[int, ...]) -> list[_Instruction]:
    """Allow the call ``number`` unless its ``argument`` is one of ``values``."""
    body = [_load(_argument(argument))]
    for value in values:
        body += [(_JEQ, 0, 1, value), _return(_ERRNO | errno.EPERM)]
    body.append(_return(_ALLOW))
    return [(_JEQ, 0, len(body), number), *body]


def _allow_threads(fork_flags: int | None) -> list[_Instruction]:
    """Allow clone as a thread, and with exactly ``fork_flags``, which the zygote alone can use with success."""
    namespaces = (
        linux.CLONE_NEWNS | linux.CLONE_NEWUSER | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC
        | linux.CLONE_NEWUTS | linux.CLONE_NEWCGROUP
    )  # fmt: skip
    body = [_load(_argument(0))]
    if fork_flags is not None:
        body += [(_JEQ, 0, 1, fork_flags), _return(_ALLOW)]
    body += [(_JSET, 2, 0, namespaces), (_JSET, 0, 1, linux.CLONE_THREAD), _return(_ALLOW)]
    body.append(_return(_ERRNO | errno.EPERM))
    return [(_JEQ, 0, len(body), _CLONE), *body]


def zygote_filter(*, fork_flags: int, memory_files: bool, more_filters: bool) -> bytes:
    """The filter of a zygote: the list above, threads, its own clone.

    ``memory_files`` for the judge's side, which hands them out; ``more_filters`` where children add their own.
    """
    if not IS_KNOWN_HERE:
        raise OSError(f"no filter is written for the processor {linux.MACHINE}")
    program = [_load(_ARCH_OFFSET), (_JEQ, 1, 0, _AUDIT_ARCH[linux.MACHINE]), _return(_ERRNO | errno.EPERM)]
    program.append(_load(_NR_OFFSET))
    for number in (*_ANY.values(), *_SIGNALS.values()):
        program += _allow_call(number)
    if memory_files:
        program += _allow_call(_MEMFD_CREATE)
    if more_filters:
        program += _allow_call(linux.NUMBERS["seccomp"])
    program += _allow_values(_SOCKETPAIR, 0, (_AF_UNIX,))
    program += _allow_threads(fork_flags)
    program += _allow_values(_IOCTL, 1, _TERMINAL_QUESTIONS)
    program += _allow_values(_PRLIMIT64, 0, (0,))  # its own limits alone
    program += _allow_other_values(_FCNTL, 1, _OWNER_COMMANDS)
    program += _allow_prctl()
    program += [(_JGE, 0, 1, _FIRST_UNKNOWN), _return(_ERRNO | errno.ENOSYS), _return(_ERRNO | errno.EPERM)]
    return _assemble(program)


def child_filter() -> bytes:
    """The second, small filter of a child where no namespace confines it: no fork, no signals, no marks on files."""
    program = [_load(_ARCH_OFFSET), (_JEQ, 1, 0, _AUDIT_ARCH[linux.MACHINE]), _return(_ERRNO | errno.EPERM)]
    program.append(_load(_NR_OFFSET))
    program += _allow_threads(None)
    for number in (*_SIGNALS.values(), *_FILE_MARKS):
        program += [(_JEQ, 0, 1, number), _return(_ERRNO | errno.EPERM)]
    return _assemble([*program, _return(_ALLOW)])


def _allow_prctl() -> list[_Instruction]:
    """Thread names, and dying with the parent, which may be asked for but not taken back."""
    free = (_PR_SET_NAME, _PR_GET_NAME, _PR_SET_VMA)
    body = [_load(_argument(0))]
    for value in free:
        body += [(_JEQ, 0, 1, value), _return(_ALLOW)]
    body += [(_JEQ, 0, 3, linux.PR_SET_PDEATHSIG), _load(_argument(1)), (_JEQ, 0, 1, signal.SIGKILL), _return(_ALLOW)]
    body.append(_return(_ERRNO | errno.EPERM))
    return [(_JEQ, 0, len(body), _PRCTL), *body]


def _assemble(program: list[_Instruction]) -> bytes:
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def install(program: bytes) -> None:
    """Install a filter on this process, which has given up new privileges, and on all its children, for ever."""
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    linux.syscall("seccomp", 1, 0, header)
