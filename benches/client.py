"""What our client costs beside the plain openai SDK, plain httpx and bare sockets, at 64 requests in flight.

One server in a process of its own answers at once, so that what is left is the client's work; with ``--delay`` it takes
that long for an answer, as models do, and sets the limit itself: 64 / delay answers a second. Contenders take turns in
rounds, since a machine's speed drifts; ratios are taken within a round, and the table gives their median and, in
brackets, the lowest and highest. CPU time is the client's alone, and says more than speed where others use the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

PARALLEL = 64
PROMPT = "def add(a, b):\n" * 20
BODY = {
    "model": "m", "prompt": PROMPT, "max_tokens": 256, "temperature": 0.8, "top_p": 0.95, "seed": 1, "logprobs": 1,
}  # fmt: skip
TOKENS = 64
ANSWER = {
    "id": "1", "object": "text_completion", "created": 0, "model": "m",
    "choices": [{
        "index": 0, "finish_reason": "stop", "text": " x" * TOKENS,
        "logprobs": {"tokens": [" x"] * TOKENS, "token_logprobs": [-0.5] * TOKENS, "top_logprobs": None},
    }],
    "usage": {"prompt_tokens": 100, "completion_tokens": TOKENS, "total_tokens": 100 + TOKENS},
}  # fmt: skip

OURS = "regreen"

Client = Callable[[int, int], Coroutine[Any, Any, None]]


def main() -> None:
    options = _options()
    if options.serve is not None:
        return asyncio.run(_serve(options.serve))
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for delay in options.delays:
        with _server(delay) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            print(_table(delay, _rounds(port, options)), flush=True)
            server.kill()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--delays", type=lambda text: [float(d) for d in text.split(",")], default=[0.0, 0.2])
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


@dataclass(frozen=True)
class Figure:
    """Requests a second, and the client's milliseconds of CPU for each."""

    speed: float
    cpu: float


def _rounds(port: int, options: argparse.Namespace) -> list[dict[str, Figure]]:
    """Return the figures of each contender in each round, after a first one to warm up."""
    clients = {"bare sockets": bare, "httpx": plain_httpx, "openai SDK": plain_sdk, OURS: regreen_client}
    for client in clients.values():
        asyncio.run(client(port, PARALLEL))
    return [
        {name: _measure(client, port, options.requests) for name, client in clients.items()}
        for _ in range(options.rounds)
    ]


def _measure(client: Client, port: int, requests: int) -> Figure:
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(client(port, requests))
    return Figure(requests / (time.perf_counter() - wall), 1000 * (time.process_time() - cpu) / requests)


def _table(delay: float, rounds: list[dict[str, Figure]]) -> str:
    limit = f", {PARALLEL / delay:.0f} a second at most" if delay else ""
    lines = [f"\nanswers after {delay:g} s{limit}"]
    lines.append(f"{'client':14} {'requests/s':>10} {'CPU ms':>7}  {'speed, regreen / it':22} CPU, regreen / it")
    for name in rounds[0]:
        speed, cpu = (
            statistics.median(getattr(figures[name], what) for figures in rounds) for what in ("speed", "cpu")
        )
        ratios = [_ratios(rounds, name, what) for what in ("speed", "cpu")]
        lines.append(f"{name:14} {speed:10.0f} {cpu:7.2f}  {ratios[0]:22} {ratios[1]}")
    return "\n".join(lines)


def _ratios(rounds: list[dict[str, Figure]], name: str, what: str) -> str:
    ratios = [getattr(figures[OURS], what) / getattr(figures[name], what) for figures in rounds]
    return f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


# ---- the clients ----


async def _workers(ask: Callable[[], Awaitable[None]], requests: int) -> None:
    """Call ``ask`` so often, 64 at a time."""
    left = iter(range(requests))

    async def worker() -> None:
        for _ in left:
            await ask()

    await asyncio.gather(*(worker() for _ in range(PARALLEL)))


async def bare(port: int, requests: int) -> None:
    """Ask over sockets and read no more than the length: the server's own limit."""
    raw = json.dumps(BODY).encode()
    head = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    message, left = head % len(raw) + raw, iter(range(requests))

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(message)
            await reader.readexactly(_length(await reader.readuntil(b"\r\n\r\n")))
        writer.close()

    await asyncio.gather(*(worker() for _ in range(PARALLEL)))


def _length(head: bytes) -> int:
    return int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


async def plain_httpx(port: int, requests: int) -> None:
    import httpx

    url, limits = f"http://127.0.0.1:{port}/v1/completions", httpx.Limits(max_connections=PARALLEL)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def ask() -> None:
            assert (await client.post(url, json=BODY)).json()["choices"][0]["text"]

        await _workers(ask, requests)


async def plain_sdk(port: int, requests: int) -> None:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none") as client:

        async def ask() -> None:
            assert (await client.completions.create(**BODY)).choices[0].text  # type: ignore[call-overload]

        await _workers(ask, requests)


async def regreen_client(port: int, requests: int) -> None:
    from regreen.models import Request
    from regreen.models.openai import OpenAIModel

    model = OpenAIModel("m", base_url=f"http://127.0.0.1:{port}/v1", parallel=PARALLEL)
    request = Request(PROMPT, seed=1, temperature=0.8, top_p=0.95, max_tokens=256)

    async def ask() -> None:
        assert (await model.sample([request]))[0].text

    await _workers(ask, requests)


# ---- the server ----


def _server(delay: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "--serve", str(delay)], stdout=subprocess.PIPE)


async def _serve(delay: float) -> None:
    """Answer every request alike; print the port."""
    raw = json.dumps(ANSWER).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"POST"):
                    await reader.readexactly(_length(head))
                    await asyncio.sleep(delay)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
