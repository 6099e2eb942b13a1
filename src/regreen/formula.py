"""Formulas of MathQA: one line of operations, what it comes to, and the Python program that it stands for.

``divide(n0,n1)|multiply(#0,const_100)|`` takes numbers of the problem (``n0``), earlier results (``#0``) and constants
(``const_100``, ``const_3_6``, ``const_pi``).

Source: Amini et al. 2019 (arXiv 1905.13319), the operations; Austin et al. 2021 (arXiv 2108.07732), the programs.

Differences from the published programs:
- What they take from scipy (``gcd``, ``lcm``, ``comb``) is taken from ``math``: current versions have no ``scipy.gcd``.
- Lines have no comments.
- A division by zero is an error; the published interpreter of formulas says 0, the published programs fail too.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# In the arguments a, b, c. A text is a program's line, and is evaluated for a formula's value: they cannot differ.
OPERATIONS: dict[str, str] = {
    "add": "a + b",
    "subtract": "a - b",
    "multiply": "a * b",
    "divide": "a / b",
    "speed": "a / b",
    "power": "a**min(b, 5)",
    "sqrt": "math.sqrt(max(0, a))",
    "inverse": "1 / a",
    "negate": "-a",
    "floor": "math.floor(a)",
    "factorial": "math.factorial(min(15, int(a)))",
    "log": "math.log(max(1e-5, a), 2)",
    "reminder": "a % b",
    "gcd": "math.gcd(int(a), int(b))",
    "lcm": "math.lcm(int(a), int(b))",
    "max": "max(a, b)",
    "choose": "math.comb(int(a), int(b))",
    "permutation": "math.factorial(int(max(a, b))) / math.factorial(int(max(a, b) - min(a, b)))",
    "sine": "math.sin(a)",
    "cosine": "math.cos(a)",
    "percent": "a / 100 * b",
    "from_percent": "a / 100",
    "gain_percent": "100 + a",
    "loss_percent": "100 - a",
    "negate_percent": "100 - a",
    "price_after_gain": "(1 + a / 100) * b",
    "p_after_gain": "(1 + a / 100) * b",
    "price_after_loss": "(1 - a / 100) * b",
    "original_price_before_gain": "b * 100 / (100 + a)",
    "original_price_before_loss": "b * 100 / (100 + 1e-5 - a)",
    "union_prob": "a + b - c",
    "negate_prob": "1 - a",
    "count_interval": "a - b + 1",
    "combined_work": "1 / (min(a, 1 / a) + min(b, 1 / b))",
    "find_work": "1 / abs(min(a, 1 / a) - min(b, 1 / b))",
    "speed_in_still_water": "(a + b) / 2",
    "stream_speed": "(a - b) / 2",
    "speed_ratio_steel_to_stream": "(a + b) / (a - b)",
    "circle_area": "math.pi * a**2",
    "circumface": "2 * math.pi * a",
    "circle_arc": "a / 360 * 2 * math.pi * b",
    "circle_sector_area": "b / 360 * math.pi * a**2",
    "semi_circle_perimiter": "math.pi * a + 2 * a",
    "square_area": "a**2",
    "square_perimeter": "4 * a",
    "rhombus_perimeter": "4 * a",
    "square_edge_by_area": "math.sqrt(a)",
    "square_edge_by_perimeter": "a / 4",
    "rectangle_area": "a * b",
    "rectangle_perimeter": "2 * (a + b)",
    "diagonal": "math.sqrt(a**2 + b**2)",
    "rhombus_area": "a * b / 2",
    "triangle_area": "a * b / 2",
    "trapezium_area": "a * (b + c) / 2",
    "quadrilateral_area": "a * (b + c) / 2",
    "triangle_perimeter": "a + b + c",
    "triangle_area_three_edges": (
        "math.sqrt(max(0, (a + b + c) / 2 * ((a + b + c) / 2 - a) * ((a + b + c) / 2 - b) * ((a + b + c) / 2 - c)))"
    ),
    "volume_cube": "a**3",
    "cube_edge_by_volume": "a**(1 / 3)",
    "surface_cube": "6 * a**2",
    "volume_rectangular_prism": "a * b * c",
    "surface_rectangular_prism": "2 * (a * b + a * c + b * c)",
    "volume_cylinder": "math.pi * a**2 * b",
    "volume_cone": "math.pi * a**2 * b / 3",
    "volume_sphere": "4 / 3 * math.pi * a**3",
    "surface_sphere": "4 * math.pi * a**2",
}
_NAMED = {"const_pi": math.pi, "const_deg_to_rad": math.pi / 180}
_ARGUMENT = re.compile(r"n\d+|#\d+|const_(?:\d+(?:\.\d+|_\d+)?|pi|deg_to_rad)")
_OPERATION = re.compile(r"\s*(\w+)\s*\(([^()]*)\)\s*")
_PLACE = re.compile(r"\b[abc]\b")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a formula, and its arguments as they are written."""

    name: str
    arguments: tuple[str, ...]


def read_formula(text: str) -> tuple[Operation, ...]:
    """Return the operations of a formula.

    Raises:
        ValueError: an operation or an argument that there is not, the wrong number of arguments, or none at all.
    """
    parts = [part for part in text.strip().rstrip("|").split("|") if part.strip()]
    if not parts:
        raise ValueError("an empty formula; expected one like divide(n0,n1)|multiply(#0,const_100)")
    return tuple(_read(part, at) for at, part in enumerate(parts))


def values(operations: Sequence[Operation], numbers: Sequence[float]) -> list[float]:
    """Return the value of every operation, the formula's own last.

    Args:
        operations: what :func:`read_formula` returned.
        numbers: of the problem, in their order in its text.

    Raises:
        ValueError, ArithmeticError, TypeError: a number that the problem does not have, or no value.
    """
    found: list[float] = []
    for operation in operations:
        arguments = [_value(argument, numbers, found) for argument in operation.arguments]
        found.append(_function(operation.name)(*arguments))
    return found


def program(operations: Sequence[Operation], numbers: Sequence[float]) -> str:
    """Return the Python program of a formula: its last line sets ``answer``. Raises ValueError as :func:`values` does.

    A formula of one operation has an empty line before it, as published.
    """
    for operation in operations:
        for argument in operation.arguments:
            _check_number(argument, numbers)
    lines = [f"t{at} = {_line(operation)}" for at, operation in enumerate(operations[:-1])]
    body = [*(f"n{at} = {number!r}" for at, number in enumerate(numbers)), "\n".join(lines)]
    text = "\n".join([*body, f"answer = {_line(operations[-1])}"]) + "\n"
    return f"import math\n{text}" if "math." in text else text


def _read(part: str, at: int) -> Operation:
    match = _OPERATION.fullmatch(part)
    if match is None:
        raise ValueError(f"{part.strip()[:60]!r} is no operation; expected one like divide(n0,n1)")
    name, arguments = match[1], tuple(argument.strip() for argument in match[2].split(","))
    if name not in OPERATIONS:
        raise ValueError(f"there is no operation {name[:60]!r}")
    if len(arguments) != _arity(name):
        raise ValueError(f"{name} takes {_arity(name)} arguments, not {len(arguments)}")
    for argument in arguments:
        if not _ARGUMENT.fullmatch(argument) or (argument[0] == "#" and int(argument[1:]) >= at):
            raise ValueError(f"{argument[:60]!r} is no argument of {name}; expected n0, #0 of an earlier one, const_2")
    return Operation(name, arguments)


def _arity(name: str) -> int:
    return len(set(_PLACE.findall(OPERATIONS[name])))


@functools.cache
def _function(name: str) -> Callable[..., float]:
    """Return what an operation's text computes: the texts are those above, nothing that was read."""
    function: Callable[..., float] = eval(f"lambda a, b=0.0, c=0.0: {OPERATIONS[name]}", {"math": math})
    return function


def _check_number(argument: str, numbers: Sequence[float]) -> None:
    if argument[0] == "n" and int(argument[1:]) >= len(numbers):
        raise ValueError(f"there is no number {argument}: the problem has {len(numbers)}")


def _value(argument: str, numbers: Sequence[float], found: Sequence[float]) -> float:
    _check_number(argument, numbers)
    match argument[0]:
        case "n":
            return numbers[int(argument[1:])]
        case "#":
            return found[int(argument[1:])]
    return _constant(argument)


def _constant(argument: str) -> float:
    """Return a constant: ``const_3_6`` and ``const_3.6`` are 3.6."""
    return _NAMED.get(argument) or float(argument.removeprefix("const_").replace("_", "."))


def _line(operation: Operation) -> str:
    written = dict(zip("abc", map(_written, operation.arguments), strict=False))
    return _PLACE.sub(lambda match: written[match[0]], OPERATIONS[operation.name])


def _written(argument: str) -> str:
    if argument[0] == "#":
        return f"t{argument[1:]}"
    return argument if argument[0] == "n" else repr(_constant(argument))
