"""Choosing one program of k: the curve beside its brute-force twin, every ranker, and runs ranked for real."""

import asyncio
import json
import math
import re
from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regreen import Assert, CheckResult, InputError, Outcome, Problem, Program, Verdict
from regreen.metrics import pass_at_k
from regreen.rank import best_group_of_k, best_of_k, curves, rank, written_asserts
from regreen.rank.pools import Candidate, Pool
from regreen.rank.rankers import dual_agreement, dual_agreement_groups, majority, majority_groups
from regreen.rank.written import read_checks
from regreen.records import read_records
from regreen.run import Run, Settings

SCORES = st.sampled_from([None, -2.0, 0.0, 0.5, 1.0, math.inf])
PROGRAMS = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=7)


def share_right(drawn, score_of):
    """The chance that a uniform choice among the best-scored of the programs drawn is right."""
    scores = [score_of(program) for program in drawn]
    best = [program for program, score in zip(drawn, scores, strict=True) if math.isclose(score, max(scores))]
    return sum(program[1] for program in best) / len(best)


@given(PROGRAMS, st.integers(1, 7))
def test_the_best_of_k_is_right_as_often_as_over_all_subsets(programs, k):
    assume(k <= len(programs))
    subsets = list(combinations(programs, k))
    score = lambda program: -math.inf if program[0] is None else program[0]  # noqa: E731
    expected = sum(share_right(subset, score) for subset in subsets) / len(subsets)
    assert best_of_k(*zip(*programs, strict=True), k) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 60))
def test_the_oracles_curve_is_pass_at_k_and_randoms_is_pass_at_1(passed, k):
    n, c = len(passed), sum(passed)
    oracle, random = best_of_k([float(p) for p in passed], passed, k), best_of_k([0.0] * n, passed, k)
    if k > n:
        assert oracle is random is pass_at_k(n, c, k) is None
    else:
        assert oracle == pytest.approx(pass_at_k(n, c, k), abs=1e-12)
        assert random == pytest.approx(pass_at_k(n, c, 1), abs=1e-12)


@given(PROGRAMS, st.integers(1, 7))
def test_no_ranker_beats_the_oracle_and_a_ranking_turned_round_mirrors_the_gain_at_k_2(programs, k):
    assume(k <= len(programs))
    scores, passed = zip(*[(0.0 if s is None else s, p) for s, p in programs], strict=True)
    assert best_of_k(scores, passed, k) <= pass_at_k(len(passed), sum(passed), k) + 1e-12
    if len(passed) >= 2:
        both = best_of_k(scores, passed, 2) + best_of_k([-s for s in scores], passed, 2)
        assert both == pytest.approx(2 * sum(passed) / len(passed))


def test_a_k_below_1_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        best_of_k([1.0], [True], 0)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0]), min_size=3, max_size=3),
    st.sampled_from([0.5, 1.0]),
)
@settings(max_examples=15, deadline=None)
def test_groups_are_scored_by_those_drawn_as_over_all_subsets(programs, worths, power):
    n = len(programs)
    sizes = [sum(group == g for group, _ in programs) for g in range(3)]
    scores = [worths[g] * sizes[g] ** power for g, _ in programs]
    groups, passed = zip(*programs, strict=True)
    ks = list(range(1, n + 1))
    found = best_group_of_k(scores, groups, passed, [*ks, n + 1], power=power, circles=800)
    for k, value in zip(ks, found, strict=False):
        expected = []
        for drawn in combinations(programs, k):
            members = [group for group, _ in drawn]
            expected.append(share_right(drawn, lambda p, m=members: worths[p[0]] * m.count(p[0]) ** power))
        exact = k in (1, n)
        assert value == pytest.approx(sum(expected) / len(expected), abs=1e-9 if exact else 0.05)
    assert found[-1] is None


def test_a_program_without_a_score_is_chosen_only_where_there_is_no_other():
    assert best_of_k([None, -50.0], [True, False], 2) == 0.0
    assert best_group_of_k([None, 0.0], [0, 1], [True, False], [2], power=1.0) == [0.0]


def pool(*written, shown=()):
    """Programs by their answers to written checks: a value, "E" for an exception, or None for not run at all."""
    found = Pool({"id": "p"})
    for at, values in enumerate(written):
        candidate = Candidate(at, f"program {at}")
        candidate.written = None if values is None else tuple(map(answer, values))
        found.candidates.append(candidate)
    return found


def answer(value):
    kinds = {"=": ("passed", None, None), "E": ("exception", None, "KeyError")}
    return kinds.get(value, ("wrong_answer", value, None))


def test_dual_agreement_is_the_root_of_programs_times_checks_over_exactly_equal_sets_of_checks():
    found = pool("==1", "==2", "=1=", "111", "===", None)
    assert dual_agreement_groups(found) == [0, 0, 1, 2, 3, 4]
    assert dual_agreement(found) == [math.sqrt(2) * 2, math.sqrt(2) * 2, 2.0, 0.0, 3.0, None]


def test_dual_agreement_ties_are_equal_to_the_last_bit():
    many, few = pool(*["="] * 12, "==", "==", "=="), dual_agreement
    scores = few(many)
    assert scores[0] == math.sqrt(12)
    assert scores[0] == scores[-1]  # sqrt(12) x 1 = sqrt(3) x 2


def test_the_majority_counts_equal_outputs_and_a_crash_is_none():
    found = pool("12", "12", "13", "EE", "EE", "EE", "1E", None)
    assert majority(found) == [2.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0, None]
    assert majority_groups(found) == [0, 0, 1, 2, 2, 2, 3, 4]


def test_asserts_are_taken_out_of_a_models_text():
    text = (
        "f(1) == 2\nassert f(2) == 3, 'two'\nassert g(1)\nassert f(3 ==\nassert f(4) == 5\n# done\nassert [f(5)] == [6]"
    )
    assert written_asserts([text], "f") == [
        "assert f(1) == 2",
        "assert f(2) == 3, 'two'",
        "assert f(4) == 5",
        "assert [f(5)] == [6]",
    ]
    assert written_asserts([text, " f(1) == 2", ""], "f", limit=1) == ["assert f(1) == 2", "assert f(1) == 2"]
    assert written_asserts(["'f' in 'of'\nassert off(1)"], "f") == []


@given(st.lists(st.text(alphabet="assert f(1)=\n'#\x00[{", max_size=60), max_size=3))
def test_taking_asserts_never_fails_and_what_is_taken_parses(texts):
    for check in written_asserts(texts, "f"):
        compile(check, "", "exec")


def test_a_file_of_checks_names_what_is_wrong_in_it(tmp_path):
    path = tmp_path / "checks.jsonl"
    with pytest.raises(InputError, match="no such file"):
        read_checks(path)
    path.write_text("")
    with pytest.raises(InputError, match="no checks"):
        read_checks(path)
    path.write_text('{"problem":"a","checks":["assert f(1)"]}\n{"problem":"a","checks":"assert"}\n')
    with pytest.raises(InputError, match=r"checks\.jsonl:2: expected the fields problem"):
        read_checks(path)
    path.write_text('{"problem":"a","checks":["x"]}\n{"problem":"a","checks":["y"]}\n')
    assert read_checks(path) == {"a": ("x", "y")}


RIGHT, ONES, CRASH = "def f(n):\n    return n * n\n", "def f(n):\n    return 1\n", "def f(n):\n    return m\n"
SQUARE = "def f(k):\n    # the same in other words\n    return k ** 2\n"


def verdict(*outcomes):
    checks = tuple(CheckResult(i, Outcome(o), got=g) for i, (o, g) in enumerate(outcomes))
    failing = next((check.outcome for check in checks if check.outcome is not Outcome.PASSED), Outcome.PASSED)
    return Verdict(failing, checks)


GREEN = verdict(("passed", None), ("passed", None))
RED = verdict(("passed", None), ("wrong_answer", "1"))
BROKEN = verdict(("exception", None), ("exception", None))
VERDICTS = {RIGHT: GREEN, SQUARE: GREEN, ONES: RED, CRASH: BROKEN}


def write_run(path, *problems, shown=(), examples=(), statement="Write f(n), the square of n.", logprobs=()):
    """Write a run in which each problem has these programs; the log-probability of each is of ten tokens."""
    with Run(path, Settings("evaluate", "toy", {"timeout": 3.0}, {"n": None})) as run:
        for at, sources in enumerate(problems):
            checks = (Assert("assert f(1) == 1"), Assert("assert f(2) == 4"))
            meta = {"examples": list(examples), "cluster": at // 2}
            problem = Problem(f"p{at}", statement, checks, shown=shown, revealed=shown, entry_point="f", meta=meta)
            run.add_problem(problem)
            for index, source in enumerate(sources):
                if source is None:
                    run.add_program(Program(problem.id, index, "", error="context too long"))
                    continue
                logprob = logprobs[index] if logprobs else None
                run.add_program(Program(problem.id, index, source, tokens=10, logprob=logprob))
                run.add_verdict((problem.id, index, "sample"), VERDICTS[source])
    return path


def scores(run, problem="p0"):
    """The columns of ranks.jsonl for one problem."""
    lines = [record for _, record in read_records(run / "ranks.jsonl") if record["problem"] == problem]
    return {name: [line["scores"][name] for line in lines] for name in lines[0]["scores"]}


def values(found, name, part="curve"):
    return [point["value"] for point in found["rankers"][name][part]]


def test_a_run_gets_a_line_a_program_with_the_scores_that_can_be_given(tmp_path):
    run = write_run(tmp_path / "r", [RIGHT, ONES, None], logprobs=(-2.0, -5.0))
    found = rank(run)
    lines = [record for _, record in read_records(run / "ranks.jsonl")]
    assert [(line["problem"], line["index"]) for line in lines] == [("p0", 0), ("p0", 1), ("p0", 2)]
    assert scores(run) == {
        "random": [0.0, 0.0, 0.0],
        "mean_logprob": [-0.2, -0.5, None],
        "sum_logprob": [-2.0, -5.0, None],
        "oracle": [1.0, 0.0, 0.0],
    }
    assert (found["run"], found["problems"], found["programs"], found["model"]) == (str(run), 1, 3, None)
    assert list(found["rankers"]) == ["random", "mean_logprob", "sum_logprob", "oracle"]
    json.dumps(found, allow_nan=False)


def test_shown_checks_are_read_from_the_verdicts_and_equal_outputs_agree(tmp_path):
    run = write_run(tmp_path / "r", [RIGHT, SQUARE, ONES, CRASH], shown=(1,))
    found = rank(run)
    assert scores(run)["shown"] == [1.0, 1.0, 0.0, 0.0]
    assert scores(run)["majority"] == [2.0, 2.0, 1.0, 0.0]
    assert values(found, "shown") == pytest.approx([0.5, 1 - 1 / 6, 1.0])
    assert found["all_shown"] == 0


def test_hidden_checks_decide_nothing_but_the_oracle(tmp_path):
    sources = [RIGHT, ONES, ONES, CRASH]
    run = write_run(tmp_path / "r", sources, shown=(0,), logprobs=(-1, -2, -3, -4))
    rank(run)
    before = scores(run)
    text = (run / "verdicts.jsonl").read_text()
    assert '"got":"1"' in text
    (run / "verdicts.jsonl").write_text(text.replace('"got":"1"', '"got":"7"').replace("wrong_answer", "timeout"))
    text = (run / "problems.jsonl").read_text()
    (run / "problems.jsonl").write_text(text.replace("f(2) == 4", "f(3) == 9"))
    rank(run)
    assert scores(run) == before


def test_examples_of_the_statement_are_run_where_no_check_is_shown(tmp_path):
    run = write_run(tmp_path / "r", [RIGHT, ONES, CRASH, None], examples=["assert f(3) == 9"])
    found = rank(run, jobs=1)
    assert scores(run)["shown"] == [1.0, 0.0, 0.0, None]
    assert values(found, "shown")[-1] == 1.0


def test_written_checks_give_dual_agreement_and_outputs(tmp_path):
    run = write_run(tmp_path / "r", [RIGHT, SQUARE, ONES, CRASH], [ONES, CRASH, RIGHT, ONES])
    checks = tmp_path / "checks.jsonl"
    written = ["assert f(2) == 4", "assert f(2) == 4", "assert f(3) == 10", "assert f(1) == 1"]
    checks.write_text("".join(json.dumps({"problem": name, "checks": written}) + "\n" for name in ("p0", "p1", "p9")))
    found = rank(run, checks=checks, jobs=1)
    assert scores(run, "p0")["dual_agreement"] == pytest.approx([math.sqrt(2) * 3, math.sqrt(2) * 3, 1.0, 0.0])
    assert scores(run, "p1")["dual_agreement"] == [math.sqrt(2), 0.0, 3.0, math.sqrt(2)]
    assert scores(run, "p1")["majority"] == [2.0, 0.0, 1.0, 2.0]
    assert values(found, "dual_agreement")[-1] == 1.0
    assert values(found, "majority")[-1] == 0.5
    checks.write_text('{"problem":"elsewhere","checks":["assert f(1)"]}\n')
    with pytest.raises(InputError, match="no check for any problem of the run; its ids look like p0"):
        rank(run, checks=checks)


def test_what_an_earlier_ranking_of_the_same_programs_knew_is_kept(tmp_path):
    run = write_run(tmp_path / "r", [RIGHT, SQUARE, ONES, CRASH], shown=(0,))
    checks = tmp_path / "checks.jsonl"
    checks.write_text('{"problem": "p0", "checks": ["assert f(2) == 4"]}\n')
    first = rank(run, checks=checks, jobs=1)
    again = rank(run, jobs=1)
    assert again["rankers"]["dual_agreement"] == first["rankers"]["dual_agreement"]
    with Run(run, Settings("evaluate", "toy", {"timeout": 3.0}, {"n": None})) as more:
        more.add_program(Program("p0", 4, RIGHT))
        more.add_verdict(("p0", 4, "sample"), VERDICTS[RIGHT])
    assert "dual_agreement" not in rank(run, jobs=1)["rankers"]


def test_the_prelude_of_a_problem_stands_before_what_is_run(tmp_path):
    with Run(tmp_path / "r", Settings("evaluate", "toy", {}, {"n": None})) as run:
        examples = ["assert f(2) == math.sqrt(4)"]
        problem = Problem(
            "p0", "f", (Assert("assert f(1)"),), entry_point="f", prelude="import math", meta={"examples": examples}
        )
        run.add_problem(problem)
        run.add_program(Program("p0", 0, "def f(n):\n    return math.floor(n)\n"))
        run.add_verdict(("p0", 0, "sample"), verdict(("passed", None)))
    rank(tmp_path / "r", jobs=1)
    assert scores(tmp_path / "r")["shown"] == [1.0]


class Words:
    """A model of text: each word as likely as it is common among the words of the prompt, one added to each count."""

    name, batch, parallel = "words", 1, 4

    def __init__(self):
        self.prompts = []

    async def logprob(self, prompt, text):
        self.prompts.append(prompt)
        await asyncio.sleep(0)
        known = re.findall(r"\w+", prompt)
        return sum(math.log((known.count(word) + 1) / (len(known) + 1000)) for word in re.findall(r"\w+", text))


def test_back_translation_prefers_the_program_that_speaks_of_the_statement(tmp_path):
    square = (
        'def f(n):\n    """Write f(n), the square of n."""\n    square = n * n  # the square of n\n    return square\n'
    )
    VERDICTS[square] = GREEN
    run = write_run(tmp_path / "r", [square, ONES, ONES, None])
    model = Words()
    found = rank(run, model=model)
    mine, other, again, refused = scores(run)["back_translation"]
    assert mine > other == again
    assert refused is None
    assert len(model.prompts) == 2  # equal programs are asked once
    assert not any("Write f" in prompt or "# the square" in prompt for prompt in model.prompts)
    assert found["model"] == "words"


def test_a_model_that_cannot_say_how_likely_a_text_is_is_refused(tmp_path):
    class Mute:
        name = "openai:mute"

    with pytest.raises(InputError, match="openai:mute: cannot give the log-probability"):
        rank(write_run(tmp_path / "r", [RIGHT]), model=Mute())


def test_where_likely_programs_are_right_the_oracle_is_above_mean_log_probability_and_that_above_random(tmp_path):
    problems = [[RIGHT, ONES, SQUARE, CRASH], [ONES, RIGHT, CRASH, ONES], [CRASH, ONES, ONES, CRASH]] * 6
    found = rank(write_run(tmp_path / "r", *problems, logprobs=(-1.0, -2.0, -3.0, -4.0)), ks=(1, 2, 4, 5))
    oracle, mean, random = (values(found, name)[:3] for name in ("oracle", "mean_logprob", "random"))
    assert random == pytest.approx([0.25] * 3)
    assert oracle[0] == mean[0] == random[0]
    assert all(a >= b >= c for a, b, c in zip(oracle, mean, random, strict=True))
    gains = found["rankers"]["mean_logprob"]["gain_over_random"]
    assert [gain["k"] for gain in gains] == [2, 4, 5]
    assert gains[1]["value"] == pytest.approx(1 / 3 - 1 / 4)
    assert gains[1]["low"] < gains[1]["value"] < gains[1]["high"]
    assert gains[-1] == {"k": 5, "value": None, "low": None, "high": None, "needs": "n >= 5"}
    assert found["rankers"]["random"]["gain_over_random"] == []


def test_intervals_are_seeded_and_resample_clusters(tmp_path):
    run = write_run(tmp_path / "r", *[[RIGHT, ONES]] * 4, *[[ONES, ONES]] * 4, logprobs=(-1.0, -2.0))
    first = rank(run)
    assert curves(run)["rankers"] == first["rankers"] == rank(run)["rankers"]
    top = first["rankers"]["oracle"]["curve"][-1]
    assert (top["value"], top["low"], top["high"]) == (0.5, 0.0, 1.0)  # four clusters: two all right, two all wrong


def test_what_cannot_be_ranked_is_named(tmp_path):
    with pytest.raises(InputError, match="not a run directory"):
        rank(tmp_path)
    run = write_run(tmp_path / "r")
    with pytest.raises(InputError, match="finish the run first"):
        rank(run)
    with pytest.raises(InputError, match=r"not ranked yet.*regreen rank"):
        curves(run)
