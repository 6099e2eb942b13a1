"""``--sandbox http://...``: a server's verdicts are this machine's, and none is lost or doubled on the way."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from regreen.attempt import judge_programs
from regreen.errors import InfrastructureError, InputError
from regreen.evaluate import Samples, score
from regreen.options import Choice, Judging
from regreen.problem import Assert, Call, Problem, Stdio, problem_from_line
from regreen.program import Program
from regreen.run import Run, Settings
from regreen.sandbox import Limits, LocalSandbox, RemoteSandbox
from regreen.sandbox.asking import Batch, Lost, Patience
from regreen.serve.bodies import Reader
from regreen.verdict import Verdict
from tests.cheats import CHEATS
from tests.honest import HONEST
from tests.serve.servers import ADD, RIGHT, WRONG, Server, asleep, started
from tests.toy import programs, write_problems, write_samples

ADDING = problem_from_line(ADD)
CALLS = Problem(
    "calls",
    "",
    (
        Call(((1, 2), {"k": {3}}), (1.5, float("inf"), {4}), {"key": b"\x00"}),
        Call((10**40,), -0.0, compare="close"),
        Call(("\ud800",), [None, True, complex(1, 2)]),
    ),
    entry_point="f",
)
READS = Problem("reads", "", (Stdio("3 4\n", "7\n"), Stdio("0 0", "0.0000001", "floats")))
HELPED = Problem("helped", "", (Assert("assert near(f(1), 1)"),), prelude="def near(a, b): return abs(a - b) < 1")
NUMPY = Problem("numpy", "", (Assert("import numpy as np\nassert np.allclose(f(), [1, 2])"),))
MIXED = [
    (ADDING, RIGHT),
    (ADDING, WRONG),
    (ADDING, "def add("),
    (ADDING, "def add(a, b): raise KeyError('\ud800')"),
    (
        CALLS,
        "def f(x, *a, **k):\n    return (1.5, float('inf'), {4}) if a else 0.0 if type(x) is int else [None, 1, 1+2j]",
    ),
    (CALLS, "def f(*a, **k): return []"),
    (READS, "a, b = map(int, input().split())\nprint(a + b)"),
    (READS, "print('é' * 3000)"),
    (HELPED, "def f(x): return 1.4"),
    (HELPED, "def f(x): return 2.4"),
    (NUMPY, "import numpy as np\ndef f(): return np.array([1, 2])"),
    (replace(ADDING, meta={"mode": "shared"}), RIGHT),
]


@pytest.fixture(scope="module")
def remote(server: Server) -> Iterator[RemoteSandbox]:
    with RemoteSandbox(server.url) as client:
        yield client


def unclocked(verdict: Verdict) -> Verdict:
    checks = tuple(replace(check, cpu=None, wall=None) for check in verdict.checks)
    return replace(verdict, checks=checks, cpu=0.0, wall=0.0)


# ---- the same verdicts ----


def test_verdicts_equal_those_made_here(remote: RemoteSandbox, sandbox: LocalSandbox) -> None:
    theirs, ours = dict(remote.judge_all(MIXED)), dict(sandbox.judge_all(MIXED))
    assert theirs.keys() == ours.keys() == set(range(len(MIXED)))
    for position, verdict in ours.items():
        assert unclocked(theirs[position]) == unclocked(verdict)
    assert [theirs[0].passed, theirs[4].passed, theirs[11].mode] == [True, True, "shared"]


def test_no_cheat_passes_and_no_honest_program_is_lost(remote: RemoteSandbox) -> None:
    cheats = [(cheat, cheat.against[0]) for cheat in CHEATS if not cheat.hasty][::6]
    honest = [(one, one.problem) for one in HONEST[::6]]
    found = dict(remote.judge_all([(problem, one.source) for one, problem in (*cheats, *honest)]))
    assert [c.name for at, (c, _) in enumerate(cheats) if found[at].outcome not in c.allowed] == []
    assert [h.name for at, (h, _) in enumerate(honest, len(cheats)) if not found[at].passed] == []


def test_it_is_asked_one_by_one_from_threads_and_from_an_event_loop(remote: RemoteSandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: remote.judge_now(ADDING, RIGHT if n % 2 else WRONG).passed, range(16)))
    assert found == [bool(n % 2) for n in range(16)]

    async def all_of_them() -> list[Verdict]:
        return await asyncio.gather(*(remote.judge(ADDING, RIGHT if n % 2 else WRONG) for n in range(16)))

    assert [verdict.passed for verdict in asyncio.run(all_of_them())] == found


def test_a_command_says_the_same_with_a_server_as_without(server: Server, tmp_path: Path) -> None:
    samples = Samples(write_samples(tmp_path, programs(4, 2, 1)))
    benchmark = str(write_problems(tmp_path))
    found = {}
    for name, place in (("here", "local"), ("there", server.url)):
        scored = score(samples, benchmark, choice=Choice(), judging=Judging(sandbox=place), out=tmp_path / name)
        found[name] = {key: value for key, value in scored.items() if key not in ("run", "seconds")}
    assert found["here"] == found["there"]
    manifest = json.loads((tmp_path / "there" / "manifest.json").read_text())
    assert manifest["sandbox"]["tier"] == server.health()["sandbox"]["tier"]
    assert (manifest["sandbox"]["url"], manifest["settings"]["sandbox"]) == (server.url, "http")


# ---- what happens on the way ----


def test_two_clients_that_bring_more_than_the_queue_holds_lose_nothing(server: Server) -> None:
    def bring(number: int) -> list[tuple[int, bool]]:
        with RemoteSandbox(server.url, jobs=3) as client:
            pairs = [(ADDING, RIGHT if n % 3 == number else WRONG) for n in range(100)]
            return [(position, verdict.passed) for position, verdict in client.judge_all(pairs)]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(bring, range(2)))
    for number, rows in enumerate(found):
        assert sorted(rows) == [(n, n % 3 == number) for n in range(100)]


def test_a_server_that_dies_and_comes_back_gives_every_verdict_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    pairs = [(ADDING, RIGHT if n % 2 else WRONG) for n in range(200)]
    found = []
    with started("-j", "1", port=port) as first, RemoteSandbox(first.url) as client:
        for position, verdict in client.judge_all(pairs):
            found.append((position, verdict.passed))
            if len(found) == 20:
                first.process.kill()
                first.process.wait()
                second = started("-j", "1", port=port)
                second.__enter__()
    second.__exit__(None, None, None)
    assert sorted(found) == [(n, bool(n % 2)) for n in range(200)]


def test_a_server_that_does_not_come_back_ends_the_work_and_it_can_be_resumed(tmp_path: Path) -> None:
    rows = [(ADDING, Program("add", n, f"{RIGHT}# {n}")) for n in range(60)]

    def judge_until_it_dies(server: Server, client: RemoteSandbox, run: Run) -> None:
        for done, _ in enumerate(judge_programs(rows, client, run)):
            if done == 5:
                server.process.kill()

    with (
        started("-j", "1") as server,
        RemoteSandbox(server.url, jobs=1, patience=0.2) as client,
        Run(tmp_path / "run", Settings("score", "b", {})) as run,
        pytest.raises(InfrastructureError, match="see that 'regreen serve' runs there, and type the same command"),
    ):
        judge_until_it_dies(server, client, run)
    with LocalSandbox(jobs=1) as local, Run(tmp_path / "run", Settings("score", "b", {})) as run:
        before = run.counts.judged
        left = len(list(judge_programs(rows, local, run)))
        assert (run.counts.judged, before >= 6) == (60, True)
        assert left == 60 - before


def test_who_stops_looking_stops_the_work_on_the_server_too(server: Server, remote: RemoteSandbox) -> None:
    results = remote.judge_all((ADDING, asleep(0.5)) for _ in range(1000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert server.is_idle_within(3), "not after 15 seconds"
    assert remote.judge_now(ADDING, RIGHT).passed


def test_an_error_of_the_pairs_is_the_callers(remote: RemoteSandbox) -> None:
    def pairs() -> Iterator[tuple[Problem, str]]:
        yield ADDING, RIGHT
        raise KeyError("no more")

    with pytest.raises(KeyError, match="no more"):
        list(remote.judge_all(pairs()))
    assert list(remote.judge_all([])) == []


def test_closing_ends_who_waits_and_who_comes_later(server: Server) -> None:
    client = RemoteSandbox(server.url)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.judge_now, ADDING, asleep(5))
        while not client._known:
            pass
        client.close()
        assert isinstance(waiting.exception(10), InfrastructureError)
    with pytest.raises(InfrastructureError, match="closed"):
        client.judge_now(ADDING, RIGHT)


# ---- what is refused ----


def test_a_problem_that_cannot_be_sent_is_named_and_the_others_are_judged(remote: RemoteSandbox) -> None:
    objects = Problem("objects", "", (Call((object(),), 1),), entry_point="f")
    broken = Problem("broken", "", (Assert("assert 1"),), prelude="def (")
    both = Problem("both", "", (Assert("assert 1"), Stdio("", "")))
    digits = Problem("digits", "", (Call((10**5000,), 1),), entry_point="f")
    waiting = [remote._submit(problem, RIGHT) for problem in (objects, ADDING, broken, both, ADDING, digits)]
    for at, words in (
        (5, "problem digits"),
        (0, "problem objects"),
        (2, "prelude does not compile"),
        (3, "problem both: stdio checks cannot"),
    ):
        error = waiting[at].exception(30)
        assert isinstance(error, InputError)
        assert words in str(error)
    assert all(waiting[at].result(30).passed for at in (1, 4))


def test_limits_above_the_servers_are_refused_and_the_message_says_what_to_give(server: Server) -> None:
    with pytest.raises(InputError, match=r"--timeout 4\.0: http.* allows 3\.0 at most; give --timeout 3\.0"):
        RemoteSandbox(server.url, Limits(timeout=4.0))
    with pytest.raises(InputError, match=r"--memory 2147483648: .* give --memory 1073741824"):
        RemoteSandbox(server.url, Limits(memory=2 << 30))


@pytest.mark.parametrize("url", ["http://", "http://host:port", "http://a:1/?b", "http://a:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no address"):
        RemoteSandbox(url)


def test_nobody_at_an_address_is_an_infrastructure_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(InfrastructureError, match="nobody answers"):
        RemoteSandbox(f"http://127.0.0.1:{port}")


def test_another_kind_of_server_is_told_apart() -> None:
    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        with pytest.raises(InputError, match="no regreen server"):
            RemoteSandbox(f"http://127.0.0.1:{listener.getsockname()[1]}")


# ---- the parts ----


def test_a_batch_is_read_as_it_was_written_with_each_problem_once() -> None:
    batch = Batch([(ADDING, RIGHT), (CALLS, WRONG), (ADDING, "\ud800")], Limits(timeout=1.0))
    body = batch.encode()
    assert body.count(b"assert add(1, 2)") == 1
    asked = Reader(Limits()).asked(body)
    assert asked.limits == Limits(timeout=1.0)
    assert [source for _, source in asked.rows] == [RIGHT, WRONG, "\ud800"]
    assert asked.rows[0][0] is asked.rows[2][0]
    assert repr(asked.rows[1][0].checks) == repr(CALLS.checks), "texts, for nan and -0.0"


def test_patience_grows_its_pauses_and_ends_but_a_full_server_is_waited_for_longer() -> None:
    def pauses(lost: Lost) -> tuple[list[float], str]:
        patience, found = Patience("http://x", 10.0), []
        while True:
            try:
                found.append(patience.pause(lost, progressed=False))
            except InfrastructureError as error:
                return found, str(error).partition("; ")[0]

    assert pauses(Lost("gone")) == ([0.25, 0.5, 1.0, 2.0, 4.0, 8.0], "http://x: gone")
    assert pauses(Lost("gone", 5.0)) == ([5.0] * 20, "http://x: gone")


def test_patience_begins_anew_with_every_answer() -> None:
    patience: Any = Patience("http://x", 0.3)
    assert [patience.pause(Lost("gone"), progressed=True) for _ in range(50)] == [0.25] * 50
