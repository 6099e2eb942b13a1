"""What servers send: any JSON at all, and texts whose tokens are known."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from regreen.models import Request
from regreen.models.answers import Answer, logprobs_of, read_answer, to_completion

_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.sampled_from(("code", "a")), some, max_size=2),
    max_leaves=5,
)


def _about(**fields: Any) -> Any:
    """Return JSON objects with some of these fields, each mostly as it should be."""
    return st.fixed_dictionaries({}, optional={name: field | _ANY for name, field in fields.items()}) | _ANY


_NUMBERS = st.lists(st.floats(max_value=0) | _ANY, max_size=3)
_TOKENS = st.lists(_about(token=st.text(max_size=3), logprob=st.floats(max_value=0), bytes=_NUMBERS), max_size=3)
_LOGPROBS = _about(content=_TOKENS, tokens=st.lists(st.text(max_size=3), max_size=3), token_logprobs=_NUMBERS)
_CALLS = st.lists(_about(function=_about(arguments=st.text(max_size=9))), max_size=2)
_MESSAGE = _about(content=st.text(max_size=5), reasoning=st.text(max_size=5), tool_calls=_CALLS)
_CHOICE = _about(text=st.text(max_size=5), message=_MESSAGE, finish_reason=st.text(max_size=5), logprobs=_LOGPROBS)
_USAGE = _about(completion_tokens=st.integers(), completion_tokens_details=_about(reasoning_tokens=st.integers()))


@given(_about(choices=st.lists(_CHOICE, min_size=1, max_size=1), usage=_USAGE))
def test_an_answer_is_read_or_is_a_value_error(payload: Any) -> None:
    try:
        answer = read_answer(payload)
    except ValueError:
        return
    completion = to_completion(answer, Request("", 0, stop=("a",)), untempered=True)
    assert isinstance(completion.text, str)
    assert isinstance(completion.tokens, int)
    assert isinstance(completion.prompt_tokens, int)
    assert all(value <= 0 for value in completion.token_logprobs or ())


@given(st.lists(st.text(max_size=4), min_size=1), st.data())
def test_log_probabilities_are_of_the_tokens_with_a_part_in_the_text(tokens: list[str], data: st.DataObject) -> None:
    whole = "".join(tokens)
    text = whole[: data.draw(st.integers(0, len(whole)))]
    pieces = tuple((token.encode(), -float(at)) for at, token in enumerate(tokens))
    owners = [at for at, token in enumerate(tokens) for _ in token.encode()]  # of each byte
    inside = owners[: len(text.encode())]
    expected = tuple(-float(at) for at in range(inside[0], inside[-1] + 1)) if inside else ()
    assert logprobs_of(text, Answer(whole, None, "stop", pieces, None)) == expected
