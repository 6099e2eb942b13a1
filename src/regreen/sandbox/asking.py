"""How a ``regreen serve`` is asked: what is sent, what may come back, and how long one waits for a server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from regreen.errors import InfrastructureError, InputError
from regreen.problem import Problem, problem_to_line
from regreen.sandbox.lane import needed_of
from regreen.sandbox.limits import Limits

if TYPE_CHECKING:
    import httpx

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0  # seconds
_OPENING = 1.5  # seconds until nobody is taken to be there at all
_FULL = 10.0  # times the patience with a server that is full: it lives, and others have their turn
_FIELDS = {"sandbox", "limits", "jobs", "queue", "waiting", "version"}
_OPTIONS = {"timeout": "--timeout", "memory": "--memory", "output": "--output-limit"}
# Asked now and then whether it still lives, the system tells us of a server's machine that is gone without a word.
_ALIVE = (("SO_KEEPALIVE", 1, socket.SOL_SOCKET), ("TCP_KEEPIDLE", 20, 6), ("TCP_KEEPINTVL", 10, 6))
SOCKET_OPTIONS = [(level, getattr(socket, name), value) for name, value, level in _ALIVE if hasattr(socket, name)]


class Turned(Exception):
    """The server has understood and says no."""


class Lost(Exception):
    """There is no answer: the connection broke, or the server says that it has no room and when to come again."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


class Patience:
    """How long to go on asking a server that gives nothing, and what it ought to be."""

    def __init__(self, url: str, seconds: float, server: str = "'regreen serve'") -> None:
        self._url, self._seconds, self._server = url, seconds, server
        self._waited, self._pause = 0.0, _FIRST_PAUSE

    def pause(self, lost: Lost, *, progressed: bool) -> float:
        """Return the seconds until to ask again; raises InfrastructureError if it has been long enough.

        Args:
            lost: what became of the last question.
            progressed: whether it brought anything before.
        """
        if progressed:
            self._waited, self._pause = 0.0, _FIRST_PAUSE
        if self._waited >= self._seconds:
            again = f"see that {self._server} runs there, and type the same command again to go on"
            raise InfrastructureError(f"{self._url}: {lost}; {again}")
        if lost.pause is not None:
            self._waited += lost.pause / _FULL
            return lost.pause
        pause, self._pause = self._pause, min(self._pause * 2, _LONGEST_PAUSE)
        self._waited += pause
        return pause

    async def wait(self, lost: Lost, *, progressed: bool) -> None:
        """Wait until to ask again; raises as :meth:`pause` does."""
        await asyncio.sleep(self.pause(lost, progressed=progressed))


@dataclass(frozen=True, slots=True)
class Batch:
    """Programs that are sent at once, under the same limits."""

    rows: Sequence[tuple[Problem, str]]
    limits: Limits

    def encode(self) -> bytes:
        """Return the body of the request: a problem that several rows share is written once.

        Raises:
            Turned: a problem holds what no line can.
        """
        limits = json.dumps(self.limits._asdict())
        return f'{{"rows":[{",".join(self._rows())}],"limits":{limits}}}'.encode()

    def _rows(self) -> Iterator[str]:
        first: dict[int, int] = {}
        for number, (problem, source) in enumerate(self.rows):
            known = first.setdefault(id(problem), number)
            line = str(known) if known < number else _line(problem)
            yield f'{{"problem":{line},"source":{json.dumps(source)}}}'


def _line(problem: Problem) -> str:
    """Return of a problem what its judging needs, as JSON."""
    try:
        return json.dumps(problem_to_line(needed_of(problem)), separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise Turned(f"the problem cannot be written as a line: {error}") from error


def ask_about(url: str) -> Mapping[str, Any]:
    """Return what the ``regreen serve`` at ``url`` says of itself.

    Raises:
        InputError: it is no address, or what answers there is no regreen server.
        InfrastructureError: nobody answers.
    """
    patience = Patience(url, _OPENING)
    while True:
        try:
            return _ask_once(_address(url))
        except Lost as lost:
            time.sleep(patience.pause(lost, progressed=False))


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port or 1) > 0 and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"--sandbox {url}: no address; give the one that 'regreen serve' printed")
    return url.rstrip("/")


def _ask_once(url: str) -> Mapping[str, Any]:
    import httpx

    try:
        answer = httpx.get(f"{url}/health", timeout=10.0, trust_env=False)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise Lost(f"nobody answers ({_words(error)})") from error
    try:
        found = answer.json()
        usable = set(found) >= _FIELDS and "tier" in found["sandbox"]
    except (ValueError, TypeError):
        usable = False
    if not usable:
        raise InputError(f"--sandbox {url}: what answers there is no regreen server; start 'regreen serve'")
    return dict(found)


class Service:
    """A ``regreen serve`` at ``url``, and ``about``, what it says of itself.

    Raises:
        InputError: as :func:`ask_about` does, and where the server allows less than ``limits``.
        InfrastructureError: nobody answers.
    """

    def __init__(self, url: str, limits: Limits) -> None:
        self.about = ask_about(url)
        self.url = _address(url)
        for name, option in _OPTIONS.items():
            given, most = getattr(limits, name), self.about["limits"][name]
            if given > most:
                raise InputError(f"{option} {given}: {self.url} allows {most} at most; give {option} {most}")

    async def answers(self, client: httpx.AsyncClient, batch: Batch) -> AsyncIterator[dict[str, Any]]:
        """Yield the answers to a batch as they come, one for each row.

        Raises:
            Turned: the server refuses the batch as it is.
            Lost: not every row got its answer.
        """
        import httpx

        sent = {"content": batch.encode(), "headers": {"Content-Type": "application/json"}}
        missing = set(range(len(batch.rows)))
        try:
            async with client.stream("POST", f"{self.url}/judge", **sent) as response:  # type: ignore[arg-type]
                if response.status_code != 200:
                    raise _refusal(response.status_code, response.headers, await response.aread())
                async for line in response.aiter_lines():
                    answer = _answer(line, missing)
                    missing.remove(answer["row"])
                    yield answer
        except httpx.TransportError as error:
            raise Lost(f"the connection was lost ({_words(error)})") from error
        if missing:
            raise Lost("the answer ended too early")


def _answer(line: str, missing: set[int]) -> dict[str, Any]:
    """Return one row's answer; raises Lost if the line is none."""
    try:
        answer = json.loads(line)
        if answer["row"] in missing and ({"error", "kind"} <= set(answer) or {"outcome", "checks"} <= set(answer)):
            return dict(answer)
    except (ValueError, TypeError, KeyError):
        pass
    raise Lost(f"the answer is none of a regreen server: {line[:80]!r}")


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> Turned | Lost:
    """Return what a status other than 200 means."""
    try:
        words = str(json.loads(body)["error"])
    except (ValueError, TypeError, KeyError):
        words = f"it answered {status}"
    if status == 503:
        pause = headers.get("retry-after", "")
        return Lost(words, float(pause) if pause.isdecimal() else 1.0)
    return Turned(words) if 400 <= status < 500 else Lost(words)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
