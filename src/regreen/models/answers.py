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

_BROKEN = "\N{REPLACEMENT CHARACTER}"
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
        return _counted(self.usage, "completion_tokens") or len(self.pieces or ())


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
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"expected a choice with a text or a message, got {str(choices[0])[:80]!r}") from error


def _read_choice(choice: Json, usage: Json | None) -> Answer:
    message = choice.get("message") or {}
    if "text" not in choice and not message:
        raise ValueError("neither text nor message")
    return Answer(
        text=_text(choice, message),
        reasoning=_string(message.get("reasoning_content") or message.get("reasoning")) or None,
        finish=choice.get("finish_reason"),
        pieces=_pieces(choice.get("logprobs")),
        usage=usage,
    )


def to_completion(answer: Answer, request: Request, *, untempered: bool) -> Completion:
    """Make a completion of an answer; its log-probabilities are kept only if they are known to be ``untempered``."""
    text = stop_at(answer.text, request.stop)  # some servers ignore stop strings, others include them
    filtered = answer.finish == "content_filter"
    return Completion(
        text="" if filtered else text,
        tokens=answer.tokens,
        token_logprobs=logprobs_of(text, answer) if untempered and not filtered else None,
        finish="error" if filtered else _finish(answer.finish, cut=text != answer.text),
        reasoning=answer.reasoning,
        reasoning_tokens=_counted(answer.usage, "completion_tokens_details", "reasoning_tokens"),
        prompt_tokens=_counted(answer.usage, "prompt_tokens"),
        cached_tokens=_counted(answer.usage, "prompt_tokens_details", "cached_tokens"),
        error="the server's content filter stopped the answer" if filtered else None,
    )


def logprobs_of(text: str, answer: Answer) -> tuple[float, ...] | None:
    """Return the log-probabilities of the tokens that write the text, or None if the tokens write something else.

    Tokens before it (reasoning) and after it (a stop string, an end of text) are left out; a token that is cut counts.
    """
    whole, wanted = b"".join(piece for piece, _ in answer.pieces or ()), _encoded(text)
    start = whole.rfind(wanted) if answer.reasoning else whole.find(wanted)
    if start >= 0:
        return logprobs_between(start, start + len(wanted), answer)
    return logprobs_between(0, len(whole), answer) if text == answer.text and _same_but_broken(text, whole) else None


def _same_but_broken(text: str, whole: bytes) -> bool:
    """Tell whether these bytes are the text but for parts of characters, which no two decoders write alike."""
    return whole.decode(errors="ignore").replace(_BROKEN, "") == text.replace(_BROKEN, "")


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


def _counted(usage: Any, *path: str) -> int:
    """Return a count of the server's, 0 if there is none."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    return usage if isinstance(usage, int) else 0


def _finish(reason: str | None, *, cut: bool) -> Finish:
    return "length" if reason == "length" and not cut else "stop"


def _text(choice: Json, message: Json) -> str:
    """Return a plain completion's text, a message's content, or the programs in its calls of tools."""
    text = _string(choice.get("text") or message.get("content"))
    calls = message.get("tool_calls") or []
    return text or "".join(_program_of(call["function"]["arguments"]) for call in calls if "function" in call)


def _string(value: Any) -> str:
    if not isinstance(value or "", str):
        raise ValueError(f"expected text, got {type(value).__name__}")
    return value or ""


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
    if pieces and pieces[0][1] is None:  # the first token of a prompt that is repeated has no value
        pieces[0] = (pieces[0][0], math.nan)
    known = [value for _, value in pieces if value is not math.nan]  # NaN of the server's is another object
    if not pieces or not all(map(_is_logprob, known)):
        return None
    return tuple((piece, min(float(value), 0.0)) for piece, value in pieces)


def _is_logprob(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value <= _ROUNDING


def _bytes(token: Json) -> bytes:
    listed = token.get("bytes")
    return _encoded(token.get("token", "")) if listed is None else bytes(listed)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a server may send half a pair
