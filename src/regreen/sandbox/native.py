"""The zygote's loop in C (``_zygote.c``), where it was built: the same as the one in Python, and cheaper."""

from __future__ import annotations

import ctypes
import importlib.machinery
import os
import struct
from typing import NamedTuple

_VERSION = 1  # as in _zygote.c
CHANNEL_CLOSED, SCRATCH_USED = -1, -2


class Loop(NamedTuple):
    """The loaded library."""

    library: ctypes.PyDLL

    def serve(self, channel: int, proc: int | None, flags: int, scratch: str, patience: bytes, end: bytearray) -> int:
        """Serve orders; returns a job's descriptor in a child, one of the codes above in the zygote.

        ``patience`` is five doubles, see ``_zygote.c``; ``end`` is filled with how the last child ended.
        """
        place = (ctypes.c_char * len(end)).from_buffer(end)
        call = self.library.regreen_serve
        return int(call(channel, -1 if proc is None else proc, ctypes.c_long(flags), scratch.encode(), patience, place))


def load() -> Loop | None:
    """Return the loop, or None where it was not built, for want of a C compiler, or built from other sources."""
    here = os.path.dirname(os.path.abspath(__file__))
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = os.path.join(here, "_zygote" + suffix)
        if os.path.exists(path):
            library = ctypes.PyDLL(path)
            version = getattr(library, "regreen_serve_version", int)
            return Loop(library) if version() == _VERSION else None
    return None


def pack_patience(*values: float) -> bytes:
    """Return the five doubles of ``struct patience``."""
    return struct.pack("5d", *values)
