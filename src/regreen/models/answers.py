"""What an OpenAI-compatible server sends, as a completion: text, tokens, reasoning, calls of tools."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from regreen.extract import stop_at
from regreen.models import Completion, Finish, Request

Json = Mapping[str, Any]

_ROUNDING = 1e-6  # above 0, as a logarithm of a probability of 1 may come out
_CODE_KEYS = ("code", "source", "program", "python")


@dataclass(frozen=True, slots=True)
class Answer:
    """One choice of a server's answer.

    ``pieces`` are the bytes and the log-probability of each generated token, or None where the server sent none or what
    cannot be log-probabilities. ``usage`` is None where the server counts nothing.
    """

    text: str
    reasoning: str | None
    finish: str | None
    pieces: tuple[tuple[bytes, float], ...] | None
    usage: Json | None

    @property
    def tokens(self) -> int:
        """Generated tokens; 0 if the server does not tell."""
        counted = (self.usage or {}).get("completion_tokens")
        return counted if isinstance(counted, int) else len(self.pieces or ())


def read_answer(payload: Any) -> Answer:
    """Read the only choice of an answer to one request.

    Raises:
        ValueError: the payload is not such an answer, or holds no choice or several.
    """
    choices = payload.get("choices") if isinstance(payload, dict) else None
    if not isinstance(choices, list):
        raise ValueError(f"expected a JSON object with choices, got {str(payload)[:80]!r}")
    if len(choices) != 1:
        raise ValueError(f"expected one choice, got {len(choices)}")
    try:
        return _read_choice(choices[0], payload.get("usage") or None)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"expected a choice with a text or a message, got {str(choices[0])[:80]!r}") from error


def _read_choice(choice: Json, usage: Json | None) -> Answer:
    message = choice.get("message") or {}
    return Answer(
        text=_text(choice, message),
        reasoning=message.get("reasoning_content") or message.get("reasoning") or None,
        finish=choice.get("finish_reason"),
        pieces=_pieces(choice.get("logprobs")),
        usage=usage,
    )


def to_completion(answer: Answer, request: Request, *, untempered: bool) -> Completion:
    """Make a completion of an answer; its log-probabilities are kept only if they are known to be ``untempered``."""
    usage = answer.usage or {}
    details = usage.get("completion_tokens_details") or {}
    text = stop_at(answer.text, request.stop)  # some servers ignore stop strings, others include them
    filtered = answer.finish == "content_filter"
    return Completion(
        text="" if filtered else text,
        tokens=answer.tokens,
        token_logprobs=logprobs_of(text, answer) if untempered and not filtered else None,
        finish="error" if filtered else _finish(answer.finish, cut=text != answer.text),
        reasoning=answer.reasoning,
        reasoning_tokens=details.get("reasoning_tokens") or 0,
        prompt_tokens=usage.get("prompt_tokens") or 0,
        error="the server's content filter stopped the answer" if filtered else None,
    )


def logprobs_of(text: str, answer: Answer) -> tuple[float, ...] | None:
    """Return the log-probabilities of the tokens that write the text, or None if the tokens write something else.

    Tokens before it (reasoning) and after it (a stop string, an end of text) are left out; a token that is cut counts.
    """
    whole, wanted = b"".join(piece for piece, _ in answer.pieces or ()), _encoded(text)
    start = whole.rfind(wanted) if answer.reasoning else whole.find(wanted)
    return logprobs_between(start, start + len(wanted), answer) if start >= 0 else None


def logprobs_between(start: int, end: int, answer: Answer) -> tuple[float, ...] | None:
    """Return the log-probabilities of the tokens with a part between two places, in bytes of what was generated."""
    if answer.pieces is None:
        return None
    ends = list(accumulate(len(piece) for piece, _ in answer.pieces))
    found = tuple(
        logprob
        for (piece, logprob), place in zip(answer.pieces, ends, strict=True)
        if place > start and place - len(piece) < end
    )
    return None if any(map(math.isnan, found)) else found


def _finish(reason: str | None, *, cut: bool) -> Finish:
    return "length" if reason == "length" and not cut else "stop"


def _text(choice: Json, message: Json) -> str:
    """Return a plain completion's text, a message's content, or the programs in its calls of tools."""
    text = choice.get("text") or message.get("content") or ""
    if not isinstance(text, str):
        raise ValueError(f"expected text, got {type(text).__name__}")
    calls = message.get("tool_calls") or []
    return text or "".join(_program_of(call["function"]["arguments"]) for call in calls if "function" in call)


def _program_of(arguments: Any) -> str:
    """Return a fence of the program in a call's arguments, which says that it came in a tool call."""
    code = _code(arguments)
    return code if "```" in code else f"```python tool_call\n{code.rstrip()}\n```\n"


def _code(arguments: Any) -> str:
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
    try:
        values = json.loads(raw)
    except ValueError:
        return raw
    if not isinstance(values, dict):
        return values if isinstance(values, str) else raw
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    named = [texts[name] for name in _CODE_KEYS if name in texts]
    return (named or (list(texts.values()) if len(texts) == 1 else [raw]))[0]


def _pieces(logprobs: Json | None) -> tuple[tuple[bytes, float], ...] | None:
    """Return tokens and log-probabilities, in the form of chats or of plain completions; None for what is neither."""
    if not logprobs:
        return None
    if logprobs.get("content") is not None:
        pieces = [(_bytes(token), token.get("logprob")) for token in logprobs["content"]]
    else:
        tokens, values = logprobs.get("tokens") or [], logprobs.get("token_logprobs") or []
        if len(tokens) != len(values):
            return None
        pieces = [(_encoded(token), value) for token, value in zip(tokens, values, strict=True)]
    if pieces and pieces[0][1] is None:  # the first token of a prompt that is repeated has none
        pieces[0] = (pieces[0][0], math.nan)
    wrong = any(not isinstance(value, int | float) or value > _ROUNDING for _, value in pieces)
    return None if wrong or not pieces else tuple((piece, min(float(value), 0.0)) for piece, value in pieces)


def _bytes(token: Json) -> bytes:
    listed = token.get("bytes")
    return _encoded(token.get("token", "")) if listed is None else bytes(listed)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a server may send half a pair
