"""Rounds of programs: after what an earlier process drew comes what would have come if it had not ended."""

import json
from itertools import islice

import pytest

pytest.importorskip("torch")

from regreen import prompts
from regreen.benchmarks import katas
from regreen.errors import InputError
from regreen.models.recorded import ReplayModel
from regreen.models.texts import Texts
from regreen.options import Judging
from regreen.train.config import DrawConfig
from regreen.train.online.drawing import Drawer
from regreen.train.online.sources import Round

PROBLEMS = list(islice(katas.generate("unsolved", count=3), 3))


@pytest.fixture(scope="module")
def sandbox():
    with Judging(sandbox="local:C").open() as found:
        yield found


@pytest.fixture
def rounds(sandbox, byte_level):
    """Make rounds that nobody has drawn from yet."""

    def make(**how):
        told = DrawConfig.model_validate({"n": 2, "max_tokens": 8, **how})
        texts = Texts(byte_level, "tokenizer", continues=True)
        return Round(Drawer(prompts.load("codex"), texts, None, sandbox, told, True, 0), PROBLEMS, told, 0)

    return make


def answering(path, problems):
    """A model that answers for these problems and refuses the others; of each problem every third program differs."""
    lines = [
        {"problem": problem.id, "index": index, "role": role, "text": f"    return {index % 3}\n"}
        for problem in problems
        for role in ("sample", "greedy")
        for index in range(60)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return ReplayModel(str(path))


@pytest.mark.parametrize("order", ["uniform", "difficulty"])
@pytest.mark.parametrize(
    ("how", "answered"),
    [
        ({"problems": 2}, PROBLEMS),
        ({"problems": 7}, PROBLEMS),  # some stand in a round more than once
        ({"problems": 2, "first": 5}, PROBLEMS),
        ({"problems": 2, "mixed": True}, PROBLEMS),  # none pass: it draws on
        ({"problems": 2}, PROBLEMS[:1]),  # the others are refused
        ({"problems": 1, "mixed": True}, PROBLEMS[1:]),
    ],
)
def test_rounds_that_are_known_are_followed_by_those_that_would_have_followed(order, how, answered, rounds, tmp_path):
    model = answering(tmp_path / "answers.jsonl", answered)
    whole, again = rounds(order=order, **how), rounds(order=order, **how)
    drawn = [whole.draw(model, step) for step in range(5)]
    keys = [each.key for some in drawn for each in some]
    assert len(keys) == len(set(keys)), "no program is drawn twice"
    for some in drawn[:3]:
        again.known(some)
    assert [[each.key for each in again.draw(model, step)] for step in (3, 4)] == [
        [each.key for each in some] for some in drawn[3:]
    ]


def test_problems_that_are_refused_make_room_for_others(rounds, tmp_path):
    model = answering(tmp_path / "answers.jsonl", PROBLEMS[2:])
    one = rounds(problems=1)
    assert {each.problem for step in range(4) for each in one.draw(model, step)} == {PROBLEMS[2].id}


def test_where_every_problem_is_refused_it_is_said_why(rounds, tmp_path):
    (tmp_path / "answers.jsonl").write_text(json.dumps({"problem": "another", "text": "x"}) + "\n")
    with pytest.raises(InputError, match=r"refused every prompt: no .* is recorded"):
        rounds(problems=2).draw(ReplayModel(str(tmp_path / "answers.jsonl")), 0)
