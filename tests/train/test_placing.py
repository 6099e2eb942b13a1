"""Where a program stands in what a model wrote, and which tokens wrote it: on real templates and real tokenizers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.problem import Assert, Call, Problem
from regreen.prompts import load
from regreen.train.placing import in_text, mask_of, places_of
from regreen.train.rewards import Span
from regreen.train.subtypes import span_of_line
from tests.train.conftest import ODD_TEXTS

HEADER = 'def f(x):\n    """Double it."""\n'
OPENED = Problem("p", "Double it.", (Call((1,), 2),), entry_point="f", meta={"prompt": HEADER})
BARE = Problem("p", "Double it.", (Call((1,), 2),), entry_point="f")
FREE = Problem("p", "Double it.", (Assert("assert f(1) == 2"),), entry_point="f")
BODY = "    y = x\n    y = x\n    return y + z\n"
PROGRAM = f"def f(x):\n{BODY}"
INDENTED = "".join(f"    {line}\n" for line in PROGRAM.splitlines())

# the template, the problem, and what the model wrote
WRITTEN = {
    "after an opened function": ("codex", OPENED, BODY),
    "after an opened function, and cut": ("codex", OPENED, f"{BODY}\ndef g(x):\n    return y + z\n"),
    "within the opened line": ("codex", BARE, f"x):\n{BODY}"),
    "a whole program": ("austin", FREE, PROGRAM),
    "a fence": ("chat", FREE, f"Here it is:\n\n```python\n{PROGRAM}```\nDone.\n"),
    "an indented fence": ("chat", FREE, f"1. Here it is:\n    ```python\n{INDENTED}    ```\nDone.\n"),
    "a fence after a draft": ("chat", FREE, f"```python\n{PROGRAM}```\nOr better:\n```python\n{PROGRAM}```\n"),
    "an open fence": ("chat", FREE, f"```python\n{PROGRAM}"),
    "lines of prose around": ("chat", FREE, f"Take this:\n{PROGRAM}That doubles it.\n"),
    "after thinking": ("chat", FREE, f"<think>\nreturn y + z?\n</think>\n```python\n{PROGRAM}```\n"),
    "line ends of Windows": ("austin", FREE, PROGRAM.replace("\n", "\r\n")),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_line_of_the_program_is_found_in_what_the_model_wrote(name):
    template, problem, text = WRITTEN[name]
    source = load(template).source(problem, text).source
    for line in ("y = x", "return y + z"):
        numbers = [at for at, each in enumerate(source.splitlines(), 1) if each.strip() == line]
        places = [in_text(source, text, [Span(*span_of_line(source, at, line), 0.5)]) for at in numbers]
        assert [text[found[0].begin : found[0].end] for found in places] == [line] * len(numbers)
        assert [(len(found), found[0].weight) for found in places] == [(1, 0.5)] * len(numbers)
        begins = [found[0].begin for found in places]
        assert begins == sorted(set(begins)), "equal lines have places of their own"
    if "draft" in name:
        assert begins[0] > text.index("Or better")


def test_what_the_prompt_has_opened_was_not_written_and_is_not_found():
    source = HEADER + BODY
    assert in_text(source, BODY, [Span(*span_of_line(source, 1, "def f(x):"))]) == []
    assert in_text(f"def f({'x'}):\n{BODY}", f"x):\n{BODY}", [Span(0, 9)]) == [Span(0, 3)]


def test_a_program_that_is_not_in_the_text_has_no_place():
    assert in_text(PROGRAM, "I cannot do that.\n", [Span(0, 9)]) == []
    assert in_text(PROGRAM, PROGRAM.replace("y = x", "y = 1"), [Span(0, 9)]) == []
    assert in_text(PROGRAM, "", [Span(0, 9)]) == []
    assert in_text("", "", [Span(0, 0)]) == []


LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "    c", "", "  a = 1"]), min_size=1, max_size=5)


@given(LINES, LINES, LINES, st.integers(0, 3), st.data())
def test_a_piece_of_lines_is_found_wherever_it_stands_and_however_deep(before, lines, after, depth, data):
    if not "".join(lines).strip():
        return
    source = "\n".join(lines)
    text = "\n".join([*before, *(" " * depth + line for line in lines), *after])
    at = data.draw(st.integers(1, len(lines)))
    span = span_of_line(source, at, None)
    if span is None:
        return
    ((begin, end, _),) = in_text(source, text, [Span(*span)])
    assert text[begin:end] == source[slice(*span)]
    number = text[:begin].count("\n")
    wanted = [line.strip() for line in lines if line.strip()]
    block = [each.strip() for each in text.split("\n")[number - at + 1 :] if each.strip()][: len(wanted)]
    assert block[:-1] == wanted[:-1]
    assert block[-1].startswith(wanted[-1]), "the last line may be cut"


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=9), st.data())
def test_a_token_weighs_what_the_heaviest_span_does_that_it_has_a_character_of(sizes, data):
    places = [(begin, begin + size) for begin, size in sizes]
    one = st.builds(lambda b, n, w: Span(b, b + n, w), st.integers(0, 12), st.integers(0, 4), st.sampled_from([0.5, 1]))
    spans = data.draw(st.lists(one, max_size=3))
    twin = [
        max([w for b, e, w in spans if set(range(b, e)) & set(range(start, stop))], default=0) for start, stop in places
    ]
    assert mask_of(places, spans).tolist() == twin


# ---- real tokenizers ----

TEXTS = [BODY, PROGRAM, INDENTED, *ODD_TEXTS]


def ids_of(tokenizer, text):
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("text", TEXTS)
def test_places_cover_the_text_from_left_to_right_and_the_end_of_text_is_nowhere(pieces, text):
    tokens = ids_of(pieces, text)
    places = places_of(pieces, text, [*tokens, pieces.eos_token_id or 0])
    assert len(places) == len(tokens) + 1
    assert places[-1] == (len(text), len(text))
    assert all(a <= c for (a, _), (c, _) in pairwise(places))
    covered = {at for begin, end in places for at in range(begin, end)}
    assert covered >= {at for at, sign in enumerate(text) if not sign.isspace()}


def test_only_tokens_with_a_character_of_the_failing_line_weigh_and_all_of_those(pieces):
    for template, problem, text in WRITTEN.values():
        source = load(template).source(problem, text).source
        number = source.splitlines().index("    return y + z") + 1
        (span,) = in_text(source, text, [Span(*span_of_line(source, number, "return y + z"))])
        tokens = ids_of(pieces, text)
        mask = mask_of(places_of(pieces, text, tokens), [span])
        shown = pieces.decode(np.array(tokens)[mask > 0], skip_special_tokens=True)
        assert "".join(shown.split()) == "returny+z"
        assert 0 < mask.sum() < len(tokens) / 2


def test_tokens_that_the_tokenizer_would_not_have_chosen_have_places_too(pieces):
    text = "    return y + z\n"
    split = [token for sign in text for token in _sign(pieces, sign)]
    places = places_of(pieces, text, split)
    assert split != ids_of(pieces, text)
    mask = mask_of(places, [Span(text.index("y"), text.index("y") + 1)])
    assert pieces.decode(np.array(split)[mask > 0]).strip() == "y"
    assert mask.sum() == 1


@pytest.mark.parametrize("stop", ["\n\ndef g", "\ndef g", "def g", "turn"])
def test_tokens_behind_a_stop_string_have_no_place_and_the_others_keep_theirs(pieces, stop):
    text = "    y = x\n    return y"
    tokens = ids_of(pieces, text + stop)
    places = places_of(pieces, text, tokens)
    assert all(0 <= begin <= end <= len(text) for begin, end in places)
    assert places[-1][0] == places[-1][1] == len(text)
    touched = np.array(tokens)[mask_of(places, [Span(text.index("return"), len(text))]) > 0]
    written = pieces.decode(touched).replace(" ", "").strip()
    assert written.startswith("returny")
    assert len(written) <= len("returny") + len(stop)
    first = np.array(tokens)[mask_of(places, [Span(text.index("y"), text.index("\n"))]) > 0]
    assert pieces.decode(first).replace(" ", "").strip() == "y=x"


def _sign(tokenizer, sign):
    """The one token that is this sign alone."""
    named = {" ": ("Ġ", "▁"), "\n": ("Ċ", "\n")}.get(sign, (sign,))
    return [next(tokenizer.get_vocab()[name] for name in named if name in tokenizer.get_vocab())]


@settings(max_examples=25)
@given(text=st.text(alphabet="ab =\n\tä中🙂", min_size=1, max_size=12))
def test_both_ways_of_finding_places_touch_each_character_with_the_same_last_token(byte_level, text):
    from regreen.train.placing import _by_beginnings

    tokens = ids_of(byte_level, text)
    read, decoded = places_of(byte_level, text, tokens), _by_beginnings(byte_level, text, tokens)
    for at, sign in enumerate(text):
        if not sign.isspace():
            last = [max(i for i, (b, e) in enumerate(places) if b <= at < e) for places in (read, decoded)]
            assert last[0] == last[1]


def test_a_tokenizer_without_offsets_is_read_by_its_beginnings(byte_level):
    class Slow:
        is_fast = False

        def __call__(self, text, **more):
            return byte_level(text, **more)

        def batch_decode(self, rows, **more):
            return byte_level.batch_decode(rows, **more)

    tokens = ids_of(byte_level, PROGRAM)
    masks = [
        mask_of(places_of(tokenizer, PROGRAM, tokens), [Span(PROGRAM.index("return"), len(PROGRAM) - 1)])
        for tokenizer in (byte_level, Slow())
    ]
    assert masks[0].tolist() == masks[1].tolist()
