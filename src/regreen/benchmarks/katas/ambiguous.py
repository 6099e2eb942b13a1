"""Statements with two readings, between which only a deciding check settles.

Each choice is left open by one phrase, and has two readings. A problem's right reading is drawn. The worked example
fits both; the deciding check, which may be revealed, and at least five hidden ones fit the right one alone.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import NamedTuple

from regreen.benchmarks.katas.chains import Steps, draw_constants, draw_operations, functions, is_too_large, pick, run
from regreen.benchmarks.katas.operation import Kind, Operation, operation
from regreen.benchmarks.katas.pairs import Pair, all_pairs, example_first, shows_every_step
from regreen.benchmarks.katas.splits import OPEN, composition, home, home_of_behaviour, sound_behaviour

DECIDING = 5  # hidden checks, at least, that tell the readings apart


class Homes(NamedTuple):
    """Where a statement's composition, and the behaviour of both its readings, must be at home."""

    compositions: tuple[str, ...]
    behaviours: tuple[str, ...]


# Nothing is trained on the behaviours of validation and test. A composition with an open choice is no other split's, so
# the hash parts these two as it likes: three quarters and one.
HOMES = {
    "ambiguous": Homes(("train", "test"), ("validation", "test")),
    "ambiguous-train": Homes(("validation", "unsolved"), ("train",)),
}


class Choice(NamedTuple):
    """What a phrase leaves open: two operations of one name, with the same phrases."""

    readings: tuple[str, str]
    operations: tuple[Operation, Operation]


class Reading(NamedTuple):
    """One reading of a statement."""

    name: str
    steps: Steps


def _choice(
    name: str, kinds: str, phrases: str, first: tuple[str, str], second: tuple[str, str], *constants: int | str
) -> Choice:
    made = [operation(f"{name}{OPEN}", kinds, phrases, code, *constants) for _, code in (first, second)]
    return Choice((first[0], second[0]), (made[0], made[1]))


CHOICES = (
    _choice("round", "int int", "divide the number by K and round | divide the number by K without a fraction",
        ("down", "x // K"), ("up", "-(-x // K)"), 3, 4, 5),
    _choice("multiple", "int int", "move the number to a multiple of K | round the number to a multiple of K",
        ("down", "x // K * K"), ("up", "-(-x // K) * K"), 3, 5, 10),
    _choice("upto", "int ints", "count from 1 to the number | list the numbers between 1 and the number",
        ("with the end", "list(range(1, x + 1))"), ("without the end", "list(range(1, x))")),
    _choice("cut", "str str", "cut the text to K characters | shorten the text to K characters",
        ("start", "x[:K]"), ("end", "x[-K:]"), 2, 3, 4),
    _choice("pad", "str str", "pad the text with stars to K characters | fill the text up with stars to K characters",
        ("right", "x.ljust(K, '*')"), ("left", "x.rjust(K, '*')"), 8, 12, 16),
    _choice("char_off", "str str", "remove a character at one end of the text | drop a character at an end of the text",
        ("first", "x[1:]"), ("last", "x[:-1]")),
    _choice("char_at", "str str", "take a character at one end of the text | return the character at an end",
        ("first", "x[0]"), ("last", "x[-1]")),
    _choice("turn_by_one", "str str", "rotate the text by one | turn the text round by one character",
        ("left", "x[1:] + x[:1]"), ("right", "x[-1:] + x[:-1]")),
    _choice("parts", "str strs", "split the text | split the text into parts",
        ("words", "x.split()"), ("characters", "list(x)")),
    _choice("find", "str int", "find the index of K in the text | find where K is in the text",
        ("first", "x.find(K)"), ("last", "x.rfind(K)"), "a", "e", "o"),
    _choice("order", "ints ints", "sort the numbers | put the numbers in order",
        ("ascending", "sorted(x)"), ("descending", "sorted(x, reverse=True)")),
    _choice("one_off", "ints ints", "remove a number at one end | drop one number at an end of the list",
        ("first", "x[1:]"), ("last", "x[:-1]")),
    _choice("some", "ints ints", "keep K numbers from one end | keep only K of the numbers",
        ("start", "x[:K]"), ("end", "x[-K:]"), 2, 3),
    _choice("border", "ints ints", "keep the numbers from the border K up | keep the numbers beyond the border K",
        ("with the border", "[v for v in x if v >= K]"), ("without the border", "[v for v in x if v > K]"), 2, 3, 4),
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
    _choice("words_order", "strs strs", "sort the words | put the words in order",
        ("from a to z", "sorted(x)"), ("from z to a", "sorted(x, reverse=True)")),
    _choice("length_order", "strs strs", "sort the words by length | put the words in order of length",
        ("shortest first", "sorted(x, key=len)"), ("longest first", "sorted(x, key=len, reverse=True)")),
    _choice("word_off", "strs strs", "remove a word at one end | drop one word at an end of the list",
        ("first", "x[1:]"), ("last", "x[:-1]")),
    _choice("long_word", "strs str", "take the longest word | find the longest of the words",
        ("first of equals", "max(x, key=len)"), ("last of equals", "max(x[::-1], key=len)")),
    _choice("word_at_end", "strs str", "take the word at one end | return the word at an end of the list",
        ("first", "x[0]"), ("last", "x[-1]")),
    _choice("best_key", "dict str", "take the key with an extreme value | find the key of the most extreme value",
        ("largest", "max(x, key=x.get)"), ("smallest", "min(x, key=x.get)")),
    _choice("key_order", "dict strs", "sort the keys of the table by value | list the keys in order of value",
        ("smallest first", "sorted(x, key=x.get)"), ("largest first", "sorted(x, key=x.get, reverse=True)")),
    _choice("extreme_value", "dict int", "take the extreme value of the table | find the most extreme value",
        ("largest", "max(x.values())"), ("smallest", "min(x.values())")),
)  # fmt: skip
_BY_KINDS: dict[tuple[Kind, Kind], list[Choice]] = {}
for _each in CHOICES:
    _BY_KINDS.setdefault((_each.operations[0].takes, _each.operations[0].gives), []).append(_each)


def draw_readings(rng: Random, depth: int, homes: Homes) -> tuple[Reading, Reading] | None:
    """Draw a statement's right reading and its other one; None if one is not sound, or not at home there."""
    operations = list(draw_operations(rng, depth))
    at = int(rng.random() * depth)
    choices = _BY_KINDS.get((operations[at].takes, operations[at].gives))
    if not choices:
        return None
    choice = pick(rng, choices)
    operations[at] = choice.operations[0]
    steps = draw_constants(rng, operations)
    if home(">".join(composition(steps))) not in homes.compositions:
        return None
    both = [Reading(choice.readings[0], steps), _read(choice, steps, at)]
    if not all(_behaves_as(reading.steps, homes.behaviours) for reading in both):
        return None
    right = int(rng.random() * 2)
    return both[right], both[1 - right]


def _read(choice: Choice, steps: Steps, at: int) -> Reading:
    second = replace(steps[at], operation=choice.operations[1])
    return Reading(choice.readings[1], (*steps[:at], second, *steps[at + 1 :]))


def _behaves_as(steps: Steps, homes: tuple[str, ...]) -> bool:
    found = sound_behaviour(steps)
    return found is not None and home_of_behaviour(found) in homes


def readings_pairs(rng: Random, right: Reading, other: Reading, checks: int) -> list[Pair]:
    """Return the example, which fits both readings, the deciding check, and the hidden ones; none if too few decide."""
    made, otherwise = functions(right.steps), functions(other.steps)
    agreeing, deciding = list[Pair](), list[Pair]()
    for given, expected in all_pairs(rng, made, right.steps[0].operation.takes):
        read_otherwise = run(otherwise, given)
        if not is_too_large(read_otherwise):
            (agreeing if read_otherwise == expected else deciding).append((given, expected))
    if len(deciding) <= DECIDING or len(agreeing) + len(deciding) < checks + 2 or not agreeing:
        return []
    agreeing = example_first(agreeing)
    hidden = [*deciding[1 : DECIDING + 1], *agreeing[1:], *deciding[DECIDING + 1 :]][:checks]
    return [agreeing[0], deciding[0], *hidden] if shows_every_step(right.steps, hidden) else []
