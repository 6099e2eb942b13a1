"""Servers that tests start: a scripted one with a log of what it was asked, llama.cpp's, ``transformers serve``."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from regreen.models.probe import CHAT, PROMPT

# ---- a scripted server ----


@dataclass(frozen=True)
class Asked:
    """A request as it came: names of headers in lower case, ``at`` in seconds of the monotonic clock."""

    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    at: float

    @property
    def is_chat(self) -> bool:
        return self.path.endswith("/chat/completions")

    @property
    def is_probe(self) -> bool:
        """Whether our client only looks at what the server can do."""
        messages = self.body.get("messages") or [{}]
        return self.body.get("prompt") == PROMPT or messages[-1].get("content") == CHAT[-1].text


@dataclass(frozen=True)
class Reply:
    """An answer: JSON, or raw ``body`` bytes; ``cut`` ends the connection in the middle.

    ``delay`` is in seconds before the answer, ``drip`` in seconds before each of its ten parts.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    cut: bool = False


Answer = Callable[[Asked], Reply]


def in_turn(*replies: Reply) -> Answer:
    """Answer with one reply after the other, then with the last again and again."""
    left = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda _: next(left)


def text(content: str, **choice: Any) -> Reply:
    """Return a reply to a plain completion."""
    return Reply({"choices": [{"index": 0, "text": content, "finish_reason": "stop", **choice}]})


def message(content: str | None, *, finish: str = "stop", usage: Any = None, **fields: Any) -> Reply:
    """Return a reply to a chat."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **fields}, "finish_reason": finish}
    return Reply({"choices": [choice], **({"usage": usage} if usage else {})})


def error(status: int, words: str, **fields: Any) -> Reply:
    """Return a refusal in OpenAI's form."""
    return Reply({"error": {"message": words, **fields}}, status=status)


class ScriptedServer:
    """An HTTP server on loopback that answers by a function and keeps a log.

    Questions of the probe are answered by a well-behaved toy model, unless ``probed`` is false.
    """

    def __init__(self, answer: Answer, *, models: Reply | None = None, probed: bool = True) -> None:
        self.log: list[Asked] = []
        self._answer, self._probed, self._toy = answer, probed, Toy()
        self._models = models or Reply({"data": [{"id": "toy"}]})
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def asked(self) -> list[Asked]:
        """The requests for completions, without those of the probe."""
        return [asked for asked in list(self.log) if asked.path.endswith("completions") and not asked.is_probe]

    def __enter__(self) -> ScriptedServer:
        self._server = _Server(("127.0.0.1", 0), _handler(self._reply))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.log.append(asked)
            if asked.path == "/v1/models":
                return self._models
            if not asked.path.endswith("completions"):
                return error(404, "File Not Found")
            return self._toy(asked) if asked.is_probe and self._probed else self._answer(asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _handler(reply: Callable[[Asked], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(body)

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, body: dict[str, Any]) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(reply(Asked(self.path, body, headers, time.monotonic())))

        def _send(self, answer: Reply) -> None:
            time.sleep(answer.delay)
            raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            with suppress(ConnectionError):  # a client that has given up
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                for part in _parts(raw[: len(raw) // 2] if answer.cut else raw):
                    time.sleep(answer.drip)
                    self.wfile.write(part)
                self.close_connection = self.close_connection or answer.cut

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _parts(raw: bytes) -> list[bytes]:
    size = len(raw) // 10 + 1
    return [raw[at : at + size] for at in range(0, len(raw), size)]


# ---- a toy model, well-behaved or not ----

_WORDS = tuple(f" w{number}" for number in range(40))


@dataclass(frozen=True)
class Toy:
    """A language model of 40 words that speaks the protocol; it ignores what it is told to ignore.

    ``ignores``: "temperature" (always greedy), "sampling" (always at 1), "seed", "logprobs", "n", "echo", "usage".
    ``sharpness`` scales the logits; ``tempered`` values are those after the temperature.
    """

    ignores: frozenset[str] = frozenset()
    sharpness: float = 3.0
    tempered: bool = False

    def __call__(self, asked: Asked) -> Reply:
        return Reply(self.answer(asked.body, chat=asked.is_chat))

    def answer(self, body: Mapping[str, Any], *, chat: bool) -> dict[str, Any]:
        """Return the payload for a request's body."""
        count = 1 if "n" in self.ignores else body.get("n", 1)
        limit = body.get("max_tokens", 16)
        drawn = random.Random(None if "seed" in self.ignores else body.get("seed"))
        choices = [self._choice(body, drawn, limit, chat=chat) for _ in range(count)]
        usage = {"prompt_tokens": 3, "completion_tokens": limit}
        return {"choices": choices} | ({} if "usage" in self.ignores else {"usage": usage})

    def _choice(self, body: Mapping[str, Any], drawn: random.Random, limit: int, *, chat: bool) -> dict[str, Any]:
        pieces = self._write(body, drawn, limit)
        if body.get("echo") and "echo" not in self.ignores:
            pieces = self._repeat(body["prompt"]) + pieces
        said = "".join(word for word, _ in pieces)
        kept = bool(body.get("logprobs")) and "logprobs" not in self.ignores
        if chat:
            content = [{"token": word, "logprob": value, "bytes": list(word.encode())} for word, value in pieces]
            rest = {"message": {"role": "assistant", "content": said}, "logprobs": {"content": content}}
        else:
            tokens, values = [word for word, _ in pieces], [value for _, value in pieces]
            rest = {"text": said, "logprobs": {"tokens": tokens, "token_logprobs": values}}
        return {"index": 0, "finish_reason": "length", **rest} | ({} if kept else {"logprobs": None})

    def _write(self, body: Mapping[str, Any], drawn: random.Random, limit: int) -> list[tuple[str, float | None]]:
        temperature = float(body.get("temperature", 1.0))
        temperature = 0.0 if "temperature" in self.ignores else 1.0 if "sampling" in self.ignores else temperature
        pieces: list[tuple[str, float | None]] = []
        last = ""
        for _ in range(limit):
            logits = self.logits(last)
            hot = log_softmax([logit / max(temperature, 1e-3) for logit in logits])
            (at,) = drawn.choices(range(len(_WORDS)), weights=[math.exp(value) for value in hot])
            last = _WORDS[at]
            pieces.append((last, hot[at] if self.tempered else log_softmax(logits)[at]))
        return pieces

    def _repeat(self, prompt: str) -> list[tuple[str, float | None]]:
        words = [f" {word}" for word in prompt.split(" ")[1:]]
        values = [log_softmax(self.logits(last))[_WORDS.index(word)] for last, word in itertools.pairwise(words)]
        return list(zip(words, [None, *values], strict=True))

    def logits(self, last: str) -> list[float]:
        """Return the logits of all words after the last one."""
        drawn = random.Random(last)
        return [self.sharpness * drawn.gauss(0, 1) for _ in _WORDS]


def log_softmax(logits: list[float]) -> list[float]:
    """Return natural logarithms of probabilities."""
    top = max(logits)
    total = top + math.log(sum(math.exp(logit - top) for logit in logits))
    return [logit - total for logit in logits]


# ---- real servers, in processes of their own ----

_LLAMA = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
params.n_parallel, params.n_ctx, params.cpuparams.n_threads, params.endpoint_props = 4, 4 * 512, 1, True
params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32  # by default half precision
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(params)
while True:
    time.sleep(60)
"""


@contextmanager
def llama_server(gguf: Path) -> Iterator[str]:
    """Start llama.cpp's server on a GGUF file and yield its base URL; a context is 512 tokens."""
    port = _free_port()
    with _process([sys.executable, "-c", _LLAMA, str(gguf), str(port)], port):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def transformers_server(checkpoint: Path) -> Iterator[str]:
    """Start ``transformers serve`` on a checkpoint and yield its base URL."""
    port = _free_port()
    serve = ["serve", str(checkpoint), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    main = "from transformers.cli.transformers import main; main()"
    with _process([sys.executable, "-c", main, *serve], port):
        yield f"http://127.0.0.1:{port}/v1"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: list[str], port: int, patience: float = 90.0) -> Iterator[None]:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, **pipes)  # type: ignore[call-overload]
    said: list[bytes] = []
    threading.Thread(target=lambda: said.extend(process.stdout), daemon=True).start()
    try:
        _wait_until_ready(process, port, said, time.monotonic() + patience)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, said: list[bytes], until: float) -> None:
    while not _is_ready(port):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the server did not start: " + b"".join(said).decode(errors="replace")[-3000:])
        time.sleep(0.1)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
