"""A cache around any model: answers are kept in a SQLite file, under everything that decides them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from regreen.errors import InputError
from regreen.models import Completion, Model, Request

_NOT_DECIDING = ("problem", "index", "role")  # of a request: they only say whose it is


class CachedModel:
    """A model whose answers are kept; may be shared by several processes.

    Answers that were refused are not kept: the backend may have been given more room since.
    """

    def __init__(self, model: Model, path: Path) -> None:
        self._model = model
        self.name, self.chat, self.decides = model.name, model.chat, model.decides
        self.batch, self.parallel = model.batch, model.parallel
        self.hits = 0
        self._who = json.dumps([model.name, model.decides, model.facts.get("base_url")], sort_keys=True)
        self._base = _open(path)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The model's own, and how many answers came from the cache."""
        return {**self._model.facts, "cached": self.hits}

    async def sample(self, requests: Sequence[Request]) -> list[Completion]:
        """Return kept answers where there are, and ask for the others."""
        keys = [self._key(request) for request in requests]
        found = [self._find(key) for key in keys]
        missing = [number for number, answer in enumerate(found) if answer is None]
        answers = await self._model.sample([requests[number] for number in missing]) if missing else []
        for number, answer in zip(missing, answers, strict=True):
            found[number] = answer
            self._keep(keys[number], answer)
        self.hits += len(requests) - len(missing)
        return [answer for answer in found if answer is not None]

    async def logprob(self, prompt: Any, text: str) -> float:
        """Return the model's own answer, which is not kept."""
        return await self._model.logprob(prompt, text)  # type: ignore[attr-defined,no-any-return]

    def _key(self, request: Request) -> bytes:
        what = {name: value for name, value in asdict(request).items() if name not in _NOT_DECIDING}
        return hashlib.sha256(f"{self._who}{json.dumps(what, sort_keys=True)}".encode()).digest()

    def _find(self, key: bytes) -> Completion | None:
        row = self._base.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        answer = Completion(**json.loads(row[0]))
        logprobs = answer.token_logprobs
        return replace(answer, token_logprobs=None if logprobs is None else tuple(logprobs))

    def _keep(self, key: bytes, answer: Completion) -> None:
        if answer.finish != "error":
            self._base.execute(
                "INSERT OR IGNORE INTO answers VALUES (?, ?)",
                (key, json.dumps(asdict(replace(answer, generated=None)))),
            )


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Used by whichever thread asks, one at a time; written at once, so that a kill loses nothing.
        base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, answer TEXT NOT NULL)")
    except (sqlite3.Error, OSError) as error:
        raise InputError(f"--cache {path}: not a cache ({error}); give a new file or one made by --cache") from error
    return base
