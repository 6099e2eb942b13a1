"""The server: what it answers, what it refuses, how it bears a load, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from regreen.cli.about import doctor
from regreen.errors import InputError
from regreen.options import Judging
from regreen.problem import problem_from_line
from regreen.sandbox import Limits, LocalSandbox
from regreen.serve import is_loopback, serve
from regreen.serve.app import make_app
from regreen.serve.bodies import Reader
from regreen.serve.desk import _SANDBOXES_KEPT, Desk, Full
from regreen.verdict import verdict_to_line
from tests.serve.servers import ADD, BUSY, RIGHT, WRONG, Server, alive, asleep, descendants, started

ONE = {"problem": ADD, "source": RIGHT}


def lines(server: Server, body: Any) -> Iterator[dict[str, Any]]:
    with httpx.stream("POST", f"{server.url}/judge", json=body, timeout=60) as response:
        assert response.status_code == 200
        yield from map(json.loads, response.iter_lines())


# ---- what it answers ----


def test_a_program_gets_the_line_that_a_run_would_record(server: Server, sandbox: LocalSandbox) -> None:
    for source in (RIGHT, WRONG, "def add("):
        found = server.post({"problem": ADD, "source": source}).json()
        ours = verdict_to_line(sandbox.judge_now(problem_from_line(ADD), source), "add", 0)
        for line in (found, ours):
            for clocked in (line, *line["checks"]):
                clocked.pop("cpu", None), clocked.pop("wall", None)
        assert found == ours


def test_a_batch_gets_a_line_for_each_row_under_its_number(server: Server) -> None:
    other = {**ADD, "id": "other", "checks": [{"kind": "assert", "code": "assert add(2, 2) == 0"}]}
    rows = [{"problem": ADD, "source": RIGHT}, {"problem": other, "source": RIGHT}, {"problem": 1, "source": WRONG}]
    found = {line["row"]: (line["problem"], line["outcome"]) for line in lines(server, {"rows": rows})}
    assert found == {0: ("add", "passed"), 1: ("other", "wrong_answer"), 2: ("other", "passed")}


def test_a_row_is_answered_as_soon_as_it_is_done(server: Server) -> None:
    began, seen = time.monotonic(), []
    for line in lines(server, {"rows": [ONE, {"problem": 0, "source": asleep(1.0)}]}):
        seen.append((line["row"], time.monotonic() - began))
    assert [row for row, _ in seen] == [0, 1]
    assert seen[1][1] - seen[0][1] > 0.8, "the first line did not wait for the second"


def test_a_client_may_lower_the_limits(server: Server) -> None:
    found = server.post({"problem": ADD, "source": BUSY, "limits": {"timeout": 0.1}}).json()
    assert (found["outcome"], found["checks"][0]["message"]) == ("timeout", "not done after 0.1 s of CPU time")


def test_a_row_that_cannot_be_judged_says_so_and_the_others_are_judged(server: Server) -> None:
    bad = {**ADD, "prelude": "def broken("}
    found = {line["row"]: line for line in lines(server, {"rows": [{"problem": bad, "source": RIGHT}, ONE]})}
    assert (found[0]["kind"], found[1]["outcome"]) == ("input", "passed")
    assert "prelude does not compile" in found[0]["error"]
    assert server.post({"problem": bad, "source": RIGHT}).status_code == 422


def test_health_tells_tier_limits_jobs_and_queue(server: Server, sandbox: LocalSandbox) -> None:
    found = server.health()
    assert found["sandbox"] == sandbox.facts
    assert found["limits"] == sandbox.limits._asdict()
    assert (found["jobs"], found["queue"], found["waiting"]) == (1, 40, 0)
    assert found["version"]


# ---- what it refuses ----

DEEP = "[" * 100_000 + "]" * 100_000
CALL = {"id": "p", "statement": "", "entry_point": "f"}


def called(argument: Any) -> dict[str, Any]:
    return {**CALL, "checks": [{"kind": "call", "args": [argument], "expected": 1}]}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("", 400, "no JSON"),
        ("{", 400, "no JSON"),
        ("\xff", 400, "no JSON"),
        (DEEP, 400, "nested too deep"),
        ("1" * 5000, 400, "no JSON"),
        ([], 422, "expected {'problem', 'source'}"),
        ({}, 422, "not fields []"),
        ({**ONE, "rows": []}, 422, "not fields ['problem', 'rows', 'source']"),
        ({"problem": ADD, "source": 1}, 422, "'source' must be a string"),
        ({"problem": 0, "source": RIGHT}, 422, "a problem must be a JSON object, not int"),
        ({"problem": {**ADD, "checks": []}, "source": RIGHT}, 422, "at least one check"),
        ({"problem": {**ADD, "meta": []}, "source": RIGHT}, 422, "the problem cannot be used"),
        ({"problem": called({"$repr": "__import__('os')"}), "source": ""}, 422, "not a Python literal"),
        ({"problem": called(nested(400)), "source": ""}, 422, "the problem cannot be used"),
        ({"problem": called(nested(150)), "source": ""}, 422, "the problem cannot be used"),
        ({"rows": 1}, 422, "'rows' must be a list"),
        ({"rows": []}, 422, "at least one"),
        ({"rows": [1]}, 422, "row 0: expected an object"),
        ({"rows": [{**ONE, "more": 1}]}, 422, "row 0: expected an object"),
        ({"rows": [ONE, {"problem": 1, "source": ""}]}, 422, "row 1: 'problem' must be a problem or the number"),
        ({"rows": [ONE, {"problem": True, "source": ""}]}, 422, "not bool"),
        ({"rows": [ONE] * 41}, 413, "41 rows: at most 40"),
        ({**ONE, "limits": {"timeout": 3.1}}, 422, "'timeout' must be a number above 0, and 3.0 at most"),
        ({**ONE, "limits": {"timeout": float("nan")}}, 422, "'timeout' must be"),
        ({**ONE, "limits": {"memory": True}}, 422, "'memory' must be"),
        ({**ONE, "limits": {"processes": 1}}, 422, "some of timeout, memory, output"),
        ({**ONE, "limits": 1}, 422, "'limits' must be an object"),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_in_one_line(server: Server, body: Any, status: int, words: str) -> None:
    content = body.encode("latin-1") if isinstance(body, str) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    response = httpx.post(f"{server.url}/judge", content=content, headers=headers, timeout=60)
    (error,) = response.json().values()
    assert (response.status_code, "\n" in error) == (status, False)
    assert words in error


def test_what_is_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = (
            "POST /judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
        )
        connection.sendall(head.encode() + b"{")
        assert b" 413 " in connection.recv(4096)


def test_what_is_held_of_all_bodies_is_bounded_and_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, with little to hold: a second large body is put off while the first waits for its answer."""
    monkeypatch.setattr("regreen.serve.app._HELD_LIMIT", 1000)
    large, small = {"problem": ADD, "source": asleep(0.5) + "#" * 2000}, {"problem": ADD, "source": RIGHT}

    async def ask(app: Starlette) -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here", timeout=60) as client:
            first = asyncio.create_task(client.post("/judge", json=large))
            await asyncio.sleep(0.2)
            second = await client.post("/judge", json=small)
            last = [await first, await client.post("/judge", json=small)]
        return [second.status_code, *(answer.status_code for answer in last)]

    with LocalSandbox(jobs=2) as own:
        app, desk = make_app(own, 10)
        assert asyncio.run(ask(app)) == [503, 200, 200]
        desk.close()


def test_what_a_web_page_can_send_unasked_is_refused(server: Server) -> None:
    response = httpx.post(f"{server.url}/judge", content=json.dumps(ONE), headers={"Content-Type": "text/plain"})
    assert response.status_code == 415


def test_an_address_that_is_none_names_those_that_are(server: Server) -> None:
    for response, status in ((httpx.get(f"{server.url}/judge"), 405), (httpx.get(f"{server.url}/"), 404)):
        assert response.status_code == status
        assert "POST /judge, POST /run_code and GET /health" in response.json()["error"]


# ---- load ----


def test_who_comes_when_the_queue_is_full_is_told_when_to_come_again(server: Server) -> None:
    rows = [{"problem": ADD, "source": asleep(0.05)}, *[{"problem": 0, "source": asleep(0.05)}] * 39]
    answers = lines(server, {"rows": rows})
    assert next(answers)["outcome"] == "passed"
    full = server.post({"rows": [ONE] * 40})
    assert (full.status_code, "queue is full" in full.json()["error"]) == (503, True)
    assert 1 <= int(full.headers["retry-after"]) <= 30
    assert len(list(answers)) == 39, "those inside lose nothing"


def test_a_client_that_goes_away_takes_what_has_not_begun_with_it(server: Server) -> None:
    rows = [ONE, *[{"problem": 0, "source": asleep(1)}] * 39]
    answers = lines(server, {"rows": rows})
    next(answers)
    assert server.health()["waiting"] > 30
    answers.close()  # type: ignore[attr-defined]
    assert server.is_idle_within(3), "not after 39 seconds"
    assert server.post(ONE).json()["outcome"] == "passed"


def test_a_client_that_leaves_before_its_one_verdict_frees_its_place(server: Server) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/judge", json={"problem": ADD, "source": asleep(1.5)}, timeout=0.5)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/judge", json={"problem": ADD, "source": asleep(60)}, timeout=0.5)
    assert server.is_idle_within(5)


def test_the_desk_takes_all_of_a_batch_or_nothing(sandbox: LocalSandbox) -> None:
    with LocalSandbox(Limits(timeout=1.0), jobs=1) as own:
        desk = Desk(own, 3)
        inside = desk.submit([lambda _: time.sleep(0.2)] * 3, own.limits)
        with pytest.raises(Full):
            desk.submit([lambda _: None] * 2, own.limits)
        last = desk.submit([lambda _: "done"], own.limits)
        assert last[0].result() == "done"
        assert all(work.done() for work in inside)
        desk.close()
        with pytest.raises(Full):
            desk.submit([lambda _: None], own.limits)


def test_no_more_sandboxes_are_kept_than_a_few_whatever_limits_are_asked_for() -> None:
    problem = problem_from_line(ADD)
    with LocalSandbox(Limits(timeout=1.0), jobs=1) as own:
        desk = Desk(own, 100)
        before = descendants(os.getpid())
        for step in range(_SANDBOXES_KEPT + 2):
            limits = Limits(timeout=0.9 - step / 100)
            (work,) = desk.submit([lambda one: one.judge_now(problem, RIGHT)], limits)
            assert work.result().passed
        assert len(desk._sandboxes._held) <= _SANDBOXES_KEPT + 1
        desk.close()
        assert descendants(os.getpid()) <= before


def test_a_problem_seen_before_is_the_same_object_and_few_are_kept() -> None:
    reader = Reader(Limits())
    first, second = (reader.asked(json.dumps(ONE).encode()).rows[0][0] for _ in range(2))
    assert first is second
    floats = {**ADD, "checks": [{"kind": "assert", "code": "assert add(1, 2) == 3.0"}]}
    assert reader.asked(json.dumps({"problem": floats, "source": ""}).encode()).rows[0][0] is not first
    for number in range(1100):
        reader.asked(json.dumps({"problem": {**ADD, "id": str(number)}, "source": ""}).encode())
    assert len(reader._problems) <= 1024
    assert reader._text == sum(size for _, size in reader._problems.values())


# ---- run_code ----

CRASHES = "import ctypes\nctypes.string_at(0)\n"


def run_code(server: Server, code: str, **more: Any) -> dict[str, Any]:
    usual = {"compile_timeout": 10, "run_timeout": 10, "files": {}, "fetch_files": [], "language": "python"}
    response = server.post({**usual, "code": code, "stdin": "4\n", **more}, "/run_code")
    assert response.status_code == 200
    return dict(response.json())


@pytest.mark.parametrize(
    ("code", "status", "kind", "returned", "stdout", "stderr"),
    [
        ("print(int(input()) * 2)", "Success", "Finished", 0, "8\n", ""),
        ("import sys\nprint(1)\nsys.exit('no')", "Failed", "Finished", 1, "1\n", "no\n"),
        ("import os\nos._exit(7)", "Failed", "Finished", 7, "", ""),
        ("import sys\nsys.stderr.write('oh')", "Success", "Finished", 0, "", "oh"),
        (CRASHES, "Failed", "Finished", -11, "", ""),
        ("print('x' * (2 << 20))", "Failed", "Finished", -25, None, ""),
    ],
)
def test_a_program_run_tells_its_status_and_all_that_it_wrote(
    server: Server, code: str, status: str, kind: str, returned: int, stdout: str | None, stderr: str
) -> None:
    found = run_code(server, code)
    done = found["run_result"]
    assert (found["status"], done["status"], done["return_code"], done["stderr"]) == (status, kind, returned, stderr)
    assert done["stdout"] == stdout or stdout is None
    assert done["execution_time"] > 0


def test_the_trace_of_a_program_run_shows_its_own_lines_and_none_of_ours(server: Server) -> None:
    found = run_code(server, "def f(x):\n    return 1 / x\n\nf(0)\n")["run_result"]["stderr"]
    assert found.startswith('Traceback (most recent call last):\n  File "<program>", line 4')
    assert found.endswith("ZeroDivisionError: division by zero\n")
    assert "guest" not in found
    assert "SyntaxError" in run_code(server, "f(")["run_result"]["stderr"]


def test_a_program_run_is_stopped_at_the_limit_asked_for(server: Server) -> None:
    found = run_code(server, "print('before', flush=True)\nwhile True: pass", run_timeout=0.2)
    done = found["run_result"]
    assert (found["status"], done["status"], done["return_code"]) == ("Failed", "TimeLimitExceeded", None)
    assert done["stdout"] == "before\n"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "'code' and 'language'"),
        ({"code": "", "language": "rust"}, "only 'python'"),
        ({"code": "", "language": "python", "files": {"a": "b"}}, "leave it empty"),
        ({"code": "", "language": "python", "run_timeout": 0}, "above 0"),
        ({"code": "", "language": "python", "memory_limit_MB": -2}, "or -1"),
        ({"code": "", "language": "python", "stdin": 4}, "must be str or NoneType"),
        ({"code": "", "language": "python", "shell": 1}, "unknown field 'shell'"),
    ],
)
def test_what_run_code_cannot_do_is_refused(server: Server, body: Any, words: str) -> None:
    response = server.post(body, "/run_code")
    assert response.status_code == 422
    assert words in response.json()["error"]


# ---- its life ----


def test_a_signal_ends_it_at_once_in_order_and_leaves_no_process() -> None:
    with started("-j", "2") as server:
        rows = {"rows": [{"problem": ADD, "source": asleep(10)}] * 6}
        with httpx.stream("POST", f"{server.url}/judge", json=rows, timeout=60) as response:
            assert response.status_code == 200
            deadline = time.monotonic() + 20
            while server.health()["waiting"] != 4 or len(descendants(server.process.pid)) < 4:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            others = descendants(server.process.pid)
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            rest = [json.loads(line) for line in response.iter_lines()]
        _, said = server.process.communicate(timeout=20)
        assert time.monotonic() - began < 4
    assert (server.process.returncode, said) == (0, "")
    assert all(line["kind"] == "infrastructure" for line in rest), "what was broken off has no verdict"
    deadline = time.monotonic() + 2
    while left := others & alive():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_port_that_is_taken_is_an_error_that_says_what_to_type(server: Server) -> None:
    port = server.url.rpartition(":")[2]
    command = [sys.executable, "-m", "regreen.cli", "serve", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"regreen: --host 127.0.0.1 --port {port}: cannot listen there")
    assert done.stderr.count("\n") == 1


def test_a_server_judges_itself() -> None:
    with pytest.raises(InputError, match="to judge here give local"):
        Judging(sandbox="http://127.0.0.1:1").open_local()


def test_the_doctor_tells_what_a_server_tells(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(sandbox=server.url, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == server.health()
    assert doctor(sandbox=server.url) == 0
    said = capsys.readouterr().out
    assert f"tier {server.health()['sandbox']['tier']}, version" in said
    assert "at most 3.0 s of CPU time, 1073741824 bytes of memory, 1048576 bytes of output" in said


def test_an_address_of_another_machine_is_refused(sandbox: LocalSandbox) -> None:
    with LocalSandbox(jobs=1) as own, pytest.raises(InputError, match=r"--host 192.0.2.1"):
        serve(own, host="192.0.2.1", port=0)


def test_only_this_machines_own_addresses_are_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.8.8.8")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "example.org", "10.0.0.1")))
