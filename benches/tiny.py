"""Tokens per second of the NumPy sampler beside the ``hf`` backend and transformers' ``generate``, and the floor.

The model has random weights, the tiny checkpoint's shape, and is made on the spot; all three write the same prompts
with temperature 1 in float32. Rows end at different times, as real ones do: of the vocabulary, one token in thirty ends
a text. "different" prompts give each row its own; "one" asks for many texts of it. The floor is the time of the
operations that the texts need, each distinct prompt read once, at the greatest rate of float32 products that NumPy
reaches in the same run. A second is one of the process's own processor time, so that neighbours do not count.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
import words

from regreen.models import Request
from regreen.models.hf import HFModel
from regreen.models.tiny import TinyModel

VOCABULARY = 2048
MOST = 120  # tokens of a text
ENDS = VOCABULARY // 30  # tokens that end a text: with random weights, one of thirty that are drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--alone", action="store_true", help="time our sampler only")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        place = _checkpoint(Path(folder), options)
        ours, theirs = TinyModel(place), HFModel(place, device="cpu", dtype="float32")
    rate = _peak()
    size = ours.facts["parameters"]
    threads = torch.get_num_threads()
    print(f"{size / 1e6:.1f} M parameters; float32 products reach {rate / 1e9:.0f} GFLOP/s, {threads} threads")
    print("batch  prompts       tiny  of floor        hf  generate  tiny over hf, over generate")
    for batch in options.batch:
        for kind, prompts in _workloads(batch).items():
            _compare(ours, theirs, kind, prompts, rate, options)


def _checkpoint(folder: Path, options: argparse.Namespace) -> Path:
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=options.hidden, intermediate_size=704, num_hidden_layers=options.layers,
        num_attention_heads=8, num_key_value_heads=4, max_position_embeddings=1024, tie_word_embeddings=True,
        pad_token_id=0, bos_token_id=None, eos_token_id=list(range(1, 1 + ENDS)),
    )  # fmt: skip
    torch.manual_seed(0)
    module = transformers.LlamaForCausalLM(config)
    module.save_pretrained(folder)
    words.word_tokenizer(VOCABULARY).save_pretrained(folder)
    return folder


def _workloads(batch: int) -> dict[str, list[str]]:
    different = words.draw_prompts(batch, vocabulary=VOCABULARY, shortest=60, longest=140)
    return {"different": different, "one": [different[0]] * batch}


def _compare(
    ours: TinyModel, theirs: HFModel, kind: str, prompts: list[str], rate: float, options: argparse.Namespace
) -> None:
    ours.rows = theirs.rows = len(prompts)
    requests = [Request(prompt, seed, 1.0, max_tokens=MOST) for seed, prompt in enumerate(prompts)]
    sides: dict[str, Callable[[], list[int]]] = {"tiny": lambda: _lengths(ours, requests)}
    if not options.alone:
        sides |= {"hf": lambda: _lengths(theirs, requests), "generate": lambda: _generate(theirs, prompts)}
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    floors = []
    for turn in range(options.rounds + 1):  # the first warms up
        for name in list(sides)[:: 1 if turn % 2 else -1]:
            started = time.process_time()
            lengths = sides[name]()
            seconds = time.process_time() - started
            speeds[name].append(sum(lengths) / seconds)
            if name == "tiny":
                floors.append(_operations(ours, prompts, lengths) / rate / seconds)
    _print(len(prompts), kind, {name: values[1:] for name, values in speeds.items()}, statistics.median(floors[1:]))


def _print(batch: int, kind: str, speeds: dict[str, list[float]], floor: float) -> None:
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    ratios = [
        _spread([one / other for one, other in zip(speeds["tiny"], speeds[name], strict=True)])
        for name in ("hf", "generate")
        if name in speeds
    ]
    rates = "  ".join(f"{medians.get(name, 0):8.0f}" for name in ("hf", "generate"))
    print(f"{batch:5}  {kind:9}  {medians['tiny']:7.0f}  {floor:8.0%}  {rates}  {', '.join(ratios)}", flush=True)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def _lengths(model: TinyModel | HFModel, requests: Sequence[Request]) -> list[int]:
    return [completion.tokens for completion in asyncio.run(model.sample(requests))]


def _generate(model: HFModel, prompts: Sequence[str]) -> list[int]:
    read = model.tokenizer(list(prompts), return_tensors="pt", padding=True, return_token_type_ids=False)
    with torch.no_grad():
        written = model.module.generate(**read, max_new_tokens=MOST, do_sample=True, temperature=1.0, top_k=0)
    texts = written[:, read["input_ids"].shape[1] :].tolist()
    return [next((at + 1 for at, token in enumerate(text) if token in model._ends), len(text)) for text in texts]


def _operations(model: TinyModel, prompts: Sequence[str], lengths: Sequence[int]) -> float:
    """Return the multiplications and additions that these texts need: each distinct prompt is read once."""
    shape = model._model.shape
    head = shape.vocabulary * shape.hidden
    body = 2 * (model.facts["parameters"] - head)
    seen = 4 * shape.layers * shape.heads * shape.head  # for each token that a token sees: its key and its value
    read = {prompt: len(model._texts.tokens(prompt)) for prompt in prompts}
    reading = sum(body * size + seen * size * size / 2 for size in read.values()) + 2 * head * len(read)
    writing = sum(
        (body + 2 * head) * size + seen * size * (read[prompt] + size / 2)
        for prompt, size in zip(prompts, lengths, strict=True)
    )
    return reading + writing


def _peak(size: int = 1024, rounds: int = 20) -> float:
    """Return the greatest rate of float32 products, in operations a second of processor time."""
    matrix = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
    found = []
    for _ in range(rounds):
        started = time.process_time()
        matrix @ matrix
        found.append(2 * size**3 / (time.process_time() - started))
    return max(found)


if __name__ == "__main__":
    main()
