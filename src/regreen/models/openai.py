"""Any server that speaks OpenAI's protocol: OpenAI, vLLM, llama.cpp, ``transformers serve`` and others.

Text is continued by ``/completions``, messages are answered by ``/chat/completions``, one sample a request. What a
server cannot do is found by a probe, once, before the first request (``regreen.models.probe``).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from regreen.errors import InputError
from regreen.models import Completion, Request
from regreen.models.answers import logprobs_between, read_answer, to_completion
from regreen.models.endpoint import Endpoint, Refused
from regreen.models.probe import probe
from regreen.prompts import Prompt

OPENAI_URL = "https://api.openai.com/v1"

_SEED_MASK = 0x7FFF_FFFF  # llama.cpp takes 32 bits, all ones meaning none; others take 63
_FEW_STOPS = 4  # OpenAI takes no more
_DISPENSABLE = ("top_logprobs", "logprobs", "seed", "stop")  # a sample is as good without, if less is known about it
_MOST_NAMES = 20  # models of the server that are named
_NEUTRAL = {  # llama.cpp's settings beside those of a request, and what switches each of them off
    "top_k": 0, "min_p": 0, "typical_p": 1, "top_n_sigma": -1, "xtc_probability": 0, "dry_multiplier": 0,
    "repeat_penalty": 1, "presence_penalty": 0, "frequency_penalty": 0, "mirostat": 0,
}  # fmt: skip


class OpenAIModel:
    """A model behind an OpenAI-compatible server.

    Args:
        name: the model's name on the server.
        base_url: the server's address up to ``/v1``; by default ``$OPENAI_BASE_URL`` or OpenAI's.
        api_key: by default ``$OPENAI_API_KEY``; a server with a ``base_url`` may need none.
        timeout: seconds for one answer.
        parallel: requests in flight at once.
        tries: how often a request is sent before the server counts as broken.
        reasoning_effort: passed on with chats.
        thinking_budget: most tokens of reasoning, passed on with chats under the names that vLLM, llama.cpp and SGLang
            have for it.

    Raises:
        InputError: there is no key, or the openai package is missing.
    """

    batch = 1

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 600.0,
        parallel: int = 64,
        tries: int = 6,
        reasoning_effort: str | None = None,
        thinking_budget: int | None = None,
    ) -> None:
        url = base_url or os.environ.get("OPENAI_BASE_URL")
        key = api_key or os.environ.get("OPENAI_API_KEY") or ("none" if url else None)
        if key is None:
            raise InputError(f"openai:{name}: no key; set OPENAI_API_KEY, or give a server's address with --base-url")
        self.name = f"openai:{name}"
        self.parallel = parallel
        self.chat = True  # unless a prompt is plain text: most servers have instruction models
        self.decides: Mapping[str, Any] = {"reasoning_effort": reasoning_effort, "thinking_budget": thinking_budget}
        self._model = name
        self._server = Endpoint(url or OPENAI_URL, key, timeout=timeout, parallel=parallel, tries=tries)
        self._thinking = _thinking(reasoning_effort, thinking_budget)
        self._limit = "max_tokens"  # the field's name in chats
        self._most_stops: int | None = None
        self._probing: asyncio.Task[None] | None = None
        self._probed = False
        self.facts: dict[str, Any] = {
            "base_url": self._server.shown,
            "server_models": None,
            "default_sampling": None,
            "switched_off": [],
            "reasoning_effort": reasoning_effort,
            "thinking_budget": thinking_budget,
            "honours": {"temperature": None, "seed": None, "logprobs": None, "n": None},
            "logprobs": "unknown",
            "usage": None,
            "not_sent": [],
            "probed": False,
            "warnings": [],
        }

    def __repr__(self) -> str:
        return f"OpenAIModel({self._model!r}, base_url={self._server.shown!r})"

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Ask for all samples at once, ``parallel`` at a time; the first call probes the server.

        Raises:
            InfrastructureError: the server gives no usable answer, after all tries.
            InputError: it refuses the key, the model or a setting.
        """
        if requests:
            await self._probe_once(chat=not isinstance(requests[0].prompt, str))
        asked = [asyncio.create_task(self._complete(request)) for request in requests]
        try:
            return list(await asyncio.gather(*asked))
        finally:
            for one in asked:  # if one has failed, the others are of no use
                one.cancel()

    async def logprob(self, prompt: Prompt, text: str) -> float:
        """Return the natural log-probability of a text after a prompt; a token that begins in the prompt counts.

        Raises:
            InputError: the server cannot repeat a prompt with log-probabilities, or the prompt is a chat.
            InfrastructureError: the server gives no usable answer, after all tries.
        """
        if not isinstance(prompt, str):
            raise InputError(f"{self.name}: the probability of a text is known after plain text, not after a chat")
        request = Request(prompt + text, seed=0, temperature=1.0, max_tokens=1)  # not all servers take 0
        answer = await self._ask(request, echo=True)
        values = logprobs_between(len(prompt.encode()), len((prompt + text).encode()), answer)
        if values is None or not answer.text.startswith(prompt + text):
            raise InputError(
                f"{self.name}: {self._server.shown} does not repeat a prompt with log-probabilities (echo), as vLLM "
                "does; use such a server, or hf:PATH"
            )
        return sum(values)

    async def _complete(self, request: Request) -> Completion:
        try:
            answer = await self._ask(request)
        except _TooLongError as error:
            return Completion("", 0, finish="error", error=str(error))
        self.facts["usage"] = answer.usage is not None and self.facts["usage"] is not False
        plain = request.temperature == 1 and request.top_p == 1
        known = ("untempered", "tempered", "unknown") if plain else ("untempered",)
        return to_completion(answer, request, untempered=self.facts["logprobs"] in known)

    # ---- one request, until it is answered or refused ----

    async def _ask(self, request: Request, *, read: Callable[[Any], Any] = read_answer, **extra: Any) -> Any:
        """Return what ``read`` makes of the answer, asking again without what the server refuses."""
        path = "/completions" if isinstance(request.prompt, str) else "/chat/completions"
        while True:
            body = self._body(request) | extra
            try:
                return await self._server.post(path, body, read=read, seed=request.seed)
            except Refused as refused:
                if refused.overflow:
                    raise _TooLongError(refused.words) from None
                if not self._adapt(body, refused):
                    raise await self._explain(refused, path) from None

    def _body(self, request: Request) -> dict[str, Any]:
        shared: dict[str, Any] = {
            "model": self._model,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed & _SEED_MASK,
            "stop": list(request.stop[: self._most_stops]) or None,
        }
        shared |= {name: _NEUTRAL[name] for name in self.facts["switched_off"]}
        body = shared | (self._text_fields(request) if isinstance(request.prompt, str) else self._chat_fields(request))
        return {name: value for name, value in body.items() if value is not None and name not in self.facts["not_sent"]}

    def _text_fields(self, request: Request) -> dict[str, Any]:
        return {"prompt": request.prompt, "max_tokens": request.max_tokens, "logprobs": 1}

    def _chat_fields(self, request: Request) -> dict[str, Any]:
        assert not isinstance(request.prompt, str)
        messages = [{"role": message.role, "content": message.text} for message in request.prompt]
        limit = {self._limit: request.max_tokens}
        return {"messages": messages, **limit, "logprobs": True, "top_logprobs": 1, **self._thinking}

    def _adapt(self, body: Mapping[str, Any], refused: Refused) -> bool:
        """Give up a field that the server refuses and a sample does not need; tells whether one was."""
        if refused.status not in (400, 422):
            return False
        if "messages" in body and "max_tokens" in body and "max_completion_tokens" in refused.words:
            self._limit = "max_completion_tokens"
            return True
        for name in _DISPENSABLE:
            if name in body and _means(refused, name):
                self._give_up(name, body)
                return True
        return False

    def _give_up(self, name: str, body: Mapping[str, Any]) -> None:
        if name == "stop" and len(body["stop"]) > _FEW_STOPS:
            self._most_stops = _FEW_STOPS  # texts are cut by us anyway
        elif name not in self.facts["not_sent"]:
            self.facts["not_sent"].append(name)
            self._warn(f"the server refuses {name}, so it is not sent")

    async def _explain(self, refused: Refused, path: str) -> InputError:
        """Return the error for what the user must change."""
        where, words = f"{self._server.shown}{path}", f"{refused.status} {refused.words}"
        if refused.status in (401, 403):
            return InputError(f"{where} refuses the key ({words}); set OPENAI_API_KEY to one that this server knows")
        if refused.status != 404 and self._model not in refused.words:
            return InputError(f"{where} refuses the request: {words}")
        models = await self._models()
        if models is None:
            return InputError(f"{where}: not found ({words}); a --base-url mostly ends in /v1")
        return InputError(f"{where}: no model {self._model} ({words}); the server has: {', '.join(models) or 'none'}")

    # ---- what the server is ----

    async def _probe_once(self, *, chat: bool) -> None:
        """Wait for the one probe, which fails for all that wait if the server is not there."""
        if self._probed:
            return
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._probe(chat=chat))
        await asyncio.shield(self._probing)

    async def _probe(self, *, chat: bool) -> None:
        await self._look_around()
        try:
            found = await probe(self._ask, chat=chat)
        except InputError as error:  # the first request will tell whether the server refuses more than the probe
            self._warn(f"the server could not be probed: {error}")
        else:
            self.facts.update(honours=found.honours, logprobs=found.logprobs, probed=True)
            self.facts["warnings"] += found.warnings
        self._probed = True

    async def _look_around(self) -> None:
        """Note which models the server lists and, as llama.cpp tells it, how it samples beside what a request says."""
        models = await self._models()
        self.facts["server_models"] = models
        if models and self._model not in models:
            self._warn(f"the server does not list {self._model} but {', '.join(models)}: another model may answer")
        properties = await self._server.get(self._server.url.removesuffix("/v1") + "/props")
        sampling = _sampling(properties)
        self.facts["default_sampling"] = sampling
        self.facts["switched_off"] = [name for name, off in _NEUTRAL.items() if sampling and sampling[name] != off]

    async def _models(self) -> list[str] | None:
        models = models_in(await self._server.get("/models"))
        return models and models[:_MOST_NAMES]

    def _warn(self, sentence: str) -> None:
        self.facts["warnings"].append(sentence)


def models_in(answer: Any) -> list[str] | None:
    """Return the names in a server's list of models, or None if it is no such list."""
    try:
        return [str(model["id"]) for model in answer["data"]]
    except (KeyError, TypeError):
        return None


class _TooLongError(InputError):
    """The prompt, or what it asks for, does not fit the model's context."""


def _thinking(effort: str | None, budget: int | None) -> dict[str, Any]:
    """Return the fields for reasoning; the budget's are those of vLLM, llama.cpp and SGLang."""
    fields: dict[str, Any] = {} if effort is None else {"reasoning_effort": effort}
    if budget is not None:
        fields |= {"thinking_token_budget": budget, "thinking_budget_tokens": budget}
        fields["chat_template_kwargs"] = {"thinking_budget": budget}
    return fields


def _means(refused: Refused, name: str) -> bool:
    """Tell whether a refusal is about this field: named as such, in quotes, or unmistakable as a word."""
    words = rf"\b{name}\b" if name.endswith("logprobs") else rf"['\"`.]{name}['\"`]"
    return refused.field == name or bool(re.search(words, refused.words))


def _sampling(properties: Any) -> dict[str, float] | None:
    """Return llama.cpp's default sampling."""
    try:
        params = properties["default_generation_settings"]["params"]
        return {name: round(float(params[name]), 6) for name in ("temperature", "top_p", *_NEUTRAL)}
    except (KeyError, TypeError, ValueError):
        return None
