"""The three orders, against a plain walk through the same tree."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regreen.evaluate import Choice, Judging, Sampling
from regreen.records import read_records
from regreen.repair import Repairing, repair
from tests.repair.models import Planned
from tests.toy import write_problems

JUDGING = Judging(timeout=2.0, sandbox="local:C")
PROBLEM = "toy/add"


def walk(right, np, nfr, depth, order, full):
    """Return the nodes that are grown, as the paper's pseudocode visits them."""
    grown = []

    def visit(node):
        grown.append(node)
        return node in right

    def below(node, left):
        return any(visit(f"{node}.{j}") or below(f"{node}.{j}", left - 1) for j in range(nfr if left else 0))

    if order == "dfs" and not full:
        for i in range(np):
            if visit(str(i)) or below(str(i), depth):
                return grown
        return grown
    level, one_by_one = [], order == "bfs" and not full
    for i in range(np):
        level.append(str(i))
        if visit(str(i)) and one_by_one:
            return grown
    for _ in range(depth):
        if not full and any(node in right for node in level):
            return grown
        following = []
        for node in level:
            for j in range(0 if node in right else nfr):
                following.append(f"{node}.{j}")
                if visit(f"{node}.{j}") and one_by_one:
                    return grown
        level = following
    return grown


NODES = [*map(str, range(3)), *(f"{i}.{j}" for i in range(3) for j in range(2))]
NODES += [f"{node}.{j}" for node in NODES[3:] for j in range(2)]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    right=st.sets(st.sampled_from(NODES), max_size=3),
    np=st.integers(1, 3),
    nfr=st.integers(1, 2),
    depth=st.integers(1, 2),
    order=st.sampled_from(["batched", "bfs", "dfs"]),
    full=st.booleans(),
)
def test_every_order_grows_what_the_pseudocode_visits(tmp_path_factory, right, np, nfr, depth, order, full):
    folder = tmp_path_factory.mktemp("orders")
    model = Planned({PROBLEM: right})
    repair(
        str(write_problems(folder)),
        model,
        sampling=Sampling(n=np, temperatures=(0.8,)),
        repairing=Repairing(nfr=nfr, depth=depth, order=order, full=full, controls=(), again=0),
        choice=Choice(only=(PROBLEM,)),
        judging=JUDGING,
        out=folder / "run",
    )
    nodes = [record["node"] for _, record in read_records(folder / "run" / "trees.jsonl")]
    expected = walk(right, np, nfr, depth, order, full)
    assert sorted(nodes) == sorted(expected)
    assert sorted(model.asked) == sorted((PROBLEM, node) for node in expected)
    if order != "batched" and not full:
        assert nodes == expected, "one by one, in this order"


@pytest.mark.parametrize("order", ["batched", "bfs", "dfs"])
def test_explanations_asked_for_apart_are_nodes_above_their_repairs(tmp_path, order):
    model = Planned({PROBLEM: {"0.1.1"}})
    repair(
        str(write_problems(tmp_path)),
        model,
        sampling=Sampling(n=1, temperatures=(0.8,)),
        repairing=Repairing(nf=2, nr=2, order=order, controls=(), again=0),
        choice=Choice(only=(PROBLEM,)),
        judging=JUDGING,
        out=tmp_path / "run",
    )
    nodes = {record["node"]: record for _, record in read_records(tmp_path / "run" / "trees.jsonl")}
    assert {name: node["kind"] for name, node in nodes.items()} == {
        "0": "program",
        **{f"0.{j}": "feedback" for j in range(2)},
        **{f"0.{j}.{k}": "repair" for j in range(2) for k in range(2)},
    }
    assert nodes["0.1.1"]["outcome"] == "passed"
    assert "It is wrong at 0.1." in model.prompts[PROBLEM, "0.1.0"]
    assert "outcome" not in nodes["0.1"]
