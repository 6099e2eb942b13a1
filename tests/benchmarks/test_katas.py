"""Katas: what holds of every problem, of every split, and between splits."""

import hashlib
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

from regreen import benchmarks
from regreen.benchmarks import katas
from regreen.benchmarks.katas import bugs, splits
from regreen.benchmarks.katas.ambiguous import CHOICES, DECIDING
from regreen.benchmarks.katas.chains import OPERATIONS, Failure, Step, draw_constants, draw_operations, run
from regreen.benchmarks.katas.operation import Kind, Operation, fill, function, nest
from regreen.benchmarks.katas.values import FIXED, fixed, inputs
from regreen.errors import InputError
from regreen.problem import Call, Problem, problem_to_line
from regreen.sandbox import LocalSandbox
from regreen.verdict import Outcome

EVERY = [*OPERATIONS.values(), *(each for choice in CHOICES for each in choice.operations)]
PYTHON: dict[Kind, Any] = {"int": int, "str": str, "ints": list, "strs": list, "dict": dict, "bool": bool}
# What the named splits mean: wording, checks and solutions of their first 400 problems. A change here changes every
# number measured on them.
DIGESTS = {
    "train": "f04e3a7b0d02a3fe",
    "validation": "a85f815b52ff862e",
    "test": "701ba351f88307ee",
    "ambiguous": "2d451d36c7bbf735",
    "ambiguous-train": "1758b1c80ae9370c",
    "unsolved": "48771823357a4af0",
    "noisy": "63b080de4148493e",
}


def made(split: str, count: int | None = None, **dials: Any) -> list[Problem]:
    return list(katas.generate(split, count=count, **dials))


def program_of(source: str, name: str) -> Callable[[Any], Any]:
    names: dict[str, Any] = {}
    exec(source, names)
    found: Callable[[Any], Any] = names[name]
    return found


def result(program: Callable[[Any], Any], value: Any) -> str:
    """A result's text, tables in one order; what is raised is all alike."""
    try:
        found = program(value)
    except Exception:
        return "raised"
    return repr(sorted(found.items()) if isinstance(found, dict) else found)


def behaviour(problem: Problem, source: str) -> tuple[str, ...]:
    """Run a program on all fixed inputs of its type: the brute-force twin of the splits' hash."""
    kind = OPERATIONS[problem.meta["operations"][0]].takes
    program = program_of(source, str(problem.entry_point))
    return (kind, *(result(program, value) for value in fixed(kind)))


def failed(problem: Problem, source: str) -> list[int]:
    program = program_of(source, str(problem.entry_point))
    calls = [check for check in problem.checks if isinstance(check, Call)]
    return [at for at, call in enumerate(calls) if result(program, call.args[0]) != result(lambda x: x, call.expected)]


def red(sandbox: LocalSandbox, rows: Iterable[tuple[Problem, str]]) -> list[str]:
    return [p.id for p, source in rows if sandbox.judge_now(p, source).outcome is not Outcome.PASSED]


def test_there_are_about_a_hundred_operations_over_all_types() -> None:
    assert 100 <= len(OPERATIONS) <= 150
    assert {each.takes for each in OPERATIONS.values()} == {"int", "str", "ints", "strs", "dict"}
    assert {each.gives for each in OPERATIONS.values()} == set(PYTHON)


@pytest.mark.parametrize("operation", EVERY, ids=lambda each: each.name)
def test_all_idioms_of_an_operation_do_the_same_and_give_its_type(operation: Operation) -> None:
    for constant in operation.constants or (None,):
        codes = [fill(idiom, constant) for idiom in operation.idioms]
        for value in inputs(operation.takes):
            results = [run([function(code, operation.gives)], value) for code in codes]
            assert all(type(each) is type(results[0]) for each in results)
            assert isinstance(results[0], Failure) or all(each == results[0] for each in results)
            assert isinstance(results[0], Failure) or has_type(results[0], operation.gives)


def has_type(value: Any, kind: Kind) -> bool:
    if kind == "dict":
        return all(type(key) is str and type(item) is int for key, item in value.items())
    if kind in ("ints", "strs"):
        return type(value) is list and all(type(item) is (int if kind == "ints" else str) for item in value)
    return type(value) is PYTHON[kind]


def test_no_two_operations_share_a_phrase_and_no_phrase_holds_a_link() -> None:
    meant: dict[str, set[tuple[str, Any]]] = defaultdict(set)
    for operation in EVERY:
        for phrase, constant in itertools.product(operation.phrases, operation.constants or (None,)):
            meant[fill(phrase, constant)].add((operation.name, constant))
    assert [phrase for phrase, meanings in meant.items() if len(meanings) > 1] == []
    assert [phrase for phrase in meant if "then" in phrase.split() or "." in phrase] == []


def test_no_two_single_operations_behave_alike() -> None:
    alike: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for operation in OPERATIONS.values():
        for constant in operation.constants or (None,):
            code = fill(operation.idioms[0], constant)
            results = [result(function(code, operation.gives), value) for value in fixed(operation.takes)]
            alike[operation.takes, *results].add(operation.name)
    assert [names for names in alike.values() if len(names) > 1] == []


def test_every_operation_is_drawn_for_training_and_has_at_least_two_phrases() -> None:
    seen = {name for problem in made("train", 8000) for name in problem.meta["operations"]}
    assert set(OPERATIONS) - seen == set()
    assert all(len(operation.phrases) >= 2 for operation in EVERY)


def test_chains_are_type_correct_and_their_depth_is_as_asked() -> None:
    rng = Random(1)
    for depth in (1, 2, 3, 4):
        for _ in range(300):
            chain = draw_operations(rng, depth)
            assert len(chain) == depth
            assert all(first.gives == second.takes for first, second in itertools.pairwise(chain))


def test_an_expression_nested_in_another_means_the_two_in_turn() -> None:
    rng = Random(2)
    for _ in range(2000):
        first, second = draw_constants(rng, draw_operations(rng, 2))
        codes = [fill(step.operation.idioms[-1], step.constant) for step in (first, second)]
        nested = nest(codes[1], codes[0])
        if nested is not None:
            for value in inputs(first.operation.takes)[:5]:
                both = [result(program_of(f"def f(x): return {nested}", "f"), value)]
                turn = program_of(f"def f(x):\n    x = {codes[0]}\n    return {codes[1]}", "f")
                assert both == [result(turn, value)]


def test_no_composition_and_no_behaviour_of_a_split_is_in_another() -> None:
    """Whatever the seeds: the programs are run on all 64 inputs and compared, one by one."""
    names: dict[str, set[str]] = {}
    behaviours: dict[str, set[tuple[str, ...]]] = {}
    drawn = {"train": 2500, "validation": 100, "test": 250, "unsolved": 250}
    for (split, count), seed in itertools.product(drawn.items(), (0, 7)):
        problems = made(split, count, seed=seed)
        names.setdefault(split, set()).update(problem.meta["cluster"] for problem in problems)
        found = {steps_behaviour(problem) for problem in problems}
        behaviours.setdefault(split, set()).update(found)
    names["noisy"] = {problem.meta["cluster"] for problem in made("noisy", 1000)}
    for one, other in itertools.combinations(drawn, 2):
        assert names[one].isdisjoint(names[other]), (one, other)
        assert behaviours[one].isdisjoint(behaviours[other]), (one, other)
    assert all(names["noisy"].isdisjoint(names[split]) for split in drawn if split != "train")


def steps_behaviour(problem: Problem) -> tuple[str, ...]:
    """What a problem's operations do on the 64 inputs, as a program; the unsolved come with none to run."""
    steps = steps_of(problem)
    lines = [f"    x = {fill(step.operation.idioms[0], step.constant)}\n" for step in steps]
    program = program_of(f"def f(x):\n{''.join(lines)}    return x\n", "f")
    kind = steps[0].operation.takes
    assert len(fixed(kind)) == FIXED == 64
    return (kind, *(result(program, value) for value in fixed(kind)))


def steps_of(problem: Problem) -> list[Step]:
    named = zip(problem.meta["operations"], problem.meta["constants"], strict=True)
    return [Step(OPERATIONS[name], constant) for name, constant in named]


def test_the_behaviour_of_a_problem_is_that_of_its_program() -> None:
    for problem in made("test"):
        assert steps_behaviour(problem) == behaviour(problem, str(problem.solution))


def test_sort_after_reverse_is_sort_and_so_of_no_split() -> None:
    chain = [Step(OPERATIONS["turn_list"]), Step(OPERATIONS["sort_up"])]
    assert splits.behaviour_of(tuple(chain)) == splits.behaviour_of((chain[1],))
    assert splits.sound_behaviour(tuple(chain)) is None


def test_the_hash_of_behaviour_is_equal_wherever_all_fixed_inputs_agree() -> None:
    rng, hashes = Random(3), defaultdict(set)
    for _ in range(1500):
        steps = draw_constants(rng, draw_operations(rng, 1 + int(rng.random() * 3)))
        kind = steps[0].operation.takes
        full = (kind, *(repr(run([step.function for step in steps], value)) for value in fixed(kind)))
        hashes[full].add(splits.behaviour_of(steps))
    assert all(len(found) == 1 for found in hashes.values())


def test_a_chain_that_is_constant_its_input_or_mostly_an_error_is_not_sound() -> None:
    def steps(*names: str) -> tuple[Step, ...]:
        return tuple(
            Step(OPERATIONS[n], OPERATIONS[n].constants[0] if OPERATIONS[n].constants else None) for n in names
        )

    assert splits.sound_behaviour(steps("turn_list", "count")) is None
    assert splits.sound_behaviour(steps("turn_list", "negate_each", "turn_list", "negate_each")) is None
    assert splits.sound_behaviour(steps("glue", "read")) is None
    assert splits.sound_behaviour(steps("drop_first", "negate_each")) is not None


def test_every_removed_step_is_seen_by_a_hidden_check() -> None:
    for problem in made("test"):
        steps = steps_of(problem)
        for at, step in enumerate(steps if len(steps) > 1 else []):
            if step.operation.takes == step.operation.gives:
                left = [each.function for each in steps[:at] + steps[at + 1 :]]
                hidden = [check for check in problem.checks[1:] if isinstance(check, Call)]
                assert any(run(left, check.args[0]) != check.expected for check in hidden)


def test_the_same_problems_are_made_in_every_process_and_a_larger_count_goes_on(run_python: Any) -> None:
    code = (
        "import json; from regreen.benchmarks import katas, digest; from regreen.problem import problem_to_line\n"
        "for split in katas.COUNTS: print(json.dumps([problem_to_line(p) for p in katas.generate(split, count=40)]))"
    )
    first, second = run_python(code), run_python(code)
    assert first == second
    assert json.loads(first.splitlines()[0])[0]["id"] == "katas/train/0-0"
    for split in katas.COUNTS:
        assert made(split, 60)[:40] == made(split, 40)
        assert made(split, 5) != made(split, 5, seed=1)


@pytest.mark.parametrize("split", DIGESTS)
def test_a_named_split_means_one_thing_forever(split: str) -> None:
    problems = itertools.islice(benchmarks.load(f"katas:{split}").problems(), 400)
    assert written(problems) == DIGESTS[split]


def written(problems: Iterable[Problem]) -> str:
    total = hashlib.sha256()
    for problem in problems:
        total.update(json.dumps(problem_to_line(problem), sort_keys=True).encode())
    return total.hexdigest()[:16]


@pytest.mark.parametrize("split", ["validation", "test", "ambiguous", "ambiguous-train", "unsolved"])
def test_a_named_split_has_as_many_problems_as_it_says(split: str) -> None:
    assert len(list(benchmarks.load(f"katas:{split}").problems())) == katas.COUNTS[split]


def test_a_bare_name_asks_the_test_split_and_trains_on_train() -> None:
    assert benchmarks.load("katas", purpose="ask").name == "katas:test"
    loaded = benchmarks.load("katas", purpose="train")
    assert loaded.name == "katas:train"
    assert list(itertools.islice(loaded.problems(), 3)) == made("train", 3)


def test_test_mixes_the_depths_and_asks_for_no_function_twice() -> None:
    problems = made("test")
    depths = Counter(problem.meta["depth"] for problem in problems)
    assert set(depths) == {1, 2, 3, 4}
    assert min(depths[2], depths[3], depths[4]) >= 60
    assert len({str(steps_of(problem)) for problem in problems}) == len(problems)
    assert all(problem.meta["distance"] >= 1 for problem in problems)
    assert all(problem.meta["distance"] == 0 for problem in made("train", 300))


def test_the_dials_set_depths_and_checks() -> None:
    problems = made("train", 50, depths={2: 1.0}, checks=12)
    assert {problem.meta["depth"] for problem in problems} == {2}
    assert {len(problem.checks) for problem in problems} == {13}


@pytest.mark.parametrize(
    ("split", "dials", "said"),
    [
        ("dev", {}, "katas has no split 'dev'; it has train, validation, test"),
        ("test", {"depths": {5: 1.0}}, "expected weights for depths 1 to 4"),
        ("test", {"depths": {}}, "expected weights for depths 1 to 4"),
        ("test", {"checks": 0}, "expected at least 1"),
        ("ambiguous", {"checks": 4}, "expected at least 5"),
        ("validation", {"count": 500, "depths": {1: 1.0}}, "no more functions of depth 1; ask for fewer"),
    ],
)
def test_bad_dials_are_refused_in_a_line(split: str, dials: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        made(split, **dials)


def test_the_prompt_is_a_header_with_the_shown_check_as_example() -> None:
    for problem in made("train", 200):
        check = problem.checks[0]
        assert isinstance(check, Call)
        assert problem.prompt.startswith(f"def {problem.entry_point}(x: ")
        assert f">>> {problem.entry_point}({check.args[0]!r})\n    {check.expected!r}\n" in problem.prompt
        assert str(problem.solution).startswith(problem.prompt)
        assert problem.statement in problem.prompt
        assert (problem.shown, problem.revealed) == ((0,), (0,))


@pytest.mark.parametrize("split", ["train", "validation", "test", "ambiguous", "ambiguous-train", "noisy"])
def test_reference_solutions_are_green(split: str, sandbox: LocalSandbox) -> None:
    assert red(sandbox, ((problem, str(problem.solution)) for problem in made(split, 150))) == []


def test_the_unsolved_have_checks_that_their_operations_pass() -> None:
    for problem in made("unsolved"):
        functions = [step.function for step in steps_of(problem)]
        assert problem.solution is None
        assert all(run(functions, c.args[0]) == c.expected for c in problem.checks if isinstance(c, Call))


@pytest.mark.parametrize("split", ["ambiguous", "ambiguous-train"])
def test_readings_agree_where_it_is_shown_and_the_right_one_alone_passes_five_hidden_checks(split: str) -> None:
    for problem in made(split, 300):
        red_checks = [failed(problem, source) for source in others(problem)]
        assert (problem.shown, problem.revealed) == ((0,), (0, 1))
        assert not any(0 in found for found in red_checks)
        deciding = set.intersection(*map(set, red_checks))
        assert 1 in deciding
        assert len([at for at in deciding if at > 1]) >= DECIDING
        assert failed(problem, str(problem.solution)) == []


def others(problem: Problem) -> list[str]:
    return [source for name, source in problem.meta["readings"].items() if name != problem.meta["reading"]]


def test_what_is_right_in_an_ambiguous_problem_behaves_as_nothing_that_was_learned() -> None:
    learnt = {steps_behaviour(problem) for split in ("train", "unsolved") for problem in made(split, 1200)}
    learnt |= {reading_behaviour(problem) for problem in made("ambiguous-train", 600)}
    assert not learnt & {reading_behaviour(problem) for problem in made("ambiguous")}


def test_ambiguous_problems_to_learn_from_share_no_composition_with_those_to_be_measured_on() -> None:
    compositions = [{p.meta["cluster"] for p in made(*split)} for split in (("ambiguous",), ("ambiguous-train", 2000))]
    assert not compositions[0] & compositions[1]


def reading_behaviour(problem: Problem) -> tuple[str, ...]:
    kind = next(each for each in EVERY if each.name == problem.meta["operations"][0]).takes
    program = program_of(str(problem.solution), str(problem.entry_point))
    return (kind, *(result(program, value) for value in fixed(kind)))


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.operations[0].name)
def test_the_readings_of_a_choice_agree_on_some_inputs_and_each_is_alone_on_more_than_five(choice: Any) -> None:
    first, *rest = choice.operations
    assert len(choice.readings) == len(set(choice.readings)) == len(choice.operations) >= 2
    assert all((each.name, each.phrases, each.takes, each.gives) == facts(first) for each in rest)
    for constant in first.constants or (None,):
        made = [function(fill(each.idioms[0], constant), each.gives) for each in choice.operations]
        results = [[str(run([each], value)) for each in made] for value in inputs(first.takes)]
        assert any(len(set(found)) == 1 for found in results)
        for right in range(len(made)):
            assert sum(found.count(found[right]) == 1 for found in results) > DECIDING


def facts(operation: Operation) -> tuple[Any, ...]:
    return operation.name, operation.phrases, operation.takes, operation.gives


def test_nearly_every_open_choice_is_asked_and_each_of_its_readings_is_right_now_and_then() -> None:
    problems = made("ambiguous")
    asked = {name for problem in problems for name in problem.meta["operations"] if name.endswith("?")}
    assert len(asked) >= 0.9 * len(CHOICES)
    choices = {choice.operations[0].name: choice for choice in CHOICES}
    for ways in (2, 4, 6):
        chosen = [(choices[n], p.meta["reading"]) for p in problems for n in p.meta["operations"] if n in choices]
        places = Counter(choice.readings.index(right) for choice, right in chosen if len(choice.readings) == ways)
        assert all(places[at] / places.total() > 0.4 / ways for at in range(ways))


def test_the_stated_share_of_the_noisy_corpus_fails_its_checks() -> None:
    problems = made("noisy", 3000)
    wrong = [problem for problem in problems if failed(problem, problem.meta["corpus"])]
    assert [problem.id for problem in wrong] == [problem.id for problem in problems if problem.meta["bug"]]
    assert abs(len(wrong) / len(problems) - bugs.BUG_SHARE) < 0.03
    assert {problem.meta["bug"] for problem in wrong} == set(bugs.KINDS)


def test_the_judge_finds_the_bugs_of_the_noisy_corpus(sandbox: LocalSandbox) -> None:
    problems = [problem for problem in made("noisy", 200) if problem.meta["bug"]]
    assert len(red(sandbox, ((problem, problem.meta["corpus"]) for problem in problems))) == len(problems)


def test_what_is_removed_from_a_held_out_split_is_counted() -> None:
    found = katas.removed("test", draws=2000)
    assert found.candidates > 100
    assert 0 < found.alike < 1
    assert 0 < found.removed < 1
