"""When EvalPlus takes an output for right. This file's text runs inside the checks, on the judge's side."""

import math
from typing import Any


def agrees(got: Any, expected: Any, atol: float, rule: str, inputs: Any) -> bool:
    """Return whether an output is right for the inputs, by the rule of its problem."""
    if rule == "always":
        return True
    if rule == "root":
        return bool(abs(sum(c * math.pow(got, i) for i, c in enumerate(inputs[0]))) <= atol)
    if rule == "set":
        return set(got) == set(expected)
    if rule == "not none":
        return present(got) == present(expected)
    return alternative(got, rule, inputs, atol) or close(got, expected, atol)


def alternative(got: Any, rule: str, inputs: Any, atol: float) -> bool:
    """Return whether an output is the second answer that EvalPlus allows for three of the MBPP problems."""
    if rule == "or zero":
        return bool(got == 0)
    if rule == "or pyramid":
        edge, height = inputs
        return bool(abs(got - round(edge**2 + 2 * edge * math.sqrt((edge / 2) ** 2 + height**2))) <= atol)
    if rule == "or padded digits":
        width = max(len(str(number)) for number in inputs)
        first, second = (str(number).zfill(width) for number in inputs)
        return bool(got == sum(abs(int(a) - int(b)) for a, b in zip(first, second, strict=True)))
    return False


def present(value: Any) -> bool:
    """Return a truth value as it is, and for any other whether it is there: a match object is no data."""
    return value if isinstance(value, bool) else value is not None


def close(got: Any, expected: Any, atol: float) -> bool:
    """Return whether numbers, or lists of them, are equal within 1e-7 of the expected one plus ``atol``."""
    if atol == 0 and floats(expected):
        atol = 1e-6
    return bool(got == expected) or (atol != 0 and type(got) is type(expected) and near(got, expected, atol))


def floats(value: Any) -> bool:
    """Return whether a value is a float or a list or tuple of floats."""
    return isinstance(value, float) or (isinstance(value, (list, tuple)) and all(isinstance(v, float) for v in value))


def near(got: Any, expected: Any, atol: float) -> bool:
    """Return whether two values of one shape are near each other, number by number."""
    if isinstance(expected, (list, tuple)):
        same = isinstance(got, (list, tuple)) and len(got) == len(expected)
        return same and all(near(g, e, atol) for g, e in zip(got, expected, strict=True))
    if not isinstance(got, (int, float, complex)) or not isinstance(expected, (int, float, complex)):
        return bool(got == expected)
    if got == expected or (got != got and expected != expected):  # nan agrees with nan
        return True
    return bool(abs(got - expected) <= atol + 1e-7 * abs(expected))
