"""extract: stop strings, and the program out of a chat reply."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.extract import HUMANEVAL_STOPS, STOP_SETS, extract, stop_at

PROGRAM = "def f(x):\n    return x + 1\n"

PIECES = st.sampled_from(
    [
        "```", "```python", "    ```", "def f(x):", "    return x", "import os", "print(1)", "x = 1", "<think>",
        "</think>", "Here is the code:", "Sorry", '"""', "for i in x:", "class A:", "    pass", "(", ")", "# why", "",
        "\x00", "\ud800", "@wraps", "for example:", "\t", "\r", "\x0c", "<|end_of_thought|>", "'</think>'",
        "```python x", "1 +",
    ]
)  # fmt: skip
REPLIES = st.lists(PIECES, max_size=12).map("\n".join) | st.text()


@given(REPLIES)
@settings(max_examples=500)
def test_extraction_never_raises_and_is_idempotent(reply: str) -> None:
    once = extract(reply)
    assert extract(once.source).source == once.source


@given(REPLIES)
def test_what_is_extracted_stands_in_the_reply(reply: str) -> None:
    source = extract(reply).source
    assert all(line.strip() in reply for line in source.split("\n"))


@given(REPLIES)
def test_the_rule_is_none_exactly_when_nothing_is_extracted(reply: str) -> None:
    found = extract(reply)
    assert (found.rule == "none") == (found.source == "")


@given(st.text(alphabet="\n adefclsp#"), st.lists(st.text(alphabet="\n adefclsp#", min_size=1)))
def test_stop_at_is_the_longest_prefix_before_any_stop(text: str, stops: list[str]) -> None:
    cut = stop_at(text, stops)
    starts = [i for i in range(len(text)) if any(text.startswith(stop, i) for stop in stops)]
    assert cut == text[: starts[0] if starts else len(text)]


def test_the_humaneval_stops_end_a_raw_continuation() -> None:
    assert stop_at("    return 1\n\ndef g():\n    pass", HUMANEVAL_STOPS) == "    return 1\n"
    assert STOP_SETS["humaneval"] is HUMANEVAL_STOPS


@pytest.mark.parametrize(
    ("reply", "source", "rule"),
    [
        (PROGRAM, PROGRAM, "whole"),
        ("print(input())", "print(input())", "whole"),
        (f"Sure!\n```python\n{PROGRAM}```\nDone.", PROGRAM, "fence"),
        (f"```\nold = 1\n```\nBetter:\n```python\n{PROGRAM}```", PROGRAM, "fence"),
        (f"```python\n{PROGRAM}```\nIt prints:\n```\n1 2 3\n```", PROGRAM, "fence"),
        ("1. So:\n   ```python\n   def f(x):\n       return x + 1\n   ```", PROGRAM, "fence"),
        (f"<think>\n```python\nwrong = 1\n```\n</think>\n```python\n{PROGRAM}```", PROGRAM, "thinking+fence"),
        (f"let me see </think>{PROGRAM}", PROGRAM, "thinking+whole"),
        (f"Here you are:\n\n{PROGRAM}\nIt adds one.", PROGRAM, "lines"),
        ("The script:\nn = int(input())\nprint(n)\nThat is all.", "n = int(input())\nprint(n)", "lines"),
        (f"{PROGRAM}\nExample usage:\nprint(f(2))", PROGRAM, "lines"),
        ("n = int(input())\nprint(n", "n = int(input())\nprint(n", "unparsable"),
        ("```python\ndef f(x:\n    return x\n```", "def f(x:\n    return x\n", "unparsable"),
        ("```\nn = int(input()\nprint(n)\n```", "n = int(input()\nprint(n)\n", "unparsable"),
        ("```\n1 2 3\n```", "", "none"),
        (f"{PROGRAM}\ndef g(:\n    pass", f"{PROGRAM}\ndef g(:\n    pass", "unparsable"),
        ("I am sorry, but I cannot do that.", "", "none"),
        ("Sorry", "", "none"),
        ("<think>\n```python\nx = 1\n```\nwait", "", "none"),
        ("", "", "none"),
    ],
)
def test_each_rule_finds_its_program(reply: str, source: str, rule: str) -> None:
    found = extract(reply)
    assert (found.source, found.rule) == (source, rule)


def test_a_fence_inside_a_docstring_does_not_split_a_whole_program() -> None:
    program = 'def f():\n    """\n```\nf()\n```\n    """\n    return 1\n'
    assert extract(program).rule == "whole"


@pytest.mark.parametrize("hostile", ["(" * 100_000, "-" * 100_000 + "1", "[" * 5_000 + "]" * 5_000, "x = (\n" * 2_000])
def test_hostile_nesting_is_only_text(hostile: str) -> None:
    assert extract(hostile).rule in {"whole", "unparsable", "none"}
