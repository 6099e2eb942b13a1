"""Repair trees: names, keys and lines, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regreen.errors import InputError
from regreen.program import Program
from regreen.run import Run, Settings
from regreen.tree import KINDS, Node, RepairTree, kind_of, node_from_line, node_name, node_to_line, read_trees

PATHS = st.lists(st.integers(0, 40), min_size=1, max_size=4)


@st.composite
def nodes(draw):
    path = draw(PATHS)
    kind = "program" if len(path) == 1 else draw(st.sampled_from(KINDS[1:]))
    tokens, outcome = draw(st.none() | st.integers(0, 9)), draw(st.none() | st.sampled_from(["passed", "timeout"]))
    return Node("p", ".".join(map(str, path)), kind, "text", "x = 1", tokens=tokens, outcome=outcome)


@given(nodes())
def test_a_node_is_found_again_by_its_line_and_by_its_key_in_a_run(node):
    assert node_from_line(node_to_line(node)) == node
    problem, index, role = node.key
    assert (problem, node_name(index, role), kind_of(role)) == ("p", node.node, node.kind)


@pytest.mark.parametrize(
    "line",
    [
        {"problem": "p", "node": "a", "kind": "repair"},
        {"problem": "p", "node": "0.1", "kind": "other"},
        {"problem": "p", "node": "0.1", "kind": "repair", "parent": "1"},
        {"problem": "p", "node": "0", "kind": "program", "unknown": 1},
        {"problem": "p", "kind": "program"},
    ],
)
def test_what_is_no_node_is_refused_with_its_place(line):
    with pytest.raises(InputError, match=r"^trees\.jsonl:7: not a node"):
        node_from_line(line, where="trees.jsonl:7")


def test_a_tree_gives_its_programs_in_order_and_every_way_down():
    names = ["10", "2", "2.10", "2.9", "2.9.0", "10.0"]
    tree = RepairTree("p", [Node("p", name, "program" if "." not in name else "joint") for name in names])
    assert [node.node for node in tree.roots] == ["2", "10"]
    assert [node.node for node in tree.children(tree.nodes["2"])] == ["2.9", "2.10"]
    ways = [[node.node for node in way.nodes] for way in tree.trajectories()]
    assert ways == [["2", "2.9", "2.9.0"], ["2", "2.10"], ["10", "10.0"]]


def test_words_are_no_programs():
    tree = RepairTree("p", [Node("p", "0", "program"), Node("p", "0.0", "feedback"), Node("p", "0.0.0", "repair")])
    (way,) = tree.trajectories()
    assert [node.node for node in way.programs] == ["0", "0.0.0"]


@pytest.mark.parametrize("names", [["0.1"], ["0", "0"]])
def test_a_child_without_its_parent_and_a_node_twice_are_refused_with_their_place(names):
    lines = [(f"trees.jsonl:{n}", node_to_line(Node("p", name, "joint"))) for n, name in enumerate(names, 1)]
    with pytest.raises(InputError, match=rf"^trees\.jsonl:{len(names)}: p "):
        read_trees(lines)


def test_a_run_keeps_a_node_once_and_a_run_without_trees_has_no_file(tmp_path):
    settings = Settings("repair", "toy", {})
    with Run(tmp_path / "r", settings) as run:
        run.add_program(Program("p", 0, "x = 0"))
    assert not (tmp_path / "r" / "trees.jsonl").exists()
    for _ in range(2):
        with Run(tmp_path / "r", settings) as run:
            run.add_node(Node("p", "0", "program"))
            run.add_node(Node("p", "0", "program"))
    assert len((tmp_path / "r" / "trees.jsonl").read_text().splitlines()) == 1
