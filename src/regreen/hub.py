"""The Hugging Face hub, asked without noise: where it cannot be reached, what was fetched before must do."""

from __future__ import annotations

import socket
import urllib.parse
import urllib.request


def out_of_reach() -> bool:
    """Silence the hub's library, and tell at once whether its host cannot be found: it would try for half a minute."""
    import huggingface_hub

    huggingface_hub.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    host = urllib.parse.urlsplit(huggingface_hub.constants.ENDPOINT).hostname
    try:
        return not (urllib.request.getproxies() or socket.getaddrinfo(host, None))
    except OSError:
        return True
