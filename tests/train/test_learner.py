"""The one loss beside a twin in NumPy, batches beside single rows, and what a step does."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from regreen.errors import InfrastructureError, InputError
from regreen.train.batches import stacked
from regreen.train.lessons import reinforced, supervised
from regreen.train.schedules import Schedule
from regreen.train.weighing import truncated
from tests.train.conftest import VOCABULARY

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

from regreen.train.learner import AdamW, Learner, losses  # noqa: E402
from regreen.train.policy import Lora, Policy, tokens_of  # noqa: E402


class Words:
    """As much of a tokenizer as a policy of numbers needs."""

    eos_token_id = 1

    def __len__(self):
        return VOCABULARY


@pytest.fixture
def policy(small):
    return Policy((small(), Words()), dtype="float32")


def learner_of(policy, *, most=4096, steps=100, **how):
    return Learner(policy, AdamW(**({"lr": 1e-2} | how)), Schedule("constant", steps), most=most)


def mixed(count=9, seed=0, heats=(1.0,)):
    """Lessons of many lengths, in both streams, some with hidden tokens; those that reinforce are of these heats."""
    draws = np.random.default_rng(seed)
    lessons = []
    for at in range(count):
        before, after = (draws.integers(2, VOCABULARY, draws.integers(2, 20)).tolist() for _ in range(2))
        if at % 3 == 2:
            weights, heat = draws.normal(size=len(after)), heats[at // 3 % len(heats)]
            lessons.append(reinforced(before, after, weights, behaviour=[-1.0] * len(after), heat=heat))
        else:
            hidden = [False, *(draws.random(len(before) - 1) < 0.3)] if at % 3 else None
            lessons.append(supervised(before, after, weight=1 + at / 4, hidden=hidden))
    return lessons


def logprobs_by_hand(module, lesson):
    """Each token's log-probability from a pass over this lesson alone, in NumPy; what is hidden is masked in 4D."""
    with torch.no_grad():
        see = torch.ones(len(lesson), len(lesson), dtype=torch.bool).tril()
        if lesson.hidden is not None:
            see &= ~torch.from_numpy(lesson.hidden)[None]
        logits = module(torch.from_numpy(lesson.ids)[None], attention_mask=see[None, None]).logits[0].double().numpy()
    logits = logits / lesson.heat
    shifted = logits - logits.max(-1, keepdims=True)
    table = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return np.array([0.0, *(table[t - 1, lesson.ids[t]] for t in range(1, len(lesson)))])


@pytest.mark.parametrize("heats", [(1.0,), (0.6, 1.0, 1.7)])
def test_the_loss_is_that_of_a_twin_in_numpy_which_reads_one_lesson_at_a_time(policy, heats):
    lessons = mixed(heats=heats)
    rows = [logprobs_by_hand(policy.module, lesson) for lesson in lessons]
    ce = -sum(float(le.ce @ row) for le, row in zip(lessons, rows, strict=True)) / sum(le.ce_count for le in lessons)
    rl = -sum(float(le.rl @ row) for le, row in zip(lessons, rows, strict=True)) / sum(le.rl_count for le in lessons)
    assert learner_of(policy).loss(lessons) == pytest.approx(ce + rl, abs=1e-5)
    step = learner_of(policy).step(lessons)
    assert (step.ce, step.rl) == pytest.approx((ce, rl), abs=1e-5)
    assert step.tokens == sum(map(len, lessons))


def test_a_batch_gives_each_token_the_log_probability_that_it_has_alone(policy):
    lessons = mixed(20)
    batch = stacked(lessons)
    together = iter(policy.logprobs(batch).tolist())
    for lesson in lessons:
        alone = policy.logprobs(stacked([lesson])).tolist()
        assert [next(together) for _ in alone] == pytest.approx(alone, abs=1e-6 * 10)


def test_no_lesson_sees_another(policy):
    short, long = supervised([5, 6], [7, 8]), supervised([9] * 10, [10] * 10)
    before = policy.logprobs(stacked([short, long]))[:2].tolist()
    for token in (11, 30, 59):
        other = supervised([token] * 10, [token] * 10)
        assert policy.logprobs(stacked([short, other]))[:2].tolist() == before
    gradient = torch.autograd.grad(policy.logprobs(stacked([short, long]))[:2].sum(), embeddings(policy))[0]
    assert gradient[[5, 6, 7]].abs().sum() > 0
    assert gradient[[9, 10]].abs().sum() == 0


def embeddings(policy):
    return policy.module.get_input_embeddings().weight


def test_what_is_hidden_is_not_seen_and_moves_nothing(policy):
    base = supervised([5, 6, 7, 8], [9, 10], hidden=[False, True, True, False])
    logprobs = policy.logprobs(stacked([base])).tolist()
    other = replace(base, ids=np.array([5, 40, 41, 8, 9, 10]))
    assert policy.logprobs(stacked([other])).tolist() == logprobs
    shorter = supervised([5, 8], [9, 10])  # were positions counted by the mask, these two would agree
    assert policy.logprobs(stacked([shorter])).tolist() != pytest.approx(logprobs, abs=1e-4)


@pytest.mark.parametrize("heat", [0.3, 0.8, 1.5])
def test_a_heat_divides_the_logits_and_its_gradient_is_that_of_the_tempered_softmax(small, heat):
    policy = Policy((small().to(torch.float64), Words()), dtype="float32")
    lesson = reinforced([3, 4], [5, 6, 7], [1.0, 0.0, -2.0], heat=heat)
    weights = list(policy.module.parameters())
    logits = policy.module(torch.from_numpy(lesson.ids)[None]).logits[0] / heat
    by_hand = [logits[at - 1, lesson.ids[at]] - logits[at - 1].exp().sum().log() for at in (2, 4)]
    found = policy.logprobs(stacked([lesson]))
    assert found.tolist() == pytest.approx([value.item() for value in by_hand], abs=1e-12)
    wanted = torch.autograd.grad(by_hand[0] - 2 * by_hand[1], weights)
    for one, other in zip(torch.autograd.grad(found[0] - 2 * found[1], weights), wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-12)


def test_the_score_of_what_is_drawn_hot_is_zero_on_average_only_at_its_heat(small):
    """The sum over all tokens of their probability at a temperature, times the gradient of their log-probability."""
    policy, heat = Policy((small().to(torch.float64), Words()), dtype="float32"), 0.5
    with torch.no_grad():
        logits = policy.module(torch.tensor([[3, 4, 5]])).logits[0, -1]
    shares = (logits / heat).softmax(-1).tolist()
    norms = []
    for scored_at in (heat, 1.0):
        lessons = [reinforced([3, 4, 5], [token], share, heat=scored_at) for token, share in enumerate(shares)]
        learner = learner_of(policy)
        learner._gradients(lessons)
        norms.append(float(torch.cat([weight.grad.flatten() for weight in policy.module.parameters()]).norm()))
        policy.module.zero_grad()
    assert norms[0] < 1e-6 < 1e-3 < norms[1]  # the shares are rounded to float32


def test_a_heat_of_one_changes_no_bit_and_a_lesson_beside_a_hot_one_neither(policy):
    cold, other = supervised([5, 6], [7, 8]), reinforced([9, 3], [4, 2], 1.0)
    before = policy.logprobs(stacked([cold, other])).tolist()
    assert policy.logprobs(stacked([cold, replace(other, heat=1.0)])).tolist() == before
    beside = policy.logprobs(stacked([cold, replace(other, heat=2.0)])).tolist()
    assert beside[:2] == before[:2]
    assert beside[2] != before[2]


@pytest.mark.parametrize(("dtype", "within"), [("float64", 1e-12), ("float32", 1e-6)])
@pytest.mark.parametrize("most", [30, 100, 10_000])
def test_lessons_side_by_side_give_the_gradient_of_one_at_a_time(small, dtype, within, most):
    """Of the whole gradient's norm; the twin reads each lesson alone and adds up by hand."""
    policy = Policy((small().to(getattr(torch, dtype)), Words()), dtype="float32")
    lessons = mixed(24, heats=(1.0, 0.7))
    counts = sum(lesson.ce_count for lesson in lessons), sum(lesson.rl_count for lesson in lessons)
    alone = 0.0
    for lesson in lessons:
        loss = sum(losses(policy.logprobs(stacked([lesson])), stacked([lesson]), *counts))
        parts = torch.autograd.grad(loss, list(policy.module.parameters()))
        alone = alone + torch.cat([part.flatten() for part in parts])
    learner_of(policy, most=most)._gradients(lessons)
    together = torch.cat([weight.grad.flatten() for weight in policy.module.parameters()])
    difference = float((together - alone).norm() / alone.norm())
    assert together.dtype == getattr(torch, dtype)
    assert difference < within


def test_a_step_does_not_depend_on_how_it_is_cut_into_passes(policy, small):
    lessons, steps = mixed(12), []
    for most in (30, 100, 10_000):
        twin = Policy((small(), Words()), dtype="float32")
        learner_of(twin, most=most).step(lessons)
        steps.append(torch.cat([weight.detach().flatten() for weight in twin.module.parameters()]))
    assert torch.allclose(steps[0], steps[2], atol=1e-5)
    assert torch.allclose(steps[1], steps[2], atol=1e-5)
    assert not torch.allclose(steps[2], torch.cat([w.detach().flatten() for w in policy.module.parameters()]))


def test_each_stream_is_normalised_by_its_own_count(policy):
    lessons = mixed()
    supervised_only = [lesson for lesson in lessons if lesson.ce_count]
    whole = learner_of(policy)
    assert whole.loss(lessons) == pytest.approx(
        whole.loss(supervised_only) + whole.loss([lesson for lesson in lessons if lesson.rl_count]), abs=1e-5
    )
    diluted = [*lessons, reinforced([3], [4, 5], 0.0)]
    counts = [sum(le.rl_count for le in group) for group in (lessons, diluted)]
    rl = [whole.loss(group) - whole.loss(supervised_only) for group in (lessons, diluted)]
    assert rl[1] == pytest.approx(rl[0] * counts[0] / counts[1], abs=1e-5)


def test_an_empty_stream_is_no_division_by_zero():
    batch = stacked([supervised([1], [2])])
    ce, rl = losses(torch.tensor([-2.0]), batch, 1.0, 0.0)
    assert (float(ce), float(rl)) == (2.0, 0.0)


def test_a_positive_advantage_makes_a_text_likelier_and_a_negative_one_less(policy):
    for advantage in (1.0, -1.0):
        lesson = reinforced([3, 4], [5, 6, 7], advantage)
        before = policy.logprobs(stacked([lesson])).sum().item()
        learner_of(policy, lr=1e-3, weight_decay=0.0).step([lesson])
        assert (policy.logprobs(stacked([lesson])).sum().item() - before) * advantage > 0


def test_matrices_decay_and_norms_do_not(policy):
    learner = learner_of(policy, lr=0.1, weight_decay=0.5)
    before = {name: weight.clone() for name, weight in policy.module.named_parameters()}
    learner.step([reinforced([3, 4], [5], 1e-30)])  # next to no gradient
    unused = embeddings(policy)[40], before["model.embed_tokens.weight"][40]
    assert torch.allclose(unused[0], unused[1] * (1 - 0.1 * 0.5))
    assert learner._how.betas == (0.9, 0.95)
    groups = [(len(group["params"]), group["weight_decay"]) for group in learner._adam.param_groups]
    assert groups == [(16, 0.5), (5, 0.0)]


def test_gradients_are_clipped_to_a_norm_and_the_learning_rate_follows_the_schedule(policy):
    learner = Learner(policy, AdamW(lr=0.5, clip=1e-3), Schedule("linear", 10, warmup=2))
    steps = [learner.step(mixed()) for _ in range(4)]
    assert [step.lr for step in steps] == pytest.approx([0.25, 0.5, 0.5, 0.5 * 7 / 8])
    assert steps[0].norm > 1e-3


def test_a_loss_that_is_no_number_ends_the_training(policy):
    with torch.no_grad():
        policy.module.lm_head.weight.fill_(float("nan"))
    with pytest.raises(InfrastructureError, match="lower the learning rate"):
        learner_of(policy).step(mixed())


def test_an_adapter_learns_beside_weights_that_stay_and_is_merged_in_what_is_saved(small, tokenizer, tmp_path):
    pytest.importorskip("peft")
    module = small(len(tokenizer))
    policy = Policy((module, tokenizer), lora=Lora(rank=4), dtype="float32")
    lesson = supervised(*tokens_of(policy, "def f(", "x):"))
    frozen = module.model.layers[0].mlp.up_proj.base_layer.weight.clone()
    learner = learner_of(policy)
    losses_seen = [learner.step([lesson]).loss for _ in range(5)]
    assert losses_seen[-1] < losses_seen[0]
    assert torch.equal(module.model.layers[0].mlp.up_proj.base_layer.weight, frozen)
    policy.save(tmp_path)
    merged = Policy(tmp_path, dtype="float32", device="cpu")
    wanted = policy.logprobs(stacked([lesson])).tolist()
    assert merged.logprobs(stacked([lesson])).tolist() == pytest.approx(wanted, abs=1e-4)
    fresh = Policy((small(len(tokenizer)), tokenizer), lora=Lora(rank=4), dtype="float32", seed=1)
    fresh.restore(tmp_path)
    assert fresh.logprobs(stacked([lesson])).tolist() == wanted


def test_bfloat16_is_close_to_float32_and_keeps_float32_weights(small):
    policy = Policy((small(), Words()), dtype="bfloat16")
    exact = Policy((small(), Words()), dtype="float32")
    batch = stacked(mixed())
    assert torch.allclose(policy.logprobs(batch), exact.logprobs(batch), atol=0.2)
    assert policy.logprobs(batch).dtype == torch.float32
    assert policy.module.dtype == torch.float32


def test_what_is_faster_here_is_chosen_by_trying_and_leaves_no_trace(small):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    policy = Policy((small(), Words()))
    assert torch.equal(torch.rand(3), expected)
    assert policy.dtype in ("float32", "bfloat16")
    assert all(weight.grad is None for weight in policy.module.parameters())


def test_a_tokenizer_of_another_vocabulary_is_refused(small, tokenizer):
    for vocabulary in (len(tokenizer) - 1, 2048):
        with pytest.raises(InputError, match="different vocabularies"):
            Policy((small(vocabulary), tokenizer))
    Policy((small(len(tokenizer) + 48), tokenizer), dtype="float32")


def test_a_model_without_weights_is_refused_and_one_that_is_shipped_is_found():
    for name in ("openai:gpt", "scripted:answers.jsonl"):
        with pytest.raises(InputError, match="weights are not on this machine"):
            Policy(name)
    assert Policy("tiny-base", dtype="float32", device="cpu").trained == 2_984_704


def test_tokens_are_those_that_the_sampler_reads_and_the_end_is_learned(small, tokenizer):
    policy = Policy((small(len(tokenizer)), tokenizer), dtype="float32")
    before, after = tokens_of(policy, "def f(x):\n", "    return x\n")
    assert before == tokenizer("def f(x):\n")["input_ids"]
    assert tokenizer.decode(after[:-1]) == "    return x\n"
    assert after[-1] == tokenizer.eos_token_id


# ---- programs that an earlier policy wrote ----


def aged(seed, *, known=True):
    """Lessons whose tokens were likelier or less likely when they were written, and the last of each certain."""
    draws = np.random.default_rng(seed)
    then = [[*draws.uniform(-9, -1, 2), 0.0] if known else None for _ in range(3)]
    return [reinforced([5, 6], [7, 8, 9], draws.normal(size=3), behaviour=behaviour) for behaviour in then]


def gradient_of(learner, lessons):
    learner.policy.module.zero_grad()
    learner._gradients(lessons)
    return torch.cat([weight.grad.flatten() for weight in learner.policy.module.parameters()])


def test_weights_of_stale_tokens_are_those_of_the_truncated_lessons(policy):
    lessons = aged(0)
    now = [np.zeros(len(lesson)) for lesson in lessons]
    for line, lesson in zip(now, lessons, strict=True):
        line[2:] = policy.logprobs(stacked([lesson])).tolist()
    by_hand = [truncated(lesson, line, cap=2.0) for lesson, line in zip(lessons, now, strict=True)]
    learner = Learner(policy, AdamW(lr=1e-3), Schedule("constant", 1), ratio=2.0)
    plain = Learner(policy, AdamW(lr=1e-3), Schedule("constant", 1))
    found = gradient_of(learner, lessons)
    assert torch.allclose(found, gradient_of(plain, by_hand), atol=1e-5)
    assert not torch.allclose(found, gradient_of(plain, lessons), atol=1e-4)


def test_dropout_makes_no_fresh_lesson_stale(small):
    policy = Policy((small(attention_dropout=0.5), Words()), dtype="float32")
    policy.module.eval()
    before, after = [5, 6, 7, 8], [9, 10, 11, 12]
    then = policy.logprobs(stacked([reinforced(before, after, 1.0)])).tolist()
    lessons = [reinforced(before, after, 1.0, behaviour=then)]
    assert Learner(policy, AdamW(lr=0.0), Schedule("constant", 1), ratio=2.0).step(lessons).drift < 1e-5
    assert Learner(policy, AdamW(lr=0.0), Schedule("constant", 1)).step(lessons).drift > 1e-3, "imitation keeps it"


def test_a_step_says_how_far_the_policy_has_gone_and_how_much_was_cut(policy):
    lessons = aged(1)
    gaps = np.concatenate([
        np.array(policy.logprobs(stacked([lesson])).tolist()) - lesson.behaviour[2:] for lesson in lessons
    ])  # fmt: skip
    step = Learner(policy, AdamW(lr=1e-3), Schedule("constant", 1), ratio=2.0).step(lessons)
    assert step.drift == pytest.approx(np.abs(gaps).mean(), abs=1e-5)
    assert step.truncated == pytest.approx((gaps > math.log(2)).mean())


def test_of_what_is_not_known_nothing_is_said(policy):
    step = learner_of(policy).step(aged(2, known=False))
    assert (step.drift, step.truncated) == (None, None)


def test_tokens_whose_beginning_is_not_known_weigh_what_they_weigh(policy):
    mixed_in = [*aged(3, known=False), *aged(4)]
    learner = Learner(policy, AdamW(lr=1e-3), Schedule("constant", 1), ratio=2.0)
    alone = gradient_of(learner, mixed_in[:3]) * 9 + gradient_of(learner, mixed_in[3:]) * 9
    assert torch.allclose(gradient_of(learner, mixed_in), alone / 18, atol=1e-6)
