"""Landlock: confine this process to a few folders, without privileges and without namespaces (tier B)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

from regreen.sandbox.confine import linux

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_DEVICES = (1 << 6) | (1 << 9) | (1 << 11)  # make_char, make_sock... are never given back: scratch holds plain files
_TCP_BIND_AND_CONNECT = 3
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3
_RULE_PATH_BENEATH = 1
_VERSION_QUESTION = 1


def abi() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    try:
        return linux.syscall("landlock_create_ruleset", None, 0, _VERSION_QUESTION)
    except OSError:
        return 0


def confine(*, readable: Iterable[str], writable: Iterable[str]) -> None:
    """From now on this process and its children read below ``readable`` and write below ``writable`` alone."""
    version = abi()
    rights = _RIGHTS_BY_ABI[min(version, 5)]
    ruleset = linux.syscall("landlock_create_ruleset", *_attributes(version, rights), 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ & rights)
        for path in writable:
            _allow(ruleset, path, rights & ~_EXECUTE & ~_DEVICES & ~_IOCTL_DEV)
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        linux.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _attributes(version: int, rights: int) -> tuple[bytes, int]:
    fields = [rights]
    if version >= 4:
        fields.append(_TCP_BIND_AND_CONNECT)
    if version >= 6:
        fields.append(_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS)
    packed = struct.pack(f"={len(fields)}Q", *fields)
    return packed, len(packed)


def _allow(ruleset: int, path: str, rights: int) -> None:
    """Grant ``rights`` below ``path``, which is skipped where it does not exist."""
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
        linux.syscall("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, folder), 0)
    finally:
        os.close(folder)
