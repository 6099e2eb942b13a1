"""Where a program's characters stand in what a model wrote, and which tokens wrote them.

A program is not the text that a model wrote: what the prompt opened precedes it, and extraction cuts and dedents. Both
have the program's lines in one piece, though, so a program is found in a text by its lines, white space around them
aside. What the prompt holds was not written, and is not found.

Liu et al. 2023 (RLTF, arXiv 2307.04349), their code's token mask of a line.

Differences from the paper:
- The code decodes growing beginnings of the tokens until the line's text is complete. Here the tokenizer's own offsets
  say where tokens lie; beginnings are decoded only where the tokens are others than the tokenizer would have chosen, as
  sampling allows, or where it keeps no offsets.
- The line's place is used, not its first occurrence.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from regreen.models.texts import Texts
from regreen.train.lessons import Floats
from regreen.train.rewards import Span
from regreen.train.subtypes import lines_of

Place = tuple[int, int]


def places_of(tokenizer: Any, text: str, tokens: Sequence[int], *, continues: bool = True) -> list[Place]:
    """Return where the characters of each token (T) lie in a text; nowhere, at its end, for those behind it.

    Args:
        tokenizer: of transformers.
        text: what the tokens read; it may end before they do, as at a stop string.
        tokens: as the model wrote them, the end of text included.
        continues: they go on where a prompt ends, as with a causal model (:class:`regreen.models.texts.Texts`).
    """
    if getattr(tokenizer, "is_fast", False):
        read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        known = list(read["input_ids"])
        if known == list(tokens[: len(known)]):
            rest = [(len(text), len(text))] * (len(tokens) - len(known))
            return [(begin, end) for begin, end in read["offset_mapping"]] + rest
    return _by_beginnings(tokenizer, text, tokens, continues)


def _by_beginnings(tokenizer: Any, text: str, tokens: Sequence[int], continues: bool) -> list[Place]:
    """Decode every beginning: a token lies where the text goes on; one that is part of a character, on that one."""
    beginnings = [tokens[:count] for count in range(1, len(tokens) + 1)]
    ends = [0]
    for decoded in Texts(tokenizer, "tokenizer", continues=continues).decode(beginnings):
        ends.append(max(ends[-1], _common(decoded, text)))
    return [(begin, min(len(text), max(end, begin + 1))) for begin, end in pairwise(ends)]


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))


def in_text(source: str, text: str, spans: Sequence[Span]) -> list[Span]:
    """Return the parts of a program's spans that stand in a text, as spans of the text.

    Args:
        source: the program.
        text: what the model wrote, from which it was taken.
        spans: characters of the program.
    """
    shift = _shift(source, text)
    if shift is None:
        return []
    ours, theirs = lines_of(source), lines_of(text)
    pairs = [(ours[at], theirs[at + shift]) for at in range(len(ours)) if 0 <= at + shift < len(theirs)]
    moved = (_moved(span, source, text, *pair) for span in spans for pair in pairs)
    return [span for span in moved if span is not None]


def _moved(span: Span, source: str, text: str, ours: Place, theirs: Place) -> Span | None:
    """Return what a span has of one line, moved to where the line stands in the text."""
    by = _step(source[slice(*ours)], text[slice(*theirs)]) + theirs[0] - ours[0]
    begin = max(span.begin, ours[0], theirs[0] - by)
    end = min(span.end, ours[1], theirs[1] - by)
    return Span(begin + by, end + by, span.weight) if begin < end else None


def _step(ours: str, theirs: str) -> int:
    """Return how far right a line's characters stand in another that is indented otherwise, or is its end."""
    if theirs.strip().startswith(ours.strip()):
        return (len(theirs) - len(theirs.lstrip())) - (len(ours) - len(ours.lstrip()))
    return len(theirs) - len(ours)


def _shift(source: str, text: str) -> int | None:
    """Return by how many lines the text's are behind the program's; None if the program is not there.

    The whole program counts more than a part of it, a longer part more than a shorter one, the last more than the
    first.
    """
    ours = [source[slice(*line)] for line in lines_of(source.rstrip())]  # extraction may add an empty line
    theirs = [text[slice(*line)] for line in lines_of(text)]
    found = ((_alike(ours, theirs, shift), shift) for shift in range(1 - len(ours), len(theirs) - len(ours) + 1))
    count, shift = max(found, default=(0, 0))
    return shift if count else None


def _alike(ours: Sequence[str], theirs: Sequence[str], shift: int) -> int:
    """Return how many characters the lines have in common, white space aside; 0 if any two lines differ."""
    count = 0
    for at in range(max(0, -shift), len(ours)):
        one, other = ours[at].strip(), theirs[at + shift].strip()
        cut = at == len(ours) - 1 and other.startswith(one)  # at a stop string
        opened = at + shift == 0 and ours[at].rstrip().endswith(theirs[0].rstrip())  # by the prompt
        if one != other and not cut and not opened:
            return 0
        count += min(len(one), len(other))
    return count


def mask_of(places: Sequence[Place], spans: Sequence[Span]) -> Floats:
    """Return each token's weight (T): the largest of the spans that it has a character of, or 0."""
    mask_T = np.zeros(len(places), np.float32)
    for begin, end, weight in spans:
        touched = [max(start, begin) < min(stop, end) for start, stop in places]
        mask_T = np.maximum(mask_T, np.where(touched, np.float32(weight), np.float32(0)))
    return mask_T
