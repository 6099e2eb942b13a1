"""Lessons side by side: which make a step, and how a step is cut into batches.

Rows are filled up on the right, behind the lesson. A causal model's token sees only what stands before it, so what
fills a row is seen by no lesson, no attention mask is needed, and the fastest attention there is can be used. Lessons
of one step are sorted by length before they are cut into batches, so that little is filled; which lessons make a step
is drawn at random, so that sorting favours none.

A sequence-to-sequence model reads two tables, the prompts and the answers. Its encoder sees in both directions, so what
fills the first is masked there; the decoder is as a causal model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regreen.train.lessons import Bools, Floats, Ints, Lesson

Each = Callable[[Lesson, int, int], Lesson]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Lessons as rows of one table, B by T; what fills a row weighs nothing.

    ``hidden`` and ``behaviour`` are None where no lesson has them; where only some have, the others' is 0, or NaN: a
    log-probability may be 0. ``heat`` is None where all are 1. The first ``given`` tokens of a row are its prompt.
    ``shared`` says that rows with one prompt are best read together (:mod:`regreen.train.sharing`).
    """

    ids_BT: Ints
    ce_BT: Floats
    rl_BT: Floats
    hidden_BT: Bools | None
    behaviour_BT: Floats | None
    given_B: Ints
    heat_B: NDArray[np.float64] | None
    tokens: int
    shared: bool = False

    @property
    def places(self) -> Ints:
        """The flat places of the tokens that weigh, each at least 1: the token before it predicts it."""
        return np.flatnonzero((self.ce_BT != 0) | (self.rl_BT != 0))

    @property
    def rows(self) -> Ints:
        """The row of each place."""
        rows_M: Ints = self.places // self.ids_BT.shape[1]
        return rows_M


class Pass(NamedTuple):
    """What a model reads in one pass: tables, by its arguments' names, and the flat places of its output that count.

    ``places`` are those from which the tokens at the batch's places are predicted, in the same order.
    """

    tables: dict[str, NDArray[Any]]
    places: Ints


def read_whole(batch: Batch) -> Pass:
    """Return the pass of a causal model. Positions are told, so that a mask over the past moves no token."""
    tables: dict[str, NDArray[Any]] = {
        "input_ids": batch.ids_BT,
        "position_ids": np.arange(batch.ids_BT.shape[1])[None],
    }
    if batch.hidden_BT is not None:
        tables["attention_mask"] = (~batch.hidden_BT).astype(np.int64)
    return Pass(tables, batch.places - 1)


def read_apart(batch: Batch, start: int) -> Pass:
    """Return the pass of a sequence-to-sequence model; its decoder reads ``start``, then the answer.

    A hidden token is masked where it stands, in the encoder for all tokens. The decoder reads no further than to the
    last token that weighs.

    Raises:
        ValueError: a token of a prompt weighs; an encoder predicts none.
    """
    row_M, at_M = np.divmod(batch.places, batch.ids_BT.shape[1])
    answer_M = at_M - batch.given_B[row_M]
    if (answer_M < 0).any():
        raise ValueError("a token of a prompt weighs, and a sequence-to-sequence model predicts answers alone")
    width = 1 + int(answer_M.max(initial=0))
    return Pass(_encoder(batch) | _decoder(batch, start, width), row_M * width + answer_M)


def _encoder(batch: Batch) -> dict[str, NDArray[Any]]:
    """Return the prompts, and what of them is there and not hidden."""
    there_BG = np.arange(batch.given_B.max()) < batch.given_B[:, None]
    prompt_BG = np.where(there_BG, batch.ids_BT[:, : there_BG.shape[1]], 0)
    seen_BG = there_BG if batch.hidden_BT is None else there_BG & ~batch.hidden_BT[:, : there_BG.shape[1]]
    return {"input_ids": prompt_BG, "attention_mask": seen_BG.astype(np.int64)}


def _decoder(batch: Batch, start: int, width: int) -> dict[str, NDArray[Any]]:
    """Return the start and the answers; what lies behind an answer, no token that weighs comes after."""
    at_BU = np.minimum(batch.given_B[:, None] + np.arange(width - 1), batch.ids_BT.shape[1] - 1)
    answer_BW = _behind(start, np.take_along_axis(batch.ids_BT, at_BU, 1))
    if batch.hidden_BT is None:
        return {"decoder_input_ids": answer_BW}
    hidden_BW = _behind(0, np.take_along_axis(batch.hidden_BT, at_BU, 1).astype(np.int64))
    return {"decoder_input_ids": answer_BW, "decoder_attention_mask": 1 - hidden_BW}


def batched(lessons: Sequence[Lesson], most: int, *, fill: int = 0, apart: bool = False) -> list[Batch]:
    """Cut lessons into batches of at most ``most`` tokens with those that fill rows; a longer lesson stands alone.

    ``apart`` counts what fills the two tables of a sequence-to-sequence model.
    """
    ordered = sorted(lessons, key=len, reverse=True)
    batches = []
    while ordered:
        rows = _side_by_side(ordered, most, apart=apart)
        batches.append(stacked(ordered[:rows], fill=fill))
        ordered = ordered[rows:]
    return batches


def _side_by_side(lessons: Sequence[Lesson], most: int, *, apart: bool) -> int:
    """Return how many of the first lessons make a batch, at least one."""
    before = after = 0
    for count, lesson in enumerate(lessons):
        given = lesson.given if apart else 0
        before, after = max(before, given), max(after, len(lesson) - given)
        if count and (count + 1) * (before + after) > most:
            return count
    return len(lessons)


def stacked(lessons: Sequence[Lesson], *, fill: int = 0, shared: bool = False) -> Batch:
    """Return lessons as one batch, in their order."""
    return Batch(
        ids_BT=_table([lesson.ids for lesson in lessons], fill, np.int64),
        ce_BT=_table([lesson.ce for lesson in lessons], 0, np.float32),
        rl_BT=_table([lesson.rl for lesson in lessons], 0, np.float32),
        hidden_BT=_optional([lesson.hidden for lesson in lessons], lessons, False, np.bool_),
        behaviour_BT=_optional([lesson.behaviour for lesson in lessons], lessons, np.nan, np.float32),
        given_B=np.array([lesson.given for lesson in lessons], np.int64),
        heat_B=None if all(lesson.heat == 1 for lesson in lessons) else np.array([lesson.heat for lesson in lessons]),
        tokens=sum(map(len, lessons)),
        shared=shared,
    )


class Epochs:
    """Lessons in a new random order every epoch, cut into steps; a function of the step's number, so resume is exact.

    Args:
        lessons: all of them.
        tokens: about how many make a step; every step of an epoch has as many lessons, within one.
        seed: of the orders.
        each: what an epoch makes of a lesson, given its place among the lessons and the epoch; None: the lesson itself.

    Raises:
        ValueError: there are no lessons.
    """

    def __init__(self, lessons: Sequence[Lesson], *, tokens: int, seed: int, each: Each | None = None) -> None:
        if not lessons:
            raise ValueError("no lessons")
        self._lessons, self._seed, self._each = lessons, seed, each
        self.steps = min(len(lessons), max(1, round(sum(map(len, lessons)) / tokens)))
        self._epoch, self._cut = -1, list[Ints]()

    def __call__(self, step: int) -> list[Lesson]:
        """Return the lessons of a step, which counts from 0; an epoch has ``steps`` of them."""
        epoch, part = divmod(step, self.steps)
        if epoch != self._epoch:
            order = np.random.default_rng((self._seed, epoch)).permutation(len(self._lessons))
            self._epoch, self._cut = epoch, np.array_split(order, self.steps)
        if self._each is None:
            return [self._lessons[at] for at in self._cut[part]]
        return [self._each(self._lessons[at], int(at), epoch) for at in self._cut[part]]


def _behind(first: int, table_BT: NDArray[Any]) -> NDArray[Any]:
    """Return a table with one value more at the beginning of each row."""
    return np.pad(table_BT, ((0, 0), (1, 0)), constant_values=first)


def _table(rows: Sequence[NDArray[Any]], fill: Any, kind: Any) -> NDArray[Any]:
    table = np.full((len(rows), max(map(len, rows))), fill, kind)
    for at, row in enumerate(rows):
        table[at, : len(row)] = row
    return table


def _optional(
    rows: Sequence[NDArray[Any] | None], lessons: Sequence[Lesson], missing: Any, kind: Any
) -> NDArray[Any] | None:
    if all(row is None for row in rows):
        return None
    whole = [np.full(len(le), missing) if row is None else row for row, le in zip(rows, lessons, strict=True)]
    return _table(whole, 0, kind)
