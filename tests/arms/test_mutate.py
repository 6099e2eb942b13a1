"""mutate and cases: inputs near a given one, never a hidden check's."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regreen import Assert, Call, Check, Problem
from regreen.arms.cases import calls_of, fresh_calls, input_key
from regreen.arms.mutate import mutate

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
HASHABLE = st.recursive(LEAVES, lambda inner: st.tuples(inner, inner) | st.frozensets(inner), max_leaves=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(HASHABLE, inner) | st.sets(HASHABLE),
    max_leaves=8,
)


@given(VALUES, st.integers())
@settings(deadline=None)
def test_a_mutation_has_the_type_of_its_origin_and_is_the_same_for_one_seed(value: Any, seed: int) -> None:
    before = repr(value)
    changed = mutate(value, Random(seed))
    assert type(changed) is type(value)
    assert repr(changed) == repr(mutate(value, Random(seed)))
    assert repr(value) == before


@pytest.mark.parametrize("value", [True, 3, 0.5, "ab", [1, 2], (1, 2), {"a": 1}, {1, 2}, frozenset({1})])
def test_every_type_that_can_be_changed_is(value: Any) -> None:
    assert any(mutate(value, Random(seed)) != value for seed in range(20))


def test_calls_are_read_off_call_checks_and_off_asserts_with_literal_arguments() -> None:
    code = "def check(candidate):\n    assert candidate([1], of=-2) == 3\n    assert candidate(x)\ncheck(f)\ng(1)"
    problem = Problem("p", "", (Call((1,), 2), Assert(code), Assert("assert f(")), entry_point="f")
    calls = calls_of(problem, (0, 1, 2))
    assert calls == [Call((1,), None, compare="close"), Call(([1],), None, {"of": -2}, "close")]


def test_equal_inputs_have_one_key_however_they_are_written() -> None:
    assert input_key(Call((1, [2]), 0)) == input_key(Call((True,), 9, {"x": (2.0,)}))
    assert input_key(Call(({"a": 1, "b": 2},), 0)) == input_key(Call(({"b": 2, "a": 1},), 0))
    assert input_key(Call((1,), 0)) != input_key(Call((2,), 0))
    assert input_key(Call(("1",), 0)) != input_key(Call((1,), 0))


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=30), st.data())
@settings(deadline=None)
def test_no_input_that_is_made_equals_that_of_a_check(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    written: list[Check] = [Assert(f"assert f({a}, [{b}]) == 0") if a % 2 else Call((a, [b]), 0) for a, b in pairs]
    revealed = tuple(sorted(data.draw(st.sets(st.sampled_from(range(len(pairs)))))))
    problem = Problem("p", "", tuple(written), revealed=revealed, entry_point="f")
    made = fresh_calls(problem, 20, seed=3)
    keys = [input_key(call) for call in made]
    assert not set(keys) & {input_key(Call((a, [b]), 0)) for a, b in pairs}
    assert len(keys) == len(set(keys))
    assert made == fresh_calls(problem, 20, seed=3)
    assert bool(made) == bool(revealed)
    assert made != fresh_calls(replace(problem, id="q"), 20, seed=3) or len(made) < 4
