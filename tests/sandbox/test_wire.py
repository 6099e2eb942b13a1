"""The reader that trusts nobody: it agrees with marshal on plain data, and refuses everything else in peace."""

from __future__ import annotations

import contextlib
import marshal
import os
import socket
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regreen.sandbox import wire
from tests.sandbox.values import MARSHALLED, shape

MODULUS = (1 << 61) - 1  # ints that differ by it have one hash


@given(MARSHALLED)
@example(10**5000)
@example(-(10**5000))
@example([float("nan"), -0.0, float("inf"), complex(-0.0, float("nan"))])
@example("\ud800 lone \udfff")
@example(...)
def test_it_reads_what_marshal_writes(value: Any) -> None:
    data = marshal.dumps(value, wire.VERSION)
    assert shape(wire.read(data)) == shape(marshal.loads(data)) == shape(value)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=4) | st.lists(st.floats(), min_size=4))
def test_long_runs_of_numbers_are_read_as_one_by_one(values: list[Any]) -> None:
    assert shape(wire.read(marshal.dumps(values, wire.VERSION))) == shape(values)


@given(st.binary(max_size=200))
@settings(max_examples=250)
def test_any_bytes_are_read_or_refused_as_unreadable(data: bytes) -> None:
    with contextlib.suppress(wire.Unreadable):
        wire.read(data)


@given(MARSHALLED, st.data())
@settings(max_examples=150)
def test_damaged_messages_are_read_or_refused_as_unreadable(value: Any, data: st.DataObject) -> None:
    message = bytearray(marshal.dumps(value, wire.VERSION))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.Unreadable):
        wire.read(bytes(message))


@given(MARSHALLED)
def test_a_message_cut_short_is_never_taken_for_a_whole_one(value: Any) -> None:
    data = marshal.dumps(value, wire.VERSION)
    for end in {0, 1, len(data) // 2, len(data) - 1} - {len(data)}:
        with pytest.raises(wire.Unreadable):
            wire.read(data[:end])


@pytest.mark.parametrize("code", "[(<>sutl")
@pytest.mark.parametrize("count", [2**31 - 1, -100, -(2**31)])
def test_a_size_beyond_the_message_costs_nothing(code: str, count: int) -> None:
    with pytest.raises(wire.Unreadable):
        wire.read(code.encode() + struct.pack("<i", count) + b"i\0\0\0\0")


@pytest.mark.parametrize("wrap", [b"[\1\0\0\0", b"(\1\0\0\0", b"{N"])
def test_what_is_nested_too_deep_is_refused_as_such(wrap: bytes) -> None:
    end = b"0" if wrap.startswith(b"{") else b""
    assert wire.read(wrap * 150 + b"N" + end * 150) is not None
    with pytest.raises(wire.TooDeep):
        wire.read(wrap * 100_000 + b"N")


@pytest.mark.parametrize("value", [compile("1", "", "eval"), StopIteration], ids=["code", "StopIteration"])
def test_what_marshal_can_write_but_is_no_plain_data_is_refused(value: Any) -> None:
    with pytest.raises(wire.Unreadable):
        wire.read(marshal.dumps(value, wire.VERSION))


@pytest.mark.parametrize("data", [b"<\1\0\0\0[\0\0\0\0", b"{[\0\0\0\0N0", b"l\1\0\0\0\xff\xff"])
def test_unhashable_members_and_impossible_digits_are_refused(data: bytes) -> None:
    with pytest.raises(wire.Unreadable):
        wire.read(data)


def test_references_are_refused_so_that_no_message_is_larger_than_its_bytes() -> None:
    shared = [1, 2]
    with pytest.raises(wire.Unreadable):
        wire.read(marshal.dumps([shared, shared], 4))


def test_a_set_of_one_hash_as_large_as_the_judge_reads_itself_is_read() -> None:
    """The time grows with the square of their number, which 32 KiB keep below two thousand."""
    values = {MODULUS * n for n in range(2000)}
    data = marshal.dumps(values, wire.VERSION)
    assert len({hash(v) for v in values}) == 1
    assert wire.read(data) == values


@given(st.lists(MARSHALLED, max_size=5), st.integers(0, 50))
def test_frames_are_split_as_they_were_joined_up_to_the_first_that_is_not_whole(values: list[Any], cut: int) -> None:
    parts = [wire.frame(value) for value in values]
    data = b"".join(parts)
    whole = data[: max(len(data) - cut, 0)]
    complete, place = [], 0
    for part in parts:
        place += len(part)
        complete += [part[wire.FRAME.size :]] if place <= len(whole) else []
    assert list(wire.frames(whole)) == complete


def test_a_frame_that_claims_gigabytes_is_not_whole() -> None:
    assert list(wire.frames(struct.pack("=I", 2**32 - 1) + b"abc")) == []


def test_a_frame_is_read_from_a_descriptor_in_whatever_pieces_it_comes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for byte in wire.frame("slow"):
            wire.write_all(theirs.fileno(), bytes([byte]))
        data = wire.read_frame(ours.fileno())
        assert data is not None
        assert wire.read(data) == "slow"
        os.write(theirs.fileno(), struct.pack("=I", 100) + b"half")
        theirs.shutdown(socket.SHUT_WR)
        assert wire.read_frame(ours.fileno()) is None
        assert wire.read_frame(ours.fileno()) is None


def test_engine_and_judge_exchange_messages_until_one_of_them_goes() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            wire.send(theirs, {"source": "\ud800", "numbers": [1, 2.5]})
            assert wire.receive(ours) == {"source": "\ud800", "numbers": [1, 2.5]}
            theirs.sendall(wire.FRAME.pack(10) + b"abc")
        assert wire.receive(ours) is None
