"""A policy small enough to be trained in seconds, and lessons from what the tiny checkpoint learns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.models import tiny

VOCABULARY = 60


@pytest.fixture(scope="session")
def small() -> Any:
    """Make a module of random weights, two layers deep."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")

    def make(vocabulary: int = VOCABULARY, hidden: int = 32, seed: int = 0, **more: Any) -> Any:
        config = transformers.LlamaConfig(
            vocab_size=vocabulary, hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024, pad_token_id=0,
            bos_token_id=None, eos_token_id=1, initializer_range=0.3, **more,
        )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return transformers.LlamaForCausalLM(config)

    return make


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    pytest.importorskip("transformers")
    return tiny.make_tokenizer()
