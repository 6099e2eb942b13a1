"""Statements with several readings, among which only a deciding check settles.

Each choice is left open by one phrase, and has two to six readings: which way or which end, or a mark or a number that
is not said. What is right is drawn among all readings of all choices. The worked example fits them all; the deciding
check, which may be revealed, and at least five hidden ones fit the right one alone.

With two readings, that a program failed is nearly enough to know the right one. With more, one has to read what was
expected.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from regreen.benchmarks.katas.chains import Steps, draw_constants, draw_operations, functions, is_too_large, pick, run
from regreen.benchmarks.katas.operation import Kind, Operation, operation
from regreen.benchmarks.katas.pairs import Pair, all_pairs, example_first, shows_every_step
from regreen.benchmarks.katas.splits import OPEN, composition, home, home_of_behaviour, sound_behaviour

DECIDING = 5  # hidden checks, at least, that tell the readings apart
_LEFT_OPEN = re.compile(r"\bR\b")


class Homes(NamedTuple):
    """Where a statement's composition, and the behaviour of its right reading, must be at home."""

    compositions: tuple[str, ...]
    behaviours: tuple[str, ...]


# Nothing is trained on the behaviours of validation and test. A composition with an open choice is no other split's, so
# the hash parts these two as it likes: three quarters and one.
HOMES = {
    "ambiguous": Homes(("train", "test"), ("validation", "test")),
    "ambiguous-train": Homes(("validation", "unsolved"), ("train",)),
}


class Choice(NamedTuple):
    """What a phrase leaves open: operations of one name, with the same phrases."""

    readings: tuple[str, ...]
    operations: tuple[Operation, ...]


class Reading(NamedTuple):
    """One reading of a statement."""

    name: str
    steps: Steps


def _choice(
    name: str, kinds: str, phrases: str, *readings: tuple[str, str], constants: tuple[int | str, ...] = ()
) -> Choice:
    """Return a choice from its row: each reading has a name and its code, with ``K`` as one of the constants."""
    made = tuple(operation(f"{name}{OPEN}", kinds, phrases, code, *constants) for _, code in readings)
    return Choice(tuple(reading for reading, _ in readings), made)


def _open(code: str, *values: int | str) -> tuple[tuple[str, str], ...]:
    """Return the readings of code in which ``R`` stands for a value that is not said."""
    return tuple((repr(value), _LEFT_OPEN.sub(repr(value), code)) for value in values)


MARKS = ("-", "/", "+", "*", "_", "#")
CHOICES = (
    _choice("round", "int int", "divide the number by K and round | divide the number by K without a fraction",
        ("down", "x // K"), ("up", "-(-x // K)"), constants=(3, 4, 5)),
    _choice("multiple", "int int", "move the number to a multiple of K | round the number to a multiple of K",
        ("down", "x // K * K"), ("up", "-(-x // K) * K"), constants=(3, 5, 10)),
    _choice("upto", "int ints", "count from 1 to the number | list the numbers between 1 and the number",
        ("with the end", "list(range(1, x + 1))"), ("without the end", "list(range(1, x))")),
    _choice("char_off", "str str", "remove a character at one end of the text | drop a character at an end of the text",
        ("first", "x[1:]"), ("last", "x[:-1]")),
    _choice("parts", "str strs", "split the text | split the text into parts",
        ("words", "x.split()"), ("characters", "list(x)")),
    _choice("find", "str int", "find the index of K in the text | find where K is in the text",
        ("first", "x.find(K)"), ("last", "x.rfind(K)"), constants=("a", "e", "o")),
    _choice("order", "ints ints", "sort the numbers | put the numbers in order",
        ("ascending", "sorted(x)"), ("descending", "sorted(x, reverse=True)")),
    _choice("one_each", "ints ints", "keep one of each number | drop the extra copies of each number",
        ("first", "list(dict.fromkeys(x))"), ("last", "list(dict.fromkeys(x[::-1]))[::-1]")),
    _choice("rotate", "ints ints", "rotate the numbers by one | turn the list of numbers round by one",
        ("left", "x[1:] + x[:1]"), ("right", "x[-1:] + x[:-1]")),
    _choice("gaps", "ints ints", "list the differences of neighbours | subtract each two neighbours from each other",
        ("later less earlier", "[b - a for a, b in zip(x, x[1:])]"),
        ("earlier less later", "[a - b for a, b in zip(x, x[1:])]")),
    _choice("second", "ints ints", "keep every second number | drop every second number",
        ("from the first", "x[::2]"), ("from the second", "x[1::2]")),
    _choice("extreme", "ints int", "take the extreme number | find the most extreme of the numbers",
        ("largest", "max(x)"), ("smallest", "min(x)")),
    _choice("at_end", "ints int", "take the number at one end | return the number at an end of the list",
        ("first", "x[0]"), ("last", "x[-1]")),
    _choice("middle", "ints int", "take the middle of the sorted numbers | find the median as one of the numbers",
        ("upper", "sorted(x)[len(x) // 2]"), ("lower", "sorted(x)[(len(x) - 1) // 2]")),
    _choice("position", "ints int", "find the position of the largest number | say where the largest number stands",
        ("from zero", "x.index(max(x))"), ("from one", "x.index(max(x)) + 1")),
    _choice("length_order", "strs strs", "sort the words by length | put the words in order of length",
        ("shortest first", "sorted(x, key=len)"), ("longest first", "sorted(x, key=len, reverse=True)")),
    _choice("long_word", "strs str", "take the longest word | find the longest of the words",
        ("first of equals", "max(x, key=len)"), ("last of equals", "max(x[::-1], key=len)")),
    _choice("best_key", "dict str", "take the key with an extreme value | find the key of the most extreme value",
        ("largest", "max(x, key=x.get)"), ("smallest", "min(x, key=x.get)")),
    _choice("key_order", "dict strs", "sort the keys of the table by value | list the keys in order of value",
        ("smallest first", "sorted(x, key=x.get)"), ("largest first", "sorted(x, key=x.get, reverse=True)")),
    _choice("join_mark", "strs str",
        "join the words with a mark | write the words as one text with a mark between them",
        *_open("R.join(x)", *MARKS)),
    _choice("numbers_mark", "ints str", "write the numbers with a mark between them | join the numbers with a mark",
        *_open("R.join(str(v) for v in x)", *MARKS)),
    _choice("spaces_mark", "str str", "put a mark for each space | replace the spaces by a mark",
        *_open("x.replace(' ', R)", *MARKS)),
    _choice("vowels_mark", "str str", "put a mark for each vowel | replace the vowels by a mark",
        *_open("''.join(R if c in 'aeiou' else c for c in x)", *MARKS)),
    _choice("fill_mark", "str str",
        "fill the text up to K characters with a mark | pad the text with a mark to K characters",
        *_open("x.ljust(K, R)", *MARKS), constants=(8, 12, 16)),
    _choice("cut_mark", "str str",
        "cut the text to K characters and put a mark where it is cut | put a mark after K characters and end there",
        *_open("x if len(x) <= K else x[:K] + R", *MARKS), constants=(3, 4, 5)),
    _choice("short_mark", "strs strs", "put a mark for each short word | replace the short words by a mark",
        *_open("[w if len(w) > 3 else R for w in x]", *MARKS)),
    _choice("brackets", "strs strs", "put the long words in brackets | write brackets around the long words",
        *((f"{a}{b}", f"[f'{a}{{w}}{b}' if len(w) > 3 else w for w in x]") for a, b in ("()", "[]", "<>", "||"))),
    _choice("letter_off", "str str",
        "remove one of the letters from the text | leave out one letter wherever it stands",
        *_open("x.replace(R, '')", "a", "e", "o", "n")),
    _choice("split_at", "str strs", "split the text at one of the letters | part the text at a letter",
        *_open("x.split(R)", "a", "e", "o", "n")),
    _choice("cut_some", "str str",
        "keep some characters from the start of the text | cut the text after some characters",
        *_open("x[:R]", 2, 3, 4, 5)),
    _choice("keep_some", "ints ints", "keep some numbers from the start | cut the list after some numbers",
        *_open("x[:R]", 1, 2, 3, 4)),
    _choice("most", "int int", "limit the number to a highest value | make the number no more than the limit",
        *_open("min(x, R)", 5, 10, 20, 30)),
    _choice("least", "int int", "raise the number to a lowest value | make the number no less than the limit",
        *_open("max(x, R)", 0, 5, 10, 20)),
    _choice("odd_more", "int int", "add something to the number if it is odd | make the number larger if it is odd",
        *_open("x + R if x % 2 else x", 1, 3, 5, 7)),
    _choice("most_each", "ints ints", "limit each number to a highest value | make no number more than the limit",
        *_open("[min(v, R) for v in x]", 2, 4, 6, 8)),
    _choice("for_negative", "ints ints",
        "put a number for each one below zero | replace the negative numbers by a number",
        *_open("[v if v >= 0 else R for v in x]", 0, 1, 5, 9)),
    _choice("above", "ints ints", "keep the large numbers | keep the numbers that are above the limit",
        *_open("[v for v in x if v > R]", 1, 3, 5, 7)),
    _choice("longer", "strs strs", "keep the long words | keep the words that are longer than the limit",
        *_open("[w for w in x if len(w) > R]", 2, 3, 4)),
    _choice("most_value", "dict dict", "limit the values of the table | make no value more than the limit",
        *_open("{k: min(v, R) for k, v in x.items()}", 2, 4, 6)),
    _choice("keys_above", "dict strs",
        "list the keys with a large value | list the keys whose value is above the limit",
        *_open("[k for k in x if x[k] > R]", 2, 4, 6)),
)  # fmt: skip
_BY_KINDS: dict[tuple[Kind, Kind], list[tuple[Choice, int]]] = {}  # each choice with the place of each of its readings
for _each in CHOICES:
    _known = _BY_KINDS.setdefault((_each.operations[0].takes, _each.operations[0].gives), [])
    _known.extend((_each, _place) for _place in range(len(_each.readings)))


def draw_readings(rng: Random, depth: int, homes: Homes) -> list[Reading] | None:
    """Draw a statement's readings, the right one first; None if one is not sound, or the right one not at home."""
    operations = list(draw_operations(rng, depth))
    at = int(rng.random() * depth)
    choices = _BY_KINDS.get((operations[at].takes, operations[at].gives))
    if not choices:
        return None
    choice, right = pick(rng, choices)
    operations[at] = choice.operations[0]
    steps = draw_constants(rng, operations)
    if home(">".join(composition(steps))) not in homes.compositions:
        return None
    readings = [_read(choice, which, steps, at) for which in range(len(choice.readings))]
    readings.insert(0, readings.pop(right))
    behaviours = [sound_behaviour(reading.steps) for reading in readings]
    if not all(behaviours) or home_of_behaviour(behaviours[0] or "") not in homes.behaviours:
        return None
    return readings


def _read(choice: Choice, which: int, steps: Steps, at: int) -> Reading:
    read = replace(steps[at], operation=choice.operations[which])
    return Reading(choice.readings[which], (*steps[:at], read, *steps[at + 1 :]))


def readings_pairs(rng: Random, readings: Sequence[Reading], checks: int) -> list[Pair]:
    """Return the example, which fits all readings, the deciding check, and the hidden ones; none if too few decide.

    Args:
        rng: draws the inputs.
        readings: the right one first.
        checks: how many are hidden.
    """
    right, *others = [functions(reading.steps) for reading in readings]
    agreeing, between, deciding = list[Pair](), list[Pair](), list[Pair]()
    for given, expected in all_pairs(rng, right, readings[0].steps[0].operation.takes):
        otherwise = [run(other, given) for other in others]
        if not any(map(is_too_large, otherwise)):
            differing = sum(result != expected for result in otherwise)
            (between if 0 < differing < len(others) else deciding if differing else agreeing).append((given, expected))
    if len(deciding) <= DECIDING or len(agreeing) + len(between) + len(deciding) < checks + 2 or not agreeing:
        return []
    agreeing = example_first(agreeing)
    hidden = [*deciding[1 : DECIDING + 1], *agreeing[1:], *between, *deciding[DECIDING + 1 :]][:checks]
    return [agreeing[0], deciding[0], *hidden] if shows_every_step(readings[0].steps, hidden) else []
