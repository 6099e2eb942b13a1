"""Problems to draw programs for, and a training that nobody disturbed."""

import json

import pytest

from regreen.benchmarks import katas
from regreen.problem import problem_to_line
from tests.train.online.training import trained


@pytest.fixture(scope="session")
def problems(make_once):
    """Files of problems: without solutions to draw for, with them to imitate."""

    def write(folder):
        folder.mkdir()
        unsolved, noisy = katas.generate("unsolved", count=12), katas.generate("noisy", count=12)
        for name, some in (("unsolved", unsolved), ("noisy", noisy)):
            lines = "".join(json.dumps(problem_to_line(problem)) + "\n" for problem in some)
            (folder / f"{name}.jsonl").write_text(lines)

    return make_once("rltf-problems", write)


@pytest.fixture(scope="session")
def whole(problems, tmp_path_factory):
    """A training that nobody disturbed."""
    out = tmp_path_factory.mktemp("rltf") / "whole"
    return out, trained(problems, out)
