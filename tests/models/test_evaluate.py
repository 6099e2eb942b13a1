"""From a model to scores through the command line: real servers, kills, and everything that may be wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regreen.records import read_records
from tests.models.servers import Asked, Reply, ScriptedServer, error, llama_server, message, transformers_server
from tests.models.tiny import problem_lines
from tests.toy import GOOD, write_problems

SOURCE = Path(__file__).parents[2] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "OPENAI_API_KEY": "none", "OMP_NUM_THREADS": "1"}


def command(problems, *more, model="openai:toy"):
    words = ["evaluate", problems, "-m", model, "--sandbox", "local:C", "--timeout", "2", "--json", *more]
    return [sys.executable, "-m", "regreen.cli", *map(str, words)]


def regreen(tmp_path, *arguments, **more):
    return subprocess.run(
        command(*arguments, **more),
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def right(asked: Asked) -> Reply:
    """Answer a chat prompt for a toy problem with its solution."""
    words = asked.body["messages"][-1]["content"]
    name = next(n for n, hint in {"toy/add": "add", "toy/first": "first", "toy/echo": "Print"}.items() if hint in words)
    return message(f"```python\n{GOOD[name]}```", usage={"prompt_tokens": 9, "completion_tokens": 7})


@pytest.fixture
def toy(tmp_path):
    return write_problems(tmp_path)


def test_after_a_kill_only_what_was_in_flight_is_asked_for_again(tmp_path, toy):
    options = ("-n", 40, "--temperature", "0.8", "--parallel", 4, "-o", "run")
    slowly = lambda asked: Reply(right(asked).body, delay=0.05)  # noqa: E731
    with ScriptedServer(slowly) as server:
        given = (toy, *options, "--base-url", server.base_url)
        for wanted in (20, 60):
            process = subprocess.Popen(
                command(*given), cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            deadline = time.monotonic() + 60
            while len(server.asked) < wanted and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
        finished = len(list(read_records(tmp_path / "run" / "programs.jsonl")))
        done = regreen(tmp_path, *given)
        assert done.returncode == 0, done.stderr
        seeds = [(asked.body["messages"][-1]["content"], asked.body["seed"]) for asked in server.asked]
    found = json.loads(done.stdout)
    assert (found["programs"], found["scores"]["pass@1"]["value"]) == (120, 1.0)
    assert finished >= 60 - 2 * 4
    assert len(set(seeds)) == 120
    assert len(seeds) - len(set(seeds)) <= 2 * 4  # two kills, four in flight at each
    keys = [(r["problem"], r["index"]) for _, r in read_records(tmp_path / "run" / "verdicts.jsonl")]
    assert len(keys) == len(set(keys)) == 120


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (error(401, "Incorrect API key"), 2, "OPENAI_API_KEY"),
        (error(404, "The model `toy` does not exist", code="model_not_found"), 2, "toy"),
    ],
)
def test_what_a_server_refuses_is_one_line_and_exit_code_2(tmp_path, toy, reply, code, said):
    with ScriptedServer(lambda _: reply) as server:
        done = regreen(tmp_path, toy, "--base-url", server.base_url)
    assert done.returncode == code
    assert done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr


def test_a_server_that_is_gone_exits_with_3_and_the_same_command_goes_on(tmp_path, toy):
    with ScriptedServer(right) as server:
        port = server.base_url
    gone = regreen(tmp_path, toy, "--base-url", port, "-o", "run")
    assert gone.returncode == 3, gone.stderr
    assert port in gone.stderr
    with ScriptedServer(right) as server:
        done = regreen(tmp_path, toy, "--base-url", server.base_url, "-o", "run")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"]["pass@1"]["value"] == 1.0


def test_a_prompt_that_is_too_long_is_counted_and_named_and_the_run_goes_on(tmp_path, toy):
    def answer(asked):
        long = "first" in asked.body["messages"][-1]["content"]
        words = "This model's maximum context length is 10 tokens"
        return error(400, words, code="context_length_exceeded") if long else right(asked)

    with ScriptedServer(answer) as server:
        done = regreen(tmp_path, toy, "--base-url", server.base_url, "-o", "run")
    found = json.loads(done.stdout)
    assert (done.returncode, found["refused"], found["programs"]) == (0, 1, 3)
    assert any("toy/first" in note for note in found["notes"])
    assert found["scores"]["pass@1"]["value"] == pytest.approx(2 / 3)


def test_a_model_that_returns_nothing_is_counted_as_no_program(tmp_path, toy):
    with ScriptedServer(lambda _: message("")) as server:
        done = regreen(tmp_path, toy, "--base-url", server.base_url)
    found = json.loads(done.stdout)
    assert (done.returncode, found["no_program"], found["scores"]["pass@1"]["value"]) == (0, 3, 0.0)


def test_a_text_cut_by_its_limit_is_counted_on_its_own(tmp_path, toy):
    with ScriptedServer(lambda _: message("def add(a, b):\n    retu", finish="length")) as server:
        done = regreen(tmp_path, toy, "--base-url", server.base_url)
    assert json.loads(done.stdout)["truncated"] == 3


TIES = 1e-4  # two tokens whose log-probabilities lie closer than this may change places


@pytest.fixture(scope="module")
def greedy(tmp_path_factory, checkpoint, gguf):
    """What one model writes for one set of problems, through transformers, llama.cpp and `transformers serve`."""
    pytest.importorskip("xllamacpp")
    pytest.importorskip("fastapi")
    folder = tmp_path_factory.mktemp("greedy")
    problems = write_learned(folder)
    found = {"hf": regreen(folder, problems, *GREEDY, "-o", "hf", model=f"hf:{checkpoint}")}
    with llama_server(gguf) as url:
        found["llama"] = regreen(folder, problems, *GREEDY, "-o", "llama", "--base-url", url, model="openai:tiny")
    with transformers_server(checkpoint) as url:
        name = f"openai:{checkpoint}"
        found["served"] = regreen(folder, problems, *GREEDY, "-o", "served", "--base-url", url, model=name)
    return folder, found


GREEDY = ("--max-tokens", 60, "--prompt", "learned.jinja")
TEMPLATE = '{# {"form": "reply"} #}\n=== user ===\n{{ problem.statement }}\n'


def write_learned(folder):
    """Write the problems that the tiny model has learned, and the prompt in which it has learned them."""
    (folder / "learned.jinja").write_text(TEMPLATE)
    path = folder / "learned.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in problem_lines()))
    return path


def programs_of(run):
    return {r["problem"]: r for _, r in read_records(run / "programs.jsonl")}


def test_one_model_gives_the_same_programs_and_scores_through_every_backend(greedy):
    folder, found = greedy
    for name, done in found.items():
        assert done.returncode == 0, f"{name}: {done.stderr}"
    scores = {name: json.loads(done.stdout) for name, done in found.items()}
    assert 0 < scores["hf"]["scores"]["pass@1"]["value"] < 1
    for other in ("llama", "served"):
        assert scores[other]["scores"] == scores["hf"]["scores"]
        assert scores[other]["outcomes"] == scores["hf"]["outcomes"]
        texts, theirs = programs_of(folder / "hf"), programs_of(folder / other)
        ties = [name for name in texts if texts[name]["text"] != theirs[name]["text"]]
        assert ties == [], f"{other} writes another program: {ties}"
    for problem, ours in programs_of(folder / "hf").items():
        theirs = programs_of(folder / "llama")[problem]
        assert ours["text_tokens"] == theirs["text_tokens"]
        assert abs(ours["logprob"] - theirs["logprob"]) < TIES * ours["text_tokens"]


def test_what_a_server_ignores_in_silence_is_said_on_stderr_and_kept_in_the_manifest(greedy):
    folder, found = greedy
    said = [line for line in found["served"].stderr.splitlines() if "judging" not in line]
    assert any("temperature" in line for line in said), said
    manifest = json.loads((folder / "served" / "manifest.json").read_text())
    assert manifest["model"]["honours"]["temperature"] is False
    assert json.loads((folder / "llama" / "manifest.json").read_text())["model"]["honours"]["temperature"] is True


def test_sampling_with_hf_depends_on_the_seed_alone_not_on_limit_jobs_or_batch(tmp_path, checkpoint):
    problems = write_learned(tmp_path)
    common = ("-n", 3, "--temperature", 0.9, *GREEDY)
    ways = {"one": ("--batch", 1, "-j", 1), "many": ("--batch", 64, "-j", 2), "few": ("--batch", 7, "--limit", 4)}
    texts = {}
    for name, way in ways.items():
        done = regreen(tmp_path, problems, *common, *way, "-o", name, model=f"hf:{checkpoint}")
        assert done.returncode == 0, done.stderr
        records = [record for _, record in read_records(tmp_path / name / "programs.jsonl")]
        texts[name] = {(r["problem"], r["index"]): r["text"] for r in records}
    assert texts["one"] == texts["many"]
    assert texts["few"].items() <= texts["one"].items()
    assert len(texts["few"]) == 12
    assert len(set(texts["one"].values())) > 16
