"""Plain values for the tests: how to draw them, and how to tell two apart better than ``==`` does."""

from __future__ import annotations

import hashlib
import marshal
import struct
from typing import Any

from hypothesis import strategies as st

from regreen.sandbox import wire
from regreen.sandbox.plain import Decoder, Encoder

TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates included
HUGE = st.builds(
    lambda bits, low, sign: sign * ((1 << bits) + low), st.integers(0, 20_000), st.integers(), st.sampled_from((1, -1))
)
ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), HUGE, st.floats(), st.complex_numbers(), TEXT, st.binary(max_size=8)
)
HASHABLE = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4), max_leaves=8
)
# What marshal itself brings back with its exact type.
MARSHALLED = st.recursive(
    ATOMS | HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(HASHABLE, max_size=4)
        | st.dictionaries(HASHABLE, inner, max_size=4)
    ),
    max_leaves=15,
)
STANDARD = st.one_of(
    st.decimals().filter(lambda d: abs(d.adjusted()) < 10_000),
    st.fractions(),
    st.dates(),
    st.times().map(lambda time: time.replace(fold=0)),
    st.datetimes().map(lambda time: time.replace(fold=0)),
    st.timedeltas(),
    st.builds(range, st.integers(-100, 100), st.integers(-100, 100), st.sampled_from((-3, -1, 1, 2))),
    st.sampled_from((int, str, list, dict, set, bool, float, tuple, bytes, frozenset, complex, bytearray, range)),
    st.binary(max_size=8).map(bytearray),
)
PLAIN = st.recursive(
    MARSHALLED | STANDARD,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HASHABLE, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def graphs(draw: st.DrawFn) -> list[Any]:
    """Draw a list of containers that hold each other in any way, themselves included."""
    makers = draw(st.lists(st.sampled_from((list, dict, bytearray, set)), min_size=1, max_size=6))
    nodes: list[Any] = [make() for make in makers]
    for node in nodes:
        inside = draw(st.lists(st.sampled_from(nodes) | st.integers(0, 3), max_size=4))
        if type(node) is list:
            node.extend(inside)
        elif type(node) is dict:
            node.update(enumerate(inside))
        else:
            node.extend(b"12") if type(node) is bytearray else node.add(1)
    return nodes


def cross(value: Any) -> Any:
    """Send a value through bytes as the judge's processes do."""
    return Decoder().unpack(wire.read(marshal.dumps(Encoder().pack(value), wire.VERSION)))


def shape(value: Any, seen: dict[int, int] | None = None) -> Any:
    """Describe a value to the last bit: types, signs of zero, kinds of NaN, order of keys, shared parts."""
    seen = {} if seen is None else seen
    kind = type(value).__name__
    match value:
        case float():
            return kind, struct.pack("d", value)
        case complex():
            return kind, struct.pack("dd", value.real, value.imag)
        case tuple():
            return kind, [shape(item, seen) for item in value]
        case frozenset():
            return kind, sorted(map(_digest, value))
        case list() | set() | dict() | bytearray():
            return _container(value, seen)
        case int():
            return kind, f"{value:x}"  # decimal digits would be too many
        case str() | bytes():
            return kind, value
    return kind, repr(value)


def _digest(item: Any) -> str:
    """Describe a member of a set in few characters: sets have no order, so descriptions are sorted."""
    return hashlib.sha256(repr(shape(item)).encode("utf-8", "surrogatepass")).hexdigest()


def _container(value: Any, seen: dict[int, int]) -> Any:
    if id(value) in seen:
        return "again", seen[id(value)]
    seen[id(value)] = len(seen)
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, [(shape(key, seen), shape(item, seen)) for key, item in value.items()]
    if isinstance(value, set):
        return kind, sorted(map(_digest, value))
    return kind, [shape(item, seen) for item in value]
