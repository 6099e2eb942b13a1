"""A server's address, asked until it answers: what fails for a while is sent again, what is refused is told apart."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from regreen.errors import InfrastructureError, InputError

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

Read = TypeVar("Read")

_RETRIED = frozenset((408, 409, 429))
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0  # seconds
_CONNECT_TIMEOUT = 10.0  # seconds, also for questions that need no thinking
_OVERFLOW_STATUS = frozenset((400, 413, 422, 500))
_OVERFLOW = re.compile(
    r"context[_ ](?:length|size|window)|maximum context|max_model_len|maximum model length"
    r"|(?:prompt|input|`inputs` tokens).{0,80}(?:too long|longer than|exceeds|must be <=)",
    re.IGNORECASE | re.DOTALL,
)
_MOST_WORDS = 300  # characters of a server's own words in our errors


class Refused(Exception):
    """The server has understood and says no: its ``status``, its ``words``, and the field it means where it says so."""

    def __init__(self, status: int, words: str, field: str | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.field = status, words, field

    @property
    def overflow(self) -> bool:
        """Whether the prompt, or what it asks for, is too long for the model."""
        return self.status in _OVERFLOW_STATUS and bool(_OVERFLOW.search(self.words))


@dataclass(frozen=True, slots=True)
class _Session:
    """What is bound to an event loop."""

    loop: asyncio.AbstractEventLoop
    client: AsyncOpenAI
    slots: asyncio.Semaphore


class Endpoint:
    """An OpenAI-compatible server at ``url`` (up to ``/v1``), with at most ``parallel`` requests in flight.

    ``timeout`` is in seconds for one answer; after ``tries`` answers that cannot be used the server counts as broken.
    """

    def __init__(self, url: str, key: str, *, timeout: float, parallel: int, tries: int) -> None:
        try:
            import openai  # noqa: F401
        except ImportError:
            raise InputError("the openai package is not installed (pip install openai)") from None
        self.url = url.rstrip("/")
        self._key, self._timeout, self._parallel, self._tries = key, timeout, parallel, tries
        self._session: _Session | None = None

    @property
    def shown(self) -> str:
        """The address without a user and a password, as errors and manifests may have it."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def at(self, url: str, *, timeout: float, parallel: int, tries: int) -> Endpoint:
        """Return another address of the same server, with the same key and slots of its own."""
        return Endpoint(url, self._key, timeout=timeout, parallel=parallel, tries=tries)

    async def post(self, path: str, body: Mapping[str, Any], *, read: Callable[[Any], Read], seed: int) -> Read:
        """Send a request until ``read`` accepts the answer; a ValueError of it counts as a broken answer.

        ``seed`` decides how waits vary.

        Raises:
            Refused: the server says no.
            InfrastructureError: no usable answer after all tries, or the server asks to wait longer than ``timeout``.
        """
        session = self._open()
        async with session.slots:
            for turn in range(self._tries):
                try:
                    async with asyncio.timeout(self._timeout):  # of the whole answer: one may come byte by byte
                        return read(await session.client.post(path, cast_to=object, body=body))
                except Exception as error:
                    cause, wait = self._explain(error)
                last = turn + 1 == self._tries
                if last or wait > self._timeout:
                    break
                await asyncio.sleep(max(wait, _wait(turn, seed)))
        raise InfrastructureError(
            f"{self.shown}{path}: no usable answer after {turn + 1} tries, the last: {cause}; "
            "see that the server runs, then give the same command again"
        )

    async def get(self, path: str) -> Any:
        """Return what the server says under a path or a whole address, or None: it is asked once."""
        from openai import OpenAIError

        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                return await self._open().client.get(path, cast_to=object)
        except (OpenAIError, ValueError, TimeoutError):
            return None

    def _open(self) -> _Session:
        """Return the session of the running event loop: connections of another one cannot be used."""
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

        loop = asyncio.get_running_loop()
        if self._session is None or self._session.loop is not loop:
            timeout = Timeout(None, connect=_CONNECT_TIMEOUT)
            http = DefaultAsyncHttpxClient()  # the client's own would close itself in whatever loop is running then
            client = AsyncOpenAI(base_url=self.url, api_key=self._key, timeout=timeout, max_retries=0, http_client=http)
            self._session = _Session(loop, client, asyncio.Semaphore(self._parallel))
        return self._session

    def _explain(self, error: Exception) -> tuple[str, float]:
        """Return why an answer cannot be used and how many seconds the server wants to be left alone.

        Raises:
            Refused: the server will never answer this.
        """
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        if isinstance(error, APIStatusError):
            refused = _refused(error)
            if refused.overflow or (refused.status < 500 and refused.status not in _RETRIED):
                raise refused from None
            return f"{refused.status} {refused.words}", _retry_after(error.response.headers)
        if isinstance(error, TimeoutError):
            return f"no answer within {self._timeout:g} s", 0.0
        if isinstance(error, APITimeoutError):
            return f"no connection within {_CONNECT_TIMEOUT:g} s", 0.0
        if isinstance(error, APIConnectionError):
            return str(error.__cause__ or error) or type(error.__cause__).__name__, 0.0
        if isinstance(error, ValueError):
            return f"not the JSON expected ({error})", 0.0
        raise error


def _wait(turn: int, seed: int) -> float:
    """Return seconds to wait after a failed try: twice as long each time, and not at once with all others."""
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**turn)
    return longest * random.Random(f"{seed}/{turn}").uniform(0.5, 1.0)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds of a Retry-After header, which may be a date; 0 if there is none."""
    given = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(given))  # NaN is 0, too
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time.time())
    except ValueError:
        return 0.0


def _refused(error: APIStatusError) -> Refused:
    body = error.body
    if not isinstance(body, dict):
        return Refused(error.status_code, _line(str(body or error.response.text or error.response.reason_phrase)))
    said = body.get("message") or body.get("detail") or body
    words = said if isinstance(said, str) else json.dumps(said)
    kind = " ".join(str(body[name]) for name in ("code", "type") if isinstance(body.get(name), str))
    return Refused(error.status_code, _line(f"{words} ({kind})" if kind else words), body.get("param"))


def _line(text: str) -> str:
    return " ".join(text.split())[:_MOST_WORDS]
