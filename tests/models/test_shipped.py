"""The checkpoints that come with the package: small, read by all that should read them, and each one model to all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen import benchmarks, prompts
from regreen.models import Completion, Model, Request, open_model
from regreen.models.shipped import SHIPPED, folder_of

MOST_BYTES = 20_000_000
WEIGHTS = folder_of("tiny-base").parent


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    """Twenty katas, as the checkpoint was taught to read them."""
    problems = list(benchmarks.load("katas:test").problems())[::20]
    template = prompts.load("codex")
    found = [Request(template.render(problem), seed=0, max_tokens=200) for problem in problems]
    assert len(found) == 20
    return found


def ask(model: Model, requests: list[Request]) -> list[Completion]:
    return asyncio.run(model.sample(requests))


def test_all_weights_together_are_small_and_in_half_precision() -> None:
    from safetensors import safe_open

    files = [path for path in WEIGHTS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert {path.parent.name for path in files} == set(SHIPPED)
    for path in WEIGHTS.rglob("*.safetensors"):
        with safe_open(path, framework="numpy") as tensors:
            assert {tensors.get_slice(name).get_dtype() for name in tensors.keys()} == {"F16"}  # noqa: SIM118


@pytest.mark.parametrize("name", SHIPPED)
def test_numpy_and_torch_write_the_same_texts_with_the_same_log_probabilities(
    name: str, requests: list[Request]
) -> None:
    pytest.importorskip("transformers")
    ours = ask(open_model(name), requests)
    theirs = ask(open_model(f"hf:{name}", device="cpu", dtype="float32"), requests)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.text, one.tokens, one.finish) == (other.text, other.tokens, other.finish)
        assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-3)
    assert len({one.text for one in ours}) > 10
    assert all(one.finish == "stop" for one in ours)


def test_transformers_reads_it_as_it_is_and_generates_the_same(requests: list[Request]) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    place = folder_of("tiny-base")
    module = transformers.AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    for request, ours in zip(requests, ask(open_model("tiny-base"), requests), strict=True):
        read = tokenizer(request.prompt, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            written = module.generate(**read, max_new_tokens=200, do_sample=False)[0, read["input_ids"].shape[1] :]
            logits = module(torch.cat([read["input_ids"][0], written])[None]).logits[0, -len(written) - 1 : -1]
        assert tokenizer.decode(written, skip_special_tokens=True) == ours.text
        logprobs = logits.log_softmax(-1).gather(-1, written[:, None])[:, 0].tolist()
        assert logprobs[: len(ours.token_logprobs or ())] == pytest.approx(ours.token_logprobs, abs=1e-3)


def test_all_have_one_tokenizer() -> None:
    assert len({(folder_of(name) / "tokenizer.json").read_bytes() for name in SHIPPED}) == 1


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_its_tokenizer_gives_any_text_back(text: str) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(folder_of("tiny-base")) / "tokenizer.json"))
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids, skip_special_tokens=False) == text
