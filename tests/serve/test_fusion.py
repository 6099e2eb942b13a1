"""``--sandbox fusion+http://...``: a server that runs programs, and verdicts that are made here.

The server is ours in SandboxFusion's form. That a SandboxFusion itself gives the same has been seen, and is not tested.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from regreen.errors import InfrastructureError, InputError
from regreen.evaluate import Samples, score
from regreen.options import Choice, Judging
from regreen.problem import Call, Problem
from regreen.sandbox import FusionSandbox, Limits, LocalSandbox
from tests.cheats import CHEATS
from tests.honest import HONEST
from tests.serve.servers import BUSY, RIGHT, WRONG, Server
from tests.serve.test_client import ADDING, HELPED, MIXED, NUMPY, unclocked
from tests.toy import programs, write_problems, write_samples

LARGE = Problem("large", "", (Call((), [list(range(9)) * 2000]),), entry_point="f")


@pytest.fixture(scope="module")
def fusion(server: Server) -> Iterator[FusionSandbox]:
    with FusionSandbox(server.url, Limits(timeout=1.0), jobs=2) as sandbox:
        yield sandbox


def test_verdicts_are_those_made_here_but_for_checks_that_are_code(
    fusion: FusionSandbox, sandbox: LocalSandbox
) -> None:
    pairs = [pair for pair in MIXED if pair[0] is not NUMPY]
    theirs, ours = dict(fusion.judge_all(pairs)), dict(sandbox.judge_all(pairs))
    for at, verdict in ours.items():
        assert [unclocked(theirs[at]).checks, theirs[at].outcome] == [unclocked(verdict).checks, verdict.outcome]
        code = pairs[at][0] is HELPED
        assert (theirs[at].mode, theirs[at].tier) == ("shared" if code else verdict.mode, "C")


def test_large_results_are_compared_in_a_process_that_can_be_ended(fusion: FusionSandbox) -> None:
    assert fusion.judge_now(LARGE, "def f():\n    return [list(range(9)) * 2000]\n").passed
    wrong = fusion.judge_now(LARGE, "def f():\n    return [list(range(9)) * 1999]\n")
    assert (wrong.outcome, len(wrong.checks)) == ("wrong_answer", 1)


def test_a_program_that_does_not_end_times_out(fusion: FusionSandbox) -> None:
    assert fusion.judge_now(ADDING, BUSY).outcome == "timeout"


def test_no_cheat_passes_where_the_checks_stay_here_and_no_honest_program_is_lost(fusion: FusionSandbox) -> None:
    cheats = [(cheat, cheat.against[0]) for cheat in CHEATS if not cheat.hasty][::9]
    honest = [(one, one.problem) for one in HONEST[::9]]
    found = dict(fusion.judge_all([(problem, one.source) for one, problem in (*cheats, *honest)]))
    assert sum(found[at].mode == "separate" for at in range(len(cheats))) > len(cheats) / 2
    passed = [c.name for at, (c, _) in enumerate(cheats) if found[at].passed and found[at].mode == "separate"]
    assert passed == []
    assert [h.name for at, (h, _) in enumerate(honest, len(cheats)) if not found[at].passed] == []


def test_a_command_says_the_same_as_without(server: Server, tmp_path: Path) -> None:
    samples, benchmark = Samples(write_samples(tmp_path, programs(2, 2, 1))), str(write_problems(tmp_path))
    found = {}
    for name, place in (("here", "local"), ("there", f"fusion+{server.url}")):
        found[name] = score(samples, benchmark, choice=Choice(), judging=Judging(sandbox=place), out=tmp_path / name)
    assert found["here"]["scores"] == found["there"]["scores"]
    assert found["here"]["outcomes"] == found["there"]["outcomes"]
    manifest = json.loads((tmp_path / "there" / "manifest.json").read_text())
    assert (manifest["sandbox"]["tier"], manifest["settings"]["sandbox"]) == ("C", "fusion+http")


class Answering(BaseHTTPRequestHandler):
    """Answers each request with the next of what is scripted: a status, headers and a body."""

    script: list[tuple[int, dict[str, str], Any]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, body = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: Any) -> None:
        pass


def saying(*script: tuple[int, dict[str, str], Any]) -> str:
    """The address of a server that says these things, one after another, the last again and again."""
    handler = type("Handler", (Answering,), {"script": list(script)})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def ran(stdout: str, status: str = "Finished", code: int | None = 0) -> tuple[int, dict[str, str], Any]:
    done = {"status": status, "execution_time": 0.1, "return_code": code, "stdout": stdout, "stderr": ""}
    return 200, {}, {"status": "Success" if code == 0 else "Failed", "message": "", "run_result": done}


OURS = ran("{} {}".format(*sys.version_info[:2]))
BROKEN = (200, {}, {"status": "SandboxError", "message": "no room", "run_result": None})
FULL = (503, {"Retry-After": "0"}, {})


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([ran("3 7")], "it runs Python 3.7; run regreen under the same"),
        ([ran("", code=127)], "it runs no Python 3"),
        ([(404, {}, {"detail": "Not Found"})], "has no run_code"),
        ([(200, {}, ["nothing"])], "has no run_code"),
    ],
)
def test_what_cannot_judge_is_refused_in_one_line(answers: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        FusionSandbox(saying(*answers))


def test_nobody_there_is_said_soon() -> None:
    with pytest.raises(InfrastructureError, match=r"nobody answers.*a SandboxFusion runs there"):
        FusionSandbox("http://127.0.0.1:9")


def test_a_full_server_is_asked_again_and_one_that_breaks_down_is_given_up() -> None:
    with FusionSandbox(saying(FULL, OURS, FULL, ran("", "TimeLimitExceeded", None))) as sandbox:
        assert sandbox.judge_now(ADDING, RIGHT).outcome == "timeout"
    with FusionSandbox(saying(OURS, BROKEN)) as sandbox, pytest.raises(InfrastructureError, match="no room"):
        sandbox.judge_now(ADDING, WRONG)
