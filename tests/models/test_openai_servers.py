"""The client for OpenAI-compatible servers, against llama.cpp's and ``transformers serve`` on one tiny model."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from regreen.errors import InputError
from regreen.models import Completion, Request
from regreen.models.openai import OpenAIModel
from regreen.models.probe import PROMPT
from regreen.prompts import Message, Prompt
from tests.models.servers import llama_server, transformers_server
from tests.models.tiny import PAIRS

PROMPTS = tuple(f'def {name}({parameters}):\n    """{statement}"""\n' for name, parameters, statement, *_ in PAIRS)
CHATS = tuple((Message("user", statement),) for _, _, statement, *_ in PAIRS)
TIES = 1e-4  # log-probabilities of one model in two implementations differ by less


@pytest.fixture(scope="module")
def llama(gguf: Path) -> Iterator[str]:
    """The address of llama.cpp's server."""
    pytest.importorskip("xllamacpp")
    with llama_server(gguf) as url:
        yield url


@pytest.fixture(scope="module")
def served(checkpoint: Path) -> Iterator[OpenAIModel]:
    """The model behind ``transformers serve``."""
    pytest.importorskip("fastapi")
    with transformers_server(checkpoint) as url:
        yield OpenAIModel(str(checkpoint), base_url=url)


def ask(model: OpenAIModel, *requests: Request) -> list[Completion]:
    return asyncio.run(model.sample(requests))


def greedy(prompts: Sequence[Prompt]) -> list[Request]:
    return [Request(prompt, seed=0, max_tokens=48) for prompt in prompts]


# ---- llama.cpp ----


def test_all_that_llama_cpp_honours_is_found(llama: str) -> None:
    model = OpenAIModel("tiny", base_url=llama)
    ask(model, Request("def", seed=1, max_tokens=1))
    assert model.facts["honours"] == {"temperature": True, "seed": True, "logprobs": True, "n": True}
    assert model.facts["logprobs"] == "untempered"
    assert model.facts["usage"] is True
    assert model.facts["default_sampling"]["top_k"] == 40


def test_llama_cpp_gives_one_log_probability_for_each_token(llama: str, checkpoint: Path) -> None:
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    for prompts in (PROMPTS[:4], CHATS[:4]):
        for completion in ask(OpenAIModel("tiny", base_url=llama), *greedy(prompts)):
            assert len(_values(completion)) == len(tokenizer.encode(completion.text).ids)


def test_the_log_probabilities_of_llama_cpp_are_those_of_the_model_at_any_temperature(
    llama: str, checkpoint: Path
) -> None:
    temperatures = (0.0, 0.0, 0.5, 0.5, 1.0, 1.0)
    requests = [
        Request(prompt, seed=at, temperature=temperature, max_tokens=12)
        for at, (prompt, temperature) in enumerate(zip(PROMPTS, temperatures, strict=False))
    ]
    for request, completion in zip(requests, ask(OpenAIModel("tiny", base_url=llama), *requests), strict=True):
        assert completion.token_logprobs == pytest.approx(scored(checkpoint, request.prompt, completion.text), abs=TIES)


def scored(checkpoint: Path, prompt: str, text: str) -> list[float]:
    """Return the log-probability of each token of the text by transformers, the slow and simple way."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    model = transformers.AutoModelForCausalLM.from_pretrained(checkpoint)
    before, after = (tokenizer(part)["input_ids"] for part in (prompt, text))
    with torch.no_grad():
        values = model(torch.tensor([before + after])).logits.log_softmax(-1)[0]
    return [float(values[len(before) - 1 + at, token]) for at, token in enumerate(after)]


def test_llama_cpp_samples_from_the_whole_distribution(llama: str) -> None:
    """Its own defaults are switched off: they would keep back all that is less likely than a part of the likeliest."""
    hot = [Request(PROMPT, seed=seed, temperature=2.0, max_tokens=16) for seed in range(20)]
    values = [value for completion in ask(OpenAIModel("tiny", base_url=llama), *hot) for value in _values(completion)]
    assert sum(math.exp(value) < 1e-3 for value in values) > 10


def _values(completion: Completion) -> tuple[float, ...]:
    assert completion.token_logprobs is not None
    return completion.token_logprobs


def test_a_sample_of_llama_cpp_depends_on_its_seed_and_not_on_its_company(llama: str) -> None:
    model = OpenAIModel("tiny", base_url=llama)
    requests = [
        Request(prompt, seed=seed, temperature=1.0, max_tokens=24) for seed in range(3) for prompt in PROMPTS[:6]
    ]
    together = dict(zip(requests, ask(model, *requests), strict=True))
    random.Random(0).shuffle(requests)
    for request in requests:
        assert ask(model, request)[0].text == together[request].text
    assert len({together[request].text for request in requests if request.prompt == PROMPTS[0]}) > 1


def test_a_prompt_beyond_the_context_of_llama_cpp_is_an_error_of_its_sample_alone(llama: str) -> None:
    model = OpenAIModel("tiny", base_url=llama)
    long, short = ask(model, Request("a b c d " * 400, seed=1), Request(PROMPTS[0], seed=1, max_tokens=4))
    assert (long.text, long.finish) == ("", "error")
    assert "context" in (long.error or "")
    assert short.finish == "length"


def test_a_text_that_fills_the_context_of_llama_cpp_is_truncated(llama: str) -> None:
    requests = [Request("a b c d " * 100, seed=seed, temperature=5.0, max_tokens=600) for seed in range(8)]
    completions = ask(OpenAIModel("tiny", base_url=llama), *requests)
    assert "length" in {completion.finish for completion in completions}
    assert all(completion.tokens + completion.prompt_tokens <= 512 for completion in completions)


def test_llama_cpp_cannot_tell_the_probability_of_a_text(llama: str) -> None:
    with pytest.raises(InputError, match="echo"):
        asyncio.run(OpenAIModel("tiny", base_url=llama).logprob(PROMPTS[0], "    return a + b\n"))


# ---- transformers serve ----


@pytest.mark.parametrize("prompt", [PROMPTS[0], CHATS[0]], ids=["text", "chat"])
def test_all_that_transformers_serve_ignores_is_found_and_said(served: OpenAIModel, prompt: Prompt) -> None:
    model = OpenAIModel(served.name.removeprefix("openai:"), base_url=served.facts["base_url"])
    (completion,) = ask(model, Request(prompt, seed=1, temperature=1.0, max_tokens=4))
    assert completion.token_logprobs is None
    assert model.facts["honours"] == {"temperature": False, "seed": None, "logprobs": False, "n": False}
    for sentence in ("to ignore the temperature", "no log-probabilities", "ignores n "):
        assert any(sentence in warning for warning in model.facts["warnings"])


def test_a_stop_string_that_transformers_serve_leaves_in_is_cut(served: OpenAIModel) -> None:
    (completion,) = ask(served, Request(PROMPTS[0], seed=1, max_tokens=20, stop=("turn",)))
    assert completion.text == "    re"
    assert completion.finish == "stop"


def test_another_model_than_that_of_transformers_serve_is_an_error_that_names_it(served: OpenAIModel) -> None:
    with pytest.raises(InputError, match="no model other .*the server has: .*" + served.name.removeprefix("openai:")):
        ask(OpenAIModel("other", base_url=served.facts["base_url"]), *greedy(PROMPTS[:1]))


# ---- both ----


@pytest.mark.parametrize("prompts", [PROMPTS, CHATS], ids=["text", "chat"])
def test_both_servers_write_the_same_greedy_programs(llama: str, served: OpenAIModel, prompts: Any) -> None:
    written = [
        [(completion.text, completion.tokens, completion.finish) for completion in ask(model, *greedy(prompts))]
        for model in (OpenAIModel("tiny", base_url=llama), served)
    ]
    assert written[0] == written[1]
    assert len({text for text, _, _ in written[0]}) > 8


def test_facts_of_real_servers_are_plain_json(llama: str, served: OpenAIModel) -> None:
    model = OpenAIModel("tiny", base_url=llama)
    ask(model, *greedy(PROMPTS[:1]))
    for facts in (model.facts, served.facts):
        assert json.loads(json.dumps(facts)) == facts
