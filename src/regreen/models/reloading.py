"""A model behind a server that takes new weights while it serves: what samples for a training.

model = ReloadingModel("base", engine="vllm", base_url="http://localhost:8000/v1")
await model.reload(Path("runs/mine/checkpoints/last"))

Each engine reads a checkpoint's folder again by what its documentation has for it:

- vLLM, started with ``VLLM_SERVER_DEV_MODE=1``: ``/pause?mode=wait``, ``/collective_rpc`` of ``reload_weights`` with a
  ``weights_path``, ``/reset_prefix_cache``, ``/resume`` (docs.vllm.ai/en/latest: training/async_rl, training/layerwise,
  features/sleep_mode);
- SGLang: ``/update_weights_from_disk`` (docs.sglang.io: advanced_features/sglang_for_rl), which waits for what is being
  answered, empties its cache, and from then on lists the model under the folder's name.

So no sample is written by two sets of weights. Tested against servers of these two forms; untested on the engines
themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from regreen.errors import InfrastructureError, InputError
from regreen.models.endpoint import Refused
from regreen.models.openai import OpenAIModel, models_in

Engine = Literal["vllm", "sglang"]
Call = tuple[str, Mapping[str, Any]]  # a path, and what is posted there

_PAUSE = "/pause?mode=wait"
_MISSING = {
    "vllm": "start vLLM with VLLM_SERVER_DEV_MODE=1 in its environment, in a version whose documentation has this path",
    "sglang": "give the base_url of an SGLang server, in a version whose documentation has this path",
}


class ReloadingModel(OpenAIModel):
    """A model behind a vLLM or SGLang server, whose weights can be replaced.

    Args:
        name: the model's name on the server.
        engine: which of the two it is.
        base_url: the server's address up to ``/v1``.
        timeout: seconds for one answer, and for each step of a reload, which waits for the answers under way.
        tries: how often each is sent before the server counts as broken.
        options: what :class:`regreen.models.openai.OpenAIModel` takes beside.

    ``facts`` say which weights are served, and how often they were replaced. Do not put a cache around it: its name
    does not tell its weights.

    Raises:
        InputError: there is no such engine, or the openai package is missing.
    """

    def __init__(
        self, name: str, *, engine: Engine, base_url: str, timeout: float = 600.0, tries: int = 6, **options: Any
    ) -> None:
        if engine not in _CALLS:
            raise InputError(f"engine {engine!r}: expected one of {', '.join(_CALLS)}")
        super().__init__(name, base_url=base_url, timeout=timeout, tries=tries, **options)
        self.engine = engine
        self.batch = self.parallel  # a training hands over one batch, and waits for it
        # Slots of its own: samples that wait for a paused engine may hold all others.
        root = self._server.url.removesuffix("/v1")
        self._control = self._server.at(root, timeout=timeout, parallel=1, tries=tries)
        self.facts |= {"engine": engine, "weights": None, "reloads": 0}

    async def reload(self, folder: Path) -> None:
        """Have the server read its weights from a folder; samples asked for from now on are written by them.

        Samples under way are finished first, by the old weights. It may be called from a thread and an event loop of
        its own, while another one samples. Asking again does no harm.

        Args:
            folder: a checkpoint of the served architecture, as ``save_pretrained`` writes it, which the server sees
                under the same path.

        Raises:
            InputError: there is no checkpoint, or the server refuses, or cannot do it as it was started.
            InfrastructureError: the server gives no usable answer, after all tries.
        """
        place = _checkpoint(folder)
        for path, body in _CALLS[self.engine](place):
            await self._do(path, body)
        self._model = await self._served(place)
        self.facts.update(weights=place, reloads=self.facts["reloads"] + 1)

    async def _do(self, path: str, body: Mapping[str, Any]) -> None:
        try:
            await self._control.post(path, body, read=_succeeded, seed=0)
        except Refused as refused:
            raise InputError(f"{self._explained(refused, path)}{self._left(path)}") from None
        except InfrastructureError as error:
            raise InfrastructureError(f"{error}{self._left(path)}") from error

    def _left(self, path: str) -> str:
        """Return what a failure there leaves behind: a paused engine is not resumed with weights that nobody knows."""
        if self.engine == "sglang" or path == _PAUSE:
            return ""
        return "; the engine stays paused until a reload succeeds or it is restarted"

    def _explained(self, refused: Refused, path: str) -> str:
        """Return what the user must change."""
        where, words = f"{self._control.shown}{path}", f"{refused.status} {refused.words}"
        if refused.status in (404, 405):
            return f"{where}: not found ({words}); {_MISSING[self.engine]}"
        if refused.status in (401, 403):
            return f"{where} refuses the key ({words}); give the one that this server takes for its administration"
        return f"{where} refuses to load the weights: {words}"

    async def _served(self, place: str) -> str:
        """Return the name under which the server lists the model after a reload.

        Raises:
            InputError: it lists others, and nobody can tell which of them has the new weights.
        """
        listed = models_in(await self._control.get("/v1/models"))
        if listed is None or self._model in listed:
            return self._model
        if place not in listed and len(listed) != 1:
            known = ", ".join(listed) or "none"
            raise InputError(f"{self._control.shown} lists {known} after the reload, and not {self._model}; name it so")
        return place if place in listed else listed[0]


def _vllm(place: str) -> list[Call]:
    reload = {"method": "reload_weights", "kwargs": {"weights_path": place}}
    return [(_PAUSE, {}), ("/collective_rpc", reload), ("/reset_prefix_cache", {}), ("/resume", {})]


def _sglang(place: str) -> list[Call]:
    return [("/update_weights_from_disk", {"model_path": place, "flush_cache": True, "abort_all_requests": False})]


_CALLS = {"vllm": _vllm, "sglang": _sglang}


def _checkpoint(folder: Path) -> str:
    """Return a checkpoint's whole path, links followed: ``last`` is soon another folder."""
    place = folder.resolve()
    if not (place / "config.json").exists() or not any(place.glob("*.safetensors")):
        raise InputError(f"{folder}: no checkpoint; expected a folder with config.json and *.safetensors")
    return str(place)


def _succeeded(answer: Any) -> None:
    """Refuse an answer that says it did not succeed; the engines' successes look different, and some are empty."""
    if isinstance(answer, dict) and answer.get("success") is False:
        raise ValueError(f"success: false, {answer.get('message', 'no reason given')}")
