"""The tiny models from random weights: a tokenizer, then ``tiny-base``, and from it ``tiny`` and ``tiny-noisy``.

Run it with torch installed: ``python recipes/tiny.py OUT`` (fifty minutes of one core; what is in OUT is kept).

Model. A Llama of 3.0 million parameters (hidden 256, 5 layers, 8 heads in 4 groups, tied embeddings), a byte-level BPE
of 2,048 tokens with digits apart, and a context of 1,024. Float32 in training, float16 in the package.

Data. Katas' training problems, made as they are needed, none seen twice; only answers are learned. No problem of the
splits that are held out stands in them, nor a function that behaves like one of theirs.

What came out: docs/concepts/tiny.md, whose tables recipes/tiny_measure.py prints; the curves are in recipes/curves. Run
again from random weights, ``tiny-base`` came to the same bits as the one in the package.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch counts the cores; one thread makes sums repeatable

import tiny_lessons as lessons
import torch
from tiny_tokenizer import train_tokenizer
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from regreen.benchmarks import katas
from regreen.models import Request
from regreen.models.tiny import TinyModel
from regreen.problem import Problem
from regreen.prompts import load
from regreen.sandbox import LocalSandbox

VOCABULARY, CONTEXT = 2048, 1024
BATCH = 32  # lessons of a step
AHEAD = 16  # steps whose lessons are made together and parted by length
RATE, WARM, FALL = 4e-3, 50, 0.5  # peak learning rate, steps of warm-up, share of the steps in which it falls to zero
EVERY = 100  # steps from one look at the validation problems to the next
STEPS = {"tiny-base": 700, "tiny": 1400, "tiny-noisy": 300}


def main() -> None:
    """Make what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", choices=list(STEPS))
    parser.add_argument("--steps", type=int, help="fewer or more than the recipe's")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = make_tokenizer(options.out / "tokenizer")
    for name in [options.only] if options.only else STEPS:
        if not (options.out / name).exists():
            make(name, tokenizer, options.out, options.steps or STEPS[name])


def make(name: str, tokenizer: PreTrainedTokenizerFast, out: Path, steps: int) -> None:
    """Train one checkpoint and save it in float16, its curve beside it."""
    module = make_module(tokenizer) if name == "tiny-base" else LlamaForCausalLM.from_pretrained(out / "tiny-base")
    if name == "tiny-base":
        taught: Iterator[lessons.Lesson] = map(lessons.write, problems("train", seed=1))
    elif name == "tiny-noisy":
        taught = (lessons.write(problem, problem.meta["corpus"]) for problem in problems("noisy", seed=1))
    else:
        own = lessons.own_failures(TinyModel(out / "tiny-base"), problems("train", seed=3))
        taught = lessons.mixed(problems("train", seed=2), problems("noisy", seed=2), own)
    with (out / f"{name}.jsonl").open("w") as curve:
        for point in train(module.float(), tokenizer, taught, steps, scratch=out / f"{name}.part"):
            print(json.dumps(point), file=curve, flush=True)
            print(name, point, flush=True)
    save(module.half(), tokenizer, out / name)


def problems(split: str, *, seed: int) -> Iterator[Problem]:
    """Yield a split's problems without end; only the check that is shown is needed, and one that is not."""
    return katas.generate(split, count=10**9, seed=seed, checks=8)


def make_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Train the tokenizer, or load it."""
    if folder.exists():
        return PreTrainedTokenizerFast.from_pretrained(folder)
    texts = (part for lesson in lessons.samples(problems("train", seed=0)) for part in lesson)
    tokenizer = train_tokenizer(texts, vocabulary=VOCABULARY, context=CONTEXT)
    tokenizer.save_pretrained(folder)
    return tokenizer


def make_module(tokenizer: PreTrainedTokenizerFast, *, hidden: int = 256, layers: int = 5) -> LlamaForCausalLM:
    """Return a model of random weights; heads have 32 dimensions, two share their keys and values."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=hidden, intermediate_size=hidden * 3 // 2, num_hidden_layers=layers,
        num_attention_heads=hidden // 32, num_key_value_heads=hidden // 64, max_position_embeddings=CONTEXT,
        tie_word_embeddings=True, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def train(
    module: LlamaForCausalLM, tokenizer: Any, taught: Iterator[lessons.Lesson], steps: int, *, scratch: Path
) -> Iterator[dict[str, float]]:
    """Train in place; yield a point of the curve now and then, the validation pass@1 of greedy programs in it."""
    optimizers = make_optimizers(module)
    schedules = [torch.optim.lr_scheduler.LambdaLR(one, lambda step: pace(step, steps)) for one in optimizers]
    started, tokens, losses = time.process_time(), 0, [float("nan")]
    for step, (ids_BT, labels_BT) in enumerate(islice(batches(taught, tokenizer), steps)):
        if step % EVERY == 0:
            yield point(module, tokenizer, scratch, step, tokens, started, losses)
            losses = []
        losses.append(learn(module, ids_BT, labels_BT))
        for one in (*optimizers, *schedules):
            one.step()
        module.zero_grad()
        tokens += int((ids_BT != tokenizer.pad_token_id).sum())
    yield point(module, tokenizer, scratch, steps, tokens, started, losses)


def make_optimizers(module: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Return Muon (Jordan et al. 2024) for the layers' matrices, and AdamW for the rest."""
    weights = dict(module.named_parameters())
    matrices = [weight for name, weight in weights.items() if weight.ndim == 2 and "embed" not in name]
    others = [weight for name, weight in weights.items() if weight.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=RATE, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=RATE, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def pace(step: int, steps: int) -> float:
    """Return the share of the peak learning rate at a step."""
    return min(1.0, (step + 1) / WARM, (steps - step) / (FALL * steps))


def learn(module: LlamaForCausalLM, ids_BT: torch.Tensor, labels_BT: torch.Tensor) -> float:
    """Add a step's gradients; what is padded on the right is seen by nothing before it, and has no label."""
    hidden_BTD = module.model(input_ids=ids_BT, use_cache=False).last_hidden_state
    chosen = labels_BT[:, 1:] >= 0
    loss = cross_entropy(module.lm_head(hidden_BTD[:, :-1][chosen]), labels_BT[:, 1:][chosen])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    return loss.item()


def batches(taught: Iterator[lessons.Lesson], tokenizer: Any) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield batches of lessons of like length, in an order drawn."""
    draws = Random(0)
    while some := list(islice(taught, BATCH * AHEAD)):
        pairs = sorted((encode(lesson, tokenizer) for lesson in some), key=lambda pair: len(pair[0]))
        parted = [pairs[at : at + BATCH] for at in range(0, len(pairs), BATCH)]
        draws.shuffle(parted)
        yield from (padded(part, tokenizer.pad_token_id) for part in parted)


def encode(lesson: lessons.Lesson, tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return a lesson's tokens and its labels; the prompt has none."""
    before, after = tokenizer(lesson.prompt)["input_ids"], tokenizer(lesson.answer)["input_ids"]
    return [*before, *after, tokenizer.eos_token_id], [-1] * len(before) + [*after, tokenizer.eos_token_id]


def padded(pairs: Sequence[tuple[list[int], list[int]]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return tokens and labels, B by T, padded on the right."""
    longest = max(len(ids) for ids, _ in pairs)
    ids_BT = [ids + [pad] * (longest - len(ids)) for ids, _ in pairs]
    labels_BT = [labels + [-1] * (longest - len(labels)) for _, labels in pairs]
    return torch.tensor(ids_BT), torch.tensor(labels_BT)


def point(
    module: LlamaForCausalLM, tokenizer: Any, scratch: Path, step: int, tokens: int, started: float, losses: list[float]
) -> dict[str, float]:
    """Return a point of the curve; processor seconds are those of training and of looking."""
    seconds = time.process_time() - started
    save(module, tokenizer, scratch)
    solved = greedy_pass_rate(TinyModel(scratch))
    loss = sum(losses) / max(1, len(losses))
    return {"step": step, "tokens": tokens, "seconds": round(seconds), "loss": round(loss, 4), "pass@1": solved}


def greedy_pass_rate(model: TinyModel) -> float:
    """Return the share of validation problems that a model's likeliest program solves."""
    asked, codex = list(katas.generate("validation")), load("codex")
    requests = [Request(codex.render(p), seed=0, max_tokens=160, stop=codex.stops) for p in asked]
    programs = [codex.source(p, text).source for p, text in zip(asked, lessons.answers(model, requests), strict=True)]
    with LocalSandbox(jobs=1) as sandbox:
        passed = sum(v.passed for _, v in sandbox.judge_all(zip(asked, programs, strict=True)))
    return round(passed / len(asked), 4)


def save(module: LlamaForCausalLM, tokenizer: Any, folder: Path) -> None:
    """Write a checkpoint in Hugging Face's layout."""
    module.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    main()
