"""Operations bound to variables: each step of a statement adds to, takes from or multiplies the variables it names.

    def do_work(x, y, z, w):
        \"\"\"Add 7 to z, then subtract 5 from both x and y. Return the product of the four numbers.\"\"\"

Source: Chen et al. 2021 (arXiv 2107.03374), section 6: the model forgets an operation, or applies it to the wrong
variable.

Differences from the paper:
- It shows one example and reports no rate. Here there are two to five variables and one to six operations, and as many
  problems for every pair of counts; the numbers of a statement are all different. No multiplication comes last on its
  variable, as the product would be the same with any other variable.
- ``mistakes`` says what comes out of every single mistake of three kinds. Every problem's checks tell each of them from
  what is right, and those of one kind from those of another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from random import Random
from textwrap import fill
from typing import Any

from regreen.benchmarks.source import Generated
from regreen.errors import InputError
from regreen.problem import Call, Problem

VARIABLES = (2, 3, 4, 5)
OPERATIONS = (1, 2, 3, 4, 5, 6)
EACH = 40  # problems for every pair of counts
CHECKS = 4
KINDS = ("forgotten", "wrong variable", "left out of the product")
_NAMES = "xyzwv"
_COUNTED = {2: "two", 3: "three", 4: "four", 5: "five"}
_BOTH = 0.3  # of the operations name two variables
_ACTS = {"+": "add {n} to {where}", "-": "subtract {n} from {where}", "*": "multiply {where} by {n}"}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a statement: its sign, its number, and the variables that it names."""

    sign: str
    number: int
    names: tuple[str, ...]

    def said(self) -> str:
        """Return it in words."""
        where = f"both {' and '.join(self.names)}" if len(self.names) > 1 else self.names[0]
        return _ACTS[self.sign].format(n=self.number, where=where)

    def code(self) -> str:
        """Return it as lines of a function's body."""
        return "".join(f"    {name} = {name} {self.sign} {self.number}\n" for name in self.names)

    def of(self, value: int) -> int:
        """Return what it makes of a value."""
        return {"+": value + self.number, "-": value - self.number, "*": value * self.number}[self.sign]


Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What a function does: its variables, its steps, and the variables whose product it returns."""

    names: tuple[str, ...]
    steps: Steps
    factors: tuple[str, ...]

    def of(self, given: Sequence[int]) -> int:
        """Return its result."""
        values = dict(zip(self.names, given, strict=True))
        for step in self.steps:
            for name in step.names:
                values[name] = step.of(values[name])
        return prod(values[name] for name in self.factors)


def generate(split: str = "test", *, seed: int = 0, each: int = EACH) -> Iterator[Problem]:
    """Yield problems of every pair of counts in turn, so that the first ones have them all.

    Args:
        split: the only one.
        seed: another one gives other problems.
        each: how many for every pair of counts; a larger number only adds problems.

    Raises:
        InputError: there are not so many different ones.
    """
    pairs = list(product(OPERATIONS, VARIABLES))
    rngs = {pair: Random(f"binding/{seed}/{pair}") for pair in pairs}
    seen: set[Work] = set()
    for number in range(each):
        for operations, variables in pairs:
            work, checks = _new(rngs[operations, variables], variables, operations, seen)
            seen.add(work)
            yield _problem(work, checks, f"binding/{split}/{seed}-{operations}.{variables}.{number}", split)


def work_of(problem: Problem) -> Work:
    """Return what a problem's function does."""
    names = tuple(problem.meta["names"])
    return Work(names, tuple(Step(sign, n, tuple(where)) for sign, n, where in problem.meta["steps"]), names)


def mistakes(work: Work) -> Iterator[tuple[str, Work]]:
    """Yield every single mistake and its kind.

    Forgotten: an operation, or one of its two variables. Wrong variable: an operation on another variable than one it
    names. Left out: one number of the product.
    """
    for at, step in enumerate(work.steps):
        for kind, names in _misread(work, step):
            steps = (*work.steps[:at], *([replace(step, names=names)] if names else []), *work.steps[at + 1 :])
            yield kind, replace(work, steps=steps)
    for name in work.factors:
        yield "left out of the product", replace(work, factors=tuple(f for f in work.factors if f != name))


def _misread(work: Work, step: Step) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the variables that a step may be applied to by mistake, and the kind of mistake."""
    yield "forgotten", ()
    for at, name in enumerate(step.names):
        others = step.names[:at] + step.names[at + 1 :]
        if others:
            yield "forgotten", others
        yield from (("wrong variable", (*others, wrong)) for wrong in work.names if wrong not in (name, *others))


def _new(rng: Random, variables: int, operations: int, seen: set[Work]) -> tuple[Work, list[tuple[int, ...]]]:
    """Return a function that is not there yet, and inputs that tell its mistakes apart."""
    for _ in range(10_000):
        work = _drawn(rng, variables, operations)
        inputs = list(dict.fromkeys(tuple(rng.randint(2, 40) for _ in work.names) for _ in range(CHECKS)))
        if work not in seen and len(inputs) == CHECKS and tells(work, inputs):
            return work, inputs
    raise InputError(f"binding: no more functions of {operations} operations on {variables} variables; ask for fewer")


def _drawn(rng: Random, variables: int, operations: int) -> Work:
    names = tuple(_NAMES[:variables])
    numbers = rng.sample(range(2, 13), operations)
    steps = (Step(rng.choice("+-*"), number, _named(rng, names)) for number in numbers)
    return Work(names, tuple(steps), names)


def _named(rng: Random, names: tuple[str, ...]) -> tuple[str, ...]:
    count = 2 if len(names) > 2 and rng.random() < _BOTH else 1
    return tuple(sorted(rng.sample(names, count), key=names.index))


def tells(work: Work, inputs: Sequence[Sequence[int]]) -> bool:
    """Tell whether inputs set all mistakes apart from what is right, one kind from another, and no result is 0."""
    right = tuple(map(work.of, inputs))
    found = {right: "right"}
    return all(right) and all(
        found.setdefault(tuple(map(wrong.of, inputs)), kind) == kind for kind, wrong in mistakes(work)
    )


def _problem(work: Work, inputs: Sequence[tuple[int, ...]], name: str, split: str) -> Problem:
    said = _statement(work)
    prompt = f"def do_work({', '.join(work.names)}):\n{_docstring(said)}"
    facts: dict[str, Any] = {"names": list(work.names), "operations": len(work.steps), "variables": len(work.names)}
    return Problem(
        id=name,
        statement=prompt,
        checks=tuple(Call(given, work.of(given)) for given in inputs),
        entry_point="do_work",
        solution=f"{prompt}{''.join(step.code() for step in work.steps)}    return {' * '.join(work.factors)}\n",
        meta={
            "source": "binding",
            "split": split,
            "prompt": prompt,
            "steps": [[step.sign, step.number, list(step.names)] for step in work.steps],
            "difficulty": f"{len(work.steps)} operations on {len(work.names)} variables",
            **facts,
        },
    )


def _statement(work: Work) -> str:
    text = ", then ".join(step.said() for step in work.steps)
    return f"{text[0].upper()}{text[1:]}. Return the product of the {_COUNTED[len(work.names)]} numbers."


def _docstring(said: str) -> str:
    return fill(f'"""{said}"""', 88, initial_indent="    ", subsequent_indent="    ") + "\n"


SOURCE = Generated(
    name="binding",
    about="one to six operations on two to five variables, and their product, made from a seed",
    checks="call",
    splits=("test",),
    make=generate,
)
