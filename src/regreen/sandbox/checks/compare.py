"""The named rules by which a program's answer is compared with the expected one.

Call checks: ``equal`` (Python's ``==`` on plain data), ``close`` (floats within 1e-6, relative or absolute, at any
depth), ``apps``. Stdio checks: ``exact`` (byte for byte but for white space at the end of lines and of the whole),
``tokens`` (split at white space), ``floats`` (tokens, numbers within 1e-6), ``apps``. The ``apps`` rules follow the
order of attempts of the APPS harness (Hendrycks et al. 2021), which is lenient: it forgives order, case of lists
against tuples, and small differences of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

_TOLERANCE = 1e-6
_APPS_RELATIVE, _APPS_ABSOLUTE = 1e-5, 1e-8  # numpy.allclose, which the harness calls


def equal(got: Any, expected: Any) -> bool:
    """Python's ``==`` on plain data."""
    return bool(got == expected)


def close(got: Any, expected: Any) -> bool:
    """Equal, or floats within 1e-6, relative or absolute, at any depth of lists, tuples and dictionaries."""
    if isinstance(got, float) or isinstance(expected, float):
        return _close_numbers(got, expected, _TOLERANCE, _TOLERANCE)
    if isinstance(expected, (list, tuple)):
        return type(got) is type(expected) and len(got) == len(expected) and all(map(close, got, expected))
    if isinstance(expected, dict):
        return isinstance(got, dict) and got.keys() == expected.keys() and all(close(got[k], expected[k]) for k in got)
    return equal(got, expected)


def _close_numbers(got: Any, expected: Any, relative: float, absolute: float) -> bool:
    if not isinstance(got, (int, float)) or not isinstance(expected, (int, float)):
        return False
    if math.isnan(got) or math.isnan(expected):
        return math.isnan(got) and math.isnan(expected)
    return math.isclose(got, expected, rel_tol=relative, abs_tol=absolute)


def apps_call(got: Any, expected: Any) -> bool:
    """The APPS harness on function calls: tuples are lists, and the expected value may stand in a list of one."""
    got = list(got) if isinstance(got, tuple) else got
    if got == expected:
        return True
    if isinstance(expected, list) and expected:
        if got == expected[0]:
            return True
        if isinstance(got, list) and got and isinstance(got[0], tuple):
            return bool([list(item) if isinstance(item, tuple) else item for item in got] == expected[0])
    return False


def exact(got: str, expected: str) -> bool:
    """Byte for byte, but for white space at the end of each line and of the whole."""
    return got == expected or _trimmed(got) == _trimmed(expected)


def _trimmed(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def tokens(got: str, expected: str) -> bool:
    """Equal after splitting at white space."""
    return got.split() == expected.split()


def floats(got: str, expected: str) -> bool:
    """Equal token by token, where two numbers may differ by 1e-6, relative or absolute."""
    mine, theirs = got.split(), expected.split()
    return len(mine) == len(theirs) and all(map(_close_tokens, mine, theirs))


def _close_tokens(got: str, expected: str) -> bool:
    if got == expected:
        return True
    a, b = _number(got), _number(expected)
    return a is not None and b is not None and math.isfinite(b) and math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def apps_stdio(got: str, expected: str) -> bool:
    """The APPS harness on printed output: lines as they are, then stripped, as numbers, and as sets."""
    mine, theirs = got.strip().split("\n"), expected.strip().split("\n")
    stripped, goal = _full_lines(mine), _full_lines(theirs)
    return (
        mine == theirs
        or stripped == goal
        or _all_close(stripped, goal)
        or [line.split() for line in stripped] == [line.split() for line in goal]
        or set(stripped) == set(goal)
        or _number_sets(stripped) == _number_sets(goal)
    )


def _full_lines(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def _all_close(got: list[str], expected: list[str]) -> bool:
    a, b = [_number(t) for t in got], [_number(t) for t in expected]
    if len(a) != len(b) or not a or None in a or None in b:
        return False
    return all(abs(x - y) <= _APPS_ABSOLUTE + _APPS_RELATIVE * abs(y) for x, y in zip(a, b, strict=True) if x != y)  # type: ignore[operator, arg-type]


def _number_sets(lines: list[str]) -> set[frozenset[Any]]:
    """Each line as the set of its tokens, numbers rounded to three places."""
    return {frozenset(_rounded(token) for token in line.split()) for line in lines}


def _rounded(token: str) -> Any:
    number = _number(token)
    return token if number is None or not math.isfinite(number) else round(number, 3)


CALL: dict[str, Callable[[Any, Any], bool]] = {"equal": equal, "close": close, "apps": apps_call}
STDIO: dict[str, Callable[[str, str], bool]] = {"exact": exact, "tokens": tokens, "floats": floats, "apps": apps_stdio}
