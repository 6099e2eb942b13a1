"""The buffer and the order of problems: what stays, what a step takes, and that both are functions of what they saw."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.train.online.buffer import Buffer
from regreen.train.online.orders import Order

PUSHES = st.lists(st.integers(1, 12), min_size=1, max_size=8)


def filled(size, pushes, seed=0):
    """A buffer of numbers in the order in which they came, and what each push did."""
    buffer, done, count = Buffer(size, seed=seed), [], 0
    for step, added in enumerate(pushes):
        done.append(buffer.push(range(count, count + added), step))
        count += added
    return buffer, done, count


def everything(buffer):
    return sorted(buffer.take(0, 1, 10_000)[0])


@given(st.integers(1, 20), PUSHES)
def test_the_newest_stay_and_every_item_is_kept_or_evicted_once(size, pushes):
    buffer, done, count = filled(size, pushes)
    kept = everything(buffer)
    assert len(buffer) == len(kept) == min(size, count)
    assert sum(push.added - push.evicted for push in done) == len(kept)
    chunks, whole = [], 0
    for added in pushes:
        chunks.append(range(whole, whole + added))
        whole += added
    present = [sum(item in chunk for item in kept) for chunk in chunks]
    partial = [at for at, chunk in enumerate(chunks) if 0 < present[at] < len(chunk)]
    assert len(partial) <= 1, "the oldest chunk goes first, and only the oldest that is there is cut"
    gone = [at for at, chunk in enumerate(chunks) if not present[at]]
    assert gone == list(range(len(gone)))
    assert partial in ([], [len(gone)])


def test_within_the_oldest_chunk_it_is_drawn_which_go():
    assert len({tuple(everything(filled(10, (8, 6), seed)[0])) for seed in range(20)}) > 5


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 10), st.integers(0, 5))
def test_an_interval_goes_through_the_whole_pool_before_anything_comes_again(items, count, interval, first):
    buffer, _, _ = filled(100, [items])
    seen = []
    for step in range(first * interval, (first + 1) * interval):
        chosen, ages = buffer.take(step, interval, count)
        assert len(chosen) == min(count, items)
        assert ages == [step] * len(chosen)
        seen += chosen
    times = Counter(seen)
    assert max(times.values()) - min(times.get(item, 0) for item in range(items)) <= 1


def test_a_buffer_that_was_pushed_the_same_again_gives_the_same_steps():
    one, other = filled(15, (8, 6, 9))[0], filled(15, (8, 6, 9))[0]
    assert [one.take(step, 4, 5) for step in range(12)] == [other.take(step, 4, 5) for step in range(12)]
    assert one.take(0, 4, 5) != one.take(4, 4, 5), "every interval has an order of its own"


def test_an_empty_buffer_gives_nothing():
    assert Buffer(4, seed=0).take(0, 1, 3) == ([], [])


def test_ages_count_from_the_step_at_which_an_item_was_drawn():
    buffer = Buffer(10, seed=0)
    buffer.push("ab", 3)
    buffer.push("c", 5)
    chosen, ages = buffer.take(7, 1, 10)
    assert dict(zip(chosen, ages, strict=True)) == {"a": 4, "b": 4, "c": 2}


@given(st.integers(1, 9), st.lists(st.integers(1, 7), min_size=1, max_size=9))
def test_every_problem_comes_once_before_any_comes_again(problems, counts):
    order = Order(problems, seed=1)
    taken = [at for count in counts for at in order.take(count)]
    for begin in range(0, len(taken), problems):
        turn = taken[begin : begin + problems]
        assert len(set(turn)) == len(turn)


def test_by_difficulty_what_came_to_the_same_rests_one_pass_more_each_time():
    order, visits = Order(3, sort="difficulty", seed=0), []
    for _ in range(60):
        (at,) = order.take(1)
        visits.append(at)
        order.told(at, [True, True] if at == 0 else [True, False])
    never = [at for at, problem in enumerate(visits) if problem == 0]
    gaps = [b - a for a, b in pairwise(never)]
    assert len(never) >= 4
    assert all(later >= earlier for earlier, later in zip(gaps, gaps[2:], strict=False))
    assert gaps[-1] > gaps[0]


def test_where_all_problems_rest_all_are_drawn():
    order = Order(4, sort="difficulty", seed=0)
    for _ in range(10):
        for at in order.take(4):
            order.told(at, [False, False])
    assert sorted(order.take(4)) == [0, 1, 2, 3]


@pytest.mark.parametrize("sort", ["uniform", "difficulty"])
def test_an_order_that_was_told_the_same_goes_on_alike_however_it_is_cut(sort):
    one, other = Order(5, sort=sort, seed=2), Order(5, sort=sort, seed=2)
    first = one.take(3) + one.take(4)
    assert other.take(7) == first
    for order in (one, other):
        for at in first:
            order.told(at, [at % 2 == 0, True])
    assert one.take(9) == other.take(9)
