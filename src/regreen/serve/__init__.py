"""The judge as a service over HTTP, for ``--sandbox http://HOST:PORT``, for trainings and for other tools.

    POST /judge     {"problem": {...}, "source": "..."}    the verdict's line
                    {"rows": [{"problem", "source"}, ...]} a line for each row, as they are done
    POST /run_code  SandboxFusion's form: run a program, return what it wrote
    GET  /health    tier, limits, jobs, how many programs wait

:mod:`regreen.sandbox.remote` is the client. Programs are confined as everywhere, and verdicts made where they cannot
reach. Who may reach the server is not its business: it listens on this machine alone unless told otherwise.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from regreen.errors import InputError

if TYPE_CHECKING:
    from regreen.sandbox import LocalSandbox

QUEUE = 1024  # programs that wait: some seconds of work


def serve(
    sandbox: LocalSandbox,
    *,
    host: str = "127.0.0.1",
    port: int = 8011,
    queue: int = QUEUE,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Judge for whoever asks, until SIGTERM or SIGINT; what is being judged then is broken off.

    Args:
        sandbox: where programs are judged; its limits are the most that a client may ask for. It is closed at the end.
        host: the address to listen on.
        port: the port, 0 for a free one.
        queue: how many programs may wait; who brings more is told to come again.
        ready: called with the server's address when it listens.

    Raises:
        InputError: the address cannot be listened on, or the extra ``serve`` is not installed.
    """
    try:
        from regreen.serve.listening import listen
    except ImportError as error:
        raise InputError(f"serve needs {error.name}: pip install 'regreen[serve]'") from error
    with sandbox, _bound(host, port) as listener:
        ready(f"http://{_shown(host)}:{listener.getsockname()[1]}")
        listen(sandbox, listener, queue)


def is_loopback(host: str) -> bool:
    """True if an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(f"--host {host}: no address of this machine ({error.strerror})") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        why = f"cannot listen there ({error.strerror})"
        raise InputError(f"--host {host} --port {port}: {why}; give another, or --port 0 for a free one") from error
    return listener


def _shown(host: str) -> Any:
    return f"[{host}]" if ":" in host else host
