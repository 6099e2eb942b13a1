"""Rows as tokens: lessons, and which tokens of their prompts a mask may hide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from regreen.prompts import Template
from regreen.records import Record
from regreen.train.lessons import Bools, Lesson, fitting, supervised
from regreen.train.masks import Region, region_of, spans_of, within
from regreen.train.pairs import Row
from regreen.train.policy import Policy, tokens_of


class Lessons(NamedTuple):
    """The lessons of rows, which tokens of each prompt may be hidden, tokens of all answers, and rows left out."""

    lessons: list[Lesson]
    may: list[Bools]
    answers: int
    too_long: int

    def tokens(self) -> Record:
        """Return how many tokens rows have on average, those that are learned, and those that may be hidden."""
        count = max(1, len(self.lessons))
        whole, hidden = sum(map(len, self.lessons)), sum(int(may.sum()) for may in self.may)
        return {"mean": whole / count, "mean_answer": self.answers / count, "mean_maskable": hidden / count}


def lessons_of(
    policy: Policy, rows: Sequence[Row], write: Template, refine: Template, *, region: Region | None
) -> Lessons:
    """Return the lessons of the rows that fit into a policy's context.

    Args:
        policy: whose tokenizer reads them.
        rows: prompts and answers.
        write: the template of prompts without a wrong program.
        refine: that of prompts with one.
        region: which part of a wrong program's block may be hidden; None for none of it.
    """
    found, may, answers = list[Lesson](), list[Bools](), 0
    for row in rows:
        before, after = row_tokens(policy, row, refine if row.refines else write)
        kept, _ = fitting([supervised(before, after)], policy.context, apart=policy.apart)
        if kept:
            found += kept
            may.append(_may(policy, row, region, len(before)))
            answers += len(after)
    return Lessons(found, may, answers, len(rows) - len(found))


def row_tokens(policy: Policy, row: Row, template: Template) -> tuple[list[int], list[int]]:
    """Return the tokens of a row's prompt and answer; without an end of text, a stop string of the template ends it."""
    answer = row.answer
    if policy.tokenizer.eos_token_id is None and template.stops and not answer.endswith(template.stops):
        answer = answer.rstrip("\n") + template.stops[0]
    return tokens_of(policy, row.prompt, answer)


def _may(policy: Policy, row: Row, region: Region | None, tokens: int) -> Bools:
    if region is None or not row.refines or not isinstance(row.prompt, str):
        return np.zeros(tokens, np.bool_)
    return within(spans_of(policy.tokenizer, row.prompt), region_of(row.prompt, region))
