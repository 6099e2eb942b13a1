"""Weights of tokens: the paper's equations and the code's reward, each counted once more by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.problem import Assert, Problem
from regreen.train.lessons import reinforced
from regreen.train.placing import places_of
from regreen.train.rewards import Coarse, Passed, PassRatio, Signal, Span
from regreen.train.weighing import (
    ALPHA_CAP,
    PAPER,
    Group,
    Judged,
    Term,
    Written,
    anchored,
    official_code,
    paper,
    rltf_terms,
    truncated,
)
from regreen.verdict import CheckResult, Outcome, Verdict

PROBLEM = Problem("p", "", (Assert("assert f(1) == 2"),) * 3, entry_point="f")
COARSE = {"pass": 1.0, "failure": -0.3, "error": -0.6, "syntax": -1.0}
TWO_THAT_RAN = st.lists(st.sampled_from([Outcome.PASSED, Outcome.WRONG_ANSWER]), min_size=2, max_size=2)
LINES = ["a = 1", "b = 22", "    c = 3", "dd = 4"]

# ---- random programs, every token one to three characters long ----


@st.composite
def programs(draw):
    """A source, its verdict, its category, and which line is at fault: a number, "all" or None."""
    lines = draw(st.lists(st.sampled_from(LINES), min_size=1, max_size=5))
    category = draw(st.sampled_from([*COARSE]))
    line = draw(st.integers(1, len(lines)))
    more, fault = {}, None
    outcomes = [Outcome.PASSED] * 3
    if category == "failure":
        outcomes = draw(st.permutations([Outcome.WRONG_ANSWER, *draw(TWO_THAT_RAN)]))
    elif category == "error":
        outcomes = [draw(st.sampled_from([Outcome.EXCEPTION, Outcome.TIMEOUT, Outcome.KILLED])), None, None]
        fault = {Outcome.TIMEOUT: "all", Outcome.EXCEPTION: line}.get(outcomes[0])
        more = {"error_type": "KeyError", "line": line, "line_text": lines[line - 1].strip()}
    elif category == "syntax":
        outcomes = [Outcome.SYNTAX_ERROR] * 3
        lines[line - 1] = "x = 1 1"  # the parser's first objection is to the first such line
        fault = "all" if line == len(lines) else line
        lines = [each.strip() for each in lines]
    checks = tuple(CheckResult(at, outcome, **more) for at, outcome in enumerate(outcomes))
    first = next((outcome for outcome in outcomes if outcome is not Outcome.PASSED), Outcome.PASSED)
    return "\n".join(lines) + "\n", Verdict(first, checks), category, fault


@st.composite
def written(draw):
    source, verdict, category, fault = draw(programs())
    text = draw(st.sampled_from(["", "Here it is:\n"])) + source
    places, at = [], 0
    while at < len(text):
        end = min(len(text), at + draw(st.integers(1, 3)))
        places.append((at, end))
        at = end
    places.append((at, at))  # the end of text
    program = Written([7, 7], [5] * len(places), text, places, source, verdict)
    return program, category, fault


def adaptive_of(category, verdict):
    passes = sum(check.outcome is Outcome.PASSED for check in verdict.checks)
    return -0.3 + 1.3 * passes / 3 if category in ("pass", "failure") else None


def at_fault(program, fault):
    """The tokens of the failing line, counted one by one; None for no line."""
    if fault in (None, "all"):
        return None
    skipped = len(program.text) - len(program.source)
    line = program.source.split("\n")[fault - 1]
    begin = skipped + sum(len(each) + 1 for each in program.source.split("\n")[: fault - 1])
    begin += len(line) - len(line.lstrip())
    characters = set(range(begin, begin + len(line.strip())))
    return [at for at, place in enumerate(program.places) if characters & set(range(*place))]


@given(written(), programs(), st.data())
def test_the_three_terms_add_up_to_the_printed_equations(drawn, greedy, data):
    program, category, fault = drawn
    logp = [data.draw(st.floats(-3, 0).map(lambda x: round(x, 2))) for _ in program.after]
    T = len(program.after)
    (weighed,) = paper(Group(PROBLEM, [program], Judged(greedy[0], greedy[1])))

    coarse = -(COARSE[category] - COARSE[greedy[2]]) * sum(logp)
    one, other = adaptive_of(category, program.verdict), adaptive_of(greedy[2], greedy[1])
    adaptive = -(one - other) * sum(logp) if None not in (one, other) else 0.0
    tokens = at_fault(program, fault)
    if fault == "all":
        fine = -1 * -0.3 * sum(logp)
    elif tokens:
        alpha = min(10, T / len(tokens))
        fine = -alpha * -0.3 * sum(logp[at] for at in tokens)
        assert weighed.alpha == pytest.approx(alpha)
        assert weighed.uncapped == pytest.approx(T / len(tokens))
    else:
        fine = 0.0
    loss = sum(weight * -value for weight, value in zip(weighed.lesson.rl[2:], logp, strict=True))
    assert loss == pytest.approx(coarse + fine + adaptive, abs=1e-4)
    assert weighed.lesson.rl_count == T
    assert weighed.lesson.rl[:2].tolist() == [0, 0]


@given(written(), programs(), st.sampled_from(["before", "after"]), st.booleans(), st.data())
def test_the_code_s_one_reward_for_each_token(drawn, greedy, penalty, has_critic, data):
    program, category, fault = drawn
    T = len(program.after)
    critic = [data.draw(st.floats(0, 1)) if has_critic else 1.0 for _ in range(T)]
    group = Group(PROBLEM, [program], Judged(greedy[0], greedy[1]))
    (weighed,) = official_code(group, penalty=penalty, critic=[critic] if has_critic else None)

    def value(name, verdict):
        return adaptive_of(name, verdict) if name == "failure" else COARSE[name]

    base = value(greedy[2], greedy[1])
    masked = range(T) if fault == "all" else at_fault(program, fault) or []
    twin = []
    for at in range(T):
        reward = value(category, program.verdict)
        if penalty == "before":
            reward = (reward - (0.3 if at in masked else 0) - base) * critic[at]
        else:
            reward = (reward - base) * critic[at] - (0.3 if at in masked else 0)
        twin.append(reward)
    assert weighed.lesson.rl[2:].tolist() == pytest.approx(twin, abs=1e-6)
    assert weighed.lesson.rl_count == T


def plain(outcome=Outcome.WRONG_ANSWER, tokens=6, source="abcdef", **more):
    verdict = Verdict(outcome, (CheckResult(0, outcome, **more),))
    return Written([1], [2] * tokens, source, [(at, at + 1) for at in range(tokens)], source, verdict)


def test_a_pass_gains_twice_in_the_paper_s_form_and_once_in_the_code_s():
    failing = Judged("", Verdict(Outcome.WRONG_ANSWER, (CheckResult(0, Outcome.WRONG_ANSWER),)))
    group = Group(PROBLEM, [plain(Outcome.PASSED)], failing)
    assert paper(group)[0].lesson.rl[1:] == pytest.approx([2.6] * 6)
    assert official_code(group)[0].lesson.rl[1:] == pytest.approx([1.3] * 6)


def test_each_term_can_be_switched_off_and_weighed():
    line = {"error_type": "KeyError", "line": 2, "line_text": "bc"}
    program = plain(Outcome.EXCEPTION, source="a\nbc\nd", **line)
    greedy = Judged("", Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED),)))
    group = Group(PROBLEM, [program], greedy)

    def weights(**parts):
        return paper(group, terms=rltf_terms(**parts))[0].lesson.rl[1:]

    only = [weights(**{name: 1, **dict.fromkeys({"coarse", "fine", "adaptive"} - {name}, 0)}) for name in
            ("coarse", "fine", "adaptive")]  # fmt: skip
    assert only[0].tolist() == pytest.approx([-1.6] * 6)
    assert only[1].tolist() == pytest.approx([0, 0, -0.9, -0.9, 0, 0])
    assert not only[2].any()
    assert weights(coarse=2, fine=0.5, adaptive=0) == pytest.approx(2 * only[0] + 0.5 * only[1])
    assert weights() == pytest.approx(sum(only))
    assert [term.name for term in PAPER] == ["coarse", "fine", "adaptive"]


def test_alpha_is_capped_and_told_as_it_would_have_been():
    source = "x\n" + "y = 1\n" * 20
    verdict = {"error_type": "KeyError", "line": 1, "line_text": "x"}
    program = plain(Outcome.EXCEPTION, tokens=len(source), source=source, **verdict)
    only = rltf_terms(coarse=0, adaptive=0)
    for cap in (ALPHA_CAP, 1000.0):
        (weighed,) = paper(Group(PROBLEM, [program]), terms=only, baseline="none", cap=cap)
        assert weighed.uncapped == len(source)
        assert weighed.alpha == min(cap, len(source))
        assert np.abs(weighed.lesson.rl).sum() == pytest.approx(0.3 * min(cap, len(source)))


def test_spans_may_weigh_less_than_1_and_overlap():
    class Half:
        def __call__(self, problem, source, verdict):
            return Signal(-1.0, (Span(0, 2, 0.5), Span(1, 3, 1.0)))

    (weighed,) = paper(Group(PROBLEM, [plain()]), terms=[Term("half", Half(), compared=False)])
    assert weighed.lesson.rl[1:].tolist() == pytest.approx([-1.2, -2.4, -2.4, 0, 0, 0])


def test_a_line_that_was_not_written_weighs_nothing():
    where = {"error_type": "KeyError", "line": 1, "line_text": "def f(x):"}
    program = replace(plain(Outcome.EXCEPTION, **where), source="def f(x):\nabcdef")
    (weighed,) = paper(Group(PROBLEM, [program]), terms=rltf_terms(coarse=0, adaptive=0))
    assert not weighed.lesson.rl.any()
    assert (weighed.lesson.rl_count, weighed.alpha, weighed.values["fine"]) == (6, None, -0.3)


def test_rloo_and_grpo_are_one_term_with_a_baseline():
    group = Group(PROBLEM, [plain(Outcome.PASSED), plain(), plain(), plain()])
    passed = [Term("passed", Passed())]
    rloo = [weighed.lesson.rl[1] for weighed in paper(group, terms=passed, baseline="leave-one-out")]
    assert rloo == pytest.approx([1, -1 / 3, -1 / 3, -1 / 3])
    grpo = [weighed.lesson.rl[1] for weighed in paper(group, terms=passed, baseline="grpo")]
    assert grpo == pytest.approx([0.75 / 0.5001, -0.25 / 0.5001, -0.25 / 0.5001, -0.25 / 0.5001])
    ratio = paper(group, terms=[Term("ratio", PassRatio(), weight=2.0)], baseline="mean")
    assert [weighed.lesson.rl[1] for weighed in ratio] == pytest.approx([1.5, -0.5, -0.5, -0.5])


def test_the_best_earlier_program_may_come_from_before_the_group():
    group = Group(PROBLEM, [plain(Outcome.PASSED), plain()], earlier=[Judged("", plain(Outcome.TIMEOUT).verdict)])
    found = [w.advantages for w in paper(group, baseline="best-so-far")]
    assert [each["coarse"] for each in found] == pytest.approx([1.6, -1.3])
    assert found[0]["adaptive"] is None  # no program before it ran
    assert found[1]["adaptive"] == pytest.approx(-1.3)


def test_a_greedy_baseline_needs_a_greedy_program():
    with pytest.raises(ValueError, match="no greedy program"):
        paper(Group(PROBLEM, [plain()]))
    with pytest.raises(ValueError, match="one place"):
        Group(PROBLEM, [replace(plain(), places=[])])


def test_a_step_is_divided_by_its_tokens_or_by_its_programs():
    group = Group(PROBLEM, [plain(), plain(Outcome.PASSED, tokens=3, source="abc")])
    term = [Term("coarse", Coarse())]
    by = {
        name: [weighed.lesson for weighed in paper(group, terms=term, baseline="none", reduction=name)]
        for name in ("mean", "sum")
    }
    assert [lesson.rl_count for lesson in by["mean"]] == [6, 3]
    assert [lesson.rl_count for lesson in by["sum"]] == [1, 1]
    assert [lesson.rl.tolist() for lesson in by["mean"]] == [lesson.rl.tolist() for lesson in by["sum"]]
    code = official_code(group, baseline="none", reduction="sum")
    assert [weighed.lesson.rl_count for weighed in code] == [1, 1]


@given(st.lists(st.tuples(*[st.floats(-6, 0, width=32)] * 2, st.floats(-2, 2, width=32)), min_size=1, max_size=8))
def test_importance_weights_are_ratios_of_probabilities_up_to_the_cap(tokens):
    now, then, weights = (list(column) for column in zip(*tokens, strict=True))
    lesson = reinforced([1, 2], [3] * len(tokens), weights, behaviour=then)
    found = truncated(lesson, [float("nan"), -1.0, *now])
    twin = [w * min(2.0, math.exp(n) / math.exp(t)) if w else 0.0 for n, t, w in tokens]
    assert found.rl[:2].tolist() == [0, 0]
    assert found.rl[2:].tolist() == pytest.approx(twin, rel=1e-4, abs=1e-6)
    assert found.rl_count == lesson.rl_count
    assert truncated(lesson, lesson.behaviour).rl.tolist() == lesson.rl.tolist()


def test_importance_weights_need_to_know_how_a_lesson_was_written():
    with pytest.raises(ValueError, match="behaviour"):
        truncated(reinforced([1], [2], 1.0), [0.0, 0.0])


def test_what_was_stored_when_a_program_was_written_goes_into_its_lesson():
    program = replace(plain(), behaviour=[-0.5] * 6)
    (weighed,) = paper(Group(PROBLEM, [program]), baseline="none")
    assert weighed.lesson.behaviour.tolist() == [0.0] + [-0.5] * 6


# ---- the judge, a real tokenizer, and a model ----


def judged(sandbox, tokenizer, text, source):
    tokens = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    verdict = sandbox.judge_now(PROBLEM, source)
    return Written([2, 3], tokens, text, places_of(tokenizer, text, tokens), source, verdict)


def test_the_fine_grained_term_touches_the_failing_line_alone_and_weighs_as_much_as_a_whole_program(sandbox, pieces):
    body = "    total = x + 1\n    return total + missing\n    # the rest is not reached, and not at fault\n"
    program = judged(sandbox, pieces, body, f"def f(x):\n{body}")
    fine = rltf_terms(coarse=0, adaptive=0)
    (line,) = paper(Group(PROBLEM, [program]), terms=fine, baseline="none")
    touched = pieces.decode(np.array(program.after)[line.lesson.rl[2:] != 0])
    assert touched.split() == ["return", "total", "+", "missing"]
    assert 1 < line.alpha < ALPHA_CAP
    (everything,) = paper(Group(PROBLEM, [endless(program)]), terms=fine, baseline="none")
    assert (everything.lesson.rl[2:] == np.float32(-0.3)).all()
    assert np.abs(line.lesson.rl).sum() == pytest.approx(np.abs(everything.lesson.rl).sum(), rel=1e-5)
    (capped,) = paper(Group(PROBLEM, [program]), terms=fine, baseline="none", cap=1.5)
    assert np.abs(capped.lesson.rl).sum() == pytest.approx(np.abs(line.lesson.rl).sum() * 1.5 / line.alpha, rel=1e-5)


def endless(program):
    """The same text, had it run out of time."""
    return replace(program, verdict=Verdict(Outcome.TIMEOUT, (CheckResult(0, Outcome.TIMEOUT),)))


def test_the_gradient_with_respect_to_the_logits_is_zero_outside_the_failing_line(sandbox, small, tokenizer):
    torch = pytest.importorskip("torch")
    from regreen.train.batches import stacked
    from regreen.train.learner import losses
    from regreen.train.policy import Policy

    body = "    y = x\n    return y + missing\n    # not reached\n"
    program = judged(sandbox, tokenizer, body, f"def f(x):\n{body}")
    (line,) = paper(Group(PROBLEM, [program]), terms=rltf_terms(coarse=0, adaptive=0), baseline="none")
    policy = Policy((small(len(tokenizer)), tokenizer), dtype="float32")
    kept = []

    def keep(module, given, output):
        output.retain_grad()
        kept.append(output)

    hook = policy.module.get_output_embeddings().register_forward_hook(keep)
    all_read = np.array([0] + [1] * (len(line.lesson) - 1), np.float32)  # so that every logit is made
    batch = stacked([replace(line.lesson, ce=all_read, ce_count=1.0)])
    _, rl = losses(policy.logprobs(batch), batch, 1.0, line.lesson.rl_count)
    rl.backward()
    hook.remove()
    (logits,) = kept
    moved = logits.grad.abs().sum(-1).reshape(-1) > 0
    assert len(moved) == len(line.lesson) - 1
    assert moved.tolist() == (line.lesson.rl[1:] != 0).tolist()
    assert 0 < moved.sum() < len(moved) / 1.5
    assert torch.isfinite(logits.grad).all()


# ---- the divergence from another policy ----


def test_the_divergence_s_gradient_is_in_expectation_that_of_the_divergence_itself():
    """All sequences of two tokens over three words, under policies that are tables: nothing is sampled."""
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    first, second, other_first, other_second = (
        torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((3,), (3, 3), (3,), (3, 3))
    )
    parameters = [first.requires_grad_(), second.requires_grad_()]

    def logs(one, two, a, b):
        return one.log_softmax(-1)[a], two[a].log_softmax(-1)[b]

    pairs = [(a, b) for a in range(3) for b in range(3)]
    divergence = 0.0
    for a, b in pairs:
        mine, theirs = sum(logs(first, second, a, b)), sum(logs(other_first, other_second, a, b))
        divergence = divergence + mine.exp() * (mine - theirs)
    exact = torch.autograd.grad(divergence, parameters)
    expected = 0.0
    for a, b in pairs:
        mine = logs(first, second, a, b)
        behaviour = [value.item() for value in mine]
        lesson = reinforced([0], [a, b], 0.0, behaviour=behaviour)
        reference = [float(value) for value in logs(other_first, other_second, a, b)]
        charged = anchored(lesson, reference, weight=0.5)
        loss = -sum(float(weight) * value for weight, value in zip(charged.rl[1:], mine, strict=True))
        expected = expected + math.exp(sum(behaviour)) * loss
    found = torch.autograd.grad(expected, parameters)
    for one, other in zip(exact, found, strict=True):
        assert torch.allclose(0.5 * one, other, atol=1e-5)


def test_only_generated_tokens_are_charged_and_none_where_nothing_differs():
    lesson = reinforced([5, 6, 7], [1, 2], [0.5, 0.25], behaviour=[-1.0, -2.0])
    same = anchored(lesson, [-1.0, -2.0], weight=3.0)
    assert same.rl.tolist() == lesson.rl.tolist()
    moved = anchored(lesson, [-1.5, -2.25], weight=2.0)
    assert moved.rl.tolist() == [0, 0, 0, 0.5 - 2 * 0.75, 0.25 - 2 * 0.25]
    with pytest.raises(ValueError, match="behaviour"):
        anchored(reinforced([5], [1], 1.0), [-1.0], weight=1.0)
