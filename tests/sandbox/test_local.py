"""The engine around the judge: late programs, many at once, processes that die, tiers."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from regreen.errors import InfrastructureError, TierError
from regreen.problem import Problem
from regreen.sandbox import Capabilities, Limits, LocalSandbox, Sandbox, probe
from regreen.sandbox.capabilities import Point
from regreen.sandbox.local import _choose, _Gate
from regreen.verdict import Outcome, Verdict
from tests.sandbox.problems import as_code, descriptors, problem, threads

WRONG, TIMEOUT = Outcome.WRONG_ANSWER, Outcome.TIMEOUT


# ---- time: a little late, and alone ----


def test_a_program_a_little_late_is_judged_once_more_and_the_second_verdict_counts(tier: str) -> None:
    """It is busy up to a moment that lies after its limit; the second time that moment is over."""
    with LocalSandbox(Limits(timeout=0.5), jobs=1, tier=tier) as sandbox:
        assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed
        moment = time.time() + 0.53
        source = f"import time\ndef f(x):\n    while time.time() < {moment}: pass\n    return x\n"
        verdict = sandbox.judge_now(problem("assert f(1) == 1"), source)
        assert verdict.passed
        assert verdict.cpu <= 0.5


def test_a_program_that_is_late_both_times_is_too_slow(tier: str) -> None:
    with LocalSandbox(Limits(timeout=0.4), jobs=1, tier=tier) as sandbox:
        source = "import time\ndef f(x):\n    while time.process_time() < 0.42: pass\n    return x\n"
        verdict = sandbox.judge_now(problem("assert f(1) == 1"), source)
        assert verdict.outcome is TIMEOUT
        assert verdict.cpu < 0.42, "the second run was stopped at the limit"


def test_a_program_that_queues_for_a_processor_is_not_taken_for_a_sleeper(tier: str) -> None:
    """Its 0.2 s take more than the 1 s that a sleeper has."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(5)]
    try:
        with LocalSandbox(Limits(timeout=0.25), jobs=1, tier=tier) as sandbox:
            source = "import time\ndef f(x):\n    while time.process_time() < 0.2: pass\n    return x\n"
            assert sandbox.judge_now(problem("assert f(1) == 1"), source).passed
    finally:
        for process in busy:
            process.kill()
            process.wait()
        os.sched_setaffinity(0, cpus)


def test_one_who_waits_to_be_alone_is_let_in_though_others_come_and_go() -> None:
    gate = _Gate()
    done, inside = threading.Event(), []

    def come_and_go() -> None:
        while not done.is_set():
            with gate.shared():
                inside.append(1)
                time.sleep(0.001)
                inside.pop()

    others = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in others:
        thread.start()
    for _ in range(20):
        with gate.alone():
            assert not inside
    done.set()
    for thread in others:
        thread.join()


# ---- many programs ----


def test_a_batch_yields_every_position_once_with_the_right_verdict(tier: str) -> None:
    sources = [f"def f(x): return {n % 3}" for n in range(60)]
    with LocalSandbox(jobs=2, tier=tier) as sandbox:
        asked = problem("assert f(1) == 1")
        verdicts = dict(sandbox.judge_all((asked, source) for source in sources))
        assert sorted(verdicts) == list(range(60))
        assert all(verdicts[n].passed is (n % 3 == 1) for n in verdicts)
        assert list(sandbox.judge_all([])) == []


def test_a_batch_is_read_as_it_is_needed_and_a_reader_may_stop_early(sandbox: LocalSandbox) -> None:
    read = itertools.count()

    def endless() -> Iterator[tuple[Problem, str]]:
        for _ in read:
            yield problem("assert f(1) == 1"), "def f(x): return x"

    before = threads()
    results = sandbox.judge_all(endless())
    for _ in range(3):
        assert next(results)[1].passed
    time.sleep(0.1)
    results.close()
    assert next(read) <= 3 + 4 + 2, "as many ahead as fit in the window"
    assert not threads() - before
    assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed


def test_a_batch_left_just_as_a_lane_answers_spoils_no_lane_for_the_next(tier: str) -> None:
    right = [(problem("assert f(1) == 1"), f"def f(x): return x  # {n}") for n in range(9)]
    with LocalSandbox(jobs=2, tier=tier) as sandbox:
        for n in range(60):
            results = sandbox.judge_all(right)
            next(results)
            time.sleep(n % 6 * 0.0003)  # lanes answer about now
            results.close()
            assert all(sandbox.judge_now(*pair).passed for pair in right[:2])


def test_an_exception_of_the_batchs_own_generator_comes_out(sandbox: LocalSandbox) -> None:
    def broken() -> Iterator[tuple[Problem, str]]:
        yield problem("assert f(1) == 1"), "def f(x): return x"
        raise LookupError("no more problems")

    before = threads()
    with pytest.raises(LookupError, match="no more problems"):
        list(sandbox.judge_all(broken()))
    assert not threads() - before


def test_an_event_loop_judges_many_at_once(sandbox: LocalSandbox) -> None:
    async def judge(one: Sandbox) -> list[Verdict]:
        asked = problem("assert f(1) == 1")
        return await asyncio.gather(*(one.judge(asked, f"def f(x): return {n}") for n in range(5)))

    assert [verdict.passed for verdict in asyncio.run(judge(sandbox))] == [False, True, False, False, False]


# ---- when processes die ----


def lanes() -> set[int]:
    """The lanes' first processes among this process's children."""
    mine = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and b"lane_main.py" in folder.joinpath("cmdline").read_bytes():
                mine.add(int(folder.name))
        except OSError:
            continue
    return mine


def test_a_lane_keeps_to_one_processor_until_it_is_crowded_there(sandbox: LocalSandbox) -> None:
    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("one processor")
    with LocalSandbox(jobs=1, tier=sandbox.tier) as other:
        others = lanes()
        asked = problem("assert len(f(1)) == 1")
        source = "import os\ndef f(x): return os.sched_getaffinity(0)"
        assert other.judge_now(asked, source).passed
        (lane,) = lanes() - others
        (place,) = os.sched_getaffinity(lane)
        # A sleeping program looks just like one that has to wait.
        sleepy = "import time\ndef f(x):\n    time.sleep(0.2)\n    return 'x'"
        assert other.judge_now(asked, sleepy).passed
        assert os.sched_getaffinity(lane) == os.sched_getaffinity(0) > {place}
        assert not other.judge_now(asked, source).passed


def test_a_lane_that_was_killed_is_replaced_and_its_program_judged(tier: str) -> None:
    others = lanes()
    with LocalSandbox(jobs=1, tier=tier) as sandbox:
        asked = problem("assert f(1) == 1")
        assert sandbox.judge_now(asked, "def f(x): return x").passed
        for _ in range(2):
            (lane,) = lanes() - others
            os.kill(lane, signal.SIGKILL)
            assert sandbox.judge_now(asked, "def f(x): return x").passed
            assert sandbox.judge_now(asked, "def f(x): return 2").outcome is WRONG


def test_all_lanes_killed_at_once_are_all_replaced(tier: str) -> None:
    others = lanes()
    with LocalSandbox(jobs=2, tier=tier) as sandbox:
        pairs = [(problem("assert f(1) == 1"), "import time\ndef f(x):\n    time.sleep(0.1)\n    return x")] * 4
        assert all(verdict.passed for _, verdict in sandbox.judge_all(pairs))
        killed = lanes() - others
        assert len(killed) == 2
        for lane in killed:
            os.kill(lane, signal.SIGKILL)
        assert all(verdict.passed for _, verdict in sandbox.judge_all(pairs))


def test_two_breakdowns_on_one_program_are_an_infrastructure_fault_and_no_verdict(tier: str) -> None:
    others = lanes()
    over = threading.Event()

    def kill_lanes() -> None:
        while not over.wait(0.01):
            for lane in lanes() - others:
                os.kill(lane, signal.SIGKILL)

    with LocalSandbox(jobs=1, tier=tier) as sandbox:
        killer = threading.Thread(target=kill_lanes)
        killer.start()
        try:
            with pytest.raises(InfrastructureError):
                sandbox.judge_now(problem("assert f(1) == 1"), "import time\ntime.sleep(5)")
        finally:
            over.set()
            killer.join()
        assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed


def family(root: int) -> set[int]:
    """All descendants of a process."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in found | {root}} - found:
        found |= more
    return found


def scratch_folders() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("regreen-*")}


def everything() -> set[int | str]:
    """All that could be left behind; what earlier tests left may go at any moment."""
    return family(os.getpid()) | descriptors() | scratch_folders() | threads()


LEAVERS = [
    "def f(x): return x",
    "while 1: pass",
    "from threading import Event, Thread\nThread(target=Event().wait, args=(60,)).start()",
    "open('left', 'w').write('x')",
]


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that only this test uses; a jailed program may pass through it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_closing_leaves_no_process_descriptor_thread_or_file(tier: str, open_folder: Path) -> None:
    before = everything()
    checks = ("assert f(1) == 1", as_code("assert f(1) == 1"))
    with LocalSandbox(Limits(timeout=0.2), jobs=2, tier=tier) as sandbox:
        pairs = [(problem(check), source) for check in checks for source in LEAVERS]
        assert len(list(sandbox.judge_all(pairs))) == len(pairs)
        asyncio.run(sandbox.judge(*pairs[0]))
        assert family(os.getpid()) - before
    assert not everything() - before


def test_a_closed_sandbox_judges_nothing(tier: str) -> None:
    sandbox = LocalSandbox(jobs=1, tier=tier)
    sandbox.close()
    with pytest.raises(InfrastructureError, match="closed"):
        sandbox.judge_now(problem("assert f(1) == 1"), "")


# ---- tiers ----

NONE = Point("landlock", False, "the kernel has no Landlock", "B")


@pytest.mark.parametrize(("found", "asked", "chosen"), [
    ("A", "A", "A"), ("A", "B", "A"), ("A", "C", "C"), ("B", "B", "B"), ("B", "C", "C"), ("C", "C", "C"),
])  # fmt: skip
def test_the_strongest_tier_is_taken_that_is_not_below_the_one_asked_for(found: str, asked: str, chosen: str) -> None:
    assert _choose(Capabilities(found, ()), asked) == chosen


@pytest.mark.parametrize(("found", "asked"), [("B", "A"), ("C", "A"), ("C", "B")])
def test_below_the_tier_asked_for_there_is_no_sandbox_and_the_message_says_why(found: str, asked: str) -> None:
    with pytest.raises(TierError) as caught:
        _choose(Capabilities(found, (NONE, Point("seccomp", True, "works", "AB"))), asked)
    said = str(caught.value)
    for part in (f"tier {found}", f"tier {asked}", "landlock: the kernel has no Landlock", "regreen doctor"):
        assert part in said
    assert "\n" not in said
    assert "seccomp" not in said


def test_every_point_of_confinement_was_tried_and_says_what_was_found() -> None:
    found = probe()
    assert {point.name for point in found.points} >= {"namespaces", "seccomp", "landlock"}
    assert all(point.detail for point in found.points)
    assert found.to_json()["tier"] == found.tier
    assert set(found.to_json()["points"]) == {point.name for point in found.points}


ELSEWHERE = """
import ctypes, os
ctypes.CDLL(None).personality(8)  # from now on this machine says that it is another
from regreen.problem import Assert, Problem
from regreen.sandbox import LocalSandbox, probe
assert os.uname().machine != "x86_64" and probe().tier == "C"
with LocalSandbox(jobs=1, tier="C") as sandbox:
    problem = Problem("p", "", (Assert("assert f(1) == 1"),))
    print(*[sandbox.judge_now(problem, f"def f(x): return {n}").outcome for n in (1, 2)])
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="needs a machine that can pretend")
def test_on_a_processor_that_the_filter_does_not_know_programs_are_judged_at_tier_c() -> None:
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, check=False)
    assert done.stdout == "passed wrong_answer\n", done.stderr


# ---- the end, other limits, and programs without checks ----


def test_closing_breaks_off_what_is_being_judged_and_leaves_no_lane(tier: str) -> None:
    sandbox = LocalSandbox(jobs=1, tier=tier)
    failed: list[Exception] = []

    def judge() -> None:
        try:
            sandbox.judge_now(problem("assert f(1) == 1"), "import time\ntime.sleep(60)\n")
        except InfrastructureError as error:
            failed.append(error)

    thread = threading.Thread(target=judge)
    thread.start()
    while not sandbox._busy:
        time.sleep(0.01)
    (lane,) = sandbox._busy.values()
    began = time.monotonic()
    sandbox.close()
    thread.join(20)
    assert time.monotonic() - began < 5, "not after a minute"
    assert (len(failed), lane._process.poll() is None) == (1, False)
    assert sandbox._lanes["plain"] == []


def test_a_sandbox_under_other_limits_shares_the_gate_for_who_must_be_alone(tier: str) -> None:
    with LocalSandbox(jobs=1, tier=tier) as sandbox, sandbox.under(Limits(timeout=0.1)) as hasty:
        assert (hasty.tier, hasty.jobs, hasty._gate is sandbox._gate) == (sandbox.tier, 1, True)
        busy = "def f(x):\n    while True: pass\n"
        verdict = hasty.judge_now(problem("assert f(1) == 1"), busy)
        assert verdict.checks[0].message == "not done after 0.1 s of CPU time"


def test_a_program_is_run_without_checks_and_all_that_it_wrote_is_told(sandbox: LocalSandbox) -> None:
    long = "x" * 5000
    found = sandbox.execute(f"import sys\nprint(input() + {long!r})\nsys.stderr.write('oh')\n", "in")
    assert (found.outcome, found.status, found.stdout, found.stderr) == ("passed", 0, f"in{long}\n", "oh")
    failed = sandbox.execute("def f():\n    raise KeyError('k')\n\nf()\n")
    assert (failed.outcome, failed.status) == ("exception", 1)
    assert failed.stderr.splitlines()[1:] == [
        '  File "<program>", line 4, in <module>',
        '  File "<program>", line 2, in f',
        "KeyError: 'k'",
    ]
    assert sandbox.judge_now(problem("assert f(1) == 1"), "def f(x): return x").passed, "the lane goes on"
