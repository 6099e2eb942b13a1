"""``regreen serve``: the judge for others to ask."""

from __future__ import annotations

from typing import Annotated

from regreen.cli.app import DONE, command, say
from regreen.cli.options import Bounds, option


@command()
def serve(
    bounds: Bounds,
    host: Annotated[str, option("--host", help="address to listen on", show=True, metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[int, option("--port", help="0 for a free one", min=0, max=65535, show=True, metavar="PORT")] = 8011,
    queue: Annotated[
        int, option("--queue", help="programs that may wait", min=1, max=1_000_000, show=True, metavar="N")
    ] = 1024,
) -> int:
    """Judge over HTTP: for --sandbox http://HOST:PORT, for trainings, for tools that speak SandboxFusion's run_code.

    Limits are the most that a client may ask for. SIGTERM or Ctrl-C ends it.
    """
    from regreen.serve import is_loopback
    from regreen.serve import serve as listen

    sandbox = bounds.judging().open_local()

    def ready(url: str) -> None:
        print(f"{url}: tier {sandbox.tier}, {sandbox.jobs} jobs, {queue} programs may wait", flush=True)

    if not is_loopback(host):
        say(f"--host {host}: anyone who can reach this address can run programs in the sandbox")
    listen(sandbox, host=host, port=port, queue=queue, ready=ready)
    return DONE
