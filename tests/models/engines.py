"""Servers of vLLM's and SGLang's documented form that read real folders of weights while they serve."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from tests.models.servers import Asked, Reply, ScriptedServer, error, text

DONE = Reply(b"", headers={"Content-Type": "text/plain"})


def checkpoint(folder: Path, weights: str) -> Path:
    """Write a folder that looks like a checkpoint; the engines below answer with what its weights file holds."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(weights)
    return folder


class Engine(ScriptedServer):
    """An engine that writes its weights' text as they are when an answer begins and when it ends.

    What it has once said after a prompt it keeps, until its cache is emptied. ``slow`` is in seconds for one answer;
    ``hitch`` maps a path to replies that are given there first.
    """

    def __init__(self, *, slow: float = 0.0, hitch: dict[str, list[Reply]] | None = None) -> None:
        super().__init__(lambda _: DONE)
        self.weights, self.served, self.paused = "first", "toy", False
        self.writing = self.most = 0  # answers under way, now and at most
        self.cache: dict[str, str] = {}
        self.slow, self.hitch = slow, hitch or {}
        self.changed = threading.Condition()

    @property
    def controls(self) -> list[str]:
        """The paths that were asked beside those of the protocol."""
        return [asked.path for asked in self.log if not asked.path.startswith(("/v1", "/props"))]

    def _reply(self, asked: Asked) -> Reply:
        self.log.append(asked)
        if self.hitch.get(asked.path):
            return self.hitch[asked.path].pop(0)
        if asked.path == "/v1/models":
            return Reply({"data": [{"id": self.served}]})
        if asked.path.endswith("completions"):
            return self._toy(asked) if asked.is_probe else self.write(asked.body)
        return self.control(asked.path, asked.body)

    def write(self, body: dict[str, Any]) -> Reply:
        with self.changed:
            self.changed.wait_for(lambda: not self.paused)
            self.writing += 1
            self.most = max(self.most, self.writing)
            self.changed.notify_all()
            begun = self.cache.setdefault(body["prompt"], self.weights)
        threading.Event().wait(self.slow)
        with self.changed:
            self.writing -= 1
            self.changed.notify_all()
            return text(f"{begun} {self.weights}")

    def load(self, place: str) -> None:
        self.weights = (Path(place) / "model.safetensors").read_text()

    def control(self, path: str, body: dict[str, Any]) -> Reply:
        return error(404, "Not Found")


class VllmServer(Engine):
    """vLLM's endpoints of development mode; its name stays, and another one is refused."""

    def write(self, body: dict[str, Any]) -> Reply:
        known = body["model"] == self.served
        return super().write(body) if known else error(404, f"The model `{body['model']}` does not exist.")

    def control(self, path: str, body: dict[str, Any]) -> Reply:
        with self.changed:
            if path == "/pause?mode=wait":
                self.paused = True
                self.changed.wait_for(lambda: self.writing == 0)
                return Reply({"status": "paused"})
            if path == "/collective_rpc" and body["method"] == "reload_weights":
                self.load(body["kwargs"]["weights_path"])
                return Reply({"results": [None]})
            if path == "/reset_prefix_cache":
                self.cache.clear()
                return DONE
            if path == "/resume":
                self.paused = False
                self.changed.notify_all()
                return Reply({"status": "resumed"})
        return Reply({"detail": "Not Found"}, status=404)


class SglangServer(Engine):
    """SGLang's, which drains, loads, empties and renames in one request; it answers to any name."""

    def control(self, path: str, body: dict[str, Any]) -> Reply:
        if path != "/update_weights_from_disk":
            return Reply({"detail": "Not Found"}, status=404)
        with self.changed:
            self.paused = True
            self.changed.wait_for(lambda: self.writing == 0)
            self.load(body["model_path"])
            self.served, self.paused = body["model_path"], False
            if body["flush_cache"]:
                self.cache.clear()
            self.changed.notify_all()
        return Reply({"success": True, "message": "Succeeded to update model weights.", "num_paused_requests": 0})
