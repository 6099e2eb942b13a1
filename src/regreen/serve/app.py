"""The addresses of the server: from a request to the desk, and from what was done to an answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import CancelledError, Future
from functools import partial
from importlib import metadata
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from regreen.errors import InputError, RegreenError
from regreen.problem import Problem
from regreen.sandbox import LocalSandbox
from regreen.serve import fusion
from regreen.serve.bodies import BODY_LIMIT, Asked, Reader, Refused, read_json
from regreen.serve.desk import Desk, Full, Work
from regreen.verdict import Verdict, verdict_to_line

_HELD_LIMIT = 4 * BODY_LIMIT  # bytes of all requests that are being read or wait for their answer
_SIZE = "regreen.size"  # what a request adds to them, in its scope
_READ_SECONDS = 60.0  # for a whole body
_READ_HERE = 64 << 10  # bytes; larger bodies are read beside the event loop
_ENDING = "the server is ending"

Made = TypeVar("Made")


def make_app(sandbox: LocalSandbox, room: int) -> tuple[Starlette, Desk]:
    """Return the application, and the desk that is to be closed at its end; ``room`` is how many programs may wait."""
    desk = Desk(sandbox, room)
    there = _Addresses(desk)
    routes = [
        Route("/judge", there.judge, methods=["POST"]),
        Route("/run_code", there.run_code, methods=["POST"]),
        Route("/health", there.health, methods=["GET"]),
    ]
    handlers: dict[Any, Any] = {Refused: _refused, Full: _full, HTTPException: _nowhere, ClientDisconnect: _gone}
    middleware = [Middleware(_Released, there)]
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers), desk


class _Released:
    """Around every request: what is held of its body is let go of when it has its answer."""

    def __init__(self, app: ASGIApp, addresses: _Addresses) -> None:
        self._app, self._addresses = app, addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            self._addresses.held -= scope.get(_SIZE, 0)


class _Addresses:
    """What is done at each address."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._reader = Reader(desk.own.limits)
        self.held = 0

    async def health(self, _: Request) -> Response:
        own = self._desk.own
        return JSONResponse(
            {
                "version": metadata.version("regreen"),
                "sandbox": own.facts,
                "limits": own.limits._asdict(),
                "jobs": own.jobs,
                "queue": self._desk.room,
                "waiting": self._desk.waiting,
            }
        )

    async def judge(self, request: Request) -> Response:
        asked = await self._read(request, self._reader.asked)
        if len(asked.rows) > self._desk.room:
            words = f"{len(asked.rows)} rows: at most {self._desk.room} wait here; send smaller batches"
            raise Refused(413, words)
        works = self._desk.submit([_judging(*row) for row in asked.rows], asked.limits)
        if not asked.alone:
            return _Lines(asked, works)
        return _single(asked, await _only(request, works))

    async def run_code(self, request: Request) -> Response:
        most = self._desk.own.limits
        code, stdin, limits = await self._read(request, lambda body: fusion.read_order(read_json(body), most))
        done = await _only(request, self._desk.submit([lambda sandbox: sandbox.execute(code, stdin)], limits))
        why = _failure(done)
        return JSONResponse(fusion.answer(done.result()) if why is None else fusion.broken(str(why)))

    async def _read(self, request: Request, make: Callable[[bytes], Made]) -> Made:
        """Return what is made of the body; no more than so much is ever held of all bodies."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refused(415, "expected a body of type application/json")  # which no web page can send unasked
        declared = request.headers.get("content-length", "")
        self._allow(request, int(declared) if declared.isdecimal() and len(declared) < 20 else 0)
        body = bytearray()
        try:
            async with asyncio.timeout(_READ_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    self._allow(request, len(body))
                    self.held += len(chunk)
                    request.scope[_SIZE] = len(body)
            if len(body) < _READ_HERE:
                return make(bytes(body))
            return await asyncio.to_thread(make, bytes(body))
        except TimeoutError as error:
            raise Refused(408, f"the body did not come within {_READ_SECONDS:g} s") from error

    def _allow(self, request: Request, size: int) -> None:
        """Refuse a body of this size, or any while those of others are too large in sum."""
        if size > BODY_LIMIT:
            raise Refused(413, f"the body is larger than {BODY_LIMIT >> 20} MiB; send smaller batches")
        if self.held - request.scope.get(_SIZE, 0) > _HELD_LIMIT:
            raise Refused(503, "too much is held already; come again in 1 s", pause=1)


def _judging(problem: Problem, source: str) -> Work:
    return lambda sandbox: (problem, sandbox.judge_now(problem, source))


def _failure(work: Future[Any]) -> Exception | None:
    """Return why there is no result, if there is none."""
    try:
        error = work.exception()
    except CancelledError as cancelled:
        return cancelled
    return error if isinstance(error, Exception) or error is None else RuntimeError(str(error))


def _line(row: int, work: Future[tuple[Problem, Verdict]]) -> dict[str, Any] | None:
    """Return the line of one row; None where the row was dropped, since the server ends."""
    error = _failure(work)
    if isinstance(error, CancelledError):
        return None
    if error is not None:
        kind = "input" if isinstance(error, InputError) else "infrastructure"
        return {"row": row, "error": " ".join(str(error).split()), "kind": kind}
    problem, verdict = work.result()
    return {"row": row, **verdict_to_line(verdict, problem.id, row)}


def _single(asked: Asked, work: Future[tuple[Problem, Verdict]]) -> Response:
    error = _failure(work)
    if isinstance(error, CancelledError):
        raise Refused(503, _ENDING, pause=1)
    if error is not None:
        status = 422 if isinstance(error, InputError) else 500
        words = str(error) if isinstance(error, RegreenError) else repr(error)
        return _error(status, words)
    return JSONResponse(verdict_to_line(work.result()[1], asked.rows[0][0].id, 0))


# ---- waiting for what is done, as long as somebody waits for it ----


async def _only(request: Request, works: Sequence[Future[Any]]) -> Future[Any]:
    """Wait for the one work that there is; raises ClientDisconnect."""
    async for done in _arrivals(request.receive, works):
        return done[0][1]
    raise AssertionError("there is one")


async def _arrivals(receive: Receive, works: Sequence[Future[Any]]) -> AsyncIterator[list[tuple[int, Future[Any]]]]:
    """Yield each work with its number as it is done, several where they come at once.

    Where the client goes away what has not begun is dropped; raises ClientDisconnect.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Queue[tuple[int, Future[Any]] | None] = asyncio.Queue()
    for row, work in enumerate(works):
        work.add_done_callback(partial(_tell, loop, done, row))
    watching = asyncio.create_task(_departure(receive, done))
    try:
        left = len(works)
        while left:
            found = [await done.get()]
            while not done.empty():
                found.append(done.get_nowait())
            if None in found:
                raise ClientDisconnect
            yield [item for item in found if item]
            left -= len(found)
    finally:
        watching.cancel()
        for work in works:
            work.cancel()


def _tell(loop: asyncio.AbstractEventLoop, done: asyncio.Queue[Any], row: int, work: Future[Any]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(done.put_nowait, (row, work))


async def _departure(receive: Receive, done: asyncio.Queue[Any]) -> None:
    """Put None among what is done when the client goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    done.put_nowait(None)


class _Lines(Response):
    """The answer to a batch: a line for each row, sent as it is done."""

    def __init__(self, asked: Asked, works: Sequence[Future[Any]]) -> None:
        super().__init__(media_type="application/jsonl")
        del self.headers["content-length"]
        self._works = works

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        with contextlib.suppress(ClientDisconnect):
            await self._send(receive, send)

    async def _send(self, receive: Receive, send: Send) -> None:
        async for done in _arrivals(receive, self._works):
            lines = [json.dumps(line, separators=(",", ":")) for at in done if (line := _line(*at))]
            await send(
                {"type": "http.response.body", "body": "".join(f"{x}\n" for x in lines).encode(), "more_body": True}
            )
        await send({"type": "http.response.body", "body": b""})


# ---- what is refused ----


def _error(status: int, words: str, pause: int | None = None) -> Response:
    headers = {"Retry-After": str(pause)} if pause is not None else {}
    return JSONResponse({"error": " ".join(words.split())}, status, headers)


async def _refused(_: Request, error: Refused) -> Response:
    return _error(error.status, error.words, error.pause)


async def _full(_: Request, error: Full) -> Response:
    return _error(503, str(error), error.pause)


async def _nowhere(request: Request, error: HTTPException) -> Response:
    here = f"{request.method} {request.url.path[:80]}"
    return _error(error.status_code, f"{here}: there are POST /judge, POST /run_code and GET /health")


async def _gone(_: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=499)  # nobody reads it
