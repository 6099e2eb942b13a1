"""Tokens per second of the ``hf`` backend against transformers' ``generate``: same model, same prompts, same texts.

The model is ``tiny-base``, or another checkpoint by ``--model``; the prompts are those of katas, whose lengths and
whose programs' lengths are as they are. "different" asks each problem once, greedily, so that texts can be compared;
``generate`` gets the prompts sorted by length, ``batch`` at a time, and we get them all with ``batch`` rows side by
side. "one" asks for ``batch`` texts of one prompt at temperature 0.8. ``generate`` runs with the cache that grows and
with the one that is allocated before. Beside them, where it reads the checkpoint, is our sampler in NumPy.

The floor is the time of the operations that the texts need, each prompt read once, at the greatest rate of float32
products that torch reaches in the same run: "of floor" is the share of the ``hf`` backend's time that it is. A second
is one of the process's own processor time, so that neighbours on the machine count little.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import transformers

from regreen import benchmarks, prompts
from regreen.errors import InputError
from regreen.models import Request
from regreen.models.hf import HFModel
from regreen.models.shipped import folder_of
from regreen.models.tiny import TinyModel

MOST = 256  # tokens of a text
PROMPTS = {1: 12, 16: 64, 64: 128, 256: 256}  # of the different ones, by batch; others get four batches
Side = Callable[[], list[tuple[int, str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(folder_of("tiny-base")), help="a folder that save_pretrained wrote")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, nargs="+", default=list(PROMPTS))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    model = HFModel(options.model, device="cpu", dtype="float32")
    rate = _peak()
    print(f"{model.facts['parameters'] / 1e6:.1f} M parameters, {options.threads} threads; {rate / 1e9:.0f} GFLOP/s")
    print(f"tokens/s, medians of {options.rounds} rounds; ratios with the lowest and the highest")
    for batch in options.batch:
        for kind, requests in _workloads(batch).items():
            _compare(kind, model, _numpy(options.model), requests, batch, rate, options.rounds)


def _numpy(place: str) -> TinyModel | None:
    try:
        return TinyModel(place)
    except InputError:
        return None


def _workloads(batch: int) -> dict[str, list[Request]]:
    problems = list(benchmarks.load("katas:test").problems())
    template = prompts.load("codex")
    chosen = random.Random(0).sample(problems, min(len(problems), PROMPTS.get(batch, 4 * batch)))
    texts = [template.render(problem) for problem in chosen]
    different = [Request(text, seed=0, max_tokens=MOST) for text in texts]
    if batch == 1:
        return {"different": different}
    return {"different": different, "one": [Request(texts[0], n, 0.8, max_tokens=MOST) for n in range(batch)]}


def _compare(
    kind: str, model: HFModel, small: TinyModel | None, requests: list[Request], batch: int, rate: float, rounds: int
) -> None:
    sides: dict[str, Side] = {
        "hf": lambda: _ours(model, requests, batch),
        "generate": lambda: _theirs(model, requests, batch, {}),
        "static": lambda: _theirs(model, requests, batch, {"cache_implementation": "static", "disable_compile": True}),
    }
    if small is not None:
        sides["tiny"] = lambda: _ours(small, requests, batch)
    texts = {name: side() for name, side in sides.items()}  # also warms up, and lets steps be traced
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    floors = []
    for turn in range(rounds):
        for name in list(sides)[:: 1 if turn % 2 else -1]:
            started = time.process_time()
            tokens = [count for count, _ in sides[name]()]
            seconds = time.process_time() - started
            speeds[name].append(sum(tokens) / seconds)
            if name == "hf":
                floors.append(_operations(model, requests, tokens) / rate / seconds)
    same = sum(one[1] == other[1] for one, other in zip(texts["hf"], texts["generate"], strict=True))
    equal = f"; {same} of {len(requests)} texts equal" if kind == "different" else ""
    medians = ", ".join(f"{name} {statistics.median(found):.0f}" for name, found in speeds.items())
    over = ", ".join(f"{_ratio(speeds, name)} times {name}" for name in list(sides)[1:])
    print(f"batch {batch}, {kind}: {medians}: {over}; {statistics.median(floors):.0%} of floor{equal}", flush=True)


def _ratio(speeds: dict[str, list[float]], name: str) -> str:
    found = [one / other for one, other in zip(speeds["hf"], speeds[name], strict=True)]
    return f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def _ours(model: HFModel | TinyModel, requests: Sequence[Request], batch: int) -> list[tuple[int, str]]:
    model.rows = batch
    return [(found.tokens, found.text) for found in asyncio.run(model.sample(requests))]


def _theirs(model: HFModel, requests: Sequence[Request], batch: int, cache: dict[str, Any]) -> list[tuple[int, str]]:
    found = dict[int, tuple[int, str]]()
    ordered = sorted(range(len(requests)), key=lambda at: len(str(requests[at].prompt)))
    for start in range(0, len(ordered), batch):
        chosen = ordered[start : start + batch]
        found |= zip(chosen, _generated(model, [requests[at] for at in chosen], cache), strict=True)
    return [found[at] for at in range(len(requests))]


def _generated(model: HFModel, requests: Sequence[Request], cache: dict[str, Any]) -> Iterator[tuple[int, str]]:
    read = model.tokenizer(
        [str(request.prompt) for request in requests],
        return_tensors="pt", padding=True, padding_side="left", return_token_type_ids=False,
    )  # fmt: skip
    hot = requests[0].temperature
    drawn = {"do_sample": True, "temperature": hot, "top_k": 0} if hot else {"do_sample": False}
    with torch.no_grad():
        written = model.module.generate(**read, max_new_tokens=MOST, **drawn, **cache)
    rows = written[:, read["input_ids"].shape[1] :].tolist()
    for row, text in zip(rows, model.tokenizer.batch_decode(rows, skip_special_tokens=True), strict=True):
        yield next((at + 1 for at, token in enumerate(row) if token in model._ends), len(row)), text


def _operations(model: HFModel, requests: Sequence[Request], lengths: Sequence[int]) -> float:
    """Return the multiplications and additions that these texts need: each distinct prompt is read once."""
    config = model.module.config
    head = config.vocab_size * config.hidden_size
    body = 2 * (model.facts["parameters"] - head * (1 if config.tie_word_embeddings else 2))
    seen = 4 * config.num_hidden_layers * config.hidden_size  # for each token that a token sees: its key and its value
    read = {request.prompt: len(model._texts.prompt(request.prompt)) for request in requests}
    reading = sum(body * size + seen * size * size / 2 for size in read.values()) + 2 * head * len(read)
    return reading + sum(
        (body + 2 * head) * size + seen * size * (read[request.prompt] + size / 2)
        for request, size in zip(requests, lengths, strict=True)
    )


def _peak(size: int = 1024, rounds: int = 20) -> float:
    """Return the greatest rate of float32 products, in operations a second of processor time."""
    matrix = torch.randn(size, size)
    found = []
    for _ in range(rounds):
        started = time.process_time()
        matrix @ matrix
        found.append(2 * size**3 / (time.process_time() - started))
    return max(found)


if __name__ == "__main__":
    main()
