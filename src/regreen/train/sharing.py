"""One prompt, many answers: a row that holds the prompt once and the answers behind it, each blind to the others.

Programs drawn for one problem have its prompt in common. Read in rows of their own they read it as many times; in one
row it is read once: an answer's token attends to the prompt and to what precedes it in its own answer, and its position
is the one that it has behind the prompt. Nothing else of the lessons changes, nor any log-probability but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regreen.train.batches import Batch, Pass, batched, stacked
from regreen.train.lessons import Bools, Ints, Lesson

Rows = list[list[Lesson]]

_WIDEST = 4096  # tokens of a row: its mask has as many bytes as pairs of them


def batched_shared(lessons: Sequence[Lesson], most: int) -> list[Batch]:
    """Cut lessons into batches of at most ``most`` tokens, those that share a prompt in batches of their own.

    A lesson whose prompt nobody shares, or is hidden in part, or weighs, stands with others of its kind.
    """
    rows, alone = _rows(lessons, most)
    rows.sort(key=_width, reverse=True)
    found = []
    while rows:
        chosen, rows = _of_different_prompts(rows, max(1, most // _width(rows[0])))
        found.append(stacked([lesson for row in chosen for lesson in row], shared=True))
    return found + batched(alone, most)


def _of_different_prompts(rows: Rows, count: int) -> tuple[Rows, Rows]:
    """Return the first rows, at most so many, and the others: in a batch one prompt would be one row again."""
    chosen: dict[bytes, list[Lesson]] = {}
    left: Rows = []
    for row in rows:
        prompt = _prompt_of(row[0])
        if len(chosen) < count and prompt not in chosen:
            chosen[prompt] = row
        else:
            left.append(row)
    return [*chosen.values()], left


def read_shared(batch: Batch) -> Pass:
    """Return the pass of a causal model over rows that hold a prompt and all the answers to it.

    An answer is read up to the token before the last one that weighs. The mask is told for each pair of tokens, as
    transformers takes it: rows by 1 by tokens by tokens, true where the first attends to the second.
    """
    row_M, at_M = np.divmod(batch.places, batch.ids_BT.shape[1])
    read_B = np.zeros(len(batch.ids_BT), np.int64)  # tokens read of each answer
    np.maximum.at(read_B, row_M, at_M - batch.given_B[row_M])
    packed_B, start_B, width = _layout(batch, read_B)
    ids_GU, position_GU, owner_GU = np.zeros((3, 1 + int(packed_B.max()), width), np.int64)
    owner_GU -= 1  # nobody's: what fills a row
    for row, (at, start, read) in enumerate(zip(packed_B, start_B, read_B, strict=True)):
        given = batch.given_B[row]
        prompt, answer = slice(0, given), slice(start, start + read)
        ids_GU[at, prompt], ids_GU[at, answer] = np.split(batch.ids_BT[row, : given + read], [given])
        position_GU[at, prompt], position_GU[at, answer] = np.split(np.arange(given + read), [given])
        owner_GU[at, prompt], owner_GU[at, answer] = 0, 1 + row
    before_M = np.where(at_M == batch.given_B[row_M], at_M, start_B[row_M] + at_M - batch.given_B[row_M]) - 1
    tables: dict[str, NDArray[Any]] = {
        "input_ids": ids_GU,
        "position_ids": position_GU,
        "attention_mask": _seen(owner_GU),
    }
    return Pass(tables, packed_B[row_M] * width + before_M)


def _seen(owner_GU: Ints) -> Bools:
    """Return which earlier tokens each token attends to: the prompt's, and those of its own answer."""
    width = owner_GU.shape[1]
    same = owner_GU[:, :, None] == owner_GU[:, None, :]
    prompt = (owner_GU == 0)[:, None, :]
    return np.asarray(np.tri(width, dtype=np.bool_)[None] & (same | prompt))[:, None]


def _layout(batch: Batch, read_B: Ints) -> tuple[Ints, Ints, int]:
    """Return of each lesson its row among those that share, where its answer begins there, and how wide those are."""
    places: dict[bytes, int] = {}
    widths: list[int] = []
    packed_B, start_B = np.zeros_like(read_B), np.zeros_like(read_B)
    for row, given in enumerate(batch.given_B):
        at = places.setdefault(batch.ids_BT[row, :given].tobytes(), len(places))
        if at == len(widths):
            widths.append(int(given))
        packed_B[row], start_B[row] = at, widths[at]
        widths[at] += int(read_B[row])
    return packed_B, start_B, max(widths)


def _rows(lessons: Sequence[Lesson], most: int) -> tuple[Rows, list[Lesson]]:
    """Return rows of lessons with one prompt, as wide as they may be, and the lessons that share none."""
    groups: dict[bytes, list[Lesson]] = {}
    alone: list[Lesson] = []
    for lesson in lessons:
        if lesson.hidden is None and not (lesson.ce[: lesson.given].any() or lesson.rl[: lesson.given].any()):
            groups.setdefault(_prompt_of(lesson), []).append(lesson)
        else:
            alone.append(lesson)
    rows: Rows = []
    for group in groups.values():
        for row in _split(group, min(most, _WIDEST)):
            if len(row) > 1:
                rows.append(row)
            else:
                alone += row
    return rows, alone


def _split(group: Sequence[Lesson], most: int) -> Rows:
    """Cut lessons with one prompt into rows of at most so many tokens."""
    rows: Rows = [[]]
    for lesson in group:
        if rows[-1] and _width([*rows[-1], lesson]) > most:
            rows.append([])
        rows[-1].append(lesson)
    return rows


def _prompt_of(lesson: Lesson) -> bytes:
    return lesson.ids[: lesson.given].tobytes()


def _width(row: Sequence[Lesson]) -> int:
    return row[0].given + sum(len(lesson) - lesson.given for lesson in row)
