"""Packed values: every plain value comes back as it was, and nothing else comes through."""

from __future__ import annotations

import contextlib
import datetime
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regreen.sandbox import plain
from regreen.sandbox.plain import CannotCross, Decoder, Encoder
from tests.sandbox.values import MARSHALLED, PLAIN, cross, graphs, shape


@given(PLAIN)
@example([10**5000, -(10**5000)])
@example([float("nan"), -0.0, float("inf"), float("-inf"), complex(-0.0, float("nan"))])
@example(["\ud800", b"\xff", bytearray(b"\xff")])
@example([Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("-0.00")])
def test_every_plain_value_comes_back_as_it_was(value: Any) -> None:
    assert shape(cross(value)) == shape(value)


@given(graphs())
def test_shared_and_cyclic_structure_comes_back_as_it_was(nodes: list[Any]) -> None:
    assert shape(cross(nodes)) == shape(nodes)


@given(st.lists(PLAIN | graphs(), max_size=3))
def test_values_packed_one_after_another_may_share_structure(values: list[Any]) -> None:
    encoder, decoder = Encoder(), Decoder()
    again = [*values, *values]
    assert shape([decoder.unpack(encoder.pack(value)) for value in again]) == shape(again)


@given(graphs(), graphs())
def test_known_containers_take_the_contents_that_the_other_side_gave_them(before: list[Any], after: list[Any]) -> None:
    """What a call does to its arguments, without a call: pack, change there, bring the contents back."""
    encoder = Encoder()
    there = Decoder()
    mirrored = there.unpack(encoder.pack(before))
    mirrored[:] = [*after, mirrored, *mirrored[:1]]
    back = Encoder(known=there.made)
    contents = [back.pack_contents(container) for container in there.made]
    here = Decoder(known=encoder.kept)
    for number, content in enumerate(contents):
        here.refill(number, content)
    assert shape(before) == shape(mirrored)


class Told(Exception):
    """A method of a liar was asked."""


def _refuse(*_: Any, **__: Any) -> Any:
    raise Told


_ASKED = (
    "__eq__", "__ne__", "__hash__", "__repr__", "__str__", "__iter__", "__len__", "__getitem__", "__contains__",
    "__bool__", "__int__", "__index__", "__float__", "__complex__", "__pos__", "__bytes__", "__reduce_ex__", "__copy__",
    "keys", "values", "items", "copy", "__getattribute__", "__format__", "__lt__", "__reversed__", "__next__",
)  # fmt: skip


def liar(base: type, value: Any) -> Any:
    """Return the value as one of a subclass whose every method refuses to answer."""
    made = type("Liar", (base,), {})
    told = made(value)
    for name in _ASKED:
        setattr(made, name, _refuse)
    return told


LIARS = (7, 10**5000, -0.0, float("nan"), 1 - 2j, "text \ud800", b"bytes", bytearray(b"array"), [1, [2]], (1, (2,)),
         {"a": 1, "b": [2]}, {1, 2}, frozenset({1, 2}))  # fmt: skip


@pytest.mark.parametrize("value", LIARS, ids=lambda value: type(value).__name__)
def test_a_subclass_crosses_as_the_plain_value_under_it_and_is_asked_nothing(value: Any) -> None:
    assert shape(cross([liar(type(value), value)])) == shape([value])


def test_the_subclasses_of_the_standard_library_cross_as_plain_values() -> None:
    point = namedtuple("point", "x y")
    color = IntEnum("color", "RED BLUE")
    values = [point(1, 2), color.BLUE, Counter("aab"), OrderedDict(b=1, a=2), defaultdict(list, a=[1])]
    assert shape(cross(values)) == shape([(1, 2), 2, {"a": 2, "b": 1}, {"b": 1, "a": 2}, {"a": [1]}])


def test_numpy_scalars_cross_as_the_plain_numbers_they_hold() -> None:
    numpy = pytest.importorskip("numpy")
    values = [numpy.int64(0), numpy.int64(5), numpy.bool_(False), numpy.bool_(True), numpy.float64(-0.0)]
    values += [numpy.float32(0.0), numpy.str_("a"), numpy.array(0)]
    assert shape(cross(values)) == shape([0, 5, False, True, -0.0, 0.0, "a", 0])


AWARE = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "value", [object(), deque(), iter(()), len, Told, AWARE, (1).__add__, {}.keys()], ids=lambda v: type(v).__name__
)
def test_what_is_no_plain_data_cannot_cross_but_can_be_described(value: Any) -> None:
    with pytest.raises(CannotCross):
        Encoder().pack([value])
    packed = Encoder(lambda v: [7, type(v).__name__]).pack([value])
    assert Decoder(tuple).unpack(packed) == [(7, type(value).__name__)]
    with pytest.raises(ValueError, match="opaque"):
        Decoder().unpack(packed)


@pytest.mark.parametrize("make", [lambda v: [v], lambda v: (v,), lambda v: {0: v}, lambda v: frozenset([v, 1])])
def test_what_the_packer_lets_through_is_never_too_deep_for_the_wire(make: Any) -> None:
    value: Any = 1
    for _ in range(plain.MAX_DEPTH):
        value = make(value)
    assert shape(cross(value)) == shape(value)
    with pytest.raises(CannotCross, match="deep"):
        Encoder().pack(make(make(value)))


def test_a_few_bytes_cannot_stand_for_a_huge_value() -> None:
    bomb: Any = [0] * 100
    for _ in range(20):
        bomb = [bomb] * 100
    packed = Encoder().pack(bomb)
    with pytest.raises(CannotCross, match="values"):
        Decoder().unpack(packed)


@pytest.mark.parametrize(
    "value",
    [range(10**15), range(0, -(10**15), -1), Decimal("1E+999999"), Decimal("1E-999999"), Decimal("0E+999999")],
    ids=repr,
)
def test_what_a_walk_or_a_conversion_would_blow_up_is_refused(value: Any) -> None:
    """A check may say ``list(f(1))`` or ``int(f(1))``, and the judge evaluates it."""
    packed = Encoder().pack(value)
    with pytest.raises(CannotCross):
        Decoder().unpack(packed)


NO_PACKED_DATA = [
    {}, {"t": [], "s": []}, {"z": []}, {"t": 1}, {"t": (1,)}, {"d": [1]}, {"s": [[]]}, {"a": "text"}, {"n": [1]},
    {"n": [1, 2, 0]}, {"n": ["a", 2, 1]}, {"x": []}, {"x": ["os.system", "x"]}, {"x": ["type", "object"]},
    {"x": ["decimal.Decimal", "a"]}, {"x": ["decimal.Decimal", "1" * 20_000]}, {"x": ["fractions.Fraction", "1", "0"]},
    {"x": ["datetime.date", 1, 2, 3, 4]}, {"x": ["datetime.timedelta", 10**12]}, {"r": 0}, {"r": -1}, {"r": "0"},
    {1: 2}, {"o": [0, "x"]}, {"f": [{"d": []}]},
]  # fmt: skip


@pytest.mark.parametrize("packed", NO_PACKED_DATA, ids=lambda packed: repr(packed)[:40])
def test_what_no_packer_makes_is_refused(packed: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is the promise
        Decoder().unpack(packed)


TAGS = st.sampled_from(("t", "s", "f", "d", "a", "n", "x", "r", "o", "?"))
NAMES = st.sampled_from((*plain._KNOWN, "type", "int"))
PACKED = st.recursive(
    MARSHALLED | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TAGS, inner | st.lists(inner), max_size=2),
    max_leaves=10,
)


@given(PACKED)
@settings(max_examples=250)
def test_any_message_is_unpacked_or_refused_with_a_value_error(packed: Any) -> None:
    with contextlib.suppress(ValueError):
        Decoder().unpack(packed)


@given(graphs(), PACKED)
def test_any_contents_are_taken_or_refused_with_an_error_that_a_check_survives(known: list[Any], body: Any) -> None:
    with contextlib.suppress(ValueError, TypeError, LookupError):
        Decoder(known=[known]).refill(0, body)
