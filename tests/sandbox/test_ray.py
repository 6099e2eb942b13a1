"""The sandbox and the models on a Ray cluster: the same verdicts and texts, whichever nodes come and go."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regreen import cluster as clusters_of_ray
from regreen.cli.about import doctor
from regreen.errors import InfrastructureError, InputError, TierError
from regreen.evaluate import Samples, evaluate, score
from regreen.models import Request, open_model
from regreen.options import Judging, Sampling
from regreen.problem import Assert, Call, Problem
from regreen.sandbox import LocalSandbox, RaySandbox
from tests.cheats import CHEATS, HONEST, aimed
from tests.sandbox import clusters
from tests.sandbox.clusters import outcomes
from tests.serve.servers import RIGHT, WRONG, asleep, descendants
from tests.serve.test_client import ADDING, MIXED
from tests.toy import hear_signals, programs, write_problems, write_samples

ray = pytest.importorskip("ray")


@pytest.fixture(scope="module")
def made() -> Iterator[Any]:
    with clusters.started(2) as made:
        yield made


@pytest.fixture(scope="module")
def nodes(made: Any) -> Iterator[RaySandbox]:
    with RaySandbox(made.address) as sandbox:
        yield sandbox


def rows(count: int, source: str = RIGHT) -> list[tuple[Problem, str]]:
    return [(ADDING, f"{source if n % 2 else WRONG}# {n}") for n in range(count)]


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


# ---- the same verdicts ----


def test_verdicts_equal_those_made_here(nodes: RaySandbox, sandbox: LocalSandbox) -> None:
    theirs, ours = dict(nodes.judge_all(MIXED)), dict(sandbox.judge_all(MIXED))
    assert {at: outcomes(verdict) for at, verdict in theirs.items()} == {at: outcomes(v) for at, v in ours.items()}
    assert (nodes.tier, nodes.jobs, [node["jobs"] for node in nodes.facts["nodes"]]) == (sandbox.tier, 2, [1, 1])


def test_no_cheat_passes_and_no_honest_program_is_lost(nodes: RaySandbox, made: Any, tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("canary")
    port = int(made.address.rpartition(":")[2])  # where Ray listens
    cheats = [c for c in CHEATS if not c.hasty and c.kind in ("network", "descriptor", "secret", "process", "value")]
    tried = [(cheat, cheat.against[0]) for cheat in cheats[::5]]
    pairs = [(problem, aimed(cheat.source, str(tmp_path / "canary"), port)) for cheat, problem in tried]
    honest = [(one.problem, one.source) for one in HONEST[::9]]
    found = dict(nodes.judge_all([*pairs, *honest]))
    assert [c.name for at, (c, _) in enumerate(tried) if found[at].outcome not in c.allowed] == []
    assert [one for at, one in enumerate(honest, len(tried)) if not found[at].passed] == []


def test_a_program_finds_neither_rays_sockets_nor_its_memory_nor_its_package(nodes: RaySandbox, made: Any) -> None:
    host, _, port = made.address.rpartition(":")
    seeker = f"""
import os, socket

def seek():
    folders = [folder for folder in ("/tmp/ray", "/dev/shm", "/proc/1") if os.path.isdir(folder)]
    found = [name for folder in folders for name in os.listdir(folder)]
    for host in ({host!r}, "127.0.0.1"):
        try:
            socket.create_connection((host, {port}), 0.5)
            found.append(host)
        except OSError:
            pass
    try:
        import ray
        found.append("ray")
    except ImportError:
        pass
    return found + [name for name in os.environ if "RAY" in name]
"""
    verdict = nodes.judge_now(Problem("seek", "", (Call((), []),), entry_point="seek"), seeker)
    assert verdict.passed, verdict.failure


def test_a_problem_that_cannot_be_judged_is_named_and_the_others_are_judged(nodes: RaySandbox) -> None:
    broken = Problem("broken", "", (Assert("assert 1"),), prelude="def (")
    unsendable = Problem("unsendable", "", (Call((lambda: 1,), 1),), entry_point="f")
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(nodes.judge_now, problem, RIGHT) for problem in (broken, unsendable, ADDING)]
        for at, words in ((0, "prelude does not compile"), (1, "problem unsendable: cannot be sent")):
            with pytest.raises(InputError, match=words):
                waiting[at].result(30)
        assert waiting[2].result(30).passed


def test_more_problems_than_a_node_keeps_are_judged_by_their_own_checks(nodes: RaySandbox) -> None:
    problems = [Problem(f"p{n}", "", (Assert(f"assert f() == {n}"),)) for n in range(1100)]
    pairs = [(problem, f"def f(): return {n}") for n, problem in enumerate(problems)]
    assert all(verdict.passed for _, verdict in nodes.judge_all([*pairs, *pairs[:50]]))


# ---- judges that are lost, and what is given up ----


def test_a_judge_that_dies_alone_is_begun_again_on_its_node(nodes: RaySandbox) -> None:
    lost = list(nodes._posts.values())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(nodes.judge_now, ADDING, asleep(0.5))
        assert within(5, lambda: any(post.held for post in lost))
        for post in lost:
            ray.kill(post._judge)
        assert waiting.result(30).passed
    assert within(20, lambda: len(nodes._posts) == 2)


def test_who_stops_looking_stops_the_work_on_the_nodes_too(nodes: RaySandbox) -> None:
    results = nodes.judge_all((ADDING, asleep(0.3)) for _ in range(1000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert within(3, lambda: not any(post.held for post in nodes._posts.values()))
    assert nodes.judge_now(ADDING, RIGHT).passed


def test_closing_ends_who_waits_and_every_process(made: Any) -> None:
    before = judges(made)
    sandbox = RaySandbox(made.address)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sandbox.judge_now, ADDING, asleep(20))
        assert within(10, lambda: any(post.held for post in sandbox._posts.values()))
        sandbox.close()
        assert isinstance(waiting.exception(10), InfrastructureError)
    assert within(10, lambda: judges(made) <= before)
    with pytest.raises(InfrastructureError, match="closed"):
        sandbox.judge_now(ADDING, RIGHT)


def judges(made: Any) -> set[int]:
    """The processes of all judges on the cluster's nodes, lanes and zygotes included."""
    found: set[int] = set()
    for node in made.list_all_nodes():
        for process in descendants(node.all_processes["raylet"][0].process.pid):
            try:
                words = Path(f"/proc/{process}/cmdline").read_text()
            except OSError:
                continue
            if "NodeJudge" in words or "lane_main" in words:
                found.add(process)
    return found


# ---- the command ----


def test_commands_that_are_ended_leave_no_judge_and_one_machine_goes_on_with_their_runs(
    made: Any, nodes: RaySandbox, tmp_path: Path
) -> None:
    before = judges(made)
    samples = write_samples(tmp_path, [("toy/add", f"{asleep(0.2)}# {n}") for n in range(40)])
    benchmark = write_problems(tmp_path)
    endings = (signal.SIGINT, signal.SIGKILL)
    commands = {ending: begun(ending, made, samples, benchmark) for ending in endings}
    for ending, process in commands.items():
        assert within(60, lambda run=tmp_path / ending.name: verdicts(run) >= 3)
        process.send_signal(ending)
    said = {ending: process.communicate(timeout=30) for ending, process in commands.items()}
    assert [commands[ending].returncode for ending in endings] == [130, -9]
    assert [out for out, _ in said.values()] == ["", ""]
    assert "type the same command again to go on" in said[signal.SIGINT][1]
    assert within(20, lambda: judges(made) <= before)
    for ending in endings:
        assert 3 <= verdicts(tmp_path / ending.name) < 40
        found = score(Samples(samples), str(benchmark), judging=Judging(jobs=8), out=tmp_path / ending.name)
        assert found["outcomes"]["passed"] == 40


def begun(ending: signal.Signals, made: Any, samples: Path, benchmark: Path) -> subprocess.Popen[str]:
    arguments = ["score", str(samples), "--benchmark", str(benchmark), "-o", str(samples.with_name(ending.name))]
    command = [sys.executable, "-m", "regreen.cli", *arguments, "--json", "--cluster", made.address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_signals)


def verdicts(run: Path) -> int:
    file = run / "verdicts.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def test_a_command_says_the_same_with_a_cluster_as_without(made: Any, tmp_path: Path) -> None:
    samples = Samples(write_samples(tmp_path, programs(4, 2, 1)))
    benchmark = str(write_problems(tmp_path))
    found = {}
    for name, place in (("here", None), ("there", made.address)):
        scored = score(samples, benchmark, judging=Judging(cluster=place), out=tmp_path / name)
        found[name] = {key: value for key, value in scored.items() if key not in ("run", "seconds")}
    assert found["here"] == found["there"]
    manifests = [json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("here", "there")]
    assert manifests[0]["hash"] == manifests[1]["hash"], "where it is judged decides nothing"
    assert manifests[1]["sandbox"]["tier"] == manifests[0]["sandbox"]["tier"]
    assert len(manifests[1]["sandbox"]["nodes"]) == 2


def test_the_doctor_tells_every_nodes_tier(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(cluster=made.address, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["asked"], found["enough"], len(found["nodes"])) == ("B", True, 2)
    assert doctor(cluster=made.address) == 0
    said = capsys.readouterr().out
    assert all(node["node"] in said for node in found["nodes"])
    assert f"tier {found['tier']}; asked for at least B: enough" in said
    with pytest.raises(InputError, match="leave out --sandbox"):
        doctor(sandbox="http://127.0.0.1:1", cluster=made.address)


# ---- what is refused ----


@pytest.mark.slow
def test_a_node_below_the_tier_asked_for_is_refused_and_named(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with clusters.contained(made.address):
        assert within(60, lambda: len(clusters_of_ray.nodes(clusters_of_ray.join(made.address))) == 3)
        with pytest.raises(TierError, match=r"node .*: programs can be confined at tier B here, tier A was asked for"):
            RaySandbox(made.address, tier="A")
        with RaySandbox(made.address, tier="B") as sandbox:
            assert (sandbox.tier, sorted(node["tier"] for node in sandbox.facts["nodes"])) == ("B", ["A", "A", "B"])
        assert doctor(sandbox="local:A", cluster=made.address) == 1
        assert "tier A was asked for" in capsys.readouterr().out


def test_without_ray_the_message_names_the_extra(tmp_path: Path) -> None:
    samples, benchmark = write_samples(tmp_path, programs(1)), write_problems(tmp_path)
    arguments = ["score", str(samples), "--benchmark", str(benchmark), "--cluster", "ray"]
    code = f"import sys\nsys.modules['ray'] = None\nfrom regreen.cli import main\nmain({arguments!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "regreen: --cluster ray: ray is not installed (pip install 'regreen[ray]')\n"


@pytest.mark.parametrize("where", ["", "rays", "host:", "host:port", ":1", "host:99999"])
def test_an_address_that_is_none_is_refused(where: str) -> None:
    with pytest.raises(InputError, match="expected ray, or HOST:PORT"):
        RaySandbox(where)


def test_nobody_at_an_address_is_an_infrastructure_error_at_once() -> None:
    with pytest.raises(InfrastructureError, match="nobody answers"):
        clusters_of_ray._reach("127.0.0.1:1")


def test_a_cluster_and_a_server_or_another_cluster_at_once_are_refused(nodes: RaySandbox) -> None:
    with pytest.raises(InputError, match="its nodes judge; leave out --sandbox"):
        Judging(sandbox="http://127.0.0.1:1", cluster="ray").open()
    with pytest.raises(InputError, match="to judge here leave it out"):
        Judging(cluster="ray").open_local()
    with pytest.raises(InputError, match="this process is in the cluster at"):
        RaySandbox("127.0.0.1:1")


# ---- models ----

REQUESTS = [Request("def add(a, b):\n", seed=n, temperature=0.8, max_tokens=40) for n in range(24)]


def asked(model: Any) -> list[Any]:
    async def ask() -> list[Any]:
        calls = await asyncio.gather(*(model.sample(REQUESTS[at : at + 8]) for at in (0, 8, 16)))
        return [completion for call in calls for completion in call]

    return asyncio.run(ask())


def test_a_model_on_the_nodes_writes_what_it_writes_here_also_when_a_copy_is_lost(made: Any) -> None:
    here = open_model("tiny-base", batch=8)
    there: Any = open_model("tiny-base", batch=8, cluster=made.address)
    assert (there.name, there.chat, there.decides, there.batch) == (here.name, here.chat, here.decides, here.batch)
    expected = [replace(completion, generated=None) for completion in asked(here)]
    assert asked(there) == expected
    assert there.parallel == 2
    threading.Timer(0.05, ray.kill, [there._copies[0].actor]).start()
    assert asked(there) == asked(there) == expected
    assert asyncio.run(there.logprob("a", "b")) == asyncio.run(here.logprob("a", "b"))
    for copy in there._copies:
        ray.kill(copy.actor)


def test_a_model_that_cannot_be_opened_and_an_option_that_it_does_not_take_are_named(made: Any) -> None:
    with pytest.raises(InputError, match="nowhere"):
        open_model("tiny:nowhere", cluster=made.address)
    with pytest.raises(InputError, match="takes no --dtype"):
        open_model("tiny-base", cluster=made.address, dtype="float32")


def test_an_evaluation_on_the_nodes_holds_the_same_programs_and_scores_as_one_here(made: Any, tmp_path: Path) -> None:
    found, benchmark = {}, str(write_problems(tmp_path))
    for name, place in (("here", None), ("there", made.address)):
        model = open_model("tiny-base", batch=4, cluster=place)
        sampling = Sampling(n=5, temperatures=(0.8,), max_tokens=20, examples=0)
        scored = evaluate(benchmark, model, sampling=sampling, judging=Judging(cluster=place), out=tmp_path / name)
        lines = (tmp_path / name / "programs.jsonl").read_text().splitlines()
        found[name] = ({k: v for k, v in scored.items() if k not in ("run", "seconds")}, sorted(lines))
    assert found["here"] == found["there"]


@pytest.mark.slow
def test_a_torch_model_on_the_nodes_writes_the_same_texts_as_one_here(made: Any, checkpoint: Path) -> None:
    there = open_model(f"hf:{checkpoint}", batch=8, device="cpu", cluster=made.address)
    here = open_model(f"hf:{checkpoint}", batch=8, device="cpu")  # with one thread, as a copy has: see conftest
    assert asked(there) == [replace(completion, generated=None) for completion in asked(here)]
    assert dict(there.decides) == dict(here.decides)


def test_a_model_takes_the_gpus_where_there_are_some(made: Any) -> None:
    made.add_node(num_cpus=1, num_gpus=1)  # in Ray's books
    model: Any = open_model("tiny-base", cluster=made.address)
    assert (len(model._copies), model.parallel) == (1, 1), "and not one on each of three cores"


# ---- nodes that come and go: the last test, since Ray takes its time to know that a node is gone ----


def test_a_node_killed_in_the_middle_loses_no_verdict_and_one_that_joins_is_used(made: Any, nodes: RaySandbox) -> None:
    there = len(made.list_all_nodes())
    lost, joined = made.add_node(num_cpus=1), None
    assert within(20, lambda: len(nodes._posts) == there + 1)
    found = []
    for position, verdict in nodes.judge_all(rows(300, asleep(0.01))):
        found.append((position, verdict.passed))
        if len(found) == 60:
            clusters.killed(made, lost)
            joined = made.add_node(num_cpus=1)
    assert sorted(found) == [(n, bool(n % 2)) for n in range(300)]
    assert within(20, lambda: joined.node_id in nodes._posts and lost.node_id not in nodes._posts)
