"""The filter by a model's programs: what is never solved, what changes, what is kept; resumption."""

import json

import pytest

from regreen import Call, InputError, Problem, benchmarks
from regreen.curate.filtering import filter_problems
from regreen.evaluate import Choice, Sampling
from regreen.models import open_model
from regreen.problem import problem_to_line

FLAKY = "import time\n\ndef f(n):\n    return n + (time.time_ns() // 1000) % 2\n"
PROGRAMS = {
    "solved": "def f(n):\n    return n + 1\n",
    "never": "def f(n):\n    return n\n",
    "flaky": FLAKY,
    "no program": "sorry",
}


@pytest.fixture
def asked(tmp_path):
    """A file of problems, and a model that writes one program for each."""
    problems = [
        Problem(name, f"Add one ({name}).", (Call((1,), 2),), entry_point="f", meta={"source": "made"})
        for name in PROGRAMS
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(problem_to_line(p)) + "\n" for p in problems))
    lines = [{"problem": name, "text": f"```python\n{text}```"} for name, text in PROGRAMS.items()]
    (tmp_path / "model.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def run(folder, *, model="model", n=8, repeats=5, **more):
    model = open_model(f"scripted:{folder / model}.jsonl")
    sampling = Sampling(n, (0.8,), prompt="chat")
    return filter_problems(
        str(folder / "in.jsonl"), model, folder / "kept.jsonl", sampling=sampling, repeats=repeats, **more
    )


def test_problems_are_kept_that_some_program_solves_and_whose_verdicts_do_not_change(asked):
    found = run(asked, repeats=40)
    assert {"never", "no program"} <= set(found["dropped"]["no program solves it"])
    kept = list(benchmarks.load(asked / "kept.jsonl").problems())
    assert [problem.id for problem in kept] == ["solved"]
    assert kept[0].meta["filter"] == {
        "model": open_model(f"scripted:{asked / 'model.jsonl'}").name,
        "programs": 8,
        "passed": 8,
    }
    assert kept[0].meta["source"] == "made"
    assert found["seen"] == 4
    assert found["programs"] == 32


def test_a_program_of_changing_verdict_drops_its_problem_once_it_has_passed(asked):
    dropped = {}
    for _ in range(8):  # the first verdict is chance too: until it is a pass
        found = run(asked, repeats=40, choice=Choice(only=("flaky",)))
        dropped = found["dropped"]
        if "a program's verdict changes when judged again" in dropped:
            break
        for file in sorted((asked / "kept.run").iterdir()):
            file.unlink()
    assert dropped == {"a program's verdict changes when judged again": ["flaky"]}


def test_what_was_asked_and_judged_is_not_asked_and_judged_again(asked):
    run(asked)
    before = {file.name: file.read_bytes() for file in (asked / "kept.run").glob("*.jsonl")}
    written = (asked / "kept.jsonl").read_bytes()
    run(asked)
    assert {file.name: file.read_bytes() for file in (asked / "kept.run").glob("*.jsonl")} == before
    assert (asked / "kept.jsonl").read_bytes() == written
    again = [json.loads(line) for line in before["again.jsonl"].splitlines()]
    assert sorted(line["repeat"] for line in again if line["problem"] == "solved") == [0, 1, 2, 3, 4]
    run(asked, repeats=6)
    assert len((asked / "kept.run" / "again.jsonl").read_bytes().splitlines()) > len(again)


def test_another_model_does_not_go_on_in_the_run_of_the_first(asked):
    run(asked)
    (asked / "model.jsonl").rename(asked / "other.jsonl")
    with pytest.raises(InputError, match=r"kept\.run"):
        run(asked, model="other")


def test_nothing_is_written_where_nothing_is_kept(asked):
    found = run(asked, choice=Choice(only=("never",)))
    assert (found["kept"], found["out"]) == (0, None)
    assert not (asked / "kept.jsonl").exists()
