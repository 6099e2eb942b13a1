"""One prompt with many answers in a row: the same log-probabilities and gradients as rows of their own."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regreen.train.batches import stacked
from regreen.train.lessons import reinforced, supervised
from regreen.train.schedules import Schedule
from regreen.train.sharing import batched_shared, read_shared
from tests.train.conftest import VOCABULARY

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from regreen.train.learner import AdamW, Learner  # noqa: E402
from regreen.train.policy import Policy  # noqa: E402
from tests.train.test_learner import Words  # noqa: E402

TOKEN = st.integers(2, VOCABULARY - 1)
PROMPTS = st.lists(st.lists(TOKEN, min_size=1, max_size=6), min_size=1, max_size=3)


@st.composite
def groups(draw):
    """Lessons, some of them with one prompt; of some the last tokens do not weigh, and of some not the first."""
    lessons = []
    for prompt in draw(PROMPTS):
        for _ in range(draw(st.integers(1, 4))):
            answer = draw(st.lists(TOKEN, min_size=1, max_size=7))
            weights = draw(st.lists(st.sampled_from([0.0, 1.0, -0.5]), min_size=len(answer), max_size=len(answer)))
            weights[draw(st.integers(0, len(answer) - 1))] = 2.0
            lessons.append(reinforced(prompt, answer, weights, heat=draw(st.sampled_from([1.0, 0.7]))))
    return draw(st.permutations(lessons))


@pytest.fixture(scope="module")
def policy(small):
    return Policy((small(), Words()), dtype="float32")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lessons=groups())
def test_log_probabilities_are_those_of_rows_of_their_own(policy, lessons):
    alone = torch.cat([policy.logprobs(stacked([lesson])) for lesson in lessons])
    together = policy.logprobs(stacked(lessons, shared=True))
    assert torch.allclose(alone, together, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(lessons=groups(), most=st.integers(1, 40))
def test_every_lesson_is_in_one_batch_and_no_row_is_wider_than_it_must_be(lessons, most):
    found = batched_shared(lessons, most)
    rows = sorted(tuple(ids[: len(ids)]) for batch in found for ids in batch.ids_BT.tolist())
    assert len(rows) == len(lessons)
    assert sum(batch.tokens for batch in found) == sum(map(len, lessons))
    longest = max(map(len, lessons))
    for batch in found:
        if batch.shared:
            prompts = {tuple(ids[:given]) for ids, given in zip(batch.ids_BT.tolist(), batch.given_B, strict=True)}
            assert len(prompts) < len(batch.ids_BT), "what is alone is read as it always is"
            assert read_shared(batch).tables["input_ids"].shape[1] <= max(most, 2 * longest) * len(batch.ids_BT)


def test_answers_too_many_for_a_row_are_not_joined_in_one_again():
    lessons = [reinforced([5, 6], [7] * 400, 1.0) for _ in range(40)]
    rows = [read_shared(batch).tables["input_ids"].shape for batch in batched_shared(lessons, 65_536) if batch.shared]
    assert len(rows) == 4
    assert all(count == 1 and width <= 4096 for count, width in rows)


def test_an_answer_sees_its_prompt_and_itself_and_no_other(policy):
    one, other = reinforced([5, 6], [7, 8, 9], 1.0), reinforced([5, 6], [10, 11], 1.0)
    changed = replace(other, ids=np.array([5, 6, 30, 31]))
    first = policy.logprobs(stacked([one, other], shared=True))[:3]
    assert torch.equal(first, policy.logprobs(stacked([one, changed], shared=True))[:3])
    read = read_shared(stacked([one, other], shared=True))
    assert read.tables["input_ids"].tolist() == [[5, 6, 7, 8, 10]], "no answer's last token is read"
    assert read.tables["position_ids"].tolist() == [[0, 1, 2, 3, 2]]
    assert read.tables["attention_mask"][0, 0].astype(int).tolist() == [
        [1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1, 1, 0, 0, 1],
    ]  # fmt: skip
    assert read.places.tolist() == [1, 2, 3, 1, 4]


def test_a_step_on_programs_of_one_problem_is_that_of_rows_of_their_own(small):
    lessons = [reinforced([5, 6, 7, 8], [9 + n, 10, 11 + n], n - 1.5) for n in range(4)]
    lessons += [supervised([12, 13], [14, 15]), supervised([5, 6, 7, 8], [20, 21], hidden=[False, True, False, False])]
    steps = []
    for shares in (True, False):
        policy = Policy((small(), Words()), dtype="float32")
        assert policy.shares, "found out by doing it"
        policy.__dict__["shares"] = shares
        learner = Learner(policy, AdamW(1e-2), Schedule("constant", 1), most=64)
        steps.append((learner.step(lessons), torch.cat([w.detach().flatten() for w in policy.module.parameters()])))
    (one, mine), (other, theirs) = steps
    assert (one.tokens, one.rl) == (other.tokens, pytest.approx(other.rl, abs=1e-6))
    assert torch.allclose(mine, theirs, atol=1e-5)


def test_a_model_that_sees_near_tokens_alone_reads_rows_of_their_own(small):
    transformers = pytest.importorskip("transformers")
    config = transformers.MistralConfig(
        vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=3,
    )  # fmt: skip
    assert not Policy((transformers.MistralForCausalLM(config), Words()), dtype="float32").shares
    wide = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, resid_pdrop=0.5)
    )
    assert Policy((wide, Words()), dtype="float32").shares


def test_lessons_whose_prompt_weighs_are_read_in_rows_of_their_own():
    one, other = (replace(supervised([5, 6], [7, 8]), ce=np.ones(4, np.float32) * [0, 1, 1, 1]) for _ in range(2))
    assert [batch.shared for batch in batched_shared([one, other], 64)] == [False]


def test_lessons_that_weigh_nothing_are_not_read(small):
    policy = Policy((small(), Words()), dtype="float32")
    learner = Learner(policy, AdamW(1e-2), Schedule("constant", 1))
    step = learner.step([reinforced([5], [6, 7], 1.0), reinforced([5, 8], [6, 7, 9], 0.0)])
    assert step.tokens == 3
