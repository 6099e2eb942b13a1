"""Whether the judge holds: no cheat passes, harms or stays, and no honest program is lost.

``REGREEN_TEST_TIER`` says at which tier (A, B or C) the sandbox must work.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from regreen.problem import Problem
from regreen.sandbox import Limits, LocalSandbox
from regreen.train.rewards import REWARDS
from regreen.verdict import CheckResult, Outcome, Verdict
from tests.cheats import CHEATS, HONEST, PLAIN, WITNESS, Cheat, aimed
from tests.honest import Honest
from tests.sandbox.again import INSIDE
from tests.sandbox.problems import descriptors

PATIENT = Limits(timeout=3.0, memory=1 << 30, output=1 << 20)
HASTY = Limits(timeout=0.2, memory=1 << 30, output=1 << 20)
SHARED_FOLDERS = ("/", "/tmp", "/var/tmp", "/dev/shm", "/run")


# What a cheat attacks; where these tests run once more at another tier (again.py), one of its problems in turn.
AGAINST = {
    cheat.name: (cheat.against[at % len(cheat.against)],) if INSIDE in os.environ else cheat.against
    for at, cheat in enumerate(CHEATS)
}


@dataclass(frozen=True)
class Host:
    """What the host keeps secret: a word in the environment and in a file, and a port that nobody may reach."""

    word: str
    file: Path
    listener: socket.socket

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def was_reached(self) -> bool:
        try:
            self.listener.accept()
        except BlockingIOError:
            return False
        return True


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    word = "canary-" + secrets.token_hex(8)
    file = tmp_path_factory.mktemp("host") / "canary.txt"
    file.write_text(word)
    os.environ["REGREEN_CANARY"] = word
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Host(word, file, listener)
    del os.environ["REGREEN_CANARY"]


@pytest.fixture(scope="module")
def tier() -> str:
    return os.environ.get("REGREEN_TEST_TIER", "A")


@pytest.fixture(scope="module")
def sandboxes(host: Host, tier: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, LocalSandbox]]:
    """A hasty and a patient sandbox, one lane each, so that the next program runs where the last one did."""
    usual, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("temporary"))
    before = _world()
    with LocalSandbox(PATIENT, jobs=1, tier=tier) as patient, LocalSandbox(HASTY, jobs=1, tier=tier) as hasty:
        yield {False: patient, True: hasty}
    after = _world()
    tempfile.tempdir = usual
    left = {kind: after[kind] - before[kind] for kind in after}
    assert not any(left.values()), f"closing the sandbox leaves no process, descriptor, file or shared memory: {left}"


def _world() -> dict[str, set[str]]:
    """What could be left behind, by kind; where other programs leave things too, only what a cheat would."""
    shared = {
        name for folder in SHARED_FOLDERS if os.path.isdir(folder) for name in os.listdir(folder) if "mark" in name
    }
    keys = {line for kind in ("shm", "msg") for line in _lines(Path("/proc/sysvipc", kind)) if str(0x6D61726B) in line}
    return {
        "processes": _descendants(os.getpid()) | _cheats(),
        "descriptors": descriptors(),
        "temporary files": set(os.listdir(tempfile.gettempdir())),
        "shared files": shared,
        "shared memory": keys,
    }


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _status(pid: str) -> dict[str, str]:
    return dict(line.partition(":\t")[::2] for line in _lines(Path("/proc", pid, "status")))


def _descendants(root: int) -> set[str]:
    parents = {path.name: _status(path.name).get("PPid", "0") for path in Path("/proc").glob("[0-9]*")}
    family = {str(root)}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family - {str(root)}


def _cheats() -> set[str]:
    """Return the processes, of any parent, that bear the name that the cheats' children take."""
    names = {path.name: _status(path.name).get("Name", "") for path in Path("/proc").glob("[0-9]*")}
    return {pid for pid, name in names.items() if name == "regreen-cheat"}


def _judge(sandbox: LocalSandbox, pairs: list[tuple[Problem, str]]) -> list[Verdict]:
    verdicts = dict(sandbox.judge_all(pairs))
    return [verdicts[index] for index in range(len(pairs))]


def _said(verdict: Verdict) -> str:
    """Return all that a verdict tells of what the program said."""
    return "\n".join(str(part) for check in verdict.checks for part in (check.got, check.output, check.message))


def _clean(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.PASSED


@pytest.fixture(scope="module")
def judged(host: Host, sandboxes: dict[bool, LocalSandbox]) -> Callable[[Cheat], list[Verdict]]:
    """Judge a cheat on each problem that it attacks, after a witness and before another; once for all tests."""
    known: dict[str, list[Verdict]] = {}

    def judge(cheat: Cheat) -> list[Verdict]:
        if cheat.name not in known:
            source = aimed(cheat.source, str(host.file), host.port)
            attacks = [(problem, source) for problem in AGAINST[cheat.name]]
            known[cheat.name] = _judge(sandboxes[cheat.hasty], [(PLAIN, WITNESS), *attacks, (PLAIN, WITNESS)])
        return known[cheat.name]

    return judge


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_a_cheat_does_not_pass_and_leaves_no_mark(
    cheat: Cheat, host: Host, judged: Callable[[Cheat], list[Verdict]]
) -> None:
    """Each cheat fails on the problems that it attacks, says nothing it must not know, and harms nobody."""
    before, *verdicts, after = judged(cheat)
    assert _clean(before), f"before the cheat: {_said(before)}"
    for problem, verdict in zip(AGAINST[cheat.name], verdicts, strict=True):
        assert verdict.outcome in cheat.allowed, f"{verdict!r} on problem {problem.id!r}"
        assert "HARM" not in _said(verdict), f"on problem {problem.id!r}"
        assert host.word not in _said(verdict), f"a secret of the host told on problem {problem.id!r}"
    assert _clean(after), f"the next program finds: {after!r} {_said(after)}"
    assert host.file.read_text() == host.word, "a file of the host was changed"
    assert not host.was_reached(), "a port of the host was reached"
    assert not _cheats(), "a process was left running"


def test_no_reward_gives_a_cheat_what_it_gives_a_pass(host: Host, judged: Callable[[Cheat], list[Verdict]]) -> None:
    """Under the verdicts of the test before, which are not made anew, every reward of every cheat is below a pass's."""
    assert len({cheat.name for cheat in CHEATS}) == len(CHEATS)
    for cheat in CHEATS:
        source = aimed(cheat.source, str(host.file), host.port)
        for problem, verdict in zip(AGAINST[cheat.name], judged(cheat)[1:-1], strict=True):
            all_green = tuple(CheckResult(index, Outcome.PASSED) for index in range(len(problem.checks)))
            passed = Verdict(Outcome.PASSED, all_green)
            for name, reward in REWARDS.items():
                got, full = reward(problem, source, verdict).value, reward(problem, source, passed).value
                assert full is not None
                penalty = name == "fine"  # a pass has none, and a wrong answer, which no line is to blame for
                below = got is None or got < full or (penalty and got == full == 0)
                assert below, f"{name} gives {got} to {cheat.name} on {problem.id!r}"


@pytest.mark.parametrize("program", HONEST, ids=lambda program: program.name)
def test_an_honest_program_that_looks_odd_passes(program: Honest, sandboxes: dict[bool, LocalSandbox]) -> None:
    (verdict,) = _judge(sandboxes[False], [(program.problem, program.source)])
    assert verdict.outcome is Outcome.PASSED, f"{verdict!r} {verdict.failure}"


def test_every_cheat_but_those_against_the_compiler_can_be_compiled() -> None:
    for cheat in CHEATS:
        if cheat.kind != "source":
            compile(aimed(cheat.source, "/canary", 1), cheat.name, "exec")
