"""The client for OpenAI-compatible servers, against servers that misbehave and against real ones."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from email.utils import formatdate
from time import time
from typing import Any

import pytest

from regreen.errors import InfrastructureError, InputError
from regreen.extract import extract
from regreen.models import Completion, Request, endpoint
from tests.models.servers import Answer, Asked, Reply, ScriptedServer, Toy, error, in_turn, log_softmax, message, text

pytest.importorskip("openai")

from regreen.models.openai import OpenAIModel
from regreen.prompts import Message

ASK = Request("def add(a, b):\n", seed=1)
CHAT = Request((Message("system", "Be brief."), Message("user", "Add.")), seed=1)


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Take keys out of the environment, and most of the waiting out of what is no test of it."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    if "waits" not in request.node.name:
        monkeypatch.setattr(endpoint, "_FIRST_WAIT", 0.05)


def model_of(server: ScriptedServer, **options: Any) -> OpenAIModel:
    return OpenAIModel("toy", base_url=server.base_url, **{"tries": 3, **options})


def answers(answer: Answer, *requests: Request, **options: Any) -> tuple[list[Completion], ScriptedServer]:
    """Ask a server that answers so, and return what it made of the requests, and the server with its log."""
    with ScriptedServer(answer) as server:
        return asyncio.run(model_of(server, **options).sample(requests)), server


def only(answer: Answer, request: Request = ASK, **options: Any) -> Completion:
    ((completion,), _) = answers(answer, request, **options)
    return completion


# ---- what fails for a while ----


@pytest.mark.parametrize(
    "bad",
    [
        error(429, "slow down"),
        error(408, "too slow"),
        error(409, "locked"),
        error(500, "oops"),
        error(503, "Loading model"),
        Reply(b"<html>Bad Gateway</html>", 502, {"Content-Type": "text/html"}),
        Reply({"choices": [{"index": 0, "text": "cut", "finish_reason": "stop"}]}, cut=True),
        Reply(b'{"choices": [{"text": "trunc'),
        Reply(b"", headers={"Content-Type": "application/json"}),
        Reply(b"hello", headers={"Content-Type": "text/plain"}),
        Reply([1, 2]),
        Reply({"choices": []}),
        Reply({"choices": None}),
        Reply({"choices": ["text"]}),
        Reply({"choices": [{"index": 0}]}),
        Reply({"choices": [{"message": "text"}]}),
        Reply({"choices": [{"text": "one"}, {"text": "two"}]}),
    ],
    ids=lambda bad: f"{bad.status} {str(bad.body)[:30]}{' cut' if bad.cut else ''}",
)
def test_an_answer_that_cannot_be_used_is_asked_for_again(bad: Reply) -> None:
    (completion,), server = answers(in_turn(bad, text("ok")), ASK)
    assert completion.text == "ok"
    assert len(server.asked) == 2
    assert server.asked[0].body == server.asked[1].body


@pytest.mark.parametrize("after", ["1.2", formatdate(time() + 3600, usegmt=True)], ids=["seconds", "a date"])
def test_a_server_is_left_alone_as_long_as_it_asks(after: str) -> None:
    busy = error(429, "slow down")
    replies = in_turn(Reply(busy.body, 429, {"Retry-After": after}), text("ok"))
    if after == "1.2":
        _, server = answers(replies, ASK)
        assert server.asked[1].at - server.asked[0].at >= 1.2
    else:  # an hour is more than one waits for an answer: then the run ends, and is resumed later
        with pytest.raises(InfrastructureError, match="after 1 tries"):
            answers(replies, ASK, timeout=600)


def test_waits_grow_and_are_drawn_from_the_seed() -> None:
    def waits(seed: int) -> list[float]:
        _, server = answers(in_turn(*[error(500, "oops")] * 2, text("ok")), Request("hi", seed=seed))
        ats = [asked.at for asked in server.asked]
        return [late - early for early, late in itertools.pairwise(ats)]

    first, again = waits(3), waits(3)
    assert 0.25 <= first[0] <= 0.6
    assert 0.5 <= first[1] <= 1.1
    assert first == pytest.approx(again, abs=0.1)


@pytest.mark.parametrize("pause", ["delay", "drip"])
def test_an_answer_that_takes_too_long_is_asked_for_again(pause: str) -> None:
    slow = Reply(text("slow").body, **{pause: {"delay": 1.5, "drip": 0.15}[pause]})
    (completion,), server = answers(in_turn(slow, text("ok")), ASK, timeout=0.5)
    assert completion.text == "ok"
    assert len(server.asked) == 2


def test_a_server_that_stays_broken_is_named_with_the_last_cause() -> None:
    with pytest.raises(InfrastructureError, match=r"http://127.0.0.1:\d+/v1/completions: .* 2 tries.*500 oops"):
        only(in_turn(error(500, "oops")), tries=2)


def test_a_server_that_is_not_there_is_named_once_for_all_requests() -> None:
    model = OpenAIModel("toy", base_url="http://127.0.0.1:9/v1", tries=2)

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(model.sample([ASK]) for _ in range(8)), return_exceptions=True)

    started = time()
    raised = asyncio.run(all_at_once())
    assert all(isinstance(one, InfrastructureError) and "127.0.0.1:9" in str(one) for one in raised)
    assert time() - started < 3


def test_one_failure_ends_the_other_requests() -> None:
    def answer(asked: Asked) -> Reply:
        return error(403, "no") if asked.body["prompt"] == "bad" else Reply(text("late").body, delay=5)

    started = time()
    with pytest.raises(InputError):
        answers(answer, Request("slow", seed=1), Request("bad", seed=2))
    assert time() - started < 4


# ---- what is refused for good ----


def test_a_wrong_key_names_the_variable_to_set() -> None:
    with pytest.raises(InputError, match="OPENAI_API_KEY"):
        only(in_turn(error(401, "Incorrect API key provided")))


def test_no_key_and_no_address_is_an_error_that_says_what_to_set() -> None:
    with pytest.raises(InputError, match=r"OPENAI_API_KEY.*--base-url"):
        OpenAIModel("gpt-x")


def test_the_key_comes_from_the_argument_then_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(**options: Any) -> str:
        _, server = answers(in_turn(text("ok")), ASK, **options)
        return server.asked[0].headers["authorization"]

    assert sent() == "Bearer none"
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert sent() == "Bearer from-environment"
    assert sent(api_key="given") == "Bearer given"


def test_neither_key_nor_password_stands_in_the_facts() -> None:
    with ScriptedServer(in_turn(text("ok"))) as server:
        url = server.base_url.replace("http://", "http://user:secret@")
        model = OpenAIModel("toy", base_url=url, api_key="sk-hidden")
        asyncio.run(model.sample([ASK]))
    shown = json.dumps(model.facts) + repr(model)
    assert "secret" not in shown
    assert "sk-hidden" not in shown
    assert model.facts["base_url"] == server.base_url


@pytest.mark.parametrize(
    "refusal",
    [error(404, "The model `toy` does not exist", code="model_not_found"), error(400, "unknown model: toy")],
)
def test_an_unknown_model_is_answered_with_those_the_server_has(refusal: Reply) -> None:
    models = Reply({"data": [{"id": "llama"}, {"id": "qwen"}]})
    with (
        ScriptedServer(in_turn(refusal), models=models) as server,
        pytest.raises(InputError, match=r"no model toy .*has: llama, qwen"),
    ):
        asyncio.run(model_of(server).sample([ASK]))


def test_an_address_without_a_server_of_models_says_how_addresses_end() -> None:
    with (
        ScriptedServer(in_turn(error(404, "Not Found")), models=error(404, "Not Found")) as server,
        pytest.raises(InputError, match="ends in /v1"),
    ):
        asyncio.run(model_of(server).sample([ASK]))


def test_any_other_refusal_gives_the_servers_words() -> None:
    words = "Unsupported value: 'temperature' does not support 0 with this model."
    with pytest.raises(InputError, match="does not support 0"):
        only(in_turn(error(400, words, param="temperature")), CHAT)
    with pytest.raises(InputError, match="thinking"):
        only(in_turn(Reply({"detail": [{"loc": ["body", "thinking_token_budget"]}]}, 422)), CHAT, thinking_budget=5)


OVERFLOWS = [
    error(400, "request (2001 tokens) exceeds the available context size (512 tokens), try increasing it",
          type="exceed_context_size_error", code=400),
    error(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.", code=400),
    error(400, "Input tokens exceed the configured limit of 272000 tokens.", code="context_length_exceeded"),
    error(400, "'max_tokens' or 'max_completion_tokens' is too large: 600. This model's maximum context length is 512"),
    error(400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
    error(422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4100 `inputs` tokens"),
    error(400, "prompt is too long: 210000 tokens > 200000 maximum"),
    error(500, "Context size has been exceeded."),
]  # fmt: skip


@pytest.mark.parametrize("overflow", OVERFLOWS, ids=range(len(OVERFLOWS)))
@pytest.mark.parametrize("request_", [ASK, CHAT], ids=["text", "chat"])
def test_a_prompt_that_is_too_long_is_an_error_of_its_sample_alone(overflow: Reply, request_: Request) -> None:
    (first, second), server = answers(in_turn(overflow, text("ok")), request_, request_, parallel=1)
    assert (first.text, first.tokens, first.finish) == ("", 0, "error")
    assert first.error
    assert second.text == "ok"
    assert len(server.asked) == 2


# ---- what is sent ----


def test_everything_that_decides_a_sample_is_sent() -> None:
    request = Request("hi", seed=2**63 + 5, temperature=0.7, top_p=0.9, max_tokens=9, stop=("\ndef", "\nif"))
    _, server = answers(in_turn(text("ok")), request)
    assert server.asked[0].path == "/v1/completions"
    assert server.asked[0].body == {
        "model": "toy", "prompt": "hi", "seed": 5, "temperature": 0.7, "top_p": 0.9, "max_tokens": 9,
        "stop": ["\ndef", "\nif"], "logprobs": 1,
    }  # fmt: skip


def test_messages_are_sent_as_a_chat() -> None:
    _, server = answers(in_turn(message("ok")), CHAT)
    assert server.asked[0].path == "/v1/chat/completions"
    assert server.asked[0].body == {
        "model": "toy", "seed": 1, "temperature": 0.0, "top_p": 1.0, "max_tokens": 512, "logprobs": True,
        "top_logprobs": 1,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add."}],
    }  # fmt: skip


def test_effort_and_budget_of_reasoning_are_passed_on_and_recorded() -> None:
    with ScriptedServer(in_turn(message("ok"))) as server:
        model = model_of(server, reasoning_effort="high", thinking_budget=100)
        asyncio.run(model.sample([CHAT]))
    body = server.asked[0].body
    assert body["reasoning_effort"] == "high"
    assert body["thinking_token_budget"] == body["thinking_budget_tokens"] == 100
    assert body["chat_template_kwargs"] == {"thinking_budget": 100}
    assert model.facts["reasoning_effort"] == "high"
    assert model.facts["thinking_budget"] == 100


def test_requests_are_in_flight_at_once_but_no_more_than_allowed() -> None:
    slow = Reply(text("ok").body, delay=0.3)
    _, server = answers(lambda _: slow, *[Request(str(number), seed=number) for number in range(12)], parallel=4)
    ats = sorted(asked.at for asked in server.asked)
    assert len(ats) == 12
    assert ats[3] - ats[0] < 0.25
    assert ats[4] - ats[0] >= 0.3


def test_completions_come_in_the_order_of_the_requests() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(text(asked.body["prompt"]).body, delay=0.2 if asked.body["prompt"] in "02" else 0.0)

    completions, _ = answers(answer, *[Request(str(number), seed=number) for number in range(4)])
    assert [completion.text for completion in completions] == ["0", "1", "2", "3"]


def test_one_model_serves_several_event_loops_and_probes_once() -> None:
    with ScriptedServer(in_turn(text("ok"))) as server:
        model = model_of(server)
        for _ in range(3):
            assert asyncio.run(model.sample([ASK]))[0].text == "ok"
        probes = [asked for asked in server.log if asked.is_probe]
    assert len(server.asked) == 3
    assert 5 <= len(probes) <= 12


# ---- a server that refuses a field ----


def refusing(*fields: str, words: str = "Unsupported parameter: '{}' is not supported with this model.") -> Answer:
    """Refuse requests with one of these fields, as OpenAI does."""

    def answer(asked: Asked) -> Reply:
        found = [name for name in fields if name in asked.body]
        said = message if asked.is_chat else text
        return error(400, words.format(found[0]), param=found[0]) if found else said("ok")

    return answer


def test_max_completion_tokens_is_used_where_max_tokens_is_refused() -> None:
    words = "Unsupported parameter: '{}' is not supported with this model. Use 'max_completion_tokens' instead."
    with ScriptedServer(refusing("max_tokens", words=words)) as server:
        model = model_of(server)
        for _ in range(2):
            assert asyncio.run(model.sample([CHAT]))[0].text == "ok"
    assert [("max_tokens" in asked.body, "max_completion_tokens" in asked.body) for asked in server.asked] == [
        (True, False), (False, True), (False, True),
    ]  # fmt: skip


def test_fields_that_a_sample_does_not_need_are_given_up_and_it_is_said() -> None:
    with ScriptedServer(refusing("logprobs", "top_logprobs", "seed", "stop")) as server:
        model = model_of(server)
        request = Request(CHAT.prompt, seed=1, stop=("k",))
        (completion,) = asyncio.run(model.sample([request]))
    assert completion.text == "o"  # cut here
    assert set(model.facts["not_sent"]) == {"logprobs", "top_logprobs", "seed", "stop"}
    assert len([said for said in model.facts["warnings"] if "refuses" in said]) == 4


def test_four_stop_strings_are_sent_where_more_are_refused() -> None:
    def answer(asked: Asked) -> Reply:
        return error(400, "too many", param="stop") if len(asked.body["stop"]) > 4 else text("ok 5 rest")

    (completion,), server = answers(answer, Request("hi", seed=1, stop=("1", "2", "3", "4", "5")))
    assert completion.text == "ok "
    assert server.asked[-1].body["stop"] == ["1", "2", "3", "4"]


# ---- what comes back ----


def test_a_stop_string_is_cut_and_so_are_its_log_probabilities() -> None:
    tokens = {"tokens": ["a", "b\n", "de", "f x"], "token_logprobs": [-0.1, -0.2, -0.3, -0.4]}
    reply = text("ab\ndef x", logprobs=tokens, finish_reason="length")
    completion = only(in_turn(reply), Request("hi", seed=1, stop=("\ndef",)))
    assert completion.text == "ab"
    assert completion.token_logprobs == (-0.1, -0.2)
    assert completion.finish == "stop"


def test_the_end_of_text_is_no_token_of_the_text() -> None:
    tokens = {"tokens": ["a", "é", "<eos>"], "token_logprobs": [-0.1, -0.2, -0.3]}
    assert only(in_turn(text("aé", logprobs=tokens))).token_logprobs == (-0.1, -0.2)


def test_tokens_are_matched_by_their_bytes_where_these_are_given() -> None:
    content = [{"token": "�", "bytes": [195], "logprob": -1.0}, {"token": "�", "bytes": [169], "logprob": -2.0}]
    assert only(in_turn(text("é", logprobs={"content": content}))).token_logprobs == (-1.0, -2.0)


def test_parts_of_characters_in_a_text_do_not_cost_its_log_probabilities() -> None:
    tokens = [("a", [97]), ("", [195]), ("b", [98]), ("<eos>", [])]
    content = [{"token": token, "bytes": part, "logprob": -1.0} for token, part in tokens]
    assert only(in_turn(text("a\ufffdb", logprobs={"content": content}))).token_logprobs == (-1.0, -1.0, -1.0)


@pytest.mark.parametrize(
    "logprobs",
    [
        {"tokens": ["o", "k"], "token_logprobs": [-0.1]},
        {"tokens": ["o", "k"], "token_logprobs": [-0.1, 0.5]},
        {"tokens": ["o", "k"], "token_logprobs": [-0.1, None]},
        {"tokens": ["o", "k"], "token_logprobs": [None, -0.1]},
        {"tokens": ["n", "o"], "token_logprobs": [-0.1, -0.1]},
        {"content": []},
        None,
    ],
    ids=json.dumps,
)
def test_log_probabilities_that_do_not_fit_the_text_are_left_out(logprobs: Any) -> None:
    completion = only(in_turn(text("ok", logprobs=logprobs)))
    assert completion.text == "ok"
    assert completion.token_logprobs is None


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_and_its_tokens_are_kept_apart(field: str) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 30, "completion_tokens_details": {"reasoning_tokens": 20}}
    completion = only(in_turn(message("answer", usage=usage, **{field: "let me think"})), CHAT)
    assert completion == Completion("answer", 30, None, "stop", "let me think", 20, 7)


def test_the_log_probabilities_of_reasoning_are_not_those_of_the_answer() -> None:
    tokens = [{"token": part, "logprob": -float(at)} for at, part in enumerate(["so ok", "</think>", "ok", "<eos>"])]
    reply = message("ok", reasoning="so ok")
    reply.body["choices"][0]["logprobs"] = {"content": tokens}
    assert only(in_turn(reply), CHAT).token_logprobs == (-2.0,)


def test_an_answer_cut_in_its_reasoning_is_truncated() -> None:
    completion = only(in_turn(message(None, finish="length", reasoning_content="and so on")), CHAT)
    assert (completion.text, completion.finish, completion.reasoning) == ("", "length", "and so on")


def call(arguments: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "run", "arguments": arguments}}


PROGRAM = "def add(a, b):\n    return a + b"


@pytest.mark.parametrize(
    "arguments",
    [
        json.dumps({"code": PROGRAM, "language": "python"}),
        json.dumps({"source": PROGRAM}),
        json.dumps({"anything": PROGRAM, "timeout": 3}),
        json.dumps(PROGRAM),
        {"program": PROGRAM},
        PROGRAM,
    ],
    ids=range(6),
)
def test_a_program_in_a_tool_call_is_extracted(arguments: Any) -> None:
    completion = only(in_turn(message(None, finish="tool_calls", tool_calls=[call(arguments)])), CHAT)
    assert completion.finish == "stop"
    assert "tool_call" in completion.text
    assert extract(completion.text).source.strip() == PROGRAM


def test_the_last_of_several_tool_calls_is_extracted_and_text_comes_before_calls() -> None:
    calls = [call(json.dumps({"code": "print(1)"})), call(json.dumps({"code": PROGRAM}))]
    assert extract(only(in_turn(message("", tool_calls=calls)), CHAT).text).source.strip() == PROGRAM
    assert only(in_turn(message("words", tool_calls=calls)), CHAT).text == "words"


def test_a_program_that_holds_a_fence_survives_a_tool_call() -> None:
    program = 'doc = """\n```\nhi\n```\n"""\nprint(doc)\n'
    completion = only(in_turn(message(None, tool_calls=[call(json.dumps({"code": program}))])), CHAT)
    assert extract(completion.text).source == program


def test_a_model_that_says_nothing_is_an_answer() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    assert only(in_turn(message("", usage=usage)), CHAT) == Completion("", 1, None, "stop", prompt_tokens=3)
    assert only(in_turn(text(""))).finish == "stop"


def test_a_filtered_answer_is_an_error_of_its_sample() -> None:
    completion = only(in_turn(message("half", finish="content_filter")), CHAT)
    assert (completion.text, completion.finish) == ("", "error")
    assert "filter" in (completion.error or "")


def test_tokens_are_counted_by_the_server_or_by_its_log_probabilities() -> None:
    tokens = {"tokens": ["o", "k", "<eos>"], "token_logprobs": [-0.1, -0.2, -0.3]}
    with ScriptedServer(in_turn(text("ok", logprobs=tokens), text("ok"))) as server:
        model = model_of(server)
        counted, unknown = [asyncio.run(model.sample([ASK]))[0].tokens for _ in range(2)]
    assert (counted, unknown) == (3, 0)
    assert model.facts["usage"] is False


# ---- the probe ----


def probed(toy: Toy, request: Request = ASK) -> tuple[dict[str, Any], Completion]:
    with ScriptedServer(toy, probed=False) as server:
        model = model_of(server)
        (completion,) = asyncio.run(model.sample([request]))
    return model.facts, completion


@pytest.mark.parametrize("request_", [ASK, CHAT], ids=["text", "chat"])
def test_nothing_is_said_about_an_honest_server(request_: Request) -> None:
    facts, completion = probed(Toy(), request_)
    assert facts["honours"] == {"temperature": True, "seed": True, "logprobs": True, "n": True}
    assert facts["warnings"] == []
    assert facts["probed"]
    assert completion.token_logprobs is not None
    assert len(completion.token_logprobs) == completion.tokens


SENTENCES = {
    "temperature": "to ignore the temperature",
    "seed": "ignores the seed",
    "logprobs": "gives no log-probabilities",
    "n": "ignores n ",
}


@pytest.mark.parametrize("request_", [ASK, CHAT], ids=["text", "chat"])
@pytest.mark.parametrize(
    ("ignores", "honours"),
    [
        ({"temperature"}, {"temperature": False, "seed": None, "logprobs": True, "n": True}),
        ({"temperature", "logprobs", "n"}, {"temperature": False, "seed": None, "logprobs": False, "n": False}),
        ({"sampling"}, {"temperature": False, "seed": True, "logprobs": True, "n": True}),
        ({"sampling", "seed"}, {"temperature": False, "seed": False, "logprobs": None, "n": True}),
        ({"seed"}, {"temperature": True, "seed": False, "logprobs": True, "n": True}),
        ({"n"}, {"temperature": True, "seed": True, "logprobs": True, "n": False}),
        ({"logprobs"}, {"temperature": True, "seed": True, "logprobs": False, "n": True}),
    ],
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, set) else "",
)
def test_what_a_server_ignores_is_found_and_said(
    ignores: set[str], honours: dict[str, bool | None], request_: Request
) -> None:
    facts, _ = probed(Toy(frozenset(ignores)), request_)
    if "sampling" in ignores:
        honours = honours | {"logprobs": facts["honours"]["logprobs"]}  # it depends on the words drawn
    assert facts["honours"] == honours
    for name, sentence in SENTENCES.items():
        said = any(sentence in warning for warning in facts["warnings"])
        assert said == (honours[name] is False)


def test_values_that_change_with_the_temperature_are_kept_at_temperature_1_only() -> None:
    def values(toy: Toy, temperature: float) -> tuple[float, ...] | None:
        return probed(toy, Request("hi", seed=3, temperature=temperature))[1].token_logprobs

    assert values(Toy(tempered=True), 0.5) is None
    assert values(Toy(tempered=True), 0.0) is None
    assert values(Toy(tempered=True), 1.0) is not None
    assert values(Toy(), 0.5) is not None


def test_values_that_are_kept_are_those_of_the_model() -> None:
    toy = Toy()
    _, completion = probed(toy, Request("hi", seed=3, temperature=0.5, max_tokens=8))
    words = ["", *(f" {word}" for word in completion.text.split())]
    for last, word, value in zip(words, words[1:], completion.token_logprobs or (), strict=False):
        assert log_softmax(toy.logits(last))[int(word[2:])] == pytest.approx(value)


def test_a_model_that_is_sure_of_every_word_leaves_the_question_open() -> None:
    for ignores in ((), ("temperature",)):
        facts, _ = probed(Toy(frozenset(ignores), sharpness=1000.0))
        assert facts["honours"]["temperature"] is None
        assert any("could not be told" in warning for warning in facts["warnings"])


def test_a_probe_that_is_refused_does_not_stop_the_run() -> None:
    def answer(asked: Asked) -> Reply:
        return error(400, "no such words here") if asked.is_probe else text("ok")

    with ScriptedServer(answer, probed=False) as server:
        model = model_of(server)
        assert asyncio.run(model.sample([ASK]))[0].text == "ok"
    assert model.facts["probed"] is False
    assert any("could not be probed" in warning for warning in model.facts["warnings"])


def test_a_question_of_the_probe_that_fails_leaves_it_open() -> None:
    toy = Toy()

    def answer(asked: Asked) -> Reply:
        return error(400, "temperature must be below 1.5") if asked.body["temperature"] > 1.5 else toy(asked)

    with ScriptedServer(answer, probed=False) as server:
        model = model_of(server)
        asyncio.run(model.sample([ASK]))
    assert model.facts["honours"] == {"temperature": None, "seed": None, "logprobs": True, "n": None}


def test_another_model_than_the_one_asked_for_is_said() -> None:
    with ScriptedServer(in_turn(text("ok")), models=Reply({"data": [{"id": "other"}]})) as server:
        model = model_of(server)
        asyncio.run(model.sample([ASK]))
    assert model.facts["server_models"] == ["other"]
    assert any("other" in warning for warning in model.facts["warnings"])


def test_facts_are_plain_json() -> None:
    facts, _ = probed(Toy())
    assert json.loads(json.dumps(facts)) == facts


# ---- the probability of a text ----


def logprob(toy: Toy, prompt: Any, continuation: str) -> float:
    with ScriptedServer(toy) as server:
        return asyncio.run(model_of(server).logprob(prompt, continuation))


def test_the_probability_of_a_text_is_that_of_its_tokens() -> None:
    toy, words = Toy(), ["w3", "w1", "w4", "w1", "w5"]
    expected = sum(log_softmax(toy.logits(f" {last}"))[int(word[1:])] for last, word in itertools.pairwise(words[1:]))
    assert logprob(toy, " w3 w1", " w4 w1 w5") == pytest.approx(expected)
    assert logprob(toy, " w3 w1", "") == 0


@pytest.mark.parametrize("ignores", ["echo", "logprobs"])
def test_a_server_that_cannot_tell_probabilities_of_a_text_is_an_error(ignores: str) -> None:
    with pytest.raises(InputError, match="echo"):
        logprob(Toy(frozenset((ignores,))), " w3", " w4")


def test_a_text_after_a_chat_has_no_probability_here() -> None:
    with pytest.raises(InputError, match="chat"):
        logprob(Toy(), CHAT.prompt, " w4")


def test_a_prompt_with_no_probability_for_its_first_token_is_an_error_and_not_nan() -> None:
    with pytest.raises(InputError):
        assert not math.isnan(logprob(Toy(), "", " w4 w1"))


def test_no_requests_ask_nothing_of_the_server() -> None:
    with ScriptedServer(in_turn(text("ok"))) as server:
        assert asyncio.run(model_of(server).sample(())) == []
        assert server.log == []
