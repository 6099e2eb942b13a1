"""The torch sampler: equal to transformers where that is defined, and blind to order, grouping and batch size."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regreen.errors import InfrastructureError, InputError
from regreen.models import Completion, Request
from regreen.problem import Problem
from regreen.prompts import Message
from tests.models import tiny

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from regreen.models.hf import HFModel, batches  # noqa: E402
from regreen.models.hf.draws import nucleus  # noqa: E402
from regreen.models.hf.steps import Steps  # noqa: E402
from regreen.models.writing import uniforms_of  # noqa: E402


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> HFModel:
    return HFModel(checkpoint, device="cpu")


@pytest.fixture(scope="module")
def encoder_decoder(tmp_path_factory: pytest.TempPathFactory) -> HFModel:
    return HFModel(tiny.make_encoder_decoder(tmp_path_factory.mktemp("seq2seq") / "t5"), device="cpu")


def ask(model: HFModel, *requests: Request, batch: int | None = None) -> list[Completion]:
    model.rows = batch or model.rows
    return asyncio.run(model.sample(requests))


def chats(problems: Sequence[Problem]) -> list[str]:
    return [f"<|user|>\n{problem.statement}\n<|assistant|>\n" for problem in problems]


def greedy(model: HFModel, prompt: str, tokens: int) -> list[int]:
    """What transformers itself writes, one prompt at a time."""
    ids = torch.tensor([model.tokenizer(prompt)["input_ids"]])
    written = model.module.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False, num_beams=1
    )[0]
    return written[1 if model.module.config.is_encoder_decoder else ids.shape[1] :].tolist()


def test_greedy_texts_are_those_of_generate(model: HFModel, tiny_problems: list[Problem]) -> None:
    prompts = [*chats(tiny_problems), "def f(", "x"]
    for prompt, completion in zip(
        prompts, ask(model, *(Request(p, seed=0, max_tokens=50) for p in prompts)), strict=True
    ):
        tokens = greedy(model, prompt, 50)
        assert completion.text == model.tokenizer.decode(tokens, skip_special_tokens=True)
        assert completion.tokens == len(tokens)
        assert completion.finish == ("stop" if tokens[-1] == model.tokenizer.eos_token_id else "length")


def test_the_tiny_checkpoint_writes_programs_of_which_some_are_right(
    model: HFModel, tiny_problems: list[Problem], sandbox: Any
) -> None:
    from regreen.extract import extract

    texts = [c.text for c in ask(model, *(Request(p, seed=0) for p in chats(tiny_problems)))]
    pairs = zip(tiny_problems, texts, strict=True)
    passed = sum(sandbox.judge_now(problem, extract(text).source).passed for problem, text in pairs)
    assert 3 <= passed < len(tiny_problems)


def test_a_sequence_to_sequence_model_writes_what_generate_writes(encoder_decoder: HFModel) -> None:
    prompts = ["Write a function to add two numbers.", "sum", "Write a function to reverse a string, please."]
    completions = ask(encoder_decoder, *(Request(p, seed=0, max_tokens=30) for p in prompts * 2))
    for prompt, completion in zip(prompts * 2, completions, strict=True):
        tokens = greedy(encoder_decoder, prompt, 30)
        assert completion.text == encoder_decoder.tokenizer.decode(tokens, skip_special_tokens=True)
        assert completion.tokens == len(tokens)
    assert len({c.text for c in completions}) > 1


@pytest.mark.parametrize("kind", ["model", "encoder_decoder"])
def test_log_probabilities_are_untempered_and_those_of_one_full_pass(
    kind: str, request: pytest.FixtureRequest, tiny_problems: list[Problem]
) -> None:
    model: HFModel = request.getfixturevalue(kind)
    asked = [Request(p, seed=7, temperature=0.7, top_p=0.9, max_tokens=40) for p in chats(tiny_problems)]
    for sent, completion in zip(asked, ask(model, *asked), strict=True):
        tokens = model.tokenizer(completion.text)["input_ids"]
        if len(tokens) == len(completion.token_logprobs or ()):  # the text is spelled as its tokens were drawn
            assert completion.token_logprobs == pytest.approx(full_pass(model, str(sent.prompt), tokens), abs=1e-4)
            total = asyncio.run(model.logprob(sent.prompt, completion.text))
            assert total == pytest.approx(sum(completion.token_logprobs), abs=1e-3)


@pytest.mark.parametrize("kind", ["model", "encoder_decoder"])
def test_generated_tokens_say_their_log_probability_at_the_temperature_too(
    kind: str, request: pytest.FixtureRequest, tiny_problems: list[Problem]
) -> None:
    model: HFModel = request.getfixturevalue(kind)
    heats = [0.0, 0.7, 1.0, 1.6] * 2
    asked = [Request(p, 7, heat, 0.9, 40) for p, heat in zip(chats(tiny_problems), heats, strict=False)]
    for sent, completion in zip(asked, ask(model, *asked), strict=True):
        tokens, heat = [token.id for token in completion.generated], sent.temperature or 1.0
        tempered = full_pass(model, str(sent.prompt), tokens, heat)
        assert [token.tempered for token in completion.generated] == pytest.approx(tempered, abs=1e-3)
        plain = full_pass(model, str(sent.prompt), tokens)
        assert [token.logprob for token in completion.generated] == pytest.approx(plain, abs=1e-3)


def full_pass(model: HFModel, prompt: str, tokens: list[int], heat: float = 1.0) -> list[float]:
    before = model.tokenizer(prompt)["input_ids"]
    with torch.no_grad():
        if model.module.config.is_encoder_decoder:
            logits = model.module(input_ids=torch.tensor([before]), labels=torch.tensor([tokens])).logits[0]
        else:
            logits = model.module(torch.tensor([before + tokens])).logits[0, len(before) - 1 : -1]
    return [row[token].item() for row, token in zip((logits / heat).log_softmax(-1), tokens, strict=True)]


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (2.0, 0.8), (1.0, 0.5)])
def test_first_tokens_are_drawn_as_often_as_the_distribution_says(
    model: HFModel, temperature: float, top_p: float
) -> None:
    count, prompt = 4000, "def total(items):\n"
    requests = [Request(prompt, seed, temperature, top_p, max_tokens=1) for seed in range(count)]
    drawn = Counter(completion.text for completion in ask(model, *requests))
    with torch.no_grad():
        logits = model.module(torch.tensor([model.tokenizer(prompt)["input_ids"]])).logits[0, -1]
    expected = by_hand(logits.double(), temperature, top_p)
    for token, share in expected.items():
        seen = drawn[model.tokenizer.decode([token], skip_special_tokens=True)] / count
        assert abs(seen - share) < 5 * (share * (1 - share) / count) ** 0.5 + 1e-9
    assert len(expected) > 1 or top_p < 1


def by_hand(logits: Any, temperature: float, top_p: float) -> dict[int, float]:
    """Each token's probability of at least 1/200, with a loop for the nucleus."""
    shares = (logits / temperature).softmax(-1).tolist()
    kept: dict[int, float] = {}
    for token in sorted(range(len(shares)), key=lambda token: -shares[token]):
        if sum(kept.values()) >= top_p:
            break
        kept[token] = shares[token]
    total = sum(kept.values())
    return {token: share / total for token, share in kept.items() if share / total >= 1 / 200}


def test_the_nucleus_is_the_smallest_set_that_reaches_top_p() -> None:
    shares = torch.tensor([[0.1, 0.4, 0.3, 0.2]] * 5, dtype=torch.float64)
    kept = nucleus(shares, torch.tensor([0.0, 0.3, 0.5, 0.8, 1.0], dtype=torch.float64)) > 0
    assert [row.nonzero().flatten().tolist() for row in kept] == [[1], [1], [1, 2], [1, 2, 3], [0, 1, 2, 3]]


@pytest.mark.parametrize("few", [1, 3, 64])
def test_the_nucleus_is_that_of_a_full_sort_also_where_shares_tie(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regreen.models.hf.draws._FEW", few)
    draws = torch.Generator().manual_seed(0)
    shares = torch.randint(0, 5, (300, 40), generator=draws).double().pow(2) + 1
    shares /= shares.sum(-1, keepdim=True)
    top_p = torch.rand(300, generator=draws, dtype=torch.float64)
    assert torch.equal(
        nucleus(shares, top_p), torch.stack([sorted_nucleus(*row) for row in zip(shares, top_p, strict=True)])
    )


def sorted_nucleus(shares: Any, top_p: Any) -> Any:
    """The same by a loop over a stable sort."""
    kept, before = torch.zeros_like(shares), 0.0
    for token in sorted(range(len(shares)), key=lambda token: -shares[token]):
        if before >= top_p:
            break
        kept[token], before = shares[token], before + float(shares[token])
    return kept


def test_random_numbers_are_pinned_and_a_longer_stream_begins_like_a_shorter_one() -> None:
    assert uniforms_of(2**64 - 1, 3).tolist() == uniforms_of(2**64 - 1, 9)[:3].tolist()
    assert uniforms_of(1, 2).tolist() == pytest.approx(PINNED, abs=1e-15)
    assert 0 <= uniforms_of(5, 10_000).min() < 0.001 < 0.999 < uniforms_of(5, 10_000).max() < 1


PINNED = [0.3035680343067586, 0.8487087496857768]


def test_neither_batch_nor_order_nor_company_changes_a_sample(model: HFModel, tiny_problems: list[Problem]) -> None:
    requests = [
        Request(p, seed=17 * n + i, temperature=(0.0, 0.5, 1.0)[i % 3], top_p=(1.0, 0.9)[i % 2], max_tokens=40)
        for n, p in enumerate(chats(tiny_problems)[:8])
        for i in range(6)
    ]
    base = [c.text for c in ask(model, *requests, batch=64)]
    assert len(set(base)) > len(requests) / 3
    for batch in (1, 3, 16):
        order = random.Random(batch).sample(range(len(requests)), len(requests))
        shuffled = ask(model, *(requests[at] for at in order), batch=batch)
        assert [base[at] for at in order] == [c.text for c in shuffled]
    assert [ask(model, request)[0].text for request in requests[:9]] == base[:9]


def test_rows_that_begin_in_the_place_of_others_have_the_logits_that_they_have_alone(model: HFModel) -> None:
    """A hundred steps: columns that no row sees are left behind, and a prompt longer than all that is held fits."""
    draws, alive = random.Random(0), [prompt_of(3), prompt_of(5), prompt_of(4)]
    with torch.no_grad():
        batch = batches.start(model.module, alive)
        assert batch.refills
        for step in range(100):
            tokens = [draws.randrange(2, 200) for _ in alive]
            batch.feed(tokens)
            alive = [[*row, token] for row, token in zip(alive, tokens, strict=True)]
            if step in (1, 4, 30, 60):
                fresh = [prompt_of(90 if step == 4 else 6), prompt_of(7)]
                batch.replace([2, 0], batches.start(model.module, fresh))
                alive = [fresh[1], alive[1] if step < 60 else prompt_of(2), fresh[0]]
                if step == 60:
                    batch.replace([1], batches.start(model.module, alive[1:2]))
        assert batch._mask_BT.shape[1] < 90  # type: ignore[attr-defined]
        for row, logits in zip(alive, batch.logits_BV, strict=True):
            assert torch.allclose(logits, model.module(torch.tensor([row])).logits[0, -1], atol=1e-4)


def prompt_of(length: int) -> list[int]:
    return random.Random(length).choices(range(2, 200), k=length)


def test_a_finished_row_that_is_still_in_the_batch_may_stand_at_the_end_of_the_context() -> None:
    config = transformers.GPT2Config(vocab_size=300, n_embd=16, n_layer=1, n_head=2, n_positions=12, eos_token_id=1)
    batch = batches.start(transformers.GPT2LMHeadModel(config).eval(), [[5] * 11, [6]])
    with torch.no_grad():
        for _ in range(4):
            batch.feed([7, 7])
    assert batch.logits_BV.isfinite().all()


def test_traced_steps_write_what_the_module_writes(checkpoint: Path, tiny_problems: list[Problem]) -> None:
    requests = [
        Request(p, seed=at, temperature=(0.0, 1.0)[at % 2], max_tokens=10 + 9 * (at % 7))
        for at, p in enumerate([*chats(tiny_problems), "x"] * 2)
    ]
    plain, traced = (HFModel(checkpoint, device="cpu") for _ in range(2))
    traced._steps = Steps(traced.module, batches.call, patience=3)
    for batch in (1, 5, 64):
        texts = [[c.text for c in ask(model, *requests, batch=batch)] for model in (plain, traced)]
        assert texts[0] == texts[1]
    assert traced._steps.trace is not None


def test_a_module_that_decides_by_numbers_is_not_traced(checkpoint: Path) -> None:
    class Moody(transformers.LlamaForCausalLM):
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            found = super().forward(*args, **kwargs)
            if found.logits.max() > 0:
                found.logits = -found.logits
            return found

    moody = HFModel(checkpoint, device="cpu")
    moody.module = Moody.from_pretrained(checkpoint).eval()
    requests = [Request("def f(", seed=at, temperature=1.0, max_tokens=20) for at in range(4)]
    base = [c.text for c in ask(HFModel((moody.module, moody.tokenizer)), *requests)]
    moody._steps = Steps(moody.module, batches.call, patience=3)
    assert [c.text for c in ask(moody, *requests)] == base
    assert moody._steps.trace is None


def test_a_trace_that_differs_from_the_module_is_thrown_away(checkpoint: Path) -> None:
    module = transformers.AutoModelForCausalLM.from_pretrained(checkpoint).eval()

    def lies(module: Any, **arguments: Any) -> Any:
        return batches.call(module, **arguments) + 0.1

    steps = Steps(module, lies, patience=1)
    with torch.no_grad():
        batches.start(module, [[5, 6, 7]], steps).feed([8])
    assert steps.trace is None


def test_a_larger_limit_only_lengthens_a_sample(model: HFModel) -> None:
    long, short = ask(model, *(Request("def f(", seed=3, temperature=2.0, max_tokens=n) for n in (60, 10)))
    assert (short.finish, short.tokens) == ("length", 10)
    assert long.text.startswith(short.text)
    assert long.tokens > 10


@pytest.mark.parametrize("stop", [":\n    ret", "retu", "(", "def add_two(a, b):", "\n", "`", "d"])
def test_a_stop_string_cuts_the_text_wherever_tokens_begin_and_end(model: HFModel, stop: str) -> None:
    prompt = (Message("user", "Write a function to add two numbers."),)
    (whole,) = ask(model, Request(prompt, seed=0))
    assert stop in whole.text
    (cut,) = ask(model, Request(prompt, seed=0, stop=("never", stop)))
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finish == "stop"
    assert cut.tokens < whole.tokens
    spelled = model.tokenizer(cut.text)["input_ids"] if cut.text else []
    assert len(spelled) - 1 <= len(cut.token_logprobs) <= len(spelled)  # the last token may reach beyond the cut
    assert cut.token_logprobs == pytest.approx(whole.token_logprobs[: len(cut.token_logprobs)], abs=1e-4)


def test_a_stop_string_that_never_comes_changes_nothing(model: HFModel) -> None:
    plain = Request("def square(x):\n", seed=4, temperature=1.0, max_tokens=40)
    without, beside = ask(model, plain, replace(plain, stop=("\0",)))
    assert (without.text, without.finish) == (beside.text, beside.finish)


def test_a_prompt_that_does_not_fit_is_named_and_the_others_are_answered(model: HFModel) -> None:
    room = 5
    almost = "x " * 2000
    tokens = model.tokenizer(almost)["input_ids"][: tiny.CONTEXT - room]
    long, filled, fine = ask(
        model,
        Request(almost, seed=0),
        Request(model.tokenizer.decode(tokens), seed=0, temperature=50.0, max_tokens=99),
        Request("def f(", seed=0, max_tokens=3),
    )
    assert (long.text, long.finish, long.token_logprobs, long.tokens) == ("", "error", None, 0)
    assert str(len(model.tokenizer(almost)["input_ids"])) in (long.error or "")
    assert str(tiny.CONTEXT) in (long.error or "")
    assert (filled.finish, filled.tokens, filled.prompt_tokens) == ("length", room, tiny.CONTEXT - room)
    assert (fine.finish, fine.error) == ("length", None)


def test_a_chat_is_put_in_the_tokenizers_template(model: HFModel) -> None:
    text = "<|user|>\nWrite a function to square a number.\n<|assistant|>\n"
    chat = (Message("user", "Write a function to square a number."),)
    first, second = ask(model, Request(chat, seed=0), Request(text, seed=0))
    assert (first.text, first.prompt_tokens) == (second.text, second.prompt_tokens)
    assert "def square" in first.text


def test_a_chat_without_a_template_is_refused(model: HFModel) -> None:
    tokenizer = tiny.make_tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(InputError, match="no chat template"):
        ask(HFModel((model.module, tokenizer)), Request((Message("user", "hi"),), seed=0))


def test_white_space_at_the_beginning_is_kept_where_a_tokenizer_would_drop_it() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from regreen.models.texts import Texts

    pieces = ["▁a", "a", "▁", "return", "▁x"]
    unigram = Tokenizer(models.Unigram([(piece, -float(n)) for n, piece in enumerate(pieces)], unk_id=0))
    unigram.pre_tokenizer, unigram.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=unigram)
    assert tokenizer.decode([2, 2, 3, 4]) == " return x"
    assert Texts(tokenizer, "it", continues=True).decode([[2, 2, 3, 4], []]) == ["  return x", ""]
    assert Texts(tokenizer, "it", continues=False).decode([[2, 2, 3, 4]]) == [" return x"]


def test_a_tokenizer_that_lacks_the_letter_loses_no_text() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    from regreen.models.texts import Texts

    words = Tokenizer(models.WordLevel({"<unk>": 0, "return": 1, "x": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    assert Texts(tokenizer, "it", continues=True).decode([[1, 2], []]) == ["return x", ""]


def test_a_live_module_is_sampled_as_it_is_and_left_as_it_was(model: HFModel, checkpoint: Path) -> None:
    module = transformers.AutoModelForCausalLM.from_pretrained(checkpoint)
    module.train()
    module.model.layers[0].eval()
    live = HFModel((module, model.tokenizer))
    request = Request("def square(x):\n", seed=1, temperature=1.0, max_tokens=20)
    assert ask(live, request)[0].text == ask(model, request)[0].text
    assert module.training
    assert module.model.layers[1].training
    assert not module.model.layers[0].training
    with torch.no_grad():
        module.lm_head.weight.mul_(-1)
    assert ask(live, request)[0].text != ask(model, request)[0].text


def test_the_facts_tell_one_checkpoint_from_another(model: HFModel, checkpoint: Path, tmp_path: Path) -> None:
    import json

    json.dumps(model.facts)
    parts = ("kind", "architecture", "dtype", "device", "context", "chat")
    assert [model.facts[part] for part in parts] == ["causal", "LlamaForCausalLM", "float32", "cpu", tiny.CONTEXT, True]
    assert model.facts["parameters"] == model.module.num_parameters()
    module = transformers.AutoModelForCausalLM.from_pretrained(checkpoint)
    with torch.no_grad():
        module.lm_head.weight[0, 0] += 1e-3
    module.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    assert HFModel(tmp_path, device="cpu").decides["weights"] != model.decides["weights"]
    assert HFModel(checkpoint, device="cpu").facts == model.facts


def test_bfloat16_answers_too(checkpoint: Path) -> None:
    half = HFModel(checkpoint, device="cpu", dtype="bfloat16")
    assert half.facts["dtype"] == "bfloat16"
    assert (
        "def square" in ask(half, Request((Message("user", "Write a function to square a number."),), seed=0))[0].text
    )


def test_logits_that_are_no_numbers_are_a_fault_of_the_model(checkpoint: Path, model: HFModel) -> None:
    module = transformers.AutoModelForCausalLM.from_pretrained(checkpoint)
    with torch.no_grad():
        module.lm_head.weight.fill_(float("nan"))
    with pytest.raises(InfrastructureError, match="not numbers"):
        ask(HFModel((module, model.tokenizer)), Request("x", seed=0))


def test_the_event_loop_lives_and_calls_wait_for_each_other(model: HFModel) -> None:
    async def both() -> tuple[int, list[list[Completion]]]:
        requests = [Request("def f(", seed=n, temperature=2.0, max_tokens=200) for n in range(4)]
        calls = asyncio.gather(model.sample(requests), model.sample(requests))
        ticks = 0
        while not calls.done():
            await asyncio.sleep(0.005)
            ticks += 1
        return ticks, await calls

    ticks, (first, second) = asyncio.run(both())
    assert ticks > 5
    assert first == second


def test_a_cancelled_call_soon_lets_the_next_one_in(model: HFModel) -> None:
    async def cancel() -> Completion:
        long = model.sample([Request("def f(", seed=n, temperature=9.0, max_tokens=1000) for n in range(64)])
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(long, 0.2)
        return (await asyncio.wait_for(model.sample([Request("x", seed=0, max_tokens=1)]), 2))[0]

    assert asyncio.run(cancel()).tokens == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "cannot be loaded"), ({"dtype": "float31"}, "no dtype 'float31'"), ({"device": "abacus"}, "abacus")],
)
def test_what_cannot_be_loaded_is_named(
    tmp_path: Path, checkpoint: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        HFModel(checkpoint if options else tmp_path / "none", **options)
    assert "\n" not in str(caught.value)


def test_without_torch_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['torch'] = None\nimport regreen.models.hf"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith("torch is not installed (pip install 'regreen[local]')")
