"""Tokens per second of the ``hf`` backend against a plain ``generate`` loop of transformers, same prompts, same output.

The model has random weights and is made on the spot; both sides decode greedily in float32. "different prompts" pads
prompts of many lengths; "one prompt" asks for many samples of it, whose first pass we share. Texts are as long as
programs are, a few of them much longer than most: lengths are log-normal, and both sides end each row at its own. A row
is counted on both sides by the tokens of its text. ``--cache static`` lets transformers preallocate its cache. On a CPU
a second is one of the process's own processor time, so that neighbours do not count.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
import words

from regreen.models import Request
from regreen.models.hf import HFModel

VOCABULARY = 4096


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=96, help="most tokens of a text")
    parser.add_argument("--cache", choices=["dynamic", "static"], default="dynamic", help="of transformers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device")
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()
    with tempfile.TemporaryDirectory() as folder:
        model = HFModel(_checkpoint(Path(folder), options), device=options.device, dtype=options.dtype)
    size = f"{model.facts['parameters'] / 1e6:.0f} M parameters, {model.facts['dtype']}, {model.facts['device']}"
    print(f"{size}, {options.threads} threads; median of {options.rounds} rounds, lowest and highest in brackets")
    for batch in options.batch:
        for kind, prompts in _workloads(batch).items():
            _compare(model, kind, prompts, batch, options)


def _checkpoint(folder: Path, options: argparse.Namespace) -> Path:
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=options.hidden, intermediate_size=3 * options.hidden,
        num_hidden_layers=options.layers, num_attention_heads=8, max_position_embeddings=1024,
        initializer_range=0.08, pad_token_id=0, bos_token_id=None, eos_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    words.word_tokenizer(VOCABULARY).save_pretrained(folder)
    return folder


def _workloads(batch: int) -> dict[str, list[str]]:
    different = words.draw_prompts(batch, vocabulary=VOCABULARY, shortest=40, longest=160)
    return {"different prompts": different, "one prompt": [different[0]] * batch}


def _lengths(batch: int, most: int) -> list[int]:
    """Return how many tokens each row may write: half of them at most a third of the longest."""
    draws = random.Random(batch + 1)
    return [min(most, max(4, round(draws.lognormvariate(0, 0.8) * most / 3))) for _ in range(batch)]


def _compare(model: HFModel, kind: str, prompts: list[str], batch: int, options: argparse.Namespace) -> None:
    model.batch = batch
    clock = time.process_time if model.facts["device"] == "cpu" else time.perf_counter
    lengths = _lengths(batch, options.tokens)
    sides: dict[str, Callable[[], list[str]]] = {
        "ours": lambda: _ours(model, prompts, lengths),
        "theirs": lambda: _theirs(model, prompts, lengths, options.cache),
    }
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    texts = {name: side() for name, side in sides.items()}  # also warms up
    for turn in range(options.rounds):
        for name in list(sides)[:: 1 if turn % 2 else -1]:
            started = clock()
            texts[name] = sides[name]()
            speeds[name].append(sum(len(text.split()) for text in texts[name]) / (clock() - started))
    same = sum(a == b for a, b in zip(texts["ours"], texts["theirs"], strict=True))
    ratios = [ours / theirs for ours, theirs in zip(speeds["ours"], speeds["theirs"], strict=True)]
    print(f"batch {batch:2}, {kind:17}: {statistics.median(speeds['ours']):8.0f} tokens/s against ", end="")
    print(
        f"{statistics.median(speeds['theirs']):8.0f}: {_spread(ratios)} times; {same} of {batch} texts equal",
        flush=True,
    )


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _ours(model: HFModel, prompts: Sequence[str], lengths: Sequence[int]) -> list[str]:
    requests = [Request(p, seed=0, max_tokens=length) for p, length in zip(prompts, lengths, strict=True)]
    return [completion.text for completion in asyncio.run(model.sample(requests))]


class _Ended(transformers.StoppingCriteria):  # type: ignore[misc]
    """Ends each row at its own length."""

    def __init__(self, ends: Sequence[int]) -> None:
        self._ends_B = torch.tensor(ends)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return self._ends_B.to(input_ids.device) <= input_ids.shape[1]


def _theirs(model: HFModel, prompts: Sequence[str], lengths: Sequence[int], cache: str) -> list[str]:
    read = model.tokenizer(list(prompts), return_tensors="pt", padding=True, return_token_type_ids=False)
    read = read.to(model.module.device)
    before = read["input_ids"].shape[1]
    with torch.no_grad():
        written = model.module.generate(
            **read,
            max_new_tokens=max(lengths),
            do_sample=False,
            stopping_criteria=transformers.StoppingCriteriaList([_Ended([before + n for n in lengths])]),
            **({"cache_implementation": "static", "disable_compile": True} if cache == "static" else {}),
        )
    texts: list[str] = model.tokenizer.batch_decode(written[:, read["input_ids"].shape[1] :], skip_special_tokens=True)
    return texts


if __name__ == "__main__":
    main()
