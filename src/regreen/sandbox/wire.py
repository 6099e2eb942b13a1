"""Messages between the judge's processes: Python's marshal format, and a reader of it that trusts nobody.

``marshal`` writes plain data in C and so costs a fresh clone few pages of memory. Reading it back with ``marshal`` is
not safe when the writer is hostile; :func:`read` is, and knows plain data alone. Messages that go *to* a program's
process come from the judge and may be read with ``marshal`` itself.
"""

from __future__ import annotations

import _socket
import marshal
import os
import struct
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

VERSION = 2  # of the marshal format: no references, so that every value is written out
MAX_DEPTH = 200
_MSG_WAITALL = _socket.MSG_WAITALL  # the socket module itself is large, and every clone would pay for it
FRAME = struct.Struct("=I")
_USUAL = 1 << 15  # bytes: what most messages have less than
_INT, _LONG, _FLOAT, _COMPLEX, _SIZE = (struct.Struct(f) for f in ("<i", "<i", "<d", "<dd", "<i"))


class Unreadable(ValueError):
    """The bytes are no plain data in marshal's format."""


class TooDeep(Unreadable):
    """The value is nested more than ``MAX_DEPTH`` deep."""


def read(data: bytes) -> Any:
    """Return the value that ``data`` holds; raises :class:`Unreadable`."""
    try:
        return _Reader(data).value(0)
    except (IndexError, KeyError, struct.error, TypeError, UnicodeDecodeError, OverflowError) as error:
        raise Unreadable(str(error)) from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def value(self, depth: int) -> Any:
        code = self._data[self._place]
        self._place += 1
        if depth > MAX_DEPTH:
            raise TooDeep(f"nested more than {MAX_DEPTH} deep")
        return _READERS[code](self, depth + 1)

    def _unpack(self, form: struct.Struct) -> Any:
        (value,) = form.unpack_from(self._data, self._place)
        self._place += form.size
        return value

    def _take(self, count: int) -> bytes:
        start, self._place = self._place, self._place + count
        if count < 0 or self._place > len(self._data):
            raise Unreadable("cut short")
        return self._data[start : self._place]

    def read_int(self, _: int) -> int:
        return self._unpack(_INT)  # type: ignore[no-any-return]

    def read_long(self, _: int) -> int:
        """Digits of 15 bits, the least first; the sign is the count's."""
        count = self._unpack(_LONG)
        digits = struct.unpack(f"<{abs(count)}H", self._take(2 * abs(count)))
        if any(digit >> 15 for digit in digits):
            raise Unreadable("a digit is too large")
        # Joined as a text of bits: shifting digit by digit would take time in the square of their number.
        value = int("".join(f"{digit:015b}" for digit in reversed(digits)) or "0", 2)
        return -value if count < 0 else value

    def read_float(self, _: int) -> float:
        return self._unpack(_FLOAT)  # type: ignore[no-any-return]

    def read_complex(self, _: int) -> complex:
        real, imag = _COMPLEX.unpack(self._take(_COMPLEX.size))
        return complex(real, imag)

    def read_text(self, _: int) -> str:
        return self._take(self._unpack(_SIZE)).decode("utf-8", "surrogatepass")

    def read_bytes(self, _: int) -> bytes:
        return self._take(self._unpack(_SIZE))

    def read_list(self, depth: int) -> list[Any]:
        count = self._unpack(_SIZE)
        if count < 0 or count > len(self._data) - self._place:
            raise Unreadable("cut short")
        return self._numbers(count) or [self.value(depth) for _ in range(count)]

    def _numbers(self, count: int) -> list[Any] | None:
        """Read many ints, or many floats, at once."""
        if count < 4:
            return None
        for code, form, size in ((b"i", "xi", 5), (b"g", "xd", 9)):
            end = self._place + count * size
            if self._data[self._place : end : size] == code * count and end <= len(self._data):
                values = struct.unpack_from("<" + form * count, self._data, self._place)
                self._place = end
                return [*values]
        return None

    def read_tuple(self, depth: int) -> tuple[Any, ...]:
        return tuple(self.read_list(depth))

    def read_set(self, depth: int) -> set[Any]:
        return set(self.read_list(depth))

    def read_frozenset(self, depth: int) -> frozenset[Any]:
        return frozenset(self.read_list(depth))

    def read_dict(self, depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        while self._data[self._place] != 0x30:  # "0" ends a dictionary
            key = self.value(depth)
            made[key] = self.value(depth)
        self._place += 1
        return made


_READERS: dict[int, Callable[[_Reader, int], Any]] = {
    ord("N"): lambda reader, depth: None,
    ord("T"): lambda reader, depth: True,
    ord("F"): lambda reader, depth: False,
    ord("."): lambda reader, depth: Ellipsis,
    ord("i"): _Reader.read_int,
    ord("l"): _Reader.read_long,
    ord("g"): _Reader.read_float,
    ord("y"): _Reader.read_complex,
    ord("u"): _Reader.read_text,
    ord("t"): _Reader.read_text,
    ord("s"): _Reader.read_bytes,
    ord("["): _Reader.read_list,
    ord("("): _Reader.read_tuple,
    ord("<"): _Reader.read_set,
    ord(">"): _Reader.read_frozenset,
    ord("{"): _Reader.read_dict,
}


def frames(data: bytes) -> Iterator[bytes]:
    """Split what a child wrote into frames; stop at the first that is not whole."""
    place = 0
    while place + FRAME.size <= len(data):
        start = place + FRAME.size
        place = start + FRAME.unpack_from(data, place)[0]
        if place > len(data):
            return
        yield data[start:place]


def frame(message: Any) -> bytes:
    """Return a message as one frame; raises ValueError if it is no plain data."""
    data = marshal.dumps(message, VERSION)
    return FRAME.pack(len(data)) + data


def read_frame(descriptor: int) -> bytes | None:
    """Read one frame's bytes from a descriptor, None at the end."""
    header = _read_exactly(descriptor, FRAME.size)
    return None if header is None else _read_exactly(descriptor, FRAME.unpack(header)[0])


def _read_exactly(descriptor: int, count: int) -> bytes | None:
    data = os.read(descriptor, count)
    while data and len(data) < count:
        more = os.read(descriptor, count - len(data))
        if not more:
            return None
        data += more
    return data or None


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def send(channel: socket.socket, message: Any) -> None:
    """Send one message between engine and judge, who trust each other."""
    data = marshal.dumps(message)
    channel.sendall(FRAME.pack(len(data)) + data)


def receive(channel: socket.socket) -> Any:
    """Receive one message between engine and judge, or None at the end."""
    # They speak in turn, so nothing of a next message can have come.
    data = bytearray(channel.recv(_USUAL))
    if len(data) < FRAME.size:
        return None
    missing = FRAME.size + FRAME.unpack_from(data)[0] - len(data)
    while missing:
        part = channel.recv(missing, _MSG_WAITALL)
        if not part:
            return None
        data += part
        missing -= len(part)
    return marshal.loads(memoryview(data)[FRAME.size :])
