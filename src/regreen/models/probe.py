"""What a server can do, found by asking it: some ignore temperature, seed, log-probabilities or ``n`` in silence.

A few answers to one open-ended prompt are compared: greedy ones with different seeds must agree, hot ones must not, the
same seed must give the same, and log-probabilities must not change when the temperature does. What a question cannot
decide stays None: a model that is sure of every word answers the same at any temperature.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal, Protocol

from regreen.errors import RegreenError
from regreen.models import Request
from regreen.models.answers import Answer, logprobs_of, read_answer
from regreen.prompts import Message

PROMPT = "Words in no order, one after the other: violet, seventeen, harbour,"
CHAT = (Message("user", "Write words in no order, one after the other, as they come to your mind."),)
_TOKENS = 16
_HOT, _COLD = 2.0, 0.01
_SEEDS = (11, 12, 13, 14, 15, 16)
_CHANCE = 0.01  # of hot answers that agree with the greedy one by accident: less is no accident
_FEWEST_TOKENS = 16  # in hot answers that agree with the greedy one: where nothing more is known, no accident either
_SURE = -0.1  # natural log: a greedy answer that is more probable cannot show whether values are tempered

Logprobs = Literal["untempered", "tempered", "wrong", "none", "unknown"]


class Ask(Protocol):
    """Sends a request, with further fields for its body, and returns what ``read`` makes of the answer's payload."""

    async def __call__(self, request: Request, *, read: Callable[[Any], Any] = read_answer, **extra: Any) -> Any:
        """Raise RegreenError if there is no answer that can be read."""
        ...


@dataclass(frozen=True, slots=True)
class Findings:
    """What a server honours: True, False, or None where the answers cannot tell."""

    temperature: bool | None = None
    seed: bool | None = None
    n: bool | None = None
    logprobs: Logprobs = "unknown"
    warnings: tuple[str, ...] = ()

    @property
    def honours(self) -> dict[str, bool | None]:
        """The findings as the manifest has them."""
        logprobs = None if self.logprobs == "unknown" else self.logprobs in ("untempered", "tempered")
        return {"temperature": self.temperature, "seed": self.seed, "logprobs": logprobs, "n": self.n}


async def probe(ask: Ask, *, chat: bool) -> Findings:
    """Ask the server ten short questions and compare what it answers.

    Args:
        ask: sends a request and reads the answer.
        chat: whether to ask in chats or for continuations.

    Raises:
        RegreenError: the first question, as plain as any, was not answered; later ones may fail.
    """
    plain = Request(CHAT if chat else PROMPT, seed=_SEEDS[0], max_tokens=_TOKENS)
    hot, cold = replace(plain, temperature=_HOT), replace(plain, temperature=_COLD, top_p=0.9)
    greedy = await ask(plain)
    questions = [replace(plain, seed=_SEEDS[1]), cold, *(replace(hot, seed=seed) for seed in (*_SEEDS, _SEEDS[0]))]
    asked = [_quietly(ask(question)) for question in questions]
    choices, again, colder, *hots, same = await asyncio.gather(_quietly(ask(hot, read=_count, n=2)), *asked)
    logprobs = _logprobs(greedy, colder)
    findings = Findings(
        temperature=_temperature(greedy, again, hots, trusted=logprobs in ("untempered", "unknown")),
        seed=_seed(hots, same),
        n=None if choices is None else choices == 2,
        logprobs=logprobs,
    )
    return replace(findings, warnings=tuple(_sentences(findings)))


async def _quietly(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except RegreenError:
        return None


def _count(payload: Any) -> int:
    return len(payload["choices"]) if isinstance(payload, dict) and isinstance(payload.get("choices"), list) else 0


def _words(answer: Answer | None) -> str | None:
    """Return all that was written, or None if there was no answer."""
    return (answer.reasoning or "") + answer.text if answer else None


def _temperature(greedy: Answer, again: Answer | None, hots: Sequence[Answer | None], *, trusted: bool) -> bool | None:
    first, second = _words(greedy), _words(again)
    heated = [words for words in map(_words, hots) if words is not None]
    if second is None or not heated:
        return None
    if first != second:
        return False
    if any(words != first for words in heated):
        return True
    return False if first and _accident(greedy, len(heated), trusted=trusted) < _CHANCE else None


def _accident(greedy: Answer, times: int, *, trusted: bool) -> float:
    """Return a bound on the probability that so many hot answers are the greedy one, if the temperature is honoured.

    A token of probability p has at temperature 2 at most sqrt(p) / (sqrt(p) + sqrt(1 - p)): all the rest on one other.
    """
    if not trusted or greedy.pieces is None:
        tokens = greedy.tokens or len(greedy.text.split())
        return 0.0 if tokens * times >= _FEWEST_TOKENS else 1.0
    chance = 1.0
    for _, logprob in greedy.pieces:
        p = math.exp(logprob)
        chance *= math.sqrt(p) / (math.sqrt(p) + math.sqrt(1 - p))
    return float(chance**times)


def _seed(hots: Sequence[Answer | None], same: Answer | None) -> bool | None:
    """Tell whether a seed gave its answer again; unknown if all seeds give the same."""
    heated, repeated = [_words(hot) for hot in hots], _words(same)
    if None in heated or repeated is None:
        return None
    if repeated != heated[0]:
        return False
    return True if len(set(heated)) > 1 else None


def _logprobs(greedy: Answer, cold: Answer | None) -> Logprobs:
    """Tell what the log-probabilities are worth: near temperature 0 tempered ones of a greedy answer are all near 0."""
    if greedy.pieces is None:
        return "none"
    if logprobs_of(greedy.text, greedy) is None:
        return "wrong"
    if greedy.usage and not greedy.reasoning and len(greedy.pieces) not in (greedy.tokens, greedy.tokens - 1):
        return "wrong"  # the last token, an end of text, may be left out
    pairs = list(takewhile(_same_token, zip(greedy.pieces, (cold and cold.pieces) or (), strict=False)))
    plain, cooled = sum(ours[1] for ours, _ in pairs), sum(theirs[1] for _, theirs in pairs)
    if plain > _SURE:
        return "unknown"
    return "untempered" if 0.75 < cooled / plain < 1.25 else "tempered"


def _same_token(pair: tuple[tuple[bytes, float], tuple[bytes, float]]) -> bool:
    return pair[0][0] == pair[1][0]


_IGNORED = {
    "temperature": "the server seems to ignore the temperature: its answers at 0 differ, or those at 2 do not",
    "seed": "the server ignores the seed: the same request gives another answer, so samples cannot be made again",
    "n": "the server ignores n (nothing is lost: every sample is asked for on its own)",
}
_OF_LOGPROBS = {
    "none": "the server gives no log-probabilities",
    "wrong": "the server's log-probabilities do not match the tokens it counts; they are left out",
    "tempered": "the server's log-probabilities change with the temperature; they are kept at temperature 1 only",
    "unknown": "the server's log-probabilities may change with the temperature; they are kept at temperature 1 only",
}


def _sentences(findings: Findings) -> Iterator[str]:
    """Yield a plain sentence for each thing that the server ignores, or may ignore."""
    yield from (said for name, said in _IGNORED.items() if getattr(findings, name) is False)
    if findings.temperature is None:
        yield "whether the server honours the temperature could not be told: its answers are all alike, or empty"
    if findings.logprobs in _OF_LOGPROBS:
        yield _OF_LOGPROBS[findings.logprobs]
