"""Swapped feedback: what may be drawn for whom, beside a twin that looks at every pair."""

from hypothesis import given
from hypothesis import strategies as st

from regreen.controls import Told, neighbours, strangers

ENTRIES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.text("ab", max_size=5), st.sampled_from(["wrong", "late"])),
    max_size=14,
    unique_by=lambda entry: entry[:2],
)


def told(entries):
    return [Told(f"p{p}", str(i), f"{i}.0", words, outcome, f"source {p} {i}") for p, i, words, outcome in entries]


@given(ENTRIES, st.integers(0, 5))
def test_a_stranger_s_feedback_is_another_problem_s_of_the_same_outcome_and_says_something_else(entries, seed):
    every = told(entries)
    found = strangers(every, seed=seed)
    for entry in every:
        others = [
            o for o in every
            if o.problem != entry.problem and o.outcome == entry.outcome and o.words != entry.words
        ]  # fmt: skip
        drawn = found.get((entry.problem, entry.child))
        assert (drawn is None) == (not others)
        assert drawn is None or drawn in others


@given(ENTRIES, st.integers(0, 5), st.randoms())
def test_what_is_drawn_depends_on_what_was_said_and_the_seed_alone(entries, seed, draws):
    every = told(entries)
    mixed = draws.sample(every, len(every))
    assert strangers(every, seed=seed) == strangers(mixed, seed=seed)
    assert neighbours(every, seed=seed) == neighbours(mixed, seed=seed)


def test_a_stranger_s_feedback_is_about_as_long():
    every = [Told(f"p{n}", "0", "0.0", "x" * n, "wrong") for n in range(100)]
    found = strangers(every)
    assert all(abs(len(other.words) - int(problem[1:])) <= 8 for (problem, _), other in found.items())
    assert len({len(other.words) - int(problem[1:]) for (problem, _), other in found.items()}) > 4


@given(ENTRIES, ENTRIES, st.integers(0, 5))
def test_a_neighbour_s_feedback_is_the_same_problem_s_on_another_program(entries, more, seed):
    every = told(entries)
    others = [Told(o.problem, o.node, f"fresh {o.child}", o.words, o.outcome, f"fresh {o.source}") for o in told(more)]
    found = neighbours(every, others, seed=seed)
    for entry in every:
        may = [o for o in (*every, *others) if o.problem == entry.problem and o.words != entry.words]
        drawn = found.get((entry.problem, entry.child))
        assert (drawn is None) == (not may)
        assert drawn is None or drawn in may
    assert set(found) <= {(entry.problem, entry.child) for entry in every}, "fresh programs give, and are given nothing"
