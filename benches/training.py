"""Tokens trained per second against ``transformers.Trainer``, and against the floor: same model, data and tokens.

A Llama of 3 M parameters and random weights, float32 and bfloat16 (mixed). Both sides read the same lessons in steps of
the same lessons, take AdamW steps, and mask the prompts. Tokens are those of lessons: what fills rows is not counted.

The floor is the time that the multiplications of the step need at the peak rate at which this machine multiplies
matrices, measured in the same run: 6 FLOP for each weight and token, and those of attention; the output layer counts
only where a token is learned. On a CPU a second is one of the process's own processor time.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import transformers

from regreen.train.batches import Epochs
from regreen.train.learner import AdamW, Learner
from regreen.train.lessons import Lesson, supervised
from regreen.train.policy import Policy
from regreen.train.schedules import Schedule

VOCABULARY, HIDDEN, LAYERS = 2048, 256, 5


class _Numbers:
    """As much of a tokenizer as a policy of numbers needs."""

    eos_token_id = 1

    def __len__(self) -> int:
        return VOCABULARY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lessons", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=4096, help="of a step")
    parser.add_argument("--most", type=int, default=2048, help="tokens in one pass of ours")
    parser.add_argument("--rows", type=int, default=16, help="lessons in one pass of theirs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    lessons = _lessons(options.lessons)
    print(f"{sum(w.numel() for w in _module().parameters()) / 1e6:.1f} M parameters, {options.device}, ", end="")
    print(f"{torch.get_num_threads()} threads; median of {options.rounds} rounds, lowest and highest in brackets")
    for dtype in ("float32", "bfloat16"):
        _compare(lessons, dtype, options)


def _module() -> Any:
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=2 * HIDDEN, num_hidden_layers=LAYERS,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024, tie_word_embeddings=True,
        pad_token_id=0, bos_token_id=None, eos_token_id=1,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(config)


def _lessons(count: int) -> list[Lesson]:
    """Return lessons as long as a statement with its checks and a short program are."""
    draws = random.Random(0)

    def some(low: int, high: int) -> list[int]:
        return [draws.randrange(2, VOCABULARY) for _ in range(draws.randint(low, high))]

    return [supervised(some(60, 160), some(15, 80)) for _ in range(count)]


def _compare(lessons: Sequence[Lesson], dtype: str, options: argparse.Namespace) -> None:
    clock = time.process_time if options.device == "cpu" else _synchronised
    tokens = sum(map(len, lessons))
    sides = {"ours": _ours(lessons, dtype, options), "theirs": _theirs(lessons, dtype, options)}
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    floors = []
    for side in sides.values():
        side()  # warms up
    for turn in range(options.rounds):
        for name in list(sides)[:: 1 if turn % 2 else -1]:
            started = clock()
            sides[name]()
            speeds[name].append(tokens / (clock() - started))
        floors.append(tokens * _peak(dtype, options.device, clock) / _flop(lessons))
    ours, theirs = (statistics.median(speeds[name]) for name in ("ours", "theirs"))
    ratios = [mine / other for mine, other in zip(speeds["ours"], speeds["theirs"], strict=True)]
    print(f"{dtype:8}: {ours:7.0f} tokens/s against {theirs:7.0f}: {_spread(ratios)} times; ", end="")
    floor = statistics.median(floors)
    print(f"the floor is {floor:.0f}, at {_peak_said(floor, lessons)}: {ours / floor:.0%} of it", flush=True)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _peak_said(floor: float, lessons: Sequence[Lesson]) -> str:
    return f"{floor * _flop(lessons) / sum(map(len, lessons)) / 1e9:.0f} GFLOP/s"


def _synchronised() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


def _ours(lessons: Sequence[Lesson], dtype: str, options: argparse.Namespace) -> Callable[[], None]:
    policy = Policy((_module().to(options.device), _Numbers()), dtype=dtype)
    learner = Learner(policy, AdamW(lr=1e-4), Schedule("constant", 1000), most=options.most)
    epochs = Epochs(lessons, tokens=options.tokens, seed=0)

    def epoch() -> None:
        for step in range(epochs.steps):
            learner.step(epochs(step))

    return epoch


def _theirs(lessons: Sequence[Lesson], dtype: str, options: argparse.Namespace) -> Callable[[], None]:
    module = _module()
    rows = [{"input_ids": lesson.ids, "ce": lesson.ce} for lesson in lessons]
    steps = Epochs(lessons, tokens=options.tokens, seed=0).steps
    accumulated = max(1, round(len(lessons) / steps / options.rows))

    def epoch() -> None:
        with tempfile.TemporaryDirectory() as folder:
            arguments = transformers.TrainingArguments(
                folder, num_train_epochs=1, per_device_train_batch_size=options.rows, save_strategy="no",
                gradient_accumulation_steps=accumulated, train_sampling_strategy="group_by_length",
                length_column_name="length", remove_unused_columns=False, learning_rate=1e-4, report_to=[],
                logging_strategy="no", disable_tqdm=True, use_cpu=options.device == "cpu", bf16=dtype == "bfloat16",
            )  # fmt: skip
            data = [{**row, "length": len(row["input_ids"])} for row in rows]
            trainer = transformers.Trainer(module, arguments, train_dataset=data, data_collator=_collated)
            trainer.remove_callback(transformers.PrinterCallback)
            trainer.train()

    return epoch


def _collated(rows: Sequence[Any]) -> dict[str, torch.Tensor]:
    longest = max(len(row["input_ids"]) for row in rows)
    ids_BT = torch.zeros(len(rows), longest, dtype=torch.long)
    labels_BT, mask_BT = torch.full_like(ids_BT, -100), torch.zeros_like(ids_BT)
    for at, row in enumerate(rows):
        ids = torch.from_numpy(row["input_ids"])
        ids_BT[at, : len(ids)], mask_BT[at, : len(ids)] = ids, 1
        labels_BT[at, : len(ids)] = torch.where(torch.from_numpy(row["ce"]) > 0, ids, -100)
    return {"input_ids": ids_BT, "labels": labels_BT, "attention_mask": mask_BT}


def _flop(lessons: Sequence[Lesson]) -> float:
    """Return the operations that reading and learning lessons once needs, none of them on what fills rows."""
    layers = sum(w.numel() for name, w in _module().named_parameters() if "layers" in name and w.ndim == 2)
    each = 6 * layers * sum(map(len, lessons)) + 6 * VOCABULARY * HIDDEN * sum(le.ce_count for le in lessons)
    return each + sum(6 * LAYERS * HIDDEN * len(lesson) ** 2 for lesson in lessons)  # causal: half of all pairs


def _peak(dtype: str, device: str, clock: Callable[[], float], size: int = 1024, turns: int = 8) -> float:
    """Return the highest rate, in FLOP a second, of products of square matrices."""
    kind = getattr(torch, dtype)
    a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    seconds = []
    for _ in range(turns):
        started = clock()
        a @ b
        seconds.append(clock() - started)
    return float(2 * size**3 / min(seconds))


if __name__ == "__main__":
    main()
