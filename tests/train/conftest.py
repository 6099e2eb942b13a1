"""A policy small enough to be trained in seconds, and lessons from what the tiny checkpoint learns."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from regreen.models.shipped import folder_of
from regreen.train import placing
from tests.models import tiny

VOCABULARY = 60
ODD_TEXTS = ("# ä, 中文, 🙂\n    x = '🙂'\n\ty = 1\n", " ", "a", "    return  x  # two  spaces\n\n\n")


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
def small_apart() -> Any:
    """Make a sequence-to-sequence module of random weights: T5 as it is, with an output layer of its own, or BART."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")

    def make(kind: str = "t5", vocabulary: int = VOCABULARY, hidden: int = 32, seed: int = 0, **more: Any) -> Any:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            if kind == "bart":
                return transformers.BartForConditionalGeneration(_bart_config(vocabulary, hidden, **more))
            module = transformers.T5ForConditionalGeneration(_t5_config(vocabulary, hidden, kind, **more))
            if kind == "t5-untied":
                module.lm_head.weight = torch.nn.Parameter(0.3 * torch.randn_like(module.lm_head.weight))
            return module

    return make


def _t5_config(vocabulary: int, hidden: int, kind: str, **more: Any) -> Any:
    from transformers import T5Config

    untied = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}  # as of version 1.1
    return T5Config(
        vocab_size=vocabulary, d_model=hidden, d_kv=hidden // 4, d_ff=2 * hidden, num_layers=2, num_heads=4,
        pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
        **({"dropout_rate": 0.0} | (untied if kind == "t5-untied" else {}) | more),
    )  # fmt: skip


def _bart_config(vocabulary: int, hidden: int, **more: Any) -> Any:
    from transformers import BartConfig

    return BartConfig(
        vocab_size=vocabulary, d_model=hidden, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=2 * hidden, decoder_ffn_dim=2 * hidden, init_std=0.3, dropout=0.0,
        pad_token_id=0, bos_token_id=1, eos_token_id=1, decoder_start_token_id=1, forced_eos_token_id=None,
        **({"max_position_embeddings": 64} | more),
    )  # fmt: skip


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    pytest.importorskip("transformers")
    return tiny.make_tokenizer()


@pytest.fixture(scope="session")
def byte_level() -> Any:
    """The tokenizer of the checkpoints that come with the package."""
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(folder_of("tiny-base"))


@pytest.fixture(scope="session")
def sentence_pieces() -> Any:
    """A unigram model whose pieces begin with the sign for a space, as SentencePiece has it, trained on the spot."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    words = Tokenizer(models.Unigram())
    words.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    words.decoder = decoders.Metaspace(prepend_scheme="first")
    texts = [*ODD_TEXTS, *inspect.getsource(placing).splitlines()]
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False,
        initial_alphabet=sorted({sign for text in texts for sign in text}),
    )  # fmt: skip
    words.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", unk_token="<unk>")


@pytest.fixture(params=["byte_level", "sentence_pieces"])
def pieces(request: pytest.FixtureRequest) -> Any:
    """A real tokenizer of either sort."""
    return request.getfixturevalue(request.param)
