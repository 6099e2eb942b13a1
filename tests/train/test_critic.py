"""CodeRL's critic beside a twin that reads one program at a time, and on programs of katas."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from regreen.benchmarks import katas
from regreen.errors import InfrastructureError, InputError
from regreen.syntax import parse
from regreen.train.weighing import Group, Judged, official_code
from regreen.verdict import CheckResult, Outcome, Verdict
from tests.train.conftest import VOCABULARY
from tests.train.test_weighing import PROBLEM, plain

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from regreen.train.critic import CATEGORIES, Critic, Told  # noqa: E402


@pytest.fixture(params=["causal", "apart"])
def live(request, small):
    """A module of either sort; a critic asks for no tokenizer."""
    return (small() if request.param == "causal" else encoder_decoder(), None)


def encoder_decoder(dropout=0.0):
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=dropout,
        pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, initializer_factor=3.0,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return T5ForConditionalGeneration(config)


def told_of(count=9, seed=0):
    """Programs of many lengths; a category each."""
    draws = np.random.default_rng(seed)
    rows = [[draws.integers(2, VOCABULARY, draws.integers(1, 15)).tolist() for _ in range(2)] for _ in range(count)]
    return [Told(before, after, CATEGORIES[at % 4]) for at, (before, after) in enumerate(rows)]


def twin(critic, model, told):
    """Return the states of one program's tokens, from a pass of the whole model over it alone, in NumPy."""
    with torch.no_grad():
        if critic.apart:
            given = {"input_ids": torch.tensor([told.before]), "decoder_input_ids": torch.tensor([[0, *told.after]])}
            states_TH = model(**given, output_hidden_states=True).decoder_hidden_states[-1][0, 1:]
        else:
            read = model(torch.tensor([[*told.before, *told.after]]), output_hidden_states=True)
            states_TH = read.hidden_states[-1][0, len(told.before) :]
    return states_TH.double().numpy()


def by_hand(critic, states_H):
    head = critic.module["head"]
    scores = [b + float(np.dot(w, states_H)) for w, b in zip(head.weight.tolist(), head.bias.tolist(), strict=True)]
    shares = [math.exp(score - max(scores)) for score in scores]
    return [share / sum(shares) for share in shares]


def test_the_loss_is_the_cross_entropy_of_states_pooled_over_generated_tokens(live):
    critic, told = Critic(live), told_of()
    pooled = [twin(critic, live[0].eval(), each).max(0) for each in told]
    truth = [CATEGORIES.index(each.category) for each in told]
    shares = [by_hand(critic, states) for states in pooled]
    assert critic.guesses(told) == pytest.approx(np.array(shares), abs=1e-5)
    wanted = -sum(math.log(row[at]) for row, at in zip(shares, truth, strict=True)) / len(told)
    assert critic.learn(told) == pytest.approx(wanted, abs=1e-5)


def test_a_belief_is_the_head_on_one_token_s_state(live):
    critic, told = Critic(live), told_of()
    for each, believed_T in zip(told, critic.believes(told), strict=True):
        states_TH = twin(critic, live[0].eval(), each)
        wanted = [by_hand(critic, state)[CATEGORIES.index(each.category)] for state in states_TH]
        assert believed_T.tolist() == pytest.approx(wanted, abs=1e-5)
        assert believed_T.dtype == np.float32


def test_programs_side_by_side_are_believed_as_each_alone(live):
    told = told_of(17)
    together = Critic(live).believes(told)
    for most in (1, 60):
        for one, other in zip(Critic(live, most=most).believes(told), together, strict=True):
            assert one == pytest.approx(other, abs=1e-4)


def test_a_step_s_gradient_does_not_depend_on_how_it_is_cut_into_passes(live):
    told, found = told_of(17), []
    for most in (1, 60, 10_000):
        critic = Critic(live, most=most)
        loss = sum(critic._gradients([told[at] for at in part], len(told)) for part in critic._parts(told))
        found.append(torch.cat([w.grad.flatten() for w in critic.module.parameters() if w.grad is not None]))
        assert loss == pytest.approx(Critic(live).learn(told), abs=1e-5)
    assert all(float((each - found[-1]).norm() / found[-1].norm()) < 1e-3 for each in found)


def test_at_each_token_the_categories_probabilities_add_up_to_1(live):
    critic = Critic(live)
    for before, after, _ in told_of():
        shares = critic.believes([Told(before, after, category) for category in CATEGORIES])
        assert sum(shares) == pytest.approx(np.ones(len(after)), abs=1e-6)


def test_a_belief_knows_nothing_of_what_comes_later(live):
    critic = Critic(live)
    one, other = critic.believes([Told([5, 6], [7, 8, 9], "pass"), Told([5, 6], [7, 8, 40], "pass")])
    assert one[:2] == pytest.approx(other[:2], abs=1e-6)
    assert abs(one[2] - other[2]) > 1e-4  # and it has read its own token


def test_a_program_of_no_token_is_left_out():
    critic = Critic((encoder_decoder(), None))
    empty, other = Told([5], [], "syntax"), Told([5], [6], "pass")
    assert [len(each) for each in critic.believes([empty, other])] == [0, 1]
    assert critic.guesses([empty]).tolist() == [[0.25] * 4]
    assert critic.learn([empty]) == 0
    assert critic.steps == 0
    assert critic.learn([empty, other]) == pytest.approx(Critic((encoder_decoder(), None)).learn([other]))


def test_what_it_copies_is_left_as_it_was_and_so_is_the_process_s_generator(live):
    before = {name: weight.clone() for name, weight in live[0].state_dict().items()}
    state = torch.get_rng_state()
    critic = Critic(live, lr=1e-2)
    critic.learn(told_of())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(weight, before[name]) for name, weight in live[0].state_dict().items())
    (head,), (fresh,) = (each.module["head"].weight[None] for each in (critic, Critic(live)))
    assert not torch.equal(head, fresh)


def test_the_seed_decides_the_head_and_dropout():
    def losses(seed):
        critic = Critic((encoder_decoder(dropout=0.3), None), lr=1e-3, seed=seed)
        return [critic.learn(told_of()) for _ in range(3)]

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_what_is_saved_goes_on_exactly(tmp_path):
    model, told = encoder_decoder(dropout=0.3), told_of()
    critic = Critic((model, None), lr=1e-2)
    for _ in range(3):
        critic.learn(told)
    critic.save(tmp_path)
    other = Critic((model, None), lr=1e-2)
    other.restore(tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(critic.believes(told), other.believes(told), strict=True))
    assert [critic.learn(told) for _ in range(3)] == [other.learn(told) for _ in range(3)]
    states = critic.module.state_dict(), other.module.state_dict()
    assert all(torch.equal(weight, states[1][name]) for name, weight in states[0].items())
    assert critic.steps == other.steps == 6


def test_a_loss_that_is_no_number_ends_the_training(small):
    critic = Critic((small(), None))
    with torch.no_grad():
        critic.module["head"].weight.fill_(float("nan"))
    with pytest.raises(InfrastructureError, match="lower the learning rate"):
        critic.learn(told_of())


def test_a_model_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="cannot be loaded"):
        Critic("/nowhere")


def test_its_beliefs_weigh_the_rewards_of_the_code(live):
    program = plain(Outcome.TIMEOUT)
    greedy = Judged("", Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED),)))
    critic = Critic(live)
    (believed_T,) = critic.believes([Told(program.before, program.after, "error")])
    (weighed,) = official_code(Group(PROBLEM, [program], greedy), critic=[believed_T])
    assert weighed.lesson.rl[1:] == pytest.approx((-0.6 - 0.3 - 1.0) * believed_T, rel=1e-5)


def some_that_end_too_early(count, sandbox, tokenizer):
    """Solutions of katas, every other one cut where it does not parse, as if written."""
    draws, end = random.Random(0), [tokenizer.eos_token_id]
    for at, problem in enumerate(katas.generate("train", count=count)):
        source = str(problem.solution)
        head, body = source[: source.index("\n") + 1], source[source.rindex('"""\n') + 4 :].rstrip()
        if at % 2:
            body = draws.choice([body[:cut] for cut in range(len(body)) if parse(head + body[:cut]) is None])
        passed = sandbox.judge_now(problem, head + body).passed
        assert passed == (at % 2 == 0)
        yield Told(tokenizer(head)["input_ids"], tokenizer(body)["input_ids"] + end, "pass" if passed else "syntax")


def test_it_learns_to_tell_programs_that_do_not_parse_from_those_that_pass(sandbox, byte_level):
    told = list(some_that_end_too_early(350, sandbox, byte_level))
    unseen = told[300:]
    critic = Critic("tiny-base", lr=1e-3, device="cpu")
    for at in range(0, 300, 25):
        critic.learn(told[at : at + 25])
    right = critic.guesses(unseen).argmax(1) == [CATEGORIES.index(each.category) for each in unseen]
    assert right.mean() >= 0.75  # a guess is right in half
