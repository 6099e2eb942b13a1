"""Packed values: plain data of a few types that keeps shared and cyclic structure, and stands for other types.

Scalars, text and bytes stand for themselves, and so does a list. All else is a dictionary with one key, its type::

    {"t": [..]} tuple   {"s": [..]} set   {"f": [..]}  frozenset   {"d": [k, v, k, v ..]} dict
    {"a": bytes} bytearray                {"n": [a, b, c]} range
    {"x": [type, argument ..]}  a plain type itself; Decimal, Fraction, date, time, datetime, timedelta
    {"r": n}    the n-th list, set, dict or bytearray of this text again       {"o": [id, type]} something else

A subclass of a plain type crosses as the plain value underneath, read by the base class's own methods, so that
whatever the subclass says of itself is left behind. Unpacking builds exact built-in types and runs no foreign code.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 98  # a level here may be two on the wire, which carries 200
MAX_NODES = 5_000_000
_ATOMS = frozenset((int, float, bool, complex, str, bytes, type(None)))

Opaque = Callable[[Any], "list[Any]"]


class CannotCross(ValueError):
    """The value is too deep or too large for the wire."""


class Encoder:
    """Packs several values that may share structure; ``opaque`` describes what is not plain as ``[id, type name]``."""

    def __init__(self, opaque: Opaque | None = None, known: list[Any] | None = None) -> None:
        """``known`` containers, which the other side has too in the same order, cross as references."""
        self._opaque = opaque
        self.kept: list[Any] = list(known or ())  # in order of number; keeps ids from being used again
        self._seen = {id(value): number for number, value in enumerate(self.kept)}

    def pack(self, value: Any, depth: int = 0) -> Any:
        """Return the packed value; raises :class:`CannotCross`."""
        kind = type(value)
        pack = _PACKERS.get(kind)
        if pack is None:
            base = next((b for b in _BASES if issubclass(kind, b)), None)
            if base is None:
                return self._pack_other(value)
            value = _UNDERNEATH[base](value)
            pack = _PACKERS[base]
        if depth > MAX_DEPTH:
            raise CannotCross(f"nested more than {MAX_DEPTH} deep")
        return pack(self, value, depth)

    def _pack_other(self, value: Any) -> Any:
        """Values of a few standard types, told by name so that their modules need not be loaded; numpy's scalars."""
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}"
        if kind is type and value in _TYPES:
            return {"x": ["type", value.__name__]}
        if name in _KNOWN and getattr(value, "tzinfo", None) is None:
            return {"x": [name, *_KNOWN[name](value)]}
        if kind.__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            plain = value.item()
            if type(plain) in _PACKERS:
                return self.pack(plain)
        if self._opaque is None:
            raise CannotCross(f"a {type(value).__name__} is no plain data")
        return {"o": self._opaque(value)}

    def _again(self, value: Any) -> Any:
        """A reference if this container was packed before, else None after remembering it."""
        number = self._seen.setdefault(id(value), len(self._seen))
        if number < len(self.kept):
            return {"r": number}
        self.kept.append(value)
        return None

    def pack_contents(self, container: Any) -> Any:
        """Return the body of a known container, to be put in its place by :meth:`Decoder.refill`."""
        if type(container) is dict:
            return self._flat(container, 0)
        return bytes(container) if type(container) is bytearray else self._items(container, 0)

    def _atom(self, value: Any, depth: int) -> Any:
        return value

    def _list(self, value: list[Any], depth: int) -> Any:
        return self._again(value) or self._items(value, depth)

    def _items(self, container: Any, depth: int) -> list[Any]:
        items: list[Any] = list(container)
        if set(map(type, items)) <= _ATOMS:
            return items
        depth += 1
        return [self.pack(item, depth) for item in items]

    def _tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return {"t": self._items(value, depth)}

    def _set(self, value: set[Any], depth: int) -> Any:
        return self._again(value) or {"s": self._items(value, depth)}

    def _frozenset(self, value: frozenset[Any], depth: int) -> Any:
        return {"f": self._items(value, depth)}

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        return self._again(value) or {"d": self._flat(value, depth)}

    def _flat(self, value: dict[Any, Any], depth: int) -> list[Any]:
        flat: list[Any] = []
        for key, item in value.items():
            flat += (self.pack(key, depth + 1), self.pack(item, depth + 1))
        return flat

    def _bytearray(self, value: bytearray, depth: int) -> Any:
        return self._again(value) or {"a": bytes(value)}

    def _range(self, value: range, depth: int) -> Any:
        return {"n": [value.start, value.stop, value.step]}


_PACKERS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    type(None): Encoder._atom,
    bool: Encoder._atom,
    float: Encoder._atom,
    int: Encoder._atom,
    str: Encoder._atom,
    list: Encoder._list,
    tuple: Encoder._tuple,
    set: Encoder._set,
    frozenset: Encoder._frozenset,
    dict: Encoder._dict,
    bytes: Encoder._atom,
    bytearray: Encoder._bytearray,
    complex: Encoder._atom,
    range: Encoder._range,
}

# How to read the plain value under a subclass, by the base class's own methods.
_UNDERNEATH: dict[type, Callable[[Any], Any]] = {
    int: int.__pos__,
    float: float.__pos__,
    str: str.__str__,
    list: lambda v: list.__getitem__(v, slice(None)),
    tuple: lambda v: tuple(tuple.__iter__(v)),
    dict: lambda v: dict(
        zip(dict.__iter__(v), map(dict.__getitem__, [v] * dict.__len__(v), dict.__iter__(v)), strict=True)
    ),
    set: lambda v: set(set.__iter__(v)),
    frozenset: lambda v: frozenset(frozenset.__iter__(v)),
    bytes: lambda v: bytes.__getitem__(v, slice(None)),
    bytearray: lambda v: bytearray.__getitem__(v, slice(None)),
    complex: complex.__pos__,
}
_BASES = tuple(_UNDERNEATH)
_TYPES = frozenset(_PACKERS)


_KNOWN: dict[str, Callable[[Any], list[Any]]] = {
    "decimal.Decimal": lambda v: [str(v)],
    "fractions.Fraction": lambda v: [hex(v.numerator), hex(v.denominator)],
    "datetime.date": lambda v: [v.year, v.month, v.day],
    "datetime.time": lambda v: [v.hour, v.minute, v.second, v.microsecond],
    "datetime.datetime": lambda v: [v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond],
    "datetime.timedelta": lambda v: [v.days, v.seconds, v.microseconds],
}
_MAX_ARGUMENT = 10_000  # characters: enough for any honest Decimal or Fraction


def _exactly_bytes(body: Any) -> bytes:
    if type(body) is not bytes:
        raise ValueError("not bytes")
    return body


class Decoder:
    """Rebuilds several values that may share structure."""

    def __init__(self, opaque: Callable[[list[Any]], Any] | None = None, known: list[Any] | None = None) -> None:
        self._opaque = opaque
        self.made: list[Any] = list(known or ())
        self._sizes = [1] * len(self.made)
        self._nodes = 0

    def unpack(self, packed: Any) -> Any:
        """Return the value; raises ValueError for what no :class:`Encoder` makes.

        Sizes are counted as if shared parts were written out, so that no walk explodes.
        """
        kind = type(packed)
        if kind is list:
            return self._fill(self._new([]), packed)
        if kind is not dict:
            self._count(1)
            return packed
        try:
            ((tag, body),) = packed.items()
            return _UNPACKERS[tag](self, body)
        except (RecursionError, ArithmeticError, LookupError, TypeError, AttributeError, StopIteration) as error:
            raise ValueError(f"not packed data: {error}") from error

    def refill(self, number: int, body: Any) -> None:
        """Give the known container ``number`` the contents that :meth:`Encoder.pack_contents` described."""
        container = self.made[number]
        if type(container) is list:
            container[:] = self._items(body)
        elif type(container) is bytearray:
            container[:] = _exactly_bytes(body)
        else:
            flat = self._items(body)
            container.clear()
            container.update(zip(flat[::2], flat[1::2], strict=True) if type(container) is dict else flat)

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise CannotCross(f"more than {MAX_NODES} values")

    def _new(self, container: Any) -> int:
        self.made.append(container)
        self._sizes.append(-self._nodes)  # negative while it is being filled
        self._count(1)
        return len(self.made) - 1

    def _fill(self, number: int, packed: list[Any]) -> Any:
        self.made[number] += self._items(packed)
        return self._close(number)

    def _close(self, number: int) -> Any:
        self._sizes[number] += self._nodes
        return self.made[number]

    def _items(self, packed: Any) -> list[Any]:
        if type(packed) is not list:
            raise ValueError("not a list of items")
        if set(map(type, packed)) <= _ATOMS:
            self._count(len(packed))
            return packed
        return [self.unpack(item) for item in packed]

    def _tuple(self, body: Any) -> Any:
        self._count(1)
        return tuple(self._items(body))

    def _frozenset(self, body: Any) -> Any:
        self._count(1)
        return frozenset(self._items(body))

    def _set(self, body: Any) -> Any:
        number = self._new(set())
        self.made[number].update(self._items(body))
        return self._close(number)

    def _dict(self, body: Any) -> Any:
        number = self._new({})
        flat = self._items(body)
        self.made[number].update(zip(flat[::2], flat[1::2], strict=True))
        return self._close(number)

    def _bytearray(self, body: Any) -> Any:
        number = self._new(bytearray(_exactly_bytes(body)))
        return self._close(number)

    def _range(self, body: Any) -> range:
        start, stop, step = (self.unpack(part) for part in body)
        made = range(start, stop, step)
        self._count(1 + max(0, (stop - start) // step))  # whoever walks over it walks over so many
        return made

    def _standard(self, body: Any) -> Any:
        self._count(1)
        name, *arguments = body
        if name == "type":
            return next(kind for kind in _TYPES if kind.__name__ == arguments[0])
        if name not in _KNOWN or any(len(str(argument)) > _MAX_ARGUMENT for argument in arguments):
            raise ValueError(f"not a known type: {name!r:.60}")
        module, _, kind = name.partition(".")
        if name == "fractions.Fraction":
            arguments = [int(argument, 16) for argument in arguments]
        made = getattr(importlib.import_module(module), kind)(*arguments)
        if name == "decimal.Decimal" and abs(made.adjusted()) > _MAX_ARGUMENT:
            raise CannotCross("a Decimal with a huge exponent")  # as an int it would fill the memory
        return made

    def _reference(self, number: Any) -> Any:
        if type(number) is not int or not 0 <= number < len(self.made):
            raise ValueError("a reference to nothing")
        self._count(max(self._sizes[number], 1))
        return self.made[number]

    def _object(self, body: Any) -> Any:
        self._count(1)
        if self._opaque is None:
            raise ValueError("an opaque value where plain data was expected")
        return self._opaque(body)


_UNPACKERS: dict[str, Callable[[Decoder, Any], Any]] = {
    "t": Decoder._tuple,
    "s": Decoder._set,
    "f": Decoder._frozenset,
    "d": Decoder._dict,
    "a": Decoder._bytearray,
    "n": Decoder._range,
    "x": Decoder._standard,
    "r": Decoder._reference,
    "o": Decoder._object,
}
