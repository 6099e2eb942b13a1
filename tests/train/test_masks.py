"""The past-generation mask: which tokens it may hide, how it draws, and that nothing sees what it hides."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.problem import Call, Problem, Stdio
from regreen.prompts import Wrong, load
from regreen.train.batches import Epochs, stacked
from regreen.train.lessons import supervised
from regreen.train.masks import Mask, region_of, spans_of, within

HEADER = 'def f(x):\n    """Double it.\n\n    ### Bad Solution:\n    ### Execution Failure:\n    """\n'
DOUBLE = Problem("double", "Double it.", (Call((1,), 2),), entry_point="f", meta={"prompt": HEADER})
SUM = Problem("sum", "Add.\n### Bad Solution:\n", (Stdio("1 2", "3"),))
CODE = "    y = '### Bad Solution:'\n    ### Bad Solution:\n    return '''\n### Execution Failure:\n'''\n"
PROMPTS = {
    "refine": load("refine").render(DOUBLE, wrong=Wrong(HEADER + CODE, "### Bad Solution:\nIt fails.")),
    "refine-program": load("refine-program").render(SUM, wrong=Wrong(CODE, "### Execution Failure:\nIt fails.")),
}


@pytest.mark.parametrize("name", PROMPTS)
def test_the_block_begins_at_its_heading_whatever_statement_program_and_failure_say(name):
    prompt = PROMPTS[name]
    begin, end = region_of(prompt, "block")
    block = prompt[begin:end]
    assert block.lstrip().startswith("### Bad Solution:\n\n")
    assert block.rstrip().endswith("### Good solution:")
    assert "It fails." in block
    assert block.count("'''") == 2
    assert prompt[:begin].rstrip().endswith('"""')
    begin, end = region_of(prompt, "code")
    code = prompt[begin:end]
    assert code.count("'''") == 2
    assert "It fails." not in code
    assert all(line.lstrip().startswith("# ") for line in code.strip().splitlines())


def test_a_prompt_without_a_wrong_program_has_no_block():
    plain = Problem("plain", "Add.", (Call((1,), 2),), entry_point="f", meta={"prompt": "def f(x):\n"})
    assert region_of(load("codex").render(plain), "block") is None
    assert not within([(0, 1), (1, 2), (2, 3)], None).any()


SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4)), min_size=1, max_size=12).map(
    lambda pairs: [(begin, begin + size) for begin, size in pairs]
)


@given(SPANS, st.integers(0, 20), st.integers(0, 20))
def test_only_tokens_whole_within_the_region_may_be_hidden_and_never_the_first_or_the_last(spans, begin, end):
    may = within(spans, (begin, end))
    for at, (start, stop) in enumerate(spans):
        inside = all(begin <= place < end for place in range(start, stop)) and stop > start
        assert may[at] == (inside and 0 < at < len(spans) - 1)


def test_the_mask_is_drawn_once_or_every_epoch_and_at_its_ratio():
    lessons = [supervised([7] * 400, [8]) for _ in range(5)]
    may = [within([(at, at + 1) for at in range(400)], (100, 400)) for _ in lessons]
    for redraw in (False, True):
        epochs = Epochs(lessons, tokens=401, seed=1, each=Mask(0.25, may, seed=3, redraw=redraw))
        drawn = [[lesson.hidden for step in range(5) for lesson in epochs(5 * epoch + step)] for epoch in range(2)]
        again = [lesson.hidden for step in range(5) for lesson in epochs(step)]
        assert all((a == b).all() for a, b in zip(drawn[0], again, strict=True)), "a step is a function of its number"
        assert len({hidden.tobytes() for hidden in drawn[0]}) == 5
        same = {hidden.tobytes() for hidden in drawn[0]} == {hidden.tobytes() for hidden in drawn[1]}
        assert same is not redraw
        shares = [hidden[100:399].mean() for of in drawn for hidden in of]
        assert abs(np.mean(shares) - 0.25) < 0.05
        assert not any(hidden[:100].any() or hidden[399:].any() for of in drawn for hidden in of)


def test_at_ratio_zero_and_without_a_block_a_lesson_stays_what_it_is():
    lesson = supervised([7] * 5, [8])
    some, none = np.array([False, True, True, True, False]), np.zeros(5, bool)
    assert Mask(0.0, [some], seed=0)(lesson, 0, 0) is lesson
    assert Mask(0.9, [none], seed=0)(lesson, 0, 0) is lesson


# ---- in models ----

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from regreen.train.policy import Policy, tokens_of  # noqa: E402


def llama(vocabulary):
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=1024, pad_token_id=0, bos_token_id=None, eos_token_id=1,
            initializer_range=0.3, tie_word_embeddings=False,
        )
    )  # fmt: skip


def qwen2(vocabulary):
    return transformers.Qwen2ForCausalLM(
        transformers.Qwen2Config(
            vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=1024, pad_token_id=0, bos_token_id=None, eos_token_id=1,
            initializer_range=0.3, tie_word_embeddings=False,
        )
    )  # fmt: skip


def gpt2(vocabulary):
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=vocabulary, n_embd=32, n_layer=2, n_head=4, n_positions=1024, pad_token_id=0, bos_token_id=None,
            eos_token_id=1, initializer_range=0.3, tie_word_embeddings=False,
        )
    )  # fmt: skip


KINDS = {"llama": llama, "qwen2": qwen2, "gpt2": gpt2}


@pytest.fixture(params=KINDS)
def policy(request, tokenizer):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = KINDS[request.param](len(tokenizer)).eval()
    return Policy((module, tokenizer), dtype="float32")


def masked(policy, ratio=0.5):
    """A lesson of the refine template as training sees it."""
    prompt = PROMPTS["refine"]
    before, after = tokens_of(policy, prompt, "    return 2 * x\n")
    spans = spans_of(policy.tokenizer, prompt)
    assert len(spans) == len(before)
    lesson = Mask(ratio, [within(spans, region_of(prompt, "block"))], seed=1)(supervised(before, after), 0, 0)
    assert lesson.hidden.sum() > 20
    return lesson, len(before)


def test_no_logit_of_the_answer_depends_on_what_is_hidden(policy):
    lesson, prompt = masked(policy)
    logprobs = policy.logprobs(stacked([lesson])).tolist()
    assert len(logprobs) == len(lesson) - prompt
    for token in (5, 77, 200):
        other = replace(lesson, ids=np.where(lesson.hidden, token, lesson.ids))
        assert policy.logprobs(stacked([other])).tolist() == logprobs
    seen = np.flatnonzero(~lesson.hidden[:prompt])[-1]
    other = replace(lesson, ids=np.where(np.arange(len(lesson)) == seen, lesson.ids + 1, lesson.ids))
    assert policy.logprobs(stacked([other])).tolist() != logprobs, "what is not hidden is seen"


def test_no_gradient_of_the_answer_reaches_what_is_hidden(policy):
    lesson, _ = masked(policy)
    weight = policy.module.get_input_embeddings().weight
    free = next(token for token in range(2, weight.shape[0]) if token not in lesson.ids)
    hidden = replace(lesson, ids=np.where(lesson.hidden, free, lesson.ids))
    open_to_all = replace(hidden, hidden=None)
    for each, reached in ((hidden, False), (open_to_all, True)):
        (gradient,) = torch.autograd.grad(policy.logprobs(stacked([each])).sum(), weight)
        assert bool(gradient[free].abs().sum() > 0) is reached


def test_hiding_moves_no_token_from_its_place(policy):
    """Were places counted by the mask, a lesson without its hidden tokens would be the same."""
    lesson, _ = masked(policy)
    kept = ~lesson.hidden
    shorter = replace(lesson, ids=lesson.ids[kept], ce=lesson.ce[kept], rl=lesson.rl[kept], hidden=None)
    far = policy.logprobs(stacked([shorter])).tolist()
    assert far != pytest.approx(policy.logprobs(stacked([lesson])).tolist(), abs=1e-3)


def test_a_masked_lesson_is_the_same_beside_others_that_have_no_mask(policy):
    lesson, prompt = masked(policy)
    longer = supervised([5] * (len(lesson) + 30), [6])
    alone = policy.logprobs(stacked([lesson])).tolist()
    beside = policy.logprobs(stacked([lesson, longer])).tolist()[: len(lesson) - prompt]
    assert beside == pytest.approx(alone, abs=1e-5)
