"""A vocabulary of words for models of random weights: equal words are equal tokens, and nothing is left out."""

from __future__ import annotations

import random

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast


def word_tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer of one token per word."""
    words = {"<pad>": 0, "<eos>": 1} | {f"w{number}": number for number in range(2, vocabulary)}
    bare = Tokenizer(models.WordLevel(words, unk_token="<eos>"))
    bare.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=bare, pad_token="<pad>", eos_token="<eos>", padding_side="left")


def draw_prompts(count: int, *, vocabulary: int, shortest: int, longest: int) -> list[str]:
    """Draw prompts of words, as many and as long as asked; always the same ones of a count."""
    draws = random.Random(count)
    lengths = [draws.randint(shortest, longest) for _ in range(count)]
    return [" ".join(f"w{draws.randrange(2, vocabulary)}" for _ in range(length)) for length in lengths]
