"""A benchmark whose problems are alike, solved lessons for it, and a model that answers by a rule of its prompt."""

import json
from contextlib import nullcontext

import pytest

from regreen.cli import main
from regreen.evaluate import Judging, Sampling
from regreen.models import Completion
from regreen.models.recorded import text_of
from regreen.studies.asking import Study
from tests.toy import Answering


def source(at, wrong=0):
    return f"def f{at}(x):\n    return x + {at + wrong}\n"


def line(name, at, *, checks=4, shown=2, statement=None, **more):
    """A problem of four calls, of which two are shown."""
    calls = [{"kind": "call", "args": [111 * i], "expected": 111 * i + at} for i in range(1, checks + 1)]
    said = statement or f"Write f{at}(x), which adds {at}."
    found = {"id": name, "statement": said, "checks": calls, "shown": list(range(shown)), "entry_point": f"f{at}"}
    return {**found, "solution": source(at), **more}


def write(folder, name, lines):
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return str(path)


def benchmark(folder, count=6, name="adds", **more):
    return write(folder, name, [line(f"p{at}", at, **more) for at in range(count)])


def lessons(folder, count=4):
    return write(folder, "lessons", [line(f"lesson/{at}", 50 + at) for at in range(count)])


class Rule(Answering):
    """A model that answers with what a rule says of a request and its prompt's words."""

    chat = True

    def __init__(self, rule):
        super().__init__(name="rule", batch=16)
        self._rule = rule
        self.asked = 0

    def _answer(self, request):
        self.asked += 1
        return Completion(self._rule(request, text_of(request.prompt)), tokens=1)


def right_if(rule):
    """A model that is right where the rule holds of a request and its prompt."""

    def answer(request, prompt):
        return source(int(request.problem[1:]), wrong=0 if rule(request, prompt) else 1)

    return Rule(answer)


class Kept(Judging):
    """Judging in a sandbox that is open already: a study opens one for each of its conditions."""

    def __init__(self, sandbox):
        super().__init__()
        object.__setattr__(self, "_sandbox", sandbox)

    def open(self):
        return nullcontext(self._sandbox)


def study(name, folder, spec, model, sandbox, *, n=1, **sampling):
    asked = Sampling(n, (0.0 if n == 1 else 0.8,), max_tokens=80, **sampling)
    return Study(name, spec, model, asked, judging=Kept(sandbox), out=folder / "study")


def run(command, capsys):
    """Run a command in this process, and return its exit code and what it printed."""
    with pytest.raises(SystemExit) as ended:
        main(command)
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err
