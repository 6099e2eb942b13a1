"""RepairTree: a problem's first programs, what was said of each, and what became of it; Trajectory: one way down.

A node's name is the path to it: ``0`` is the first program, ``0.2`` the third node below it, ``0.2.1`` the second
below that. As a line of ``trees.jsonl``::

    {"v": 1, "problem", "node": "0.2.1", "parent": "0.2", "kind": "program|feedback|repair|joint|hint",
     "model", "text", "source", "tokens", "seed", "outcome", "recorded", ...}

Parents come before their children. In a run's other files a first program has the role "sample" and the index that is
its name; a node below it has its first program's index, and its kind and the rest of its path as its role: ``0.2.1`` is
index 0, role ``repair:2.1``.

Source: Olausson et al. 2023 (arXiv 2306.09896), section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from regreen.errors import InputError
from regreen.program import Program
from regreen.verdict import Verdict

Kind = Literal["program", "feedback", "repair", "joint", "hint"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WITHOUT_PROGRAM: tuple[Kind, ...] = ("feedback", "hint")  # kinds of nodes that hold words alone
SAMPLE = "sample"
REFUSED = "refused"  # the outcome of what a backend would not write


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a repair tree.

    ``kind`` is "program" (a first program), "feedback" (words about the program above), "repair" (a program written
    for the feedback above), "joint" (words and a program in one text) or "hint" (a person's words). ``text`` is what
    was generated, ``source`` the program in it. ``tokens`` counts all generated tokens, ``kept_tokens`` those up to the
    end of the extracted program (the paper's rule), ``prompt_tokens`` what was read for it, ``cached_tokens`` those of
    them that the backend had kept. ``checks`` counts the checks that were run on the program. ``outcome`` is our
    verdict, or "refused" where the backend wrote nothing, ``recorded`` that of whoever grew the tree.
    """

    problem: str
    node: str
    kind: Kind
    text: str | None = None
    source: str = ""
    model: str | None = None
    tokens: int | None = None
    kept_tokens: float | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    seed: int | None = None
    checks: int | None = None
    outcome: str | None = None
    recorded: bool | None = None

    @property
    def parent(self) -> str | None:
        """The name of the node above, None for a first program."""
        return self.node.rpartition(".")[0] or None

    @property
    def path(self) -> tuple[int, ...]:
        """The node's name as numbers."""
        return tuple(map(int, self.node.split(".")))

    @property
    def has_program(self) -> bool:
        """True if the node holds a program, and not words alone."""
        return self.kind not in WITHOUT_PROGRAM

    @property
    def key(self) -> tuple[str, int, str]:
        """The node's key in a run's programs and verdicts."""
        return key_of(self.problem, self.node, self.kind)

    def passed(self, verdicts: Literal["ours", "recorded"] = "ours") -> bool | None:
        """Tell whether the program passed by our verdict or by the recorded one; None where there is none."""
        if verdicts == "recorded":
            return self.recorded
        return None if self.outcome is None else self.outcome == "passed"


def key_of(problem: str, node: str, kind: str) -> tuple[str, int, str]:
    """Return the key in a run's programs and verdicts of what stands at a node, or of a control in its place."""
    root, _, rest = node.partition(".")
    return problem, int(root), f"{kind}:{rest}" if rest else SAMPLE


def node_name(index: int, role: str) -> str:
    """Return the name of the node that has this index and role in a run; undoes :attr:`Node.key`."""
    return str(index) if role == SAMPLE else f"{index}.{role.partition(':')[2]}"


def is_node(role: str) -> bool:
    """Tell whether what has this role in a run is a node of a tree, and not a control."""
    return role == SAMPLE or role.partition(":")[0] in KINDS


def kind_of(role: str) -> Kind:
    """Return the kind of the node that has this role in a run."""
    return "program" if role == SAMPLE else role.partition(":")[0]  # type: ignore[return-value]


def node_of(program: Program, verdict: Verdict | None) -> Node:
    """Return the node of a program in a run, or of words, which have no verdict."""
    return Node(
        program.problem,
        node_name(program.index, program.role),
        kind_of(program.role),
        text=program.text,
        source=program.source,
        model=program.model,
        tokens=program.tokens,
        kept_tokens=_kept_tokens(program),
        prompt_tokens=program.prompt_tokens,
        cached_tokens=program.cached_tokens,
        seed=program.seed,
        checks=None if verdict is None else sum(check.outcome is not None for check in verdict.checks),
        outcome=_outcome(program, verdict),
    )


def _outcome(program: Program, verdict: Verdict | None) -> str | None:
    if program.error is not None:
        return REFUSED
    return None if verdict is None else verdict.outcome.value


def _kept_tokens(program: Program) -> float | None:
    """Return the tokens of the extracted code alone; below a first program, with all text before it.

    The share of the characters stands for the share of the tokens: a backend says only how many there were.
    """
    text, code = program.text, program.source.strip()
    if program.tokens is None or not text or not code:
        return program.tokens
    at = text.rfind(code)
    if at < 0:  # the text goes on where a prompt's code ends: all of it is code
        return program.tokens
    kept = len(code) if program.role == SAMPLE else at + len(code)
    return round(program.tokens * kept / len(text), 2)


def node_to_line(node: Node) -> dict[str, Any]:
    """Return the node as one record of ``trees.jsonl``, leaving out what is unknown."""
    line = {"v": 1, "problem": node.problem, "node": node.node, "parent": node.parent, "kind": node.kind}
    return line | {name: value for name, value in asdict(node).items() if name not in line and value is not None}


def node_from_line(line: Mapping[str, Any], *, where: str = "trees.jsonl") -> Node:
    """Rebuild a node from a record of ``trees.jsonl``; raises InputError that names ``where`` for what is none."""
    try:
        node = Node(**{name: value for name, value in line.items() if name not in ("v", "parent")})
        fits = node.kind in KINDS and bool(node.path) and line.get("parent", node.parent) == node.parent
    except (TypeError, ValueError, AttributeError):
        fits = False
    if not fits:
        raise InputError(f"{where}: not a node of a tree; expected problem, node (as 0.2.1), parent and kind")
    return node


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One way down a tree: a first program and what followed it, ending in a leaf."""

    nodes: tuple[Node, ...]

    @property
    def programs(self) -> tuple[Node, ...]:
        """The nodes that hold programs, oldest first."""
        return tuple(node for node in self.nodes if node.has_program)


class RepairTree:
    """All nodes of one problem."""

    def __init__(self, problem: str, nodes: Iterable[Node] = ()) -> None:
        self.problem = problem
        self.nodes: dict[str, Node] = {}
        self._children: dict[str | None, list[str]] = {}
        for node in nodes:
            self.add(node)

    def __repr__(self) -> str:
        return f"<RepairTree of {self.problem}, {len(self.roots)} first programs, {len(self.nodes)} nodes>"

    def __len__(self) -> int:
        return len(self.nodes)

    def add(self, node: Node) -> None:
        """Add a node; raises ValueError if it is there, is of another problem, or its parent is not there."""
        if node.problem != self.problem or node.node in self.nodes:
            raise ValueError(f"{node.problem} {node.node} does not belong here, or is here already")
        if node.parent is not None and node.parent not in self.nodes:
            raise ValueError(f"{node.problem} {node.node} comes before its parent {node.parent}")
        self.nodes[node.node] = node
        self._children.setdefault(node.parent, []).append(node.node)

    @property
    def roots(self) -> list[Node]:
        """The first programs, in order of their names."""
        return self._below(None)

    def children(self, node: Node) -> list[Node]:
        """Return the nodes right below one, in order of their names."""
        return self._below(node.node)

    def trajectories(self) -> Iterator[Trajectory]:
        """Yield every way from a first program down to a leaf."""
        for root in self.roots:
            yield from self._ways((root,))

    def _ways(self, way: tuple[Node, ...]) -> Iterator[Trajectory]:
        below = self.children(way[-1])
        if not below:
            yield Trajectory(way)
        for node in below:
            yield from self._ways((*way, node))

    def _below(self, name: str | None) -> list[Node]:
        return sorted((self.nodes[child] for child in self._children.get(name, ())), key=lambda node: node.path)


def read_trees(lines: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, RepairTree]:
    """Return every problem's tree, in order of their names, from places and records of ``trees.jsonl``.

    Intervals resample problems by their places, which must not be those in which trees happened to grow.

    Raises InputError that names the place of a record that is no node, is there twice, or comes before its parent.
    """
    trees: dict[str, RepairTree] = {}
    for where, line in lines:
        node = node_from_line(line, where=where)
        try:
            trees.setdefault(node.problem, RepairTree(node.problem)).add(node)
        except ValueError as error:
            raise InputError(f"{where}: {error}") from error
    return dict(sorted(trees.items()))
