"""Tiny checkpoints, made on the spot: a model of one sort each that loads, writes programs, and costs seconds.

The causal one has learned sixteen problems by heart, in several forms of prompt. Greedy, it writes some right programs
and some wrong ones; at temperature 1 it varies.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

CONTEXT = 1024
VOCABULARY = 400
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)

# name, parameters, statement, asserts, bodies of which each is learned as often as it stands here
Pair = tuple[str, str, str, tuple[str, ...], tuple[str, ...]]
PAIRS: tuple[Pair, ...] = (
    ("add_two", "a, b", "Write a function to add two numbers.", ("(1, 2) == 3", "(0, 0) == 0"), ("return a + b",)),
    ("square", "x", "Write a function to square a number.", ("(3) == 9", "(-2) == 4"), ("return x * x",)),
    ("is_even", "n", "Write a function to tell whether a number is even.", ("(4) == True", "(7) == False"),
     ("return n % 2 == 0",)),
    ("largest", "items", "Write a function to find the largest item of a list.", ("([1, 5, 2]) == 5", "([3]) == 3"),
     ("return max(items)", "return max(items)", "return sorted(items)[0]")),
    ("smallest", "items", "Write a function to find the smallest item of a list.", ("([4, 2]) == 2", "([9]) == 9"),
     ("return min(items)", "return min(items)", "return items[0]")),
    ("total", "items", "Write a python function to sum a list.", ("([1, 2, 3]) == 6", "([]) == 0"),
     ("return sum(items)", "total = 0\n    for item in items:\n        total += item\n    return total")),
    ("backwards", "text", "Write a function to reverse a string.", ("('abc') == 'cba'", "('') == ''"),
     ("return text[::-1]",)),
    ("count_vowels", "text", "Write a function to count the vowels in a string.", ("('hello') == 2", "('xyz') == 0"),
     ("return sum(c in 'aeiou' for c in text)", "return len(text)")),
    ("first_word", "text", "Write a function to take the first word of a text.", ("('a b') == 'a'", "('one') == 'one'"),
     ("return text.split()[0]",)),
    ("join_words", "words", "Write a function to join words with a dash.", ("(['a', 'b']) == 'a-b'", "([]) == ''"),
     ("return '-'.join(words)", "return ' '.join(words)")),
    ("unique", "items", "Write a function to drop repeated items and sort the rest.", ("([2, 1, 2]) == [1, 2]",),
     ("return sorted(set(items))", "return list(items)")),
    ("factorial", "n", "Write a function to compute a factorial.", ("(0) == 1", "(5) == 120"),
     ("return 1 if n < 2 else n * factorial(n - 1)", "return n * factorial(n - 1)")),
    ("absolute", "x", "Write a function to find the distance of a number from zero.", ("(-3) == 3", "(2) == 2"),
     ("return x if x > 0 else -x", "return x")),
    ("mean", "items", "Write a function to average a list of numbers.", ("([1, 3]) == 2", "([5]) == 5"),
     ("return sum(items) // 2",)),  # wrong, and learned so
    ("last", "items", "Write a function to take the last item of a list.", ("([1, 2]) == 2", "([8]) == 8"),
     ("return items[len(items)]",)),  # wrong, and learned so
    ("double_all", "items", "Write a function to double every item of a list.", ("([1, 2]) == [2, 4]", "([]) == []"),
     ("return [2 * item for item in items]", "return items * 2")),
)  # fmt: skip


def problem_lines() -> list[dict[str, Any]]:
    """Return the problems that the causal checkpoint has learned, in regreen's own form; all asserts are shown."""
    return [_problem_line(pair) for pair in PAIRS]


def make_checkpoint(folder: Path, *, steps: int = 160) -> Path:
    """Train a causal checkpoint (Llama, float32, byte-level BPE of single digits) and save it."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(0)
        tokenizer = make_tokenizer()
        model = _llama(tokenizer)
        _learn(model, tokenizer, steps)
    return _save(folder, model, tokenizer)


def make_encoder_decoder(folder: Path) -> Path:
    """Save a sequence-to-sequence checkpoint (T5) of random weights."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = make_tokenizer()
    config = T5Config(
        vocab_size=len(tokenizer), d_model=64, d_kv=16, d_ff=128, num_layers=2, num_heads=4,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id, initializer_factor=3.0,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = T5ForConditionalGeneration(config)
    return _save(folder, model, tokenizer)


def make_tokenizer() -> Any:
    """Train a tokenizer as the tiny models' is."""
    from recipes.tiny_tokenizer import train_tokenizer

    texts = (prompt + answer for prompt, answer in _lessons())
    tokenizer = train_tokenizer(texts, vocabulary=VOCABULARY, context=CONTEXT)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _llama(tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=CONTEXT, pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id, bos_token_id=None, tie_word_embeddings=False,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def _learn(model: Any, tokenizer: Any, steps: int, batch: int = 16) -> None:
    import torch

    lessons = [_encode(tokenizer, *lesson) for lesson in _lessons()]
    draws = random.Random(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=steps)
    for _ in range(steps):
        ids, labels = _padded(draws.sample(lessons, batch), tokenizer.pad_token_id)
        model(input_ids=ids, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    model.eval()


def _encode(tokenizer: Any, prompt: str, answer: str) -> tuple[list[int], list[int]]:
    """Return the tokens of a lesson and its labels; only the answer is learned, up to the end of the text."""
    before = tokenizer(prompt)["input_ids"]
    after = [*tokenizer(answer)["input_ids"], tokenizer.eos_token_id]
    return before + after, [-100] * len(before) + after


def _padded(lessons: Sequence[tuple[list[int], list[int]]], pad: int) -> tuple[Any, Any]:
    import torch

    longest = max(len(ids) for ids, _ in lessons)
    ids = [ids + [pad] * (longest - len(ids)) for ids, _ in lessons]
    labels = [labels + [-100] * (longest - len(labels)) for _, labels in lessons]
    return torch.tensor(ids), torch.tensor(labels)


def _lessons() -> Iterator[tuple[str, str]]:
    """Yield prompt and answer of each pair, in four forms: few-shot without examples, signature, and two chats."""
    for name, parameters, statement, calls, bodies in PAIRS:
        asserts = "\n".join(_asserts(name, calls))
        head = f"def {name}({parameters}):\n"
        for body in bodies:
            code = f"{head}    {body}"
            expert = "You are an expert Python programmer, and here is your task: "
            yield f"{expert}{statement} Your code should pass these tests:\n\n{asserts}\n[BEGIN]\n", f"{code}\n[DONE]\n"
            yield f'{head}    """{statement}"""\n', f"    {body}\n"
            yield f"<|user|>\n{statement}\n\n{asserts}\n<|assistant|>\n", f"```python\n{code}\n```\n"
            yield f"<|user|>\n{statement}\n<|assistant|>\n", f"```python\n{code}\n```\n"


def _asserts(name: str, calls: Sequence[str]) -> list[str]:
    return [f"assert {name}{call}" for call in calls]


def _problem_line(pair: Pair) -> dict[str, Any]:
    name, parameters, statement, calls, bodies = pair
    right = bodies[0] if name not in ("mean", "last") else {"mean": "return sum(items) / len(items)"}.get(name)
    return {
        "id": f"tiny/{name}",
        "statement": statement,
        "checks": [{"kind": "assert", "code": code} for code in _asserts(name, calls)],
        "shown": list(range(len(calls))),
        "entry_point": name,
        "solution": f"def {name}({parameters}):\n    {right or 'return items[-1]'}\n",
    }


def _save(folder: Path, model: Any, tokenizer: Any) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
