"""Chained building blocks: functions that manipulate a text in a sequence of one to eight steps.

Source: Chen et al. 2021 (arXiv 2107.03374), section 6 and appendix C: thirteen blocks, each a line of text and a line
of code; a problem's docstring lists the texts, its solution's body the lines of code.

Differences from the paper:
- It does not say how blocks are drawn, which lengths, how many problems, or on what they are checked. Here no block
  comes twice in a chain, there are all chains of one and two blocks and ``EACH`` of every greater length, and every
  problem has ``CHECKS`` random texts and those more that show a step which they do not.
- Chains that make the same of every text are left out: a program that returns a constant would pass. Steps that no
  text shows, such as dropping each letter e after all vowels, stay; ``meta["idle"]`` names their positions.
- The code decides where text and code differ: "every third character" is the first, the fourth, and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, reduce
from itertools import islice, permutations, zip_longest
from random import Random

from regreen.benchmarks.source import Generated
from regreen.problem import Call, Problem

LENGTHS = tuple(range(1, 9))
EACH = 300  # problems of a length, where there are so many
CHECKS = 10
MORE = 40  # texts among which one is looked for that shows a step
_NAME = "string_manipulation"
_LETTERS = "aaabcdeeeefghiijklmnooprsttuuvwyAEEIORST"


@dataclass(frozen=True)
class Block:
    """A building block: what is said, and the expression in ``s`` that does it."""

    text: str
    code: str

    @cached_property
    def apply(self) -> Callable[[str], str]:
        """The expression as a function."""
        return eval(f"lambda s: {self.code}")  # type: ignore[no-any-return]  # the code is the truth


Chain = tuple[Block, ...]
Pair = tuple[str, str]  # a text and what is expected

BLOCKS: Chain = tuple(
    Block(text, code)
    for text, code in (
        ("remove all instances of the letter e from the string", 's.replace("e", "")'),
        ("replace all spaces with exclamation points in the string", 's.replace(" ", "!")'),
        ("convert the string s to lowercase", "s.lower()"),
        ("remove the first and last two characters of the string", "s[2:-2]"),
        ("removes all vowels from the string", '"".join(c for c in s if c not in "aeiouAEIOU")'),
        ("remove every third character from the string", '"".join(c for i, c in enumerate(s) if i % 3 != 0)'),
        ("drop the last half of the string, as computed by characters", "s[: len(s) // 2]"),
        ("replace spaces with triple spaces", 's.replace(" ", "   ")'),
        ("reverse the order of words in the string", '" ".join(s.split()[::-1])'),
        (
            "drop the first half of the string, as computed by number of words",
            '" ".join(s.split()[len(s.split()) // 2 :])',
        ),
        ("add the word apples after every word in the string", '" ".join(w + " apples" for w in s.split())'),
        (
            "make every other character in the string uppercase",
            '"".join(c.upper() if i % 2 == 0 else c for i, c in enumerate(s))',
        ),
        (
            "delete all exclamation points, question marks, and periods from the string",
            '"".join(x for x in s if x not in ".!?")',
        ),
    )
)


def generate(split: str = "test", *, seed: int = 0, each: int = EACH) -> Iterator[Problem]:
    """Yield problems of all lengths in turn, the shortest first.

    Args:
        split: the only one.
        seed: another one gives other chains, in another order, and other texts.
        each: how many of a length there are, where there are so many; a larger number only adds problems.
    """
    for row in zip_longest(*(islice(_of_length(length, split, seed), each) for length in LENGTHS)):
        yield from (problem for problem in row if problem is not None)


def run(chain: Chain, text: str) -> str:
    """Return what a chain makes of a text."""
    return reduce(lambda s, block: block.apply(s), chain, text)


def text(rng: Random) -> str:
    """Return a random text: four to twelve words, some with a sign, or without letters, or with more space between."""
    return "".join(_word(rng) for _ in range(rng.randint(4, 12))).lstrip(" " if rng.random() < 0.85 else "")


def _word(rng: Random) -> str:
    kind = rng.random()
    letters = "".join(rng.choices(_LETTERS if kind < 0.9 else "eEa", k=rng.randint(1, 9) if kind < 0.94 else 0))
    sign = rng.choice(".!?,") if kind < 0.3 or not letters else ""
    return (" " if rng.random() < 0.8 else "  ") + letters + sign


def _of_length(length: int, split: str, seed: int) -> Iterator[Problem]:
    """Yield the problems of a length whose results depend on the text."""
    for number, chain in enumerate(_chains(Random(f"chained/{seed}/{length}"), length)):
        problem = _problem(chain, f"{split}/{seed}-{length}.{number}", split)
        if len({check.expected for check in problem.checks if isinstance(check, Call)}) > 1:
            yield problem


def _chains(rng: Random, length: int) -> Iterator[Chain]:
    """Yield chains of a length, each once, in an order drawn."""
    count = math.perm(len(BLOCKS), length)
    if count <= EACH:
        every = list(permutations(BLOCKS, length))
        yield from rng.sample(every, len(every))
        return
    seen: set[Chain] = set()
    while len(seen) < count:
        chain = tuple(rng.sample(BLOCKS, length))
        if chain not in seen:
            seen.add(chain)
            yield chain


def _problem(chain: Chain, name: str, split: str) -> Problem:
    pairs, idle = _pairs(Random(f"chained/{name}"), chain)
    prompt = _header(chain)
    return Problem(
        id=f"chained/{name}",
        statement=prompt,
        checks=tuple(Call((given,), expected) for given, expected in pairs),
        entry_point=_NAME,
        solution=prompt + "".join(f"    s = {block.code}\n" for block in chain) + "    return s\n",
        meta={
            "source": "chained",
            "split": split,
            "prompt": prompt,
            "blocks": [1 + BLOCKS.index(block) for block in chain],
            "length": len(chain),
            "difficulty": f"length {len(chain)}",
            "idle": idle,
        },
    )


def _header(chain: Chain) -> str:
    listed = "".join(f"    -{block.text}\n" for block in chain)
    return (
        f'def {_NAME}(s: str):\n    """\n    This function takes a string as input, then returns the result of '
        f'performing\n    the following sequence of manipulations on that string:\n{listed}    """\n'
    )


def _pairs(rng: Random, chain: Chain) -> tuple[list[Pair], list[int]]:
    """Return pairs on which each step shows that shows at all, and the positions of the steps that do not."""
    pairs, idle = [(given, run(chain, given)) for given in (text(rng) for _ in range(CHECKS))], []
    for position in range(len(chain) if len(chain) > 1 else 0):
        shorter = chain[:position] + chain[position + 1 :]
        if not fails(shorter, pairs):
            found = next((pair for pair in _more(chain) if fails(shorter, [pair])), None)
            pairs += [] if found is None else [found]
            idle += [position] if found is None else []
    return pairs, idle


def fails(chain: Chain, pairs: Iterable[Pair]) -> bool:
    """Tell whether a chain makes something else of one of the texts than what is expected."""
    return any(run(chain, given) != expected for given, expected in pairs)


@lru_cache(maxsize=1)
def _more(chain: Chain) -> tuple[Pair, ...]:
    return tuple((given, run(chain, given)) for given in _texts())


@cache
def _texts() -> tuple[str, ...]:
    rng = Random("chained")
    return tuple(text(rng) for _ in range(MORE))


SOURCE = Generated(
    name="chained",
    about="one to eight building blocks of string manipulation in a row, made from a seed",
    checks="call",
    splits=("test",),
    make=generate,
)
