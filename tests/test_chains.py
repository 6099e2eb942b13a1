"""What chains come to, held against counting by hand over plain lists of verdicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.chains import Share, chain_figures, interval, is_chain, share
from regreen.tree import Node, RepairTree

VERDICT = st.sampled_from([True, False, None])
CHAINS = st.lists(st.lists(VERDICT, min_size=1, max_size=4), min_size=1, max_size=6)


def grow(chains):
    """A tree for each list of verdicts; ours are the other way round, so that a mix-up shows."""
    trees = {}
    for number, verdicts in enumerate(chains):
        tree = trees[f"p{number}"] = RepairTree(f"p{number}")
        name = "0"
        for at, passed in enumerate(verdicts):
            if at:
                tree.add(Node(tree.problem, f"{name}.0", "feedback"))
                name += ".0.0"
            ours = {True: "wrong_answer", False: "passed", None: None}[passed]
            tree.add(Node(tree.problem, name, "repair" if at else "program", recorded=passed, outcome=ours))
    return trees


def count(verdicts):
    verdicts = list(verdicts)
    return Share(sum(v is True for v in verdicts), sum(v is False for v in verdicts), sum(v is None for v in verdicts))


@given(CHAINS)
def test_figures_are_what_counting_by_hand_gives(chains):
    found = chain_figures(grow(chains), verdicts="recorded")
    assert found.first == count(chain[0] for chain in chains)
    assert found.last == count(chain[-1] for chain in chains)
    assert found.repairs == count(verdict for chain in chains for verdict in chain[1:])
    assert found.mended == count(chain[-1] for chain in chains if chain[0] is False and len(chain) > 1)
    assert found.kept == count(chain[-1] for chain in chains if chain[0] is True and len(chain) > 1)
    assert found.left == sum(chain == [False] for chain in chains)
    assert len(found.rounds) == max(map(len, chains))
    for number, at in enumerate(found.rounds):
        assert at.programs == count(chain[number] for chain in chains if len(chain) > number)
        assert at.standing == count((chain + chain[-1:] * 9)[number] for chain in chains)
        pairs = [(chain + [None] * 9)[number - 1 : number + 1] for chain in chains if number]
        assert (at.repaired, at.broken) == (pairs.count([False, True]), pairs.count([True, False]))


@given(CHAINS)
def test_the_gain_is_the_mean_difference_and_unsaid_where_a_verdict_at_an_end_is_missing(chains):
    ends = [(chain[0], chain[-1]) for chain in chains]
    found = chain_figures(grow(chains), verdicts="recorded")
    if any(None in pair for pair in ends):
        assert found.gain is None
    else:
        assert found.gain.value == pytest.approx(sum(last - first for first, last in ends) / len(ends))
        assert found.gain.value == pytest.approx((found.mended.passed - found.kept.failed) / len(ends))
        assert found.gain.low <= found.gain.value + 1e-12
        assert found.gain.value <= found.gain.high + 1e-12


@given(CHAINS)
def test_our_verdicts_are_counted_apart_from_the_recorded_ones(chains):
    trees = grow(chains)
    ours, recorded = (chain_figures(trees, verdicts=v) for v in ("ours", "recorded"))
    assert (ours.repairs.passed, ours.repairs.failed) == (recorded.repairs.failed, recorded.repairs.passed)


@given(st.lists(VERDICT, min_size=1))
def test_bounds_are_the_rates_with_all_unknown_programs_wrong_and_with_all_of_them_right(verdicts):
    found = count(verdicts)
    filled = [[v if v is not None else guess for v in verdicts] for guess in (False, True)]
    assert found.bounds == pytest.approx(tuple(sum(guess) / len(guess) for guess in filled))
    assert found.rate == (None if None in verdicts else pytest.approx(sum(verdicts) / len(verdicts)))
    assert (interval(found) is None) == (found.rate is None)


def test_of_no_programs_there_is_no_rate():
    assert (Share().rate, Share().bounds, share([Node("p", "0.0", "feedback")], "ours")) == (None, None, Share())


def test_the_figures_are_plain_json():
    found = chain_figures(grow([[False, True], [None]]), verdicts="recorded").to_json()
    assert found["first"] == {"passed": 0, "failed": 1, "unknown": 1, "rate": None, "bounds": [0.0, 0.5]}
    assert found["gain"] is None
    assert set(chain_figures(grow([[False, True]]), verdicts="recorded").to_json()["gain"]) == {"value", "low", "high"}
    assert found["rounds"][1]["repaired"] == 1


def test_a_tree_with_branches_is_no_chain():
    tree = RepairTree("p", [Node("p", "0", "program"), Node("p", "0.0", "joint"), Node("p", "0.1", "joint")])
    assert not is_chain(tree)
    assert not is_chain(RepairTree("p", [Node("p", "0", "program"), Node("p", "1", "program")]))
    for trees in ({"p": tree}, {}):
        with pytest.raises(ValueError, match="width one"):
            chain_figures(trees)
