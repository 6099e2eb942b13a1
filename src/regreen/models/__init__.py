"""Models: whatever turns prompts into text, behind one protocol.

model = open_model("openai:qwen2.5-coder", base_url="http://localhost:8000/v1")
(completion,) = await model.sample([Request("def add(a, b):\\n", seed=1)])
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from regreen.errors import InputError
from regreen.models.shipped import SHIPPED
from regreen.plugins import named, plugin
from regreen.prompts import Prompt

__all__ = ["Completion", "Finish", "Model", "Request", "open_model"]

Finish = Literal["stop", "length", "error"]


@dataclass(frozen=True, slots=True)
class Request:
    """One sample asked of a model; everything here decides the answer.

    ``prompt`` is text to be continued, or the messages of a chat. ``stop`` strings end the text and are not part of it.
    ``problem``, ``index`` and ``role`` say which sample of which problem it is: recorded models answer by them.
    """

    prompt: Prompt
    seed: int
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    problem: str = ""
    index: int = 0
    role: str = "sample"


class Token(NamedTuple):
    """A generated token: its id, and its log-probability untempered, and at the request's temperature.

    Both are of the whole vocabulary, not of the nucleus alone; at temperature 0 they are the same.
    """

    id: int
    logprob: float
    tempered: float


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered to one request.

    ``tokens`` counts generated tokens, those of ``reasoning`` included; ``prompt_tokens`` were read, of which the
    backend had kept ``cached_tokens``. ``token_logprobs`` are natural logarithms under
    the untempered distribution, one for each token of ``text``, or None where the backend has none. ``finish`` is
    "error" for a request that the backend refused for good, as it does when the context is too long: ``error`` says
    why, and ``text`` is empty. ``generated`` are all generated tokens, those of a stop string and the end of text
    included, where the model runs on this machine; no cache keeps them.
    """

    text: str
    tokens: int
    token_logprobs: tuple[float, ...] | None = None
    finish: Finish = "stop"
    reasoning: str | None = None
    reasoning_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    error: str | None = None
    generated: tuple[Token, ...] | None = None


class Model(Protocol):
    """A model that can be asked.

    ``name`` is what the user typed after ``-m``. ``chat`` says whether it expects messages or text to continue.
    ``decides`` holds what decides its answers beside name and request, ``facts`` what the backend is and can do, both
    as plain JSON for the manifest; facts are complete after the first call, and ``facts["warnings"]`` are sentences
    that the user must hear. Requests are best handed over ``batch`` at a time, in ``parallel`` calls at once. Neither
    order nor grouping of requests changes an answer.

    A model may have ``async logprob(prompt, text) -> float`` too: the log-probability of a text after a prompt.
    """

    name: str
    chat: bool
    decides: Mapping[str, Any]
    batch: int
    parallel: int

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the backend is and can do."""
        ...

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion for each request, in order.

        Raises:
            InfrastructureError: the backend cannot be reached, after retries.
            InputError: the backend refuses every request: no such model, a wrong key.
        """
        ...


# Each backend's class, by what stands before the colon: loaded when first used, since most load something heavy.
_BACKENDS = {
    "hf": ("regreen.models.hf", "HFModel", "a checkpoint's folder or hub name"),
    "openai": ("regreen.models.openai", "OpenAIModel", "a model's name at an OpenAI-compatible endpoint (--base-url)"),
    "replay": ("regreen.models.recorded", "ReplayModel", "a file of samples, or a run directory"),
    "tiny": ("regreen.models.tiny", "TinyModel", "a folder with a small Llama checkpoint, run without torch"),
    "scripted": ("regreen.models.recorded", "ScriptedModel", "a file of answers, picked by what a prompt contains"),
}
_RUN_HERE = ("hf", "tiny")


def open_model(name: str, *, cache: Path | None = None, cluster: str | None = None, **options: Any) -> Model:
    """Return the model that a name like ``tiny`` or ``hf:PATH`` stands for.

    ``package.module:factory`` calls one's own factory.

    Args:
        name: a backend and what it is to open.
        cache: file in which answers are kept; a request asked before is not asked again.
        cluster: where the machines are on which a model that runs here otherwise is to run: ``ray`` or ``HOST:PORT``.
        options: what the backend takes, as ``base_url``; those that are None count as not given.

    Raises:
        InputError: there is no such backend, it cannot open this, or it does not take an option.
    """
    kind, colon, place = name.partition(":")
    if not name:
        raise InputError("no model; give -m MODEL ('regreen list models' says which there are)")
    if name not in SHIPPED and not (colon and place) and plugin("models", kind) is None:
        known = [*SHIPPED, *(f"{kind}:..." for kind in _BACKENDS)]
        raise InputError(f"-m {name}: expected {', '.join(known)} or package.module:factory")
    given = {option: value for option, value in options.items() if value is not None}
    model = (
        _open(name, kind, place, given) if cluster is None or not runs_here(name) else _on_cluster(name, cluster, given)
    )
    if cache is None:
        return model
    from regreen.models.cache import CachedModel

    return CachedModel(model, cache)


def runs_here(name: str) -> bool:
    """True for a model that this machine would run: not one that is asked over the network, or read from a file."""
    return name in SHIPPED or name.partition(":")[0] in _RUN_HERE


def _on_cluster(name: str, where: str, given: Mapping[str, Any]) -> Model:
    from regreen.models.ray import on_cluster

    kind, _, place = name.partition(":")
    _refuse_unknown(name, _maker(name, kind, place), given)
    return on_cluster(name, where, **given)


def _open(name: str, kind: str, place: str, given: Mapping[str, Any]) -> Model:
    make = _maker(name, kind, place)
    _refuse_unknown(name, make, given)
    if name in SHIPPED:
        return make(name, **given)
    if kind in _BACKENDS:
        return make(place, **given)
    return _own(name, make if plugin("models", kind) is None else functools.partial(make, place), given)


def _maker(name: str, kind: str, place: str) -> Callable[..., Model]:
    """Return what makes the model: a shipped one's loader, a backend's class, or a user's factory."""
    if name in SHIPPED:
        return importlib.import_module("regreen.models.tiny").shipped  # type: ignore[no-any-return]
    return _class(kind) if kind in _BACKENDS else plugin("models", kind) or _factory(kind, place)


def kinds() -> list[tuple[str, str]]:
    """Return each shipped model and each kind with what stands after its colon, for ``regreen list models``."""
    own = ("package.module:FACTORY", "a function of your own that returns a model")
    added = [(f"{name}:...", "added by another package") for name in named("models")]
    return [*SHIPPED.items(), *((f"{kind}:...", about) for kind, (_, _, about) in _BACKENDS.items()), *added, own]


def _class(kind: str) -> Callable[..., Model]:
    module, name, _ = _BACKENDS[kind]
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def _factory(module: str, function: str) -> Callable[..., Model]:
    try:
        return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]
    except (ImportError, AttributeError) as error:
        kinds = ", ".join(f"{kind}:" for kind in _BACKENDS)
        raise InputError(f"-m {module}:{function}: {error}; a backend is one of {kinds} or your own module") from error


def _own(name: str, make: Callable[..., Model], given: Mapping[str, Any]) -> Model:
    """Return what a user's factory makes, if it is a model."""
    try:
        model = make(**given)
    except Exception as error:  # whatever a user's code may raise
        raise InputError(f"-m {name}: calling it failed: {type(error).__name__}: {error}") from error
    missing = [part for part in _PARTS if not hasattr(model, part)]
    if missing:
        raise InputError(f"-m {name}: it made no model (no {', '.join(missing)}); see regreen.models.Model")
    return model


_PARTS = ("name", "chat", "decides", "facts", "batch", "parallel", "sample")


def _refuse_unknown(name: str, make: Callable[..., Model], given: Mapping[str, Any]) -> None:
    try:
        taken = inspect.signature(make).parameters
    except (TypeError, ValueError) as error:
        raise InputError(f"-m {name}: not a function of Python's; expected one that returns a model") from error
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in taken.values()):
        return
    for option in given:
        if option not in taken:
            raise InputError(f"-m {name} takes no --{option.replace('_', '-')}; leave it out")
