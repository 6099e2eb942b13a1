"""Another package's benchmark, model and reward, by their entry points: a worked one."""

import json
import os
import subprocess
import sys

import pytest

PACKAGE = """
from regreen import Assert, Problem
from regreen.benchmarks import Generated
from regreen.models import Completion
from regreen.sandbox import LocalSandbox
from regreen.train.rewards import Signal


def riddles(split):
    yield Problem("riddle/0", "Return 42.", (Assert("assert f() == 42"),), entry_point="f")


RIDDLES = Generated("riddles", "questions of all questions", "asserts", ("test",), riddles)


class Parrot:
    chat, decides, facts, batch, parallel = False, {}, {}, 8, 1

    def __init__(self, place):
        self.name, self._said = f"parrot:{place}", place

    async def sample(self, requests):
        return [Completion(f"def f():\\n    return {self._said}\\n", 9) for _ in requests]


class Island(LocalSandbox):
    def __init__(self, place, limits, jobs):
        super().__init__(limits, jobs=jobs)
        self._place = place

    @property
    def facts(self):
        return {**super().facts, "island": self._place}


class Brevity:
    def __call__(self, problem, source, verdict):
        return Signal(1 / max(1, len(source)))


NONSENSE = 3
"""
ENTRIES = """
[regreen.benchmarks]
riddles = riddle_pack:RIDDLES
nonsense = riddle_pack:NONSENSE
missing = riddle_pack:NOTHING
[regreen.models]
parrot = riddle_pack:Parrot
[regreen.sandboxes]
island = riddle_pack:Island
[regreen.rewards]
brevity = riddle_pack:Brevity
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with an installed package, as pip leaves one."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "riddle_pack.py").write_text(PACKAGE)
    about = folder / "riddle_pack-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: riddle_pack\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    return folder


@pytest.fixture
def here(installed, monkeypatch):
    """The package, in this process."""
    monkeypatch.syspath_prepend(str(installed))
    yield
    sys.modules.pop("riddle_pack", None)


def regreen(installed, *arguments):
    paths = os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH")])])
    given = {"PYTHONPATH": paths, "REGREEN_DATA": "/nowhere", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "regreen.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | given)


def test_a_benchmark_and_a_model_of_another_package_are_used_by_name(installed, tmp_path):
    asked = ["evaluate", "riddles", "-m", "parrot:42", "--examples", "0", "-o", str(tmp_path / "run"), "--json", "-q"]
    without = [part for part in asked if part not in ("--examples", "0")]
    refused = regreen(installed, *without)
    assert "or give --examples 0" in refused.stderr, "the prompt's own examples are MBPP's, which are not here"
    done = regreen(installed, *asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["benchmark"], found["scores"]["pass@1"]["value"]) == ("riddles:test", 1.0)
    assert "riddles" in regreen(installed, "list", "benchmarks").stdout
    assert "parrot:..." in regreen(installed, "list", "models").stdout


def test_a_sandbox_of_another_package_judges_by_name(installed, tmp_path):
    asked = ["evaluate", "riddles", "-m", "parrot:42", "--examples", "0", "-o", str(tmp_path / "run"), "--json", "-q"]
    done = regreen(installed, *asked, "--sandbox", "island:far", "-j", "1")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (manifest["sandbox"]["island"], manifest["settings"]["sandbox"]) == ("far", "island")
    refused = regreen(installed, *asked, "--sandbox", "ireland:far")
    assert (refused.returncode, "expected local" in refused.stderr) == (2, True)


def test_a_reward_of_another_package_is_weighed_by_name(here):
    from regreen.errors import InputError

    pytest.importorskip("numpy")
    from regreen.train.config import MethodConfig, RltfConfig
    from regreen.train.online.presets import method_of, refuse

    method_of(MethodConfig(rewards={"brevity": 0.5}))
    with pytest.raises(InputError, match="no reward 'wit'; installed packages add: brevity"):
        method_of(MethodConfig(rewards={"wit": 1.0}))
    told = {"model": "m", "problems": "p", "method": {"name": "rejection", "rewards": {"brevity": 1.0}}}
    with pytest.raises(InputError, match="adds no terms up"):
        refuse(RltfConfig.model_validate(told))


@pytest.mark.parametrize(
    ("name", "said"), [("nonsense", "expected a regreen.benchmarks.Generated"), ("missing", "cannot be loaded")]
)
def test_what_another_package_adds_wrongly_is_said(here, name, said):
    from regreen.benchmarks import load
    from regreen.errors import InputError

    with pytest.raises(InputError, match=said):
        load(name)


def test_names_of_nobody_are_unknown_as_ever(here):
    from regreen.benchmarks import load
    from regreen.errors import InputError
    from regreen.models import open_model

    with pytest.raises(InputError, match="did you mean"):
        load("humanevil")
    with pytest.raises(InputError, match="expected tiny"):
        open_model("parot")
