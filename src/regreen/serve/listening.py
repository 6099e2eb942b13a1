"""The server's life: it listens, and ends at a signal within a second or two."""

from __future__ import annotations

import asyncio
import socket
from types import FrameType

import uvicorn

from regreen.sandbox import LocalSandbox
from regreen.serve.app import make_app
from regreen.serve.desk import Desk

_CONNECTIONS = 1000  # at once; more are told to come again
_IDLE_SECONDS = 60
_FAREWELL_SECONDS = 1  # until connections are cut whose client does not take its last answer


def listen(sandbox: LocalSandbox, listener: socket.socket, room: int) -> None:
    """Answer on a listening socket until SIGTERM or SIGINT; at most ``room`` programs wait."""
    app, desk = make_app(sandbox, room)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        ws="none",
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_FAREWELL_SECONDS,
    )
    try:
        _Server(config, desk).run(sockets=[listener])
    finally:
        desk.close()


class _Server(uvicorn.Server):
    """Ends by a signal without raising it again: to be ended so is what it is for."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self._desk = desk

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note that it is time; at the second signal, that there is none to lose."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Break off what is being judged first, so that everyone gets an answer and nobody is waited for."""
        await asyncio.to_thread(self._desk.close)
        await super().shutdown(sockets)
