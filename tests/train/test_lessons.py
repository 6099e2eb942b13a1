"""Lessons, batches and schedules: pure, and each beside a twin that counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.train.batches import Epochs, batched, read_apart, read_whole, stacked
from regreen.train.lessons import Lesson, fitting, reinforced, supervised
from regreen.train.schedules import Schedule

tokens = st.lists(st.integers(0, 50), min_size=1, max_size=9)
pairs = st.tuples(tokens, tokens)


@given(pairs, st.floats(0.125, 4, width=32))
def test_a_supervised_lesson_weighs_its_answer_and_nothing_of_its_prompt(pair, weight):
    before, after = pair
    lesson = supervised(before, after, weight=weight)
    assert lesson.ids.tolist() == before + after
    assert lesson.ce.tolist() == [0.0] * len(before) + [weight] * len(after)
    assert (lesson.ce_count, lesson.rl_count, lesson.rl.any()) == (len(after), 0, False)


@given(pairs, st.floats(-4, 4, width=32))
def test_a_reinforced_lesson_weighs_what_was_written_by_its_advantage_and_counts_it_even_at_zero(pair, advantage):
    before, after = pair
    lesson = reinforced(before, after, advantage, behaviour=[-0.5] * len(after))
    assert lesson.rl.tolist() == [0.0] * len(before) + [advantage] * len(after)
    assert lesson.behaviour.tolist() == [0.0] * len(before) + [-0.5] * len(after)
    assert (lesson.ce_count, lesson.rl_count, lesson.ce.any()) == (0, len(after), False)


def test_an_advantage_may_differ_from_token_to_token_and_a_lesson_may_count_as_one():
    lesson = reinforced([1, 2], [3, 4, 5], [0.0, 2.0, -1.0], count=1)
    assert lesson.rl.tolist() == [0, 0, 0, 2, -1]
    assert lesson.rl_count == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ce": [1, 1, 1]}, "first token is given"),
        ({"hidden": [True, False, False]}, "first token is given"),
        ({"rl": [0, 1, 1]}, "count for more than 0"),
        ({"ce": [0, math.nan, 1]}, "finite"),
        ({"ce": [0, 1]}, "one entry for each token"),
        ({"given": 0}, "first token is given"),
        ({"heat": 0.0}, "greater than 0"),
        ({"heat": math.inf}, "greater than 0"),
    ],
)
def test_a_lesson_that_makes_no_sense_is_refused(changed, words):
    kinds = {"ids": np.int64, "ce": np.float32, "rl": np.float32, "hidden": np.bool_}
    parts = {"ids": [1, 2, 3], "ce": [0, 1, 1], "rl": [0, 0, 0]} | changed
    arrays = {name: np.array(value, kinds[name]) if name in kinds else value for name, value in parts.items()}
    with pytest.raises(ValueError, match=words):
        Lesson(**arrays, ce_count=2, rl_count=0)


def test_lessons_that_do_not_fit_are_left_out_and_counted():
    lessons = [supervised([1], [2] * n) for n in (1, 5, 9)]
    kept, longer = fitting(lessons, 6)
    assert (kept, longer) == (lessons[:2], 1)
    assert fitting(lessons, None) == (lessons, 0)


def test_a_context_that_prompt_and_answer_do_not_share_holds_each_on_its_own():
    lessons = [supervised([1] * before, [2] * after) for before, after in ((6, 6), (7, 1), (1, 7), (2, 2))]
    assert fitting(lessons, 6, apart=True) == ([lessons[0], lessons[3]], 2)
    assert fitting(lessons, 6) == ([lessons[3]], 3)


@given(st.lists(pairs, min_size=1, max_size=12), st.integers(1, 60))
def test_batches_hold_every_lesson_once_whole_and_in_bounds(given_pairs, most):
    lessons = [supervised(*pair) for pair in given_pairs]
    batches = batched(lessons, most)
    rows = [row for batch in batches for row in rows_of(batch)]
    assert sorted(rows) == sorted((lesson.ids.tolist(), lesson.ce.tolist()) for lesson in lessons)
    for batch in batches:
        assert batch.ids_BT.size <= most or len(batch.ids_BT) == 1


@given(st.lists(pairs, min_size=1, max_size=12), st.integers(1, 60))
def test_batches_of_two_tables_hold_every_lesson_once_and_are_bounded_by_both_tables(given_pairs, most):
    lessons = [supervised(*pair) for pair in given_pairs]
    batches = batched(lessons, most, apart=True)
    rows = [row for batch in batches for row in rows_of(batch)]
    assert sorted(rows) == sorted((lesson.ids.tolist(), lesson.ce.tolist()) for lesson in lessons)
    for batch in batches:
        tables = read_apart(batch, 0).tables
        assert tables["input_ids"].size + tables["decoder_input_ids"].size <= most or len(batch.ids_BT) == 1


@given(st.lists(st.tuples(pairs, st.booleans(), st.integers(0, 2**30)), min_size=1, max_size=6), st.integers(0, 60))
def test_two_tables_are_those_of_a_twin_that_writes_them_token_by_token(drawn, start):
    lessons = [weighed_at_random(*pair, hides, seed) for pair, hides, seed in drawn]
    batch = stacked(lessons)
    read = read_apart(batch, start)
    tables, width = read.tables, read.tables["decoder_input_ids"].shape[1]
    wanted = []
    for row, lesson in enumerate(lessons):
        seen = [True] * len(lesson) if lesson.hidden is None else (~lesson.hidden).tolist()
        before, after = lesson.ids[: lesson.given].tolist(), [start, *lesson.ids[lesson.given :].tolist()]
        filled = tables["input_ids"].shape[1] - len(before)
        assert tables["input_ids"][row].tolist() == before + [0] * filled
        assert tables["attention_mask"][row].tolist() == [int(s) for s in seen[: lesson.given]] + [0] * filled
        assert tables["decoder_input_ids"][row].tolist()[: len(after)] == after[:width]
        if "decoder_attention_mask" in tables:
            told = tables["decoder_attention_mask"][row].tolist()[: len(after)]
            assert told == [1, *(int(s) for s in seen[lesson.given :])][:width]
        wanted += [row * width + at for at in range(len(after) - 1) if lesson.ce[lesson.given + at]]
    assert read.places.tolist() == wanted
    assert ("decoder_attention_mask" in tables) == any(lesson.hidden is not None for lesson in lessons)
    assert read_whole(batch).places.tolist() == (batch.places - 1).tolist()


def test_a_prompt_that_weighs_is_no_lesson_of_an_encoder():
    lesson = Lesson(np.array([1, 2, 3]), *np.array([[0, 1, 1], [0, 0, 0]], np.float32), 2, 0, given=2)
    assert read_whole(stacked([lesson])).places.tolist() == [0, 1]
    with pytest.raises(ValueError, match="a token of a prompt weighs"):
        read_apart(stacked([lesson]), 0)


def weighed_at_random(before, after, hides, seed):
    """A lesson of which some tokens weigh nothing, and some are hidden, in prompt and answer."""
    draws = np.random.default_rng(seed)
    lesson = supervised(before, after, hidden=[False] * len(before) if hides else None)
    lesson.ce[:] *= draws.random(len(lesson)) < 0.6
    if hides:
        lesson.hidden[1:] = draws.random(len(lesson) - 1) < 0.4
    return lesson


def rows_of(batch):
    """Each row up to its last token that weighs, which is its lesson's last."""
    ends = [int(np.flatnonzero(row)[-1]) + 1 for row in batch.ce_BT]
    return [(i[:e].tolist(), c[:e].tolist()) for i, c, e in zip(batch.ids_BT, batch.ce_BT, ends, strict=True)]


def test_places_are_those_of_tokens_that_weigh_in_either_stream():
    batch = stacked([supervised([9, 9], [1]), reinforced([9], [2, 3], [0.0, -1.0])])
    assert batch.places.tolist() == [2, 5]
    assert batch.tokens == 6
    assert (batch.hidden_BT, batch.behaviour_BT, batch.heat_B) == (None, None, None)
    assert batch.given_B.tolist() == [2, 1]


def test_what_only_some_lessons_have_is_filled_up_for_the_others():
    batch = stacked([supervised([9, 8], [1], hidden=[False, True]), reinforced([9], [2], 1.0, behaviour=[-3.0])])
    assert batch.hidden_BT.tolist() == [[False, True, False], [False, False, False]]
    assert np.array_equal(batch.behaviour_BT, [[np.nan] * 3, [0, -3, 0]], equal_nan=True)
    hot = stacked([supervised([9, 8], [1]), reinforced([9], [2], 1.0, heat=0.7)])
    assert hot.heat_B.tolist() == [1, 0.7]


@given(st.integers(1, 30), st.integers(1, 60), st.integers(0, 5))
def test_every_epoch_has_each_lesson_once_in_an_order_of_its_own_and_any_step_can_be_asked_for(count, size, seed):
    lessons = [supervised([1], [at]) for at in range(count)]
    epochs = Epochs(lessons, tokens=size, seed=seed)
    first, second = ([le for step in range(epochs.steps) for le in epochs(e * epochs.steps + step)] for e in (0, 1))
    assert sorted(le.ids[1] for le in first) == sorted(le.ids[1] for le in second) == list(range(count))
    later = Epochs(lessons, tokens=size, seed=seed)(epochs.steps)
    assert later == second[: len(later)]
    sizes = {len(epochs(step)) for step in range(epochs.steps)}
    assert max(sizes) - min(sizes) <= 1


def test_orders_differ_between_epochs_and_seeds():
    lessons = [supervised([1], [at]) for at in range(20)]
    orders = [
        [le.ids[1] for le in Epochs(lessons, tokens=1000, seed=seed)(epoch)] for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4


@pytest.mark.parametrize("course", ["cosine", "linear", "constant"])
def test_a_schedule_rises_to_its_peak_and_ends_at_its_floor(course):
    schedule = Schedule(course, steps=100, warmup=10, floor=0.1)
    values = [schedule(step) for step in range(101)]
    assert values[:10] == pytest.approx([n / 10 for n in range(1, 11)])
    assert values[10] == 1
    assert values[100] == pytest.approx(1 if course == "constant" else 0.1)
    assert values[10:] == sorted(values[10:], reverse=True)
    assert schedule(55) == pytest.approx({"cosine": 0.55, "linear": 0.55, "constant": 1}[course])
    assert schedule(1000) == values[100]


def test_a_schedule_without_warm_up_begins_at_its_peak():
    assert Schedule("linear", steps=4)(0) == 1
    with pytest.raises(ValueError, match="cosine, linear, constant"):
        Schedule("steps", steps=4)
