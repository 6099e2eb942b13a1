"""Chained building blocks: what each does, that chains are told apart, and that problems are reproducible."""

from itertools import combinations, islice, permutations
from random import Random

import pytest

from regreen import benchmarks
from regreen.benchmarks import chained
from regreen.evaluate import Choice, check

GIVEN = "The Eel, a bee!"
RESULTS = (
    "Th El, a b!",
    "The!Eel,!a!bee!",
    "the eel, a bee!",
    "e Eel, a be",
    "Th l,  b!",
    "heEe,  be!",
    "The Eel",
    "The   Eel,   a   bee!",
    "bee! a Eel, The",
    "a bee!",
    "The apples Eel, apples a apples bee! apples",
    "ThE EeL, a bEe!",
    "The Eel, a bee",
)


@pytest.fixture(scope="module")
def problems():
    """Ten problems of every length."""
    return list(chained.generate(each=10))


def chain(problem):
    return tuple(chained.BLOCKS[number - 1] for number in problem.meta["blocks"])


@pytest.mark.parametrize(("block", "result"), list(zip(chained.BLOCKS, RESULTS, strict=True)))
def test_a_block_does_what_its_code_says(block, result):
    assert block.apply(GIVEN) == result


def test_blocks_are_applied_in_the_order_in_which_they_are_listed(problems):
    assert chained.run((chained.BLOCKS[3], chained.BLOCKS[6]), "abcdefgh") == "cd"
    assert chained.run((chained.BLOCKS[6], chained.BLOCKS[3]), "abcdefgh") == ""
    for problem in problems:
        assert [line[5:] for line in problem.prompt.splitlines() if line.startswith("    -")] == [
            block.text for block in chain(problem)
        ]


def test_problems_are_the_same_for_a_seed_and_more_of_them_only_add(problems):
    assert benchmarks.digest(problems).startswith("4f074ea824578f46"), "published figures are on these very problems"
    more = {problem.id: problem for problem in chained.generate(each=12)}
    assert all(more[problem.id] == problem for problem in problems)
    others = {problem.prompt for problem in chained.generate(each=10, seed=1) if problem.meta["length"] > 3}
    assert not others & {problem.prompt for problem in problems}


def test_the_first_problems_have_every_length_and_no_chain_is_there_twice():
    found = list(islice(chained.generate(), 400))
    assert [problem.meta["length"] for problem in found[:8]] == list(chained.LENGTHS)
    assert len({problem.prompt for problem in found}) == len({problem.id for problem in found}) == 400
    assert sum(problem.meta["length"] == 1 for problem in found) == len(chained.BLOCKS)
    assert all(len({check.expected for check in problem.checks}) > 1 for problem in found)


def test_the_benchmark_is_there_by_name_and_every_solution_is_green(tmp_path):
    assert next(iter(benchmarks.load("chained:test").problems())).id == "chained/test/0-1.0"
    found = check("chained", choice=Choice(limit=40), out=tmp_path / "r")
    assert (found["problems"], found["failed"], found["separate"]) == (40, [], 40)


def test_checks_tell_a_chain_from_shorter_and_from_permuted_ones(problems):
    more = [chained.text(Random(at)) for at in range(80)]
    let_pass = wrong = 0
    for problem in [problem for problem in problems if 2 <= problem.meta["length"] <= 4]:
        right, pairs = chain(problem), [(check.args[0], check.expected) for check in problem.checks]
        shorter = [each for size in range(1, len(right)) for each in combinations(right, size)]
        for other in [*shorter, *permutations(right)]:
            if chained.fails(other, [(given, chained.run(right, given)) for given in more]):
                wrong += 1
                let_pass += not chained.fails(other, pairs)
    assert wrong > 400
    assert let_pass <= 0.005 * wrong


def test_idle_steps_are_those_without_which_no_text_comes_out_differently(problems):
    more = [chained.text(Random(f"other {at}")) for at in range(60)]
    for problem in problems:
        right = chain(problem)
        pairs = [(given, chained.run(right, given)) for given in more]
        idle = [at for at in range(len(right)) if not chained.fails(right[:at] + right[at + 1 :], pairs)]
        assert problem.meta["idle"] == (idle if len(right) > 1 else [])
    assert any(problem.meta["idle"] for problem in problems)
