"""Studies on problems that are made for them: chained blocks, and operations bound to variables."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
from scipy.optimize import minimize

from regreen.benchmarks import binding as binding_problems
from regreen.benchmarks import chained as chained_problems
from regreen.evaluate import Choice, Sampling
from regreen.models import open_model
from regreen.report import render, study_tables
from regreen.studies import binding as binding_study
from regreen.studies.asking import Study
from regreen.studies.binding import SEVERAL, binding, leaves_out, mistake
from regreen.studies.chained import chained, kept_by_a_further_one, solve


def scripted(path, answers):
    """A model that answers each problem with a text of its own, and every other one with nothing."""
    lines = [{"problem": problem.id, "text": text} for problem, text in answers]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"text": ""}]))
    return open_model(f"scripted:{path}")


def study(name, model, out, limit):
    return Study(name, f"{name}:test", model, Sampling(prompt="codex"), Choice(limit=limit), out=out)


def body(problem):
    return problem.solution.removeprefix(problem.prompt)


def test_what_a_further_block_keeps_is_exact_where_the_rates_fall_evenly():
    shares = {length: [0.8 * 0.5 ** (length - 1)] * 20 for length in (1, 2, 3, 4)}
    found = kept_by_a_further_one(shares)
    assert [found.value, found.low, found.high] == pytest.approx([0.5] * 3)


def test_what_a_further_block_keeps_is_what_a_poisson_regression_finds():
    rng = np.random.default_rng(3)
    shares = {length: list(rng.binomial(5, 0.7 * 0.6**length, size=10 + length) / 5) for length in range(1, 7)}

    def loss(line):
        logs = {length: line[0] + line[1] * length for length in shares}
        return sum(len(values) * math.exp(logs[at]) - sum(values) * logs[at] for at, values in shares.items())

    found = kept_by_a_further_one(shares)
    assert found.value == pytest.approx(math.exp(minimize(loss, [0, 0], tol=1e-10).x[1]), rel=1e-4)
    assert found.low < found.value < found.high


def test_the_interval_of_what_a_further_block_keeps_covers_the_truth():
    rng, hits = np.random.default_rng(5), 0
    for _ in range(60):
        shares = {at: list((rng.random(60) < 0.9 * 0.6 ** (at - 1)).astype(float)) for at in range(1, 6)}
        found = kept_by_a_further_one(shares, resamples=400)
        hits += found.low <= 0.6 <= found.high
    assert hits >= 52


def test_no_factor_is_told_where_programs_passed_at_one_length_alone():
    assert kept_by_a_further_one({1: [1.0, 0.0], 2: [0.0, 0.0]}) is None
    assert solve(np.array([[2.0, 0.0]]), np.array([1.0, 2.0]), np.array([2, 2]))[0] < 1e-9


def test_the_study_of_chains_finds_the_rates_of_a_model_that_can_do_short_ones(tmp_path):
    problems = list(chained_problems.generate(each=6))
    right = [p for p in problems if p.meta["length"] <= 2 or (p.meta["length"] == 3 and p.id.endswith(("0", "1")))]
    model = scripted(tmp_path / "m.jsonl", [(problem, body(problem)) for problem in right])
    found = chained(study("chained", model, tmp_path / "s", 24))
    assert [found["by_length"][str(length)]["value"] for length in range(1, 9)] == [1, 1, 2 / 3, 0, 0, 0, 0, 0]
    expected = kept_by_a_further_one(
        {at: [1] * 3 if at < 3 else [1, 1, 0] if at == 3 else [0] * 3 for at in range(1, 9)}
    )
    assert found["kept"]["value"] == pytest.approx(expected.value)
    printed = render(study_tables(found), "text")
    assert f"a further block keeps {100 * expected.value:.1f} %" in printed
    assert f"divided by {1 / expected.value:.2f} [" in printed
    assert "16 texts held no program" in printed


def wrong_texts(problems):
    """For each kind of mistake a text that makes it, for a problem of its own."""
    bodies = {
        "forgotten": lambda p: body(p).split("\n", 1)[1],
        "wrong variable": lambda p: misread(p),
        "left out of the product": lambda p: body(p).replace("return x * ", "return "),
        SEVERAL: lambda p: "    return x\n",
        binding_study.OTHER: lambda p: "    return 1\n",
        binding_study.STOPPED: lambda p: "    return x / 0\n",
        binding_study.NO_PROGRAM: lambda p: "    return (\n",
    }
    return [(problem, kind, bodies[kind](problem)) for problem, kind in zip(problems, bodies, strict=True)]


def as_record(problem, work):
    """A verdict's record on a program that does this work."""
    got = [work.of(check.args) for check in problem.checks]
    right = [check.expected for check in problem.checks]
    outcomes = ["passed" if one == other else "wrong_answer" for one, other in zip(got, right, strict=True)]
    checks = [{"outcome": outcome, "got": repr(value)} for outcome, value in zip(outcomes, got, strict=True)]
    return {"outcome": "wrong_answer", "checks": checks}


def less_of(work):
    """Every function that leaves out some of a work's bindings and factors, but not all factors."""
    bindings = [(at, name) for at, step in enumerate(work.steps) for name in step.names]
    for kept in powerset(bindings):
        steps = tuple(replace(s, names=tuple(n for n in s.names if (at, n) in kept)) for at, s in enumerate(work.steps))
        yield from (replace(work, steps=steps, factors=factors) for factors in powerset(work.factors) if factors)


def powerset(items):
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def test_whatever_is_left_out_is_found_and_one_thing_alone_by_its_name():
    problem = next(
        p for p in binding_problems.generate(each=4) if any(len(names) == 2 for *_, names in p.meta["steps"])
    )
    work = binding_problems.work_of(problem)
    ones = {wrong.of(problem.checks[0].args) for _, wrong in binding_problems.mistakes(work)}
    kinds = set()
    for less in less_of(work):
        if any(less.of(check.args) != check.expected for check in problem.checks):
            kind = mistake(problem, as_record(problem, less))
            assert kind == SEVERAL or (kind in binding_problems.KINDS and less.of(problem.checks[0].args) in ones)
            kinds.add(kind)
    assert {SEVERAL, "forgotten", "left out of the product"} <= kinds
    inputs = [check.args for check in problem.checks]
    assert not leaves_out(work, inputs, tuple(work.of(given) + 1 for given in inputs))


def misread(problem):
    """A problem's body with its first operation on another variable."""
    first, rest = body(problem).split("\n", 1)
    name = first.split()[0]
    other = "y" if name == "x" else "x"
    return first.replace(f"{name} =", f"{other} =").replace(f"= {name}", f"= {other}") + "\n" + rest


def test_the_study_of_bindings_tells_every_mistake_by_what_programs_return(tmp_path):
    ones = [p for p in binding_problems.generate(each=16) if p.meta["operations"] == 1 and p.meta["variables"] == 3]
    problems = [p for p in ones if len(p.meta["steps"][0][2]) == 1][:7]
    made = wrong_texts(problems)
    model = scripted(tmp_path / "m.jsonl", [(problem, text) for problem, _, text in made])
    chosen = Choice(only=tuple(problem.id for problem in problems))
    asked = Study("binding", "binding:test", model, Sampling(prompt="codex"), chosen, out=tmp_path / "s")
    found = binding(asked)
    assert {kind: each["value"] for kind, each in found["failures"].items()} == pytest.approx(
        dict.fromkeys(binding_study.ALL_KINDS, 1 / 7)
    )
    assert [(cell["operations"], cell["variables"], cell["value"]) for cell in found["grid"]] == [(1, 3, 0.0)]


def test_a_model_that_binds_rightly_fails_at_nothing_and_its_rates_stand_in_the_grid(tmp_path):
    problems = list(binding_problems.generate(each=1))
    few = [problem for problem in problems if problem.meta["operations"] < 3]
    model = scripted(tmp_path / "m.jsonl", [(problem, body(problem)) for problem in few])
    found = binding(study("binding", model, tmp_path / "s", 12))
    rates = {(cell["operations"], cell["variables"]): cell["value"] for cell in found["grid"]}
    assert rates == {(o, v): float(o < 3) for o in (1, 2, 3) for v in (2, 3, 4, 5)}
    assert found["failures"][binding_study.NO_PROGRAM]["value"] == 1.0
    alone = binding(study("binding", model, tmp_path / "t", 8))
    assert alone["failures"] == {}
    assert "there are none" in render(study_tables(alone), "text")


def test_the_command_prints_its_tables_and_refuses_several_temperatures(tmp_path):
    command = [sys.executable, "-m", "regreen.cli", "study", "binding", "-m", "tiny", "--limit", "2", "-q"]
    asked = [*command, "--max-tokens", "20", "-o", "s", "--figure", "f.svg"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    assert "Operations bound to variables" in done.stdout
    assert (tmp_path / "f.svg").exists()
    refused = subprocess.run(
        [*command, "--temperature", "0.2,0.8"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 2
    assert "give one" in refused.stderr
