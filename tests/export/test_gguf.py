"""GGUF: llama.cpp, given the file, writes what transformers writes, with the same log-probabilities."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regreen.errors import InputError
from regreen.export import export_gguf
from regreen.problem import Problem

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("gguf")

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]

# llama.cpp runs in a process of its own. Its cache and its fast attention are float16 unless told otherwise.
SERVE = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx, params.n_parallel, params.port, params.warmup = 1024, 1, 0, False
params.cpuparams.n_threads = 1
params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""

TEXTS = [
    "def f(x):\n    return x[12345]  # it's 3.14\n",
    "  two spaces,\ttab and trailing   ",
    "naïve café 中文 🙂 ½ ²",
    "we'll 'see' x1y22 \n\n\n  \n end",
    "",
]


@pytest.fixture(scope="module")
def ask(gguf: Path) -> Iterator[Ask]:
    """Post JSON to llama.cpp's server."""
    pytest.importorskip("xllamacpp")
    httpx = pytest.importorskip("httpx")
    command = [sys.executable, "-c", SERVE, str(gguf)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        address = server.stdout.readline().strip()
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            yield lambda path, body: client.post(path, json=body).raise_for_status().json()
        server.stdin.close()


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer(checkpoint: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(checkpoint)


@pytest.mark.parametrize("text", TEXTS)
def test_llama_cpp_splits_text_into_the_same_tokens(ask: Ask, tokenizer: Any, text: str) -> None:
    assert ask("/tokenize", {"content": text})["tokens"] == tokenizer(text)["input_ids"]


def test_llama_cpp_renders_a_chat_the_same(ask: Ask, tokenizer: Any) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Square 3."}]
    ours = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert ask("/apply-template", {"messages": messages})["prompt"] == ours


def test_llama_cpp_writes_the_same_greedy_text_with_the_same_log_probabilities(
    ask: Ask, model: Any, tokenizer: Any, tiny_problems: list[Problem]
) -> None:
    prompts = [f"<|user|>\n{problem.statement}\n<|assistant|>\n" for problem in tiny_problems]
    worst = max(_difference(ask, model, tokenizer, prompt) for prompt in prompts + TEXTS[:-1])
    assert worst < 1e-4


def _difference(ask: Ask, model: Any, tokenizer: Any, prompt: str) -> float:
    """Check that both write the same tokens, and return the largest difference of log-probabilities."""
    theirs = _llama_cpp(ask, prompt)
    ids = torch.tensor([tokenizer(prompt)["input_ids"]])
    with torch.no_grad():
        text = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, do_sample=False)
        logprobs = model(text).logits[0].log_softmax(-1)
    ours = text[0, ids.shape[1] :].tolist()
    written = ours[: ours.index(tokenizer.eos_token_id)] if tokenizer.eos_token_id in ours else ours
    assert [token for token, _ in theirs][: len(written)] == written
    steps = zip(written, theirs, logprobs[ids.shape[1] - 1 :], strict=False)
    return max((abs(row[token].item() - logprob) for token, (_, logprob), row in steps), default=0.0)


def _llama_cpp(ask: Ask, prompt: str) -> list[tuple[int, float]]:
    """Return the tokens that llama.cpp writes, greedy, and their log-probabilities."""
    options = {"n_predict": 64, "temperature": 0, "n_probs": 1, "cache_prompt": False}
    answer = ask("/completion", {"prompt": prompt, **options})
    return [(step["id"], step["logprob"]) for step in answer["completion_probabilities"]]


def test_weights_in_bfloat16_are_widened_exactly(checkpoint: Path, tmp_path: Path, model: Any) -> None:
    import copy

    import gguf

    half = copy.deepcopy(model).bfloat16()
    half.save_pretrained(tmp_path / "half")
    shutil.copy(checkpoint / "tokenizer.json", tmp_path / "half")
    export_gguf(tmp_path / "half", tmp_path / "half.gguf")
    (weight,) = (t for t in gguf.GGUFReader(tmp_path / "half.gguf").tensors if t.name == "blk.1.ffn_up.weight")
    expected = half.model.layers[1].mlp.up_proj.weight.float()
    assert torch.equal(torch.from_numpy(weight.data.copy()).reshape(expected.shape), expected)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("config.json", {"architectures": ["GPT2LMHeadModel"]}, "GPT2LMHeadModel"),
        ("config.json", {"hidden_act": "gelu"}, "hidden_act 'gelu'"),
        ("config.json", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "rope_type 'yarn'"),
        ("tokenizer.json", {"normalizer": {"type": "NFC"}}, "byte-level BPE"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}, "Whitespace"),
    ],
)
def test_what_cannot_be_written_faithfully_is_refused(
    checkpoint: Path, tmp_path: Path, file: str, change: dict[str, Any], message: str
) -> None:
    odd = shutil.copytree(checkpoint, tmp_path / "odd")
    (odd / file).write_text(json.dumps(json.loads((odd / file).read_text()) | change))
    with pytest.raises(InputError, match=message):
        export_gguf(odd, tmp_path / "odd.gguf")
    assert os.listdir(tmp_path) == ["odd"]


def test_a_folder_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        export_gguf(tmp_path, tmp_path / "x.gguf")
