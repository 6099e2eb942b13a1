"""A nameless file in memory, for what processes hand to each other."""

from __future__ import annotations

import os


class MemoryFile:
    """A nameless file that two processes share, closed at the end of the block."""

    def __init__(self, content: bytes = b"") -> None:
        self.fd = os.memfd_create("regreen")
        if content:
            os.write(self.fd, content) if len(content) < (1 << 20) else self._write_all(content)
            os.lseek(self.fd, 0, os.SEEK_SET)  # where a program begins to read its standard input

    def _write_all(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            view = view[os.write(self.fd, view) :]

    def size(self) -> int:
        return os.fstat(self.fd).st_size

    def read(self, most: int = 1 << 30) -> bytes:
        return os.pread(self.fd, min(self.size(), most), 0)

    def __enter__(self) -> MemoryFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
