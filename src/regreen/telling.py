"""What a refinement is told of a wrong program: its code or none, and how it failed, in as much detail as is asked.

Source: Ding et al. 2024 (arXiv 2403.18746), section 4 and the ablations of its code: no code, no feedback, an error's
name alone, several checks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, get_args

from regreen.errors import InputError
from regreen.feedback import error_name, error_sentences
from regreen.problem import Problem
from regreen.prompts import Wrong
from regreen.records import Record
from regreen.verdict import Verdict

Detail = Literal["difference", "full", "name", "none"]


@dataclass(frozen=True, slots=True)
class Telling:
    """How a wrong program and its failure are told.

    Args:
        feedback: "full" (a sentence with input, expected and actual value), "difference" (and one that says where these
            first differ), "name" (an exception's name alone), "none".
        code: show the wrong program.
        checks: the sentences of so many failing checks at most.

    Raises:
        InputError: another word, or no check.
    """

    feedback: Detail = "full"
    code: bool = True
    checks: int = 1

    def __post_init__(self) -> None:
        if self.feedback not in get_args(Detail) or self.checks < 1:
            raise InputError(
                f"feedback {self.feedback}, {self.checks} checks: expected difference, full, name or none, and 1 check"
            )

    def words(self, problem: Problem, verdict: Verdict) -> str:
        """Return what is said of a failure; ``problem`` has the checks that may be told as its revealed ones."""
        if self.feedback == "none":
            return ""
        if self.feedback == "name":
            return error_name(problem, verdict)
        return "\n".join(error_sentences(problem, verdict, self.checks, difference=self.feedback == "difference"))

    def wrong(self, source: str, words: str) -> Wrong:
        """Return a wrong program and words about it as a template shows them."""
        return Wrong(source if self.code else "", words)

    def decides(self) -> Record:
        """Return it as plain JSON."""
        return asdict(self)
