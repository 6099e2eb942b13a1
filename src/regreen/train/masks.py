"""The past-generation mask: a random part of the shown wrong program is hidden from the program that is learned.

Ding et al. 2024 (arXiv 2403.18746), section 5 of their code: for each token j of the prompt after the beginning of the
heading of the wrong program, b_j ~ Bernoulli(m), and where b_j = 1 no later token attends to j. The description and the
target are never hidden.

Differences from the paper:
- The prompt's last token is never hidden: the target's first token is predicted at its place, where it sees itself.
- Rows without a wrong program are not masked; the paper's code then masks the description.
- The block is found in the prompt's text, by the last line that is its heading: what is quoted below it begins with #,
  so that no program and no message can feign one. The paper's code looks for the heading's tokens.
- Hidden tokens keep their place: positions are told to the model, not counted by the mask.
- ``region="code"`` hides the program alone, and leaves headings and feedback readable; masks may be drawn anew every
  epoch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from regreen.errors import InputError
from regreen.train.lessons import Bools, Lesson

Region = Literal["block", "code"]

_PROGRAM = re.compile(r"^[ \t]*(?:### Bad Solution:|Bad solution:)[ \t]*$\n?", re.MULTILINE)
_FAILURE = re.compile(r"^[ \t]*(?:### Execution Failure:|Execution failure:)[ \t]*$", re.MULTILINE)


def region_of(prompt: str, region: Region) -> tuple[int, int] | None:
    """Return where the characters lie that may be hidden; None in a prompt without a wrong program.

    Args:
        prompt: of the templates ``refine``, ``refine-program`` or ``refine-plain``.
        region: "block" from the heading of the wrong program to the prompt's end, "code" the program alone.
    """
    opened = [*_PROGRAM.finditer(prompt)]
    if not opened:
        return None
    if region == "block":
        return opened[-1].start(), len(prompt)
    closed = [found.start() for found in _FAILURE.finditer(prompt, opened[-1].end())]
    return opened[-1].end(), closed[-1] if closed else len(prompt)


def within(spans: Sequence[tuple[int, int]], region: tuple[int, int] | None) -> Bools:
    """Return which tokens (T) of a prompt may be hidden: those that lie in the region whole, but never the last.

    Args:
        spans: where each token's characters begin and end.
        region: where the characters lie that may be hidden.
    """
    may_T = np.zeros(len(spans), np.bool_)
    if region is not None:
        begin, end = np.asarray(spans).T
        may_T = (begin >= region[0]) & (end <= region[1]) & (end > begin)
        may_T[[0, -1]] = False
    return may_T


def spans_of(tokenizer: Any, prompt: str) -> list[tuple[int, int]]:
    """Return where the characters of each token of a prompt begin and end.

    Raises:
        InputError: the tokenizer does not say.
    """
    try:
        return list(tokenizer(prompt, return_offsets_mapping=True)["offset_mapping"])
    except NotImplementedError as error:
        raise InputError("the mask needs a fast tokenizer, which knows each token's place; or set ratio = 0") from error


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Hides tokens of lessons, by chance.

    Args:
        ratio: m, how likely each token that may be hidden is.
        may: for each lesson, by its place, which of its prompt's tokens may be hidden.
        seed: of the draws.
        redraw: draw anew every epoch, and not once for all.
    """

    ratio: float
    may: Sequence[Bools]
    seed: int
    redraw: bool = False

    def __call__(self, lesson: Lesson, at: int, epoch: int) -> Lesson:
        """Return the lesson of a place as an epoch sees it."""
        if not self.ratio or not self.may[at].any():
            return lesson
        draws = np.random.default_rng((self.seed, at, epoch if self.redraw else 0))
        hidden_T = np.zeros(len(lesson), np.bool_)
        hidden_T[: len(self.may[at])] = self.may[at] & (draws.random(len(self.may[at])) < self.ratio)
        return replace(lesson, hidden=hidden_T)
