"""Sequence-to-sequence models as policies: beside a twin that reads one lesson at a time, with all its logits."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from regreen.models import Request
from regreen.train.batches import stacked
from regreen.train.lessons import reinforced, supervised
from regreen.train.schedules import Schedule
from tests.models import tiny
from tests.train.conftest import VOCABULARY
from tests.train.test_learner import Words, learner_of, mixed

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from regreen.models.hf import HFModel  # noqa: E402
from regreen.models.hf.batches import logits_of  # noqa: E402
from regreen.train.learner import AdamW, Learner  # noqa: E402
from regreen.train.policy import Lora, Policy, lesson_of, tokens_of  # noqa: E402

KINDS = ["t5", "t5-untied", "bart"]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def policy(small_apart, kind):
    return Policy((small_apart(kind), Words()), dtype="float32")


def bare(lessons):
    """The same lessons, none of whose tokens are hidden, as the twin reads them."""
    return [replace(lesson, hidden=None) for lesson in lessons]


def by_hand(policy, lesson):
    """The log-probability of each token of an answer: all logits of a pass over this lesson alone, at its heat."""
    before, after = lesson.ids[: lesson.given].tolist(), lesson.ids[lesson.given :].tolist()
    logits = logits_of(policy.module, before, after) / lesson.heat
    return (logits - logits.exp().sum(-1, keepdim=True).log()).gather(-1, torch.tensor(after)[:, None])[:, 0]


def flat(parts):
    return torch.cat([part.flatten() for part in parts])


def test_log_probabilities_are_those_of_one_lesson_at_a_time_with_all_its_logits(policy):
    lessons = bare(mixed(20, heats=(1.0, 0.6, 1.7)))
    together = policy.logprobs(stacked(lessons)).tolist()
    with torch.no_grad():
        alone = [value for lesson in lessons for value in by_hand(policy, lesson).tolist()]
    assert together == pytest.approx(alone, abs=1e-4)
    assert len({round(value, 2) for value in alone}) > 100


def test_lessons_of_several_lengths_and_with_hidden_tokens_give_what_each_gives_alone(small_apart, kind):
    policy = Policy((small_apart(kind).to(torch.float64), Words()), dtype="float32")
    lessons = mixed(20)
    lessons[1].hidden[-2:] = True  # of an answer
    together = iter(policy.logprobs(stacked(lessons)).tolist())
    for lesson in lessons:
        alone = policy.logprobs(stacked([lesson])).tolist()
        assert [next(together) for _ in alone] == pytest.approx(alone, abs=1e-10)


@pytest.mark.parametrize("most", [40, 10_000])
def test_the_gradient_is_that_of_the_twin_and_comes_of_the_tokens_that_weigh_alone(policy, most):
    lessons = bare(mixed(12, heats=(0.7, 1.0)))
    lessons[0].ce[lessons[0].given :: 2] = 0
    counts = sum(lesson.ce_count for lesson in lessons), sum(lesson.rl_count for lesson in lessons)
    loss = 0.0
    for lesson in lessons:
        weights_T = lesson.ce / counts[0] + lesson.rl / counts[1]
        loss = loss - (torch.from_numpy(weights_T[lesson.given :]) * by_hand(policy, lesson)).sum()
    trained = list(policy.module.parameters())
    wanted = flat(torch.autograd.grad(loss, trained))
    learner_of(policy, most=most)._gradients(lessons)
    assert float((flat(weight.grad for weight in trained) - wanted).norm() / wanted.norm()) < 1e-5


def test_only_places_that_weigh_reach_the_output_layer(policy):
    lessons = [reinforced([3, 4, 5], [6, 7, 8], [0.0, 1.0, 0.0]), supervised([9], [2, 3])]
    shapes = []
    policy.module.get_output_embeddings().register_forward_hook(lambda _, given, out: shapes.append(tuple(out.shape)))
    policy.logprobs(stacked(lessons))
    assert shapes == [(3, VOCABULARY)]


def test_no_lesson_sees_another_and_no_prompt_sees_its_answer(policy):
    lesson, token = supervised([5, 6], [7, 8]), policy.module.get_input_embeddings().weight
    other = supervised([9] * 10, [10] * 10)
    before = policy.logprobs(stacked([lesson, other]))[:2].tolist()
    changed = supervised([11] * 10, [12] * 10)
    assert policy.logprobs(stacked([lesson, changed]))[:2].tolist() == before
    later = supervised([5, 6], [7, 9])  # the first token of the answer is predicted before its second is read
    assert policy.logprobs(stacked([later, other]))[0].item() == pytest.approx(before[0], abs=1e-6)
    gradient = torch.autograd.grad(policy.logprobs(stacked([lesson, other]))[0], token)[0]
    output = policy.module.get_output_embeddings().weight
    if output is not token:
        assert gradient[[5, 6]].abs().sum() > 0
        assert gradient[[8, 9, 10]].abs().sum() == 0


def test_what_is_hidden_is_not_seen_and_moves_nothing(policy):
    base = supervised([5, 6, 7, 8], [9, 10], hidden=[False, True, True, False])
    logprobs = policy.logprobs(stacked([base])).tolist()
    assert policy.logprobs(stacked([replace(base, ids=np.array([5, 40, 41, 8, 9, 10]))])).tolist() == logprobs
    for seen in (replace(base, ids=np.array([40, 6, 7, 8, 9, 10])), replace(base, hidden=None)):
        assert policy.logprobs(stacked([seen])).tolist() != pytest.approx(logprobs, abs=1e-4)
    shorter = supervised([5, 8], [9, 10])  # were positions counted by the mask, these two would agree
    assert policy.logprobs(stacked([shorter])).tolist() != pytest.approx(logprobs, abs=1e-4)


def test_a_hidden_token_of_an_answer_is_read_where_the_next_is_predicted_and_by_no_later_one(policy):
    base = replace(supervised([5, 6], [7, 8, 9, 10, 11]), hidden=np.array([0, 0, 0, 1, 0, 0, 0], bool))
    logprobs = policy.logprobs(stacked([base])).tolist()
    changed = policy.logprobs(stacked([replace(base, ids=np.array([5, 6, 7, 40, 9, 10, 11]))])).tolist()
    assert [one == other for one, other in zip(logprobs, changed, strict=True)] == [True, False, False, True, True]


def test_reinforced_lessons_make_a_text_likelier_by_their_advantage(policy):
    for advantage in (1.0, -1.0):
        lesson = reinforced([3, 4], [5, 6, 7], advantage, heat=0.8)
        before = policy.logprobs(stacked([lesson])).sum().item()
        step = learner_of(policy, lr=1e-3, weight_decay=0.0).step([lesson])
        assert (policy.logprobs(stacked([lesson])).sum().item() - before) * advantage > 0
        assert (step.ce, step.tokens) == (0, 5)


def test_a_context_holds_prompt_and_answer_each_on_its_own_and_that_of_t5_has_no_end(small_apart):
    bart, t5 = (Policy((small_apart(kind), Words()), dtype="float32") for kind in ("bart", "t5"))
    assert (bart.context, bart.apart, t5.context, t5.apart) == (64, True, None, True)
    longest = supervised([5] * 64, [6] * 64)
    assert policy_can_read(bart, longest)
    assert policy_can_read(t5, supervised([5] * 700, [6] * 700))


def policy_can_read(policy, lesson):
    return bool(torch.isfinite(policy.logprobs(stacked([lesson]))).all())


def test_what_is_faster_is_chosen_by_trying_and_bfloat16_is_close(small_apart, kind):
    chosen = Policy((small_apart(kind), Words()))
    assert chosen.dtype in ("float32", "bfloat16")
    half, exact = (Policy((small_apart(kind), Words()), dtype=dtype) for dtype in ("bfloat16", "float32"))
    batch = stacked(bare(mixed()))
    gap = (half.logprobs(batch) - exact.logprobs(batch)).abs()
    assert float(gap.detach().mean()) < 0.2
    assert half.logprobs(batch).dtype == torch.float32


def test_a_checkpoint_is_loaded_and_sampled_and_goes_on(small_apart, kind, tokenizer, tmp_path):
    policy = Policy((small_apart(kind, len(tokenizer)), tokenizer), dtype="float32")
    lesson = lesson_of(policy, "def f(", "x):")
    learner = learner_of(policy, lr=3e-3)
    for _ in range(5):
        learner.step([lesson])
    policy.save(tmp_path)
    wanted = policy.logprobs(stacked([lesson])).tolist()
    again = Policy(tmp_path, dtype="float32", device="cpu")
    assert again.logprobs(stacked([lesson])).tolist() == wanted
    assert (again.weights, again.trained) == (policy.weights, policy.trained)
    fresh = Policy((small_apart(kind, len(tokenizer), seed=1), tokenizer), dtype="float32")
    fresh.restore(tmp_path)
    assert fresh.logprobs(stacked([lesson])).tolist() == wanted
    (completion,) = asyncio.run(policy.sampler().sample([Request("def f(", seed=0, temperature=1.0, max_tokens=9)]))
    (other,) = asyncio.run(HFModel(tmp_path).sample([Request("def f(", seed=0, temperature=1.0, max_tokens=9)]))
    assert completion == other


def test_what_was_sampled_is_scored_as_the_sampler_scored_it(small_apart, kind, tokenizer):
    policy = Policy((small_apart(kind, len(tokenizer)), tokenizer), dtype="float32")
    sampler = policy.sampler()
    prompt, text = "def add_two(a, b):\n", "    return a + b\n"
    lesson = lesson_of(policy, prompt, text)
    logprobs = policy.logprobs(stacked([lesson])).tolist()
    assert sum(logprobs[:-1]) == pytest.approx(asyncio.run(sampler.logprob(prompt, text)), abs=1e-3)
    assert tokens_of(policy, prompt, text)[1][-1] == tokenizer.eos_token_id


def test_an_adapter_learns_beside_weights_that_stay_and_is_merged_in_what_is_saved(
    small_apart, kind, tokenizer, tmp_path
):
    pytest.importorskip("peft")
    policy = Policy((small_apart(kind, len(tokenizer)), tokenizer), lora=Lora(rank=4), dtype="float32")
    assert policy.module.peft_config["default"].task_type == "SEQ_2_SEQ_LM"
    frozen = {name: weight.clone() for name, weight in policy.module.named_parameters() if not weight.requires_grad}
    lesson = supervised(*tokens_of(policy, "def f(", "x):"))
    learner = learner_of(policy)
    seen = [learner.step([lesson]).loss for _ in range(5)]
    assert seen[-1] < seen[0]
    assert all(torch.equal(weight, frozen[name]) for name, weight in policy.module.named_parameters() if name in frozen)
    policy.save(tmp_path)
    wanted = policy.logprobs(stacked([lesson])).tolist()
    merged = Policy(tmp_path, dtype="float32", device="cpu")
    assert merged.logprobs(stacked([lesson])).tolist() == pytest.approx(wanted, abs=1e-3)
    fresh = Policy((small_apart(kind, len(tokenizer)), tokenizer), lora=Lora(rank=4), dtype="float32", seed=1)
    fresh.restore(tmp_path)
    assert fresh.logprobs(stacked([lesson])).tolist() == wanted
    (completion,) = asyncio.run(fresh.sampler().sample([Request("def f(", seed=0, max_tokens=5)]))
    assert completion.tokens


def test_it_learns_programs_by_heart_and_writes_them(small_apart, tokenizer):
    policy = Policy((small_apart("t5", len(tokenizer), hidden=64), tokenizer), dtype="float32")
    pairs = list(tiny._lessons())[:4]
    lessons = [lesson_of(policy, *pair) for pair in pairs]
    learner = Learner(policy, AdamW(lr=3e-3, weight_decay=0.0), Schedule("constant", 100))
    seen = [learner.step(lessons).loss for _ in range(60)]
    assert seen[-1] < 0.1 < 2 < seen[0]
    written = asyncio.run(policy.sampler().sample([Request(prompt, seed=0, max_tokens=60) for prompt, _ in pairs]))
    assert [completion.text for completion in written] == [answer for _, answer in pairs]
