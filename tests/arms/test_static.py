"""static: what tools find in a program that is never run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from regreen import Outcome, Problem, Stdio
from regreen.arms import Static
from regreen.verdict import CheckResult, Verdict

PROBLEM = Problem("p", "", (Stdio("", "x"),), prelude="import math\nfrom typing import List\n")
FAILED = Verdict(Outcome.WRONG_ANSWER, (CheckResult(0, Outcome.WRONG_ANSWER),))


@pytest.fixture(scope="module")
def static() -> Static:
    return Static()


def found(static: Static, source: str) -> list[str]:
    return asyncio.run(static(PROBLEM, source, FAILED)).splitlines()


def test_findings_name_the_program_s_own_lines_and_not_those_of_the_prelude(static: Static) -> None:
    source = "def f(x=[]):\n    y = math.pi\n    return undefined  # noqa\ndef g(): pass\ndef g(): pass\n"
    assert found(static, source) == [
        "Line 1: Do not use mutable data structures for argument defaults (B006)",
        "Line 2: Local variable `y` is assigned to but never used (F841)",
        "Line 3: Undefined name `undefined` (F821)",
        "Line 5: Redefinition of unused `g` from line 4: `g` redefined here (F811)",
    ]


def test_imports_that_are_not_used_or_are_the_prelude_s_again_are_no_findings(static: Static) -> None:
    assert found(static, "import os\nimport math\nfrom typing import List\nprint(math.pi)\n") == []


def test_of_a_program_that_does_not_parse_the_first_error_alone_is_said(static: Static) -> None:
    lines = found(static, "def f(x):\n    return (x\n\ndef g(:\n")
    assert len(lines) == 1
    assert "invalid-syntax" in lines[0]


def test_at_most_eight_findings_are_said(static: Static) -> None:
    assert len(found(static, "\n".join(f"print(a{n})" for n in range(30)))) == 8


def test_mypy_speaks_where_it_is_installed(static: Static) -> None:
    if "mypy" not in static.decides:
        pytest.skip("mypy is not installed")
    assert found(static, "def f(x):\n    return len(3) + 'a'\n") == [
        'Line 2: Argument 1 to "len" has incompatible type "int"; expected "Sized" (arg-type)',
        'Line 2: Unsupported operand types for + ("int" and "str") (operator)',
    ]


@pytest.mark.parametrize(
    "source",
    ["", "\0", "x = " + "(" * 5000, "\ud800", "x = [\n" * 2000, "# ruff: noqa\n# mypy: ignore-errors\nprint(1)\n"],
)
def test_hostile_texts_are_survived(static: Static, source: str) -> None:
    assert len(found(static, source)) <= 1


def test_a_program_is_never_run(static: Static, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    found(static, f"open({str(mark)!r}, 'w').write('was here')\n")
    assert not mark.exists()


def test_the_versions_that_decide_are_known(static: Static) -> None:
    assert static.decides["ruff"][0].isdigit()
    assert "ruff" in repr(static)
