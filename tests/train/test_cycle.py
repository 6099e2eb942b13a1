"""``regreen train cycle`` end to end on models of random weights: every phase, kind, kill and refusal."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from regreen.benchmarks import katas
from regreen.cli import main
from regreen.errors import InputError
from regreen.evaluate import Judging, Sampling, evaluate
from regreen.models import open_model
from regreen.problem import problem_from_line, problem_to_line
from regreen.records import read_records
from regreen.train.config import CycleConfig, read_config
from tests.refine.models import lines as doubles

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")
pytest.importorskip("peft")

from regreen.train.cycle import cycle  # noqa: E402
from regreen.train.policy import Policy  # noqa: E402
from regreen.train.rows import row_tokens  # noqa: E402
from tests.train.test_masks import KINDS  # noqa: E402

SOURCE = Path(__file__).parents[2] / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
JUDGING = Judging(sandbox="local:C")


@pytest.fixture(scope="module")
def start(make_once, small, tokenizer):
    """Return the folder of a checkpoint of random weights, of one kind."""

    def made(kind):
        def make(folder):
            size = len(tokenizer) + 8  # transformers gives a tokenizer of Qwen's its end of text anew
            module = small(size, attention_dropout=0.2) if kind == "dropout" else KINDS[kind](size)
            module.save_pretrained(folder)
            tokenizer.save_pretrained(folder)

        return make_once(f"cycle-{kind}", make)

    return made


def write_config(folder, model, *, lines=None, top="", **tables):
    (folder / "problems.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines or doubles(6)))
    given = {"optimizer": "lr = 1e-2", "batch": "tokens = 900\nsteps = 1", "probe": "n = 1\nmax_tokens = 12"}
    given |= {"check": "limit = 1\nmax_tokens = 8", "mask": "ratio = 0.5"} | tables
    head = f'model = "hf:{model}"\nproblems = "problems.jsonl"\nvalidation = 0.2\ndtype = "float32"\n{top}\n'
    text = head + "".join(f"[{name}]\n{body}\n" for name, body in given.items())
    (folder / "train.toml").write_text(text)
    return folder / "train.toml"


def trained(folder, model, monkeypatch, *, out="run", **more):
    path = write_config(folder, model, **more)
    monkeypatch.chdir(folder)
    return cycle(read_config(path, CycleConfig), judging=JUDGING, out=folder / out)


def metrics(run):
    records = (record for _, record in read_records(run / "metrics.jsonl"))
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_path_trains_every_kind_of_model_whole_or_by_adapters(tmp_path, start, monkeypatch, kind, lora):
    more = {"lora": "rank = 2"} if lora else {}
    found = trained(tmp_path, start(kind), monkeypatch, **more)
    steps = [record for record in metrics(tmp_path / "run") if "loss" in record]
    assert len(steps) == 1
    assert 0 < steps[0]["loss"] < 20
    assert found["set"]["kinds"]["refine"] == found["set"]["probed"]["rows"] == 5
    assert found["set"]["tokens"]["mean_maskable"] > 0
    assert (tmp_path / "run/checkpoints/best/model.safetensors").exists()


def test_a_sequence_to_sequence_model_goes_through_every_phase(tmp_path, small_apart, tokenizer, monkeypatch):
    small_apart("t5", len(tokenizer)).save_pretrained(tmp_path / "start")
    tokenizer.save_pretrained(tmp_path / "start")
    found = trained(tmp_path, tmp_path / "start", monkeypatch)
    assert found["set"]["kinds"]["refine"] == found["set"]["probed"]["rows"] == 5
    assert found["set"]["tokens"]["mean_maskable"] > 0
    assert 0 < next(record["loss"] for record in metrics(tmp_path / "run") if "loss" in record) < 20


CONTEST = [
    {
        "name": f"{n}_A. Sum",
        "description": f"Add {n} to the number.",
        "public_tests": {"input": ["1\n"], "output": [f"{1 + n}\n"]},
        "private_tests": {"input": ["30\n"], "output": [f"{30 + n}\n"]},
        "generated_tests": {"input": [], "output": []},
        "source": 2,
        "solutions": {
            "language": [2, 3, 3, 3, 1],
            "solution": [
                "int main", f"print(int(input()) + {n})", f"print({n} + int(input()))", f"print({1 + n})", "print 1",
            ],
        },
        "incorrect_solutions": {"language": [3, 4], "solution": [f"print({n})", "class Main"]},
    }
    for n in range(5)
]  # fmt: skip


def test_codecontests_rows_in_the_hub_s_form_go_through_every_phase(tmp_path, start, monkeypatch):
    (tmp_path / "data/codecontests").mkdir(parents=True)
    (tmp_path / "data/codecontests/train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in CONTEST))
    path = write_config(
        tmp_path, start("llama"), top='data = "data"', first="[first.batch]\nsteps = 2\n[first.check]\nlimit = 1",
        pairs='wrong = "both"\nrho = 1.0\nselect = "bm25"',
    )  # fmt: skip
    path.write_text(path.read_text().replace('"problems.jsonl"', '"codecontests:train"'))
    monkeypatch.chdir(tmp_path)
    found = cycle(read_config(path, CycleConfig), judging=JUDGING, out=tmp_path / "run")
    assert found["set"]["kinds"] == {"refine": 4, "human": 4, "solution": 8}, "two of three solutions are right"
    first = json.loads((tmp_path / "run/first/scores.json").read_text())
    assert (first["lessons"], first["step"]) == (8, 2)
    probes = [record for _, record in read_records(tmp_path / "run/probe/programs.jsonl")]
    assert {record["model"] for record in probes} == {"M_1"}
    verdicts = [record for _, record in read_records(tmp_path / "run/probe/verdicts.jsonl")]
    assert len(probes) == len(verdicts) == 4
    assert all(len(record["checks"]) == 2 for record in verdicts), "each check's failure is kept"
    rows = [record for _, record in read_records(tmp_path / "run/rows.jsonl")]
    assert all("30" not in record["prompt"] for record in rows), "the private test is never told"
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert manifest["set"]["kinds"] == found["set"]["kinds"]
    assert (found["prompt"], found["refine_prompt"]) == ("apps", "refine-program")
    assert found["phases"].keys() == {"solutions", "first", "probe", "training"}


def command(folder, *more):
    words = [sys.executable, "-m", "regreen.cli", "train", "cycle", "train.toml", "--sandbox", "local:C", *more]
    return subprocess.Popen(
        words, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_after_kills_in_two_phases_the_same_training_comes_to_the_same_losses(tmp_path, start, monkeypatch):
    tables = {
        "batch": "tokens = 400\nsteps = 12", "mask": "ratio = 0.3\nredraw = true",
        "probe": "n = 2\nmax_tokens = 16\ntemperature = 1.0", "check": "every = 4\nlimit = 1\nmax_tokens = 8",
    }  # fmt: skip
    whole = trained(tmp_path, start("dropout"), monkeypatch, out="whole", **tables)
    run = tmp_path / "killed"
    for reached in (lambda: (run / "probe/programs.jsonl").exists(), lambda: len(metrics(run)) > 6):
        process = command(tmp_path, "-q", "-o", "killed")
        deadline = time.monotonic() + 300
        while not reached() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert json.loads((run / "checkpoints/last/manifest.json").read_text())["step"] < 12
    killed = trained(tmp_path, start("dropout"), monkeypatch, out=run, **tables)
    assert metrics(run) == metrics(tmp_path / "whole")
    assert (run / "rows.jsonl").read_bytes() == (tmp_path / "whole/rows.jsonl").read_bytes()
    assert killed["set"] == whole["set"]
    assert whole["set"]["kinds"].keys() == {"refine"}, "random weights write no right program"


def test_the_command_that_refines_next_tells_what_was_taught(tmp_path, start, monkeypatch, capsys):
    told = 'feedback = "difference"\ncode = false\nchecks = 2\nreveal = "all"'
    write_config(tmp_path, start("llama"), pairs=told, mask="ratio = 0.0")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as done:
        main(["train", "cycle", "train.toml", "--sandbox", "local:C", "-q"])
    said = capsys.readouterr().out
    assert done.value.code == 0, said
    assert "--refine-prompt refine --feedback difference --no-code --checks 2 --reveal all" in said


def test_a_model_that_ships_with_the_package_is_trained_by_its_name_and_learns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    some = [problem_to_line(problem) for problem in katas.generate("train", count=12)]
    (tmp_path / "some.jsonl").write_text("".join(json.dumps(line) + "\n" for line in some))
    config = CycleConfig(
        model="tiny-base", problems="some.jsonl", dtype="float32", optimizer={"lr": 1e-3, "warmup": 0},
        batch={"tokens": 1500, "steps": 5}, probe={"n": 4, "temperature": 1.2, "max_tokens": 80},
        check={"limit": 1, "max_tokens": 80}, pairs={"share": 0.7},
    )  # fmt: skip
    found = cycle(config, judging=JUDGING, out=tmp_path / "run")
    losses = [record["loss"] for record in metrics(tmp_path / "run") if "loss" in record]
    assert losses[-1] < 0.8 * losses[0]
    assert 0.6 < found["set"]["share_refine"] < 0.8
    manifest = json.loads((tmp_path / "run/probe/manifest.json").read_text())
    assert manifest["settings"]["model_options"]["dtype"] == "float32"


def test_where_no_program_fails_it_is_said_plainly(tmp_path, start, monkeypatch):
    lines = doubles(6)
    answers = [{"problem": line["id"], "text": "    return 2 * x\n"} for line in lines]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in answers))
    write_config(tmp_path, start("llama"))
    model = open_model(f"scripted:{tmp_path / 'answers.jsonl'}")
    right = tmp_path / "right"
    evaluate(str(tmp_path / "problems.jsonl"), model, sampling=Sampling(prompt="codex"), judging=JUDGING, out=right)
    with pytest.raises(InputError, match="no program failed, so there is nothing to refine"):
        trained(tmp_path, start("llama"), monkeypatch, probe=f'run = "{right}"')


def test_programs_of_an_evaluation_serve_as_probes(tmp_path, start, monkeypatch):
    (tmp_path / "answers.jsonl").write_text(json.dumps({"text": "    return 3 * x\n"}) + "\n")
    write_config(tmp_path, start("llama"))
    model = open_model(f"scripted:{tmp_path / 'answers.jsonl'}")
    run = tmp_path / "probes"
    sampling = Sampling(n=4, temperatures=(0.8,), prompt="codex")
    evaluate(str(tmp_path / "problems.jsonl"), model, sampling=sampling, judging=JUDGING, out=run)
    found = trained(tmp_path, start("llama"), monkeypatch, probe=f'run = "{run}"', pairs="share = 0.5")
    assert found["set"]["kinds"] == {"refine": 5, "solution": 5}, "equal programs of a problem are taken once"
    assert not (tmp_path / "run/probe").exists()
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "finished": None}))
    with pytest.raises(InputError, match=r"probes is not finished; type the command that began it again"):
        trained(tmp_path, start("llama"), monkeypatch, probe=f'run = "{run}"', pairs="share = 0.5")
    with pytest.raises(InputError, match="holds another run: pairs is"):
        trained(tmp_path, start("llama"), monkeypatch, probe=f'run = "{run}"', pairs="share = 0.6")


def test_what_is_longer_than_the_context_is_left_out_and_said(tmp_path, small, tokenizer, monkeypatch):
    module = small(len(tokenizer))
    module.config.max_position_embeddings = 110
    module.save_pretrained(tmp_path / "short")
    tokenizer.save_pretrained(tmp_path / "short")
    lines = doubles(6)
    lines[1]["statement"] = lines[1]["meta"]["prompt"] = f'def f1(x):\n    """{"Double it. " * 90}"""\n'
    lines[1]["solution"] = lines[1]["meta"]["prompt"] + "    return 2 * x\n"
    tables = {"pairs": "share = 0.0", "mask": "ratio = 0.0"}
    found = trained(tmp_path, tmp_path / "short", monkeypatch, lines=lines, **tables)
    assert (found["too_long"], found["lessons"]) == (1, 4)
    assert any("longer than the model's context" in note for note in found["notes"])
    module.config.max_position_embeddings = 8
    module.save_pretrained(tmp_path / "short")
    with pytest.raises(InputError, match="every row is longer than the model's context, 8 tokens"):
        trained(tmp_path, tmp_path / "short", monkeypatch, lines=lines, out="none", **tables)


def test_without_an_end_of_text_answers_end_with_a_stop_string(tmp_path, start, tokenizer, monkeypatch):
    from transformers import AutoTokenizer

    from regreen.prompts import load
    from regreen.telling import Telling
    from regreen.train.pairs import Builder

    endless = AutoTokenizer.from_pretrained(start("llama"))
    endless.eos_token = None
    with torch.random.fork_rng():
        policy = Policy((KINDS["llama"](len(tokenizer)), endless), dtype="float32")
    problem = problem_from_line(doubles(1)[0])
    made = Builder(load("codex"), load("refine"), Telling(), reveal=None, select="edit", seed=0)
    (row,) = made.solutions(problem, [problem.solution])
    assert endless.decode(row_tokens(policy, row, load("codex"))[1]) == "    return 2 * x\nclass"


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"pairs": "rho = 0.1\nshare = 0.5"}, "rho and share both say"),
        ({"pairs": 'selct = "edit"'}, "pairs.selct: unknown; did you mean select?"),
        ({"mask": "ratio = 1.5"}, "mask.ratio"),
        ({"pairs": "words = 1"}, "every statement has more than 1 words"),
        ({"pairs": 'template = "repair"'}, "the mask finds no wrong program in a chat"),
        ({"probe": 'run = "nowhere"'}, "nowhere: not a run directory"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path, start, monkeypatch, tables, said):
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        trained(tmp_path, start("llama"), monkeypatch, **tables)
