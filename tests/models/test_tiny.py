"""The NumPy sampler: texts and log-probabilities of the torch sampler without torch; one line for what cannot run."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen.errors import InfrastructureError, InputError
from regreen.models import Completion, Request, open_model
from regreen.models.tiny import TinyModel
from regreen.models.tiny.batches import Batch
from regreen.models.tiny.draws import Draws, nucleus
from regreen.models.tiny.llama import read
from regreen.models.writing import uniforms_of
from regreen.problem import Problem
from regreen.prompts import Message
from tests.models import tiny

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from regreen.models.hf import HFModel  # noqa: E402

WIDE = {"hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 6}
KINDS: dict[str, dict[str, Any]] = {
    "grouped, apart": {**WIDE, "num_key_value_heads": 2, "tie_word_embeddings": False},
    "single heads, tied": {**WIDE, "num_key_value_heads": 6, "tie_word_embeddings": True},
    "one group, wide heads": {**WIDE, "num_key_value_heads": 1, "head_dim": 16, "tie_word_embeddings": True},
    "another rope": {**WIDE, "num_key_value_heads": 3, "rope_theta": 500.0, "tie_word_embeddings": False},
}


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> TinyModel:
    return TinyModel(checkpoint)


@pytest.fixture(scope="module")
def torch_model(checkpoint: Path) -> HFModel:
    return HFModel(checkpoint, device="cpu")


def ask(model: TinyModel | HFModel, *requests: Request, batch: int = 64) -> list[Completion]:
    model.rows = batch
    return asyncio.run(model.sample(requests))


def chats(problems: Sequence[Problem]) -> list[str]:
    return [f"<|user|>\n{problem.statement}\n<|assistant|>\n" for problem in problems]


def mixed(prompts: Sequence[str], each: int = 6) -> list[Request]:
    """Requests of every kind: greedy and drawn, with a nucleus and without, with a stop string and without."""
    return [
        Request(p, 17 * n + i, (0.0, 0.5, 1.0)[i % 3], (1.0, 0.9)[i % 2], 40, ("\n\n", "    ret") if i % 4 == 0 else ())
        for n, p in enumerate(prompts)
        for i in range(each)
    ]


def save_random(folder: Path, dtype: Any = None, **config: Any) -> Path:
    """Save a checkpoint of random weights, none of them at its usual first value."""
    tokenizer = tiny.make_tokenizer()
    made = transformers.LlamaConfig(
        **{"vocab_size": len(tokenizer), "max_position_embeddings": 256, "pad_token_id": 0, "bos_token_id": None}
        | {"eos_token_id": tokenizer.eos_token_id, "initializer_range": 0.2}
        | config
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        module = transformers.LlamaForCausalLM(made)
        for name, weight in module.named_parameters():
            if "norm" in name:
                torch.nn.init.uniform_(weight, 0.5, 1.5)
    module.to(dtype or torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_log_probabilities_and_greedy_texts_are_those_of_transformers(kind: str, tmp_path: Path) -> None:
    ours = TinyModel(save_random(tmp_path, **KINDS[kind]))
    module = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    before, after = list(range(40, 90)), list(range(90, 140))
    with torch.no_grad():
        logits = module(torch.tensor([before + after])).logits[0]
    expected = logits.log_softmax(-1)[len(before) - 1 : -1].gather(-1, torch.tensor(after)[:, None]).sum().item()
    assert ours._score(before, after) == pytest.approx(expected, abs=1e-3)
    ([x_TD], _) = read(ours._model, [[*before, *after]])
    np.testing.assert_allclose(ours._model.logits(x_TD), logits.numpy(), atol=1e-4)
    written = module.generate(torch.tensor([before]), max_new_tokens=30, do_sample=False)[0, len(before) :].tolist()
    assert greedy(ours, before, 30)[: len(written)] == written


def greedy(model: TinyModel, prompt: list[int], count: int) -> list[int]:
    batch, tokens = Batch(model._model, [prompt]), []
    for _ in range(count):
        tokens.append(int(batch.logits_BV[0].argmax()))
        batch.feed(tokens[-1:])
    return tokens


def test_the_same_seeds_give_the_texts_of_the_torch_sampler(
    model: TinyModel, torch_model: HFModel, tiny_problems: list[Problem]
) -> None:
    requests = mixed(chats(tiny_problems))
    ours, theirs = ask(model, *requests), ask(torch_model, *requests)
    assert len({c.text for c in ours}) > len(requests) / 4
    for one, other in zip(ours, theirs, strict=True):
        assert (one.text, one.tokens, one.finish, one.prompt_tokens) == (
            *(other.text, other.tokens, other.finish),
            other.prompt_tokens,
        )
        assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-4)


def test_a_texts_log_probability_is_the_torch_samplers_and_the_sum_over_its_tokens(
    model: TinyModel, torch_model: HFModel, tiny_problems: list[Problem]
) -> None:
    for prompt in chats(tiny_problems)[:4]:
        (written,) = ask(model, Request(prompt, seed=0))
        found = asyncio.run(model.logprob(prompt, written.text))
        assert found == pytest.approx(asyncio.run(torch_model.logprob(prompt, written.text)), abs=1e-3)
        assert found == pytest.approx(sum(written.token_logprobs or ()), abs=1e-3)
    assert asyncio.run(model.logprob("x", "")) == 0.0


def test_neither_batch_nor_order_nor_company_changes_a_sample(model: TinyModel, tiny_problems: list[Problem]) -> None:
    requests = mixed(chats(tiny_problems)[:8])
    base = [c.text for c in ask(model, *requests)]
    for batch in (1, 3, 16):
        order = random.Random(batch).sample(range(len(requests)), len(requests))
        shuffled = ask(model, *(requests[at] for at in order), batch=batch)
        assert [base[at] for at in order] == [c.text for c in shuffled]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 4)), min_size=1, max_size=5), st.randoms())
def test_rows_that_share_prompts_and_leave_say_what_each_would_say_alone(
    model: TinyModel, sizes: list[tuple[int, int]], draws: random.Random
) -> None:
    prompts = [[draws.randrange(10, 300) for _ in range(length)] for length, _ in sizes]
    rows = [at for at, (_, count) in enumerate(sizes) for _ in range(count)]
    batch, written = Batch(model._model, prompts), [list[int]() for _ in rows]
    batch.keep(rows)
    for _ in range(4):
        tokens = [draws.randrange(10, 300) for _ in rows]
        written = [[*before, token] for before, token in zip(written, tokens, strict=True)]
        batch.feed(tokens)
        live = sorted(draws.sample(range(len(rows)), draws.randint(1, len(rows))))
        batch.keep(live)
        rows, written = [rows[at] for at in live], [written[at] for at in live]
        for row, text, logits in zip(rows, written, batch.logits_BV, strict=True):
            ([alone], _) = read(model._model, [[*prompts[row], *text]])
            np.testing.assert_allclose(logits, model._model.logits(alone[-1:])[0], atol=2e-4)


def test_a_text_longer_than_the_first_room_goes_on_as_it_would(model: TinyModel) -> None:
    prompt = model._texts.tokens("def f(")
    written = greedy(model, prompt, 70)
    ([x_TD], _) = read(model._model, [[*prompt, *written]])
    assert model._model.logits(x_TD).argmax(-1)[len(prompt) - 1 : -1].tolist() == written


@settings(deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 1.0, 1.0, 2.0, 5.0]), min_size=6, max_size=6), min_size=1, max_size=4),
    st.floats(0, 1),
)
def test_the_nucleus_is_the_smallest_set_that_reaches_top_p(rows: list[list[float]], top_p: float) -> None:
    weights = np.array(rows) + 1e-9
    shares = weights / weights.sum(-1, keepdims=True)
    for kept, row in zip(nucleus(shares, np.full(len(rows), top_p)) > 0, shares, strict=True):
        assert set(np.flatnonzero(kept)) == by_hand(row.tolist(), top_p)


def by_hand(shares: list[float], top_p: float) -> set[int]:
    kept: set[int] = set()
    total = 0.0
    for token in sorted(range(len(shares)), key=lambda token: (-shares[token], token)):
        total += shares[token]
        if kept and total - shares[token] >= top_p:
            break
        kept.add(token)
    return kept


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (2.0, 0.8), (1.0, 0.5)])
def test_tokens_are_drawn_as_often_as_the_distribution_says(temperature: float, top_p: float) -> None:
    count, logits = 4000, np.array([0.3, -1.0, 2.0, 1.5, -3.0], np.float32)
    draws = Draws([Request("", seed, temperature, top_p) for seed in range(count)], 1)
    found = draws.next(np.tile(logits, (count, 1)))
    tokens = [token.id for token in found]
    heated = np.exp(logits.astype(float) / temperature)
    kept = by_hand((heated / heated.sum()).tolist(), top_p)
    for token in range(5):
        share = heated[token] / sum(heated[at] for at in kept) if token in kept else 0.0
        assert abs(tokens.count(token) / count - share) < 5 * (share * (1 - share) / count) ** 0.5 + 1e-9
    plain = np.log(np.exp(logits) / np.exp(logits).sum())
    assert [token.logprob for token in found] == pytest.approx([plain[token] for token in tokens], abs=1e-5)
    tempered = np.log(heated / heated.sum())
    assert [token.tempered for token in found] == pytest.approx([tempered[token] for token in tokens], abs=1e-5)


def test_draws_invert_the_cumulative_sum_at_the_seeds_numbers() -> None:
    logits = np.log(np.array([[0.25, 0.5, 0.25]], np.float32))
    draws = Draws([Request("", seed=9, temperature=1.0)], 50)
    tokens = [draws.next(logits)[0].id for _ in range(50)]
    assert tokens == np.searchsorted([0.25, 0.75], uniforms_of(9, 50), side="right").tolist()


def test_half_precision_is_read_exactly(tmp_path: Path) -> None:
    half = TinyModel(save_random(tmp_path / "half", torch.float16, **KINDS["grouped, apart"]))
    module = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "half", dtype=torch.float32)
    with torch.no_grad():
        expected = module(torch.tensor([list(range(40, 80))])).logits[0].numpy()
    ([x_TD], _) = read(half._model, [list(range(40, 80))])
    np.testing.assert_allclose(half._model.logits(x_TD), expected, atol=1e-4)


def test_a_prompt_that_does_not_fit_is_named_and_the_others_are_answered(model: TinyModel) -> None:
    long, fine = ask(model, Request("x " * 2000, seed=0), Request("def f(", seed=0, max_tokens=3))
    assert (long.text, long.finish, long.token_logprobs, long.tokens) == ("", "error", None, 0)
    assert str(tiny.CONTEXT) in (long.error or "")
    assert (fine.finish, fine.error) == ("length", None)
    with pytest.raises(InputError, match="leave this text out"):
        asyncio.run(model.logprob("x " * 2000, "y"))


def test_chats_are_written_as_transformers_writes_them(model: TinyModel, torch_model: HFModel) -> None:
    chat = (Message("system", "Be brief."), Message("user", "Write a function to square a number."))
    assert model.chat
    assert model._texts.prompt(chat) == torch_model._texts.prompt(chat)
    assert "def square" in ask(model, Request(chat[1:], seed=0))[0].text


def test_a_chat_without_a_template_is_refused(tmp_path: Path) -> None:
    (save_random(tmp_path, **KINDS["grouped, apart"]) / "chat_template.jinja").unlink()
    bare = TinyModel(tmp_path)
    assert not bare.chat
    with pytest.raises(InputError, match="no chat template"):
        ask(bare, Request((Message("user", "hi"),), seed=0))


def test_the_facts_tell_one_checkpoint_from_another(model: TinyModel, torch_model: HFModel, tmp_path: Path) -> None:
    json.dumps([model.facts, model.decides])
    for part in ("kind", "architecture", "parameters", "dtype", "device", "context", "chat"):
        assert model.facts[part] == torch_model.facts[part]
    other = TinyModel(save_random(tmp_path, **KINDS["grouped, apart"]))
    assert other.decides["weights"] != model.decides["weights"]


def test_logits_that_are_no_numbers_are_a_fault_of_the_model(tmp_path: Path) -> None:
    broken = TinyModel(save_random(tmp_path, **KINDS["grouped, apart"]))
    broken._model._head_DV[:] = np.nan
    with pytest.raises(InfrastructureError, match="not numbers"):
        ask(broken, Request("x", seed=0))


def edit(folder: Path, name: str, **changes: Any) -> None:
    config = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(config | changes))


def spoil(folder: Path, how: str) -> None:
    """Break a copy of a checkpoint in one way."""
    if how == "no weights":
        (folder / "model.safetensors").unlink()
    elif how == "torn weights":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])
    elif how == "no tokenizer":
        (folder / "tokenizer.json").unlink()
    elif how == "torn tokenizer":
        (folder / "tokenizer.json").write_text('{"model": 3}')
    elif how == "bfloat16":
        transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).save_pretrained(folder)
    elif how == "another architecture":
        edit(folder, "config.json", architectures=["GPT2LMHeadModel"])
    elif how == "another activation":
        edit(folder, "config.json", hidden_act="gelu")
    elif how == "scaled rope":
        edit(folder, "config.json", rope_parameters={"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0})
    elif how == "another size":
        edit(folder, "config.json", intermediate_size=999)
    elif how == "more layers":
        edit(folder, "config.json", num_hidden_layers=9)
    elif how == "no size":
        edit(folder, "config.json", hidden_size=None)
    elif how == "another vocabulary":
        save_random(folder / "small", **KINDS["grouped, apart"], vocab_size=300)
        (folder / "small" / "model.safetensors").replace(folder / "model.safetensors")
        (folder / "small" / "config.json").replace(folder / "config.json")


REASONS = {
    "no weights": r"no model\*.safetensors",
    "torn weights": "model.safetensors cannot be read",
    "no tokenizer": "no tokenizer.json",
    "torn tokenizer": "tokenizer.json cannot be read",
    "bfloat16": "stored as BF16, expected F32 or F16",
    "another architecture": "cannot run .*GPT2LMHeadModel.*, only LlamaForCausalLM",
    "another activation": "hidden_act 'gelu'",
    "scaled rope": "rope_type 'yarn'",
    "another size": r"config.json says \(999, 64\)",
    "more layers": "no weight model.layers.2",
    "no size": "config.json: ",
    "another vocabulary": "the tokenizer has 400 tokens, the weights 300",
}


@pytest.mark.parametrize("how", REASONS)
def test_what_cannot_be_run_is_named_in_one_line(how: str, checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    spoil(folder, how)
    with pytest.raises(InputError, match=REASONS[how]) as caught:
        open_model(f"tiny:{folder}")
    assert "\n" not in str(caught.value)


def test_no_folder_and_no_place_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config.json; expected a folder"):
        open_model(f"tiny:{tmp_path / 'none'}")
    with pytest.raises(InputError, match=r"expected tiny, tiny-base, tiny-noisy, hf:\.\.\."):
        open_model("tiny:")
    with pytest.raises(InputError, match="takes no --base-url"):
        open_model("tiny-base", base_url="http://localhost")


def test_it_runs_where_torch_and_transformers_cannot_be_imported(model: TinyModel, checkpoint: Path) -> None:
    code = (
        "import sys, asyncio; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from regreen.models import Request, open_model\n"
        f"model = open_model('tiny:{checkpoint}')\n"
        "print(asyncio.run(model.sample([Request('def f(', seed=0)]))[0].text)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ask(model, Request("def f(", seed=0))[0].text + "\n"
