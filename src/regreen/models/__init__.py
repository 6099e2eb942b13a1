"""Models: whatever turns prompts into text, behind one protocol.

model = open_model("openai:qwen2.5-coder", base_url="http://localhost:8000/v1")
(completion,) = await model.sample([Request("def add(a, b):\\n", seed=1)])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from regreen.prompts import Prompt

__all__ = ["Completion", "Finish", "Model", "Request"]

Finish = Literal["stop", "length", "error"]


@dataclass(frozen=True, slots=True)
class Request:
    """One sample asked of a model; everything here decides the answer.

    ``prompt`` is text to be continued, or the messages of a chat. ``stop`` strings end the text and are not part of it.
    ``problem`` and ``index`` say which sample of which problem it is: recorded models answer by them.
    """

    prompt: Prompt
    seed: int
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    problem: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered to one request.

    ``tokens`` counts generated tokens, those of ``reasoning`` included. ``token_logprobs`` are natural logarithms under
    the untempered distribution, one for each token of ``text``, or None where the backend has none. ``finish`` is
    "error" for a request that the backend refused for good, as it does when the context is too long: ``error`` says
    why, and ``text`` is empty.
    """

    text: str
    tokens: int
    token_logprobs: tuple[float, ...] | None = None
    finish: Finish = "stop"
    reasoning: str | None = None
    reasoning_tokens: int = 0
    prompt_tokens: int = 0
    error: str | None = None


class Model(Protocol):
    """A model that can be asked.

    ``name`` is what the user typed after ``-m``. ``facts`` go into the manifest: what the backend is and can do, as
    plain JSON; it is complete after the first call. Requests are best handed over ``batch`` at a time, in ``parallel``
    calls at once. Neither order nor grouping of requests changes an answer.

    A model may have ``async logprob(prompt, text) -> float`` too: the log-probability of a text after a prompt.
    """

    name: str
    facts: Mapping[str, Any]
    batch: int
    parallel: int

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in order.

        Raises:
            InfrastructureError: the backend cannot be reached, after retries.
            InputError: the backend refuses every request: no such model, a wrong key.
        """
        ...
