"""extract: stop strings, and the program out of a chat reply."""

from __future__ import annotations

import time

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


NAMES = st.sampled_from([None, "f", "A", "x", "missing"])


@given(REPLIES, NAMES)
@settings(max_examples=1000)
def test_extraction_never_raises_and_is_idempotent(reply: str, name: str | None) -> None:
    once = extract(reply, name)
    assert extract(once.source, name).source == once.source


@given(REPLIES, NAMES)
def test_what_is_extracted_stands_in_the_reply(reply: str, name: str | None) -> None:
    source = extract(reply, name).source
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
        (f"[THINK]x = 1[/THINK]\n```\n{PROGRAM}```", PROGRAM, "thinking+fence"),
        (f"<|channel|>analysis<|message|>x = 1<|channel|>final<|message|>{PROGRAM}", PROGRAM, "thinking+whole"),
        (f"for example:\nthe result = 4\n{PROGRAM}", PROGRAM, "lines"),
        (f"So:\n```python\n{PROGRAM}", f"{PROGRAM}\n", "open fence"),
        (f"```python\nold = (\n```python\n{PROGRAM}```", PROGRAM, "fence"),
        (f"1. An example:\n   ```python\n   old = 1\n# Now\n{PROGRAM}", f"{PROGRAM}\n", "suffix"),
        (f"```\n1 2 3\n```\n{PROGRAM}", PROGRAM, "lines"),
        ("Here:\n```python\ndef f(x):\n    return (x", "def f(x):\n    return (x\n", "unparsable"),
        ("Here:\ndef f(x):\n    return (x", "Here:\ndef f(x):\n    return (x", "unparsable"),
        (f"{PROGRAM}\n]", f"{PROGRAM}\n]", "unparsable"),
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


@pytest.mark.parametrize("name", ["f", "g", "A", "result", "method"])
def test_of_several_programs_the_last_that_defines_the_entry_point_is_taken(name: str) -> None:
    program = f"{name} = 1\n\n\nclass A:\n    def method(self):\n        pass\n" if name != "f" else PROGRAM
    reply = f"```\nold = 1\n```\nBetter:\n```python\n{program}```\nFor example:\n```python\nprint({name})\n```"
    assert extract(reply, name).source == program
    assert extract(reply, "missing").source == f"print({name})\n"


def test_a_fence_inside_a_docstring_does_not_split_a_whole_program() -> None:
    program = 'def f():\n    """\n```\nf()\n```\n    """\n    return 1\n'
    assert extract(program).rule == "whole"


HOSTILE = {
    "parentheses": "(" * 100_000,
    "signs": "-" * 100_000 + "1",
    "lists": "[" * 5_000 + "]" * 5_000,
    "open lines": "x = (\n" * 2_000,
    "spaces": "Well" + " " * 100_000 + "\n" + " " * 100_000 + "then",
    "headers": "for a in b:\n" * 5_000 + "(",
    "fences": "```python\nx = (\n" * 2_000,
    "definitions": "```python\n" + "def f(:\n" * 2_000,
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_reply_is_only_text_and_soon_read(hostile: str) -> None:
    begun = time.process_time()
    assert extract(HOSTILE[hostile], "f").rule in {"whole", "unparsable", "none"}
    assert time.process_time() - begun < 5
