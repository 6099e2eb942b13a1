"""A repairer that needs to be told the failing input, with three kinds of feedback; and the command around it."""

import json
import socket
import subprocess
import sys

import pytest

from regreen.evaluate import Judging, Sampling
from regreen.models import open_model
from regreen.records import read_records
from regreen.repair import Repairing, repair

JUDGING = Judging(timeout=2.0)
COUNT = 6
WRONG, RIGHT = "def f{n}(x):\n    return x + x\n", "def f{n}(x):\n    return x * x\n"


def fenced(source):
    return f"```python\n{source}```"


def write(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def benchmark(tmp_path):
    """Functions of which a wrong one passes the shown check, at 2, and fails a hidden one."""
    return write(
        tmp_path / "signs.jsonl",
        [
            {
                "id": f"f{n}",
                "statement": f"Write f{n}(x): x by itself.",
                "checks": [{"kind": "call", "args": [x], "expected": x * x} for x in (2, 0, 77)],
                "shown": [0],
                "entry_point": f"f{n}",
                "solution": RIGHT.format(n=n),
            }
            for n in range(COUNT)
        ],
    )


@pytest.fixture
def repairer(tmp_path):
    """Writes the wrong program first, and the right one once the prompt tells of a call that is not the shown one."""
    seen = [fenced(RIGHT.format(n=n)) for n in range(COUNT)]
    calls = [(n, x) for n in range(COUNT) for x in (1, *range(3, 77))]
    lines = [{"problem": f"f{n}", "contains": [f"f{n}({x})"], "text": f"Now I see. {seen[n]}"} for n, x in calls]
    lines += [{"problem": f"f{n}", "text": fenced(WRONG.format(n=n))} for n in range(COUNT)]
    return f"scripted:{write(tmp_path / 'repairer.jsonl', lines)}"


@pytest.fixture
def explainer(tmp_path):
    """Names the failing input for every second problem."""
    lines = [{"problem": f"f{n}", "text": f"f{n}(3) is not 6."} for n in range(0, COUNT, 2)]
    return f"scripted:{write(tmp_path / 'explainer.jsonl', [*lines, {'text': 'Something is wrong here.'}])}"


def solved(tmp_path, benchmark, repairer, feedback, explainer=None):
    """Return how many problems a repair solved, and its nodes."""
    out = tmp_path / f"run-{feedback.partition(':')[0]}"
    repairing = Repairing(feedback, nr=1, controls=(), again=0)
    given = explainer and open_model(explainer)
    sampling = Sampling(n=1, temperatures=(0.8,))
    model = open_model(repairer)
    repair(str(benchmark), model, explainer=given, sampling=sampling, repairing=repairing, judging=JUDGING, out=out)
    nodes = [record for _, record in read_records(out / "trees.jsonl")]
    return sum(node.get("outcome") == "passed" for node in nodes), nodes


def test_better_feedback_repairs_more_and_every_node_counts_its_tokens(tmp_path, benchmark, repairer, explainer):
    none, _ = solved(tmp_path, benchmark, repairer, "none")
    some, explained = solved(tmp_path, benchmark, repairer, explainer, explainer)
    oracle, told = solved(tmp_path, benchmark, repairer, "oracle")
    assert (none, some, oracle) == (0, COUNT // 2, COUNT)
    assert all(node["tokens"] == len(node["text"].split()) for node in explained)
    assert [node["tokens"] for node in told if node["kind"] == "feedback"] == [0] * COUNT
    assert {node["model"] for node in told if node["kind"] == "feedback"} == {"oracle"}
    assert not any("77" in node["text"] for node in told), "the hidden check's own input is never told"


def run_command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "regreen.cli", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_grows_trees_and_prints_one_json_object(tmp_path, benchmark, repairer):
    options = ["--np", 1, "--feedback", "oracle", "--nr", 2, "--full", "-o", tmp_path / "r", "--json", "-q"]
    code, out, err = run_command("repair", benchmark, "-m", repairer, *options)
    assert code == 0, err
    found = json.loads(out)
    assert {"scores", "outcomes", "run"} <= set(found)
    assert found["scores"]["pass@1"]["value"] == 0
    assert len(list(read_records(tmp_path / "r" / "trees.jsonl"))) == COUNT * (1 + 1 + 2)


def test_tables_say_that_feedback_saw_the_scoring_checks(tmp_path, benchmark, repairer):
    options = ["--np", 1, "--feedback", "none", "--control", "none", "--reveal", "all", "-o", tmp_path / "r", "-q"]
    code, out, err = run_command("repair", benchmark, "-m", repairer, *options)
    assert code == 0, err
    assert "feedback saw the scoring checks" in out


def closed_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return holder.getsockname()[1]


def test_an_explainer_that_cannot_be_reached_is_exit_3_and_the_first_programs_are_kept(tmp_path, benchmark, repairer):
    url = f"http://127.0.0.1:{closed_port()}/v1"
    options = ["--np", 1, "--feedback", "openai:nobody", "--feedback-url", url, "-o", tmp_path / "r", "-q"]
    code, _, err = run_command("repair", benchmark, "-m", repairer, *options)
    assert code == 3
    assert len(err.splitlines()) == 1
    assert url in err
    assert len(list(read_records(tmp_path / "r" / "programs.jsonl"))) == COUNT


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--feedback", "nobody"], "--feedback nobody: expected none, oracle"),
        (["--feedback", "self+openai:x"], "would both explain"),
        (["--feedback", "notes:nowhere.jsonl"], "nowhere.jsonl"),
        (["--feedback", "oracle", "--nf", "2"], "says the same each time"),
        (["--feedback", "none", "--nf", "2"], "nothing is said; give --nr for more repairs"),
        (["--nfr", "1", "--nf", "1"], "give it one way"),
        (["--temperature", "0.2,0.8"], "give one"),
        (["--control", "nothing"], "expected resample,swapped"),
        (["--programs", "nowhere"], "nowhere: not a run directory"),
    ],
)
def test_what_cannot_be_repaired_is_one_clear_line(tmp_path, benchmark, repairer, options, said):
    code, out, err = run_command("repair", benchmark, "-m", repairer, "-o", tmp_path / "r", *options)
    assert (code, out, len(err.splitlines())) == (2, "", 1), err
    assert said in err
