"""Doors outward: TRL's own trainer with our judge; verl and verifiers on the calls that their documentation shows."""

import os

import pytest

from regreen import InputError
from regreen.problem import Problem, problem_from_line
from regreen.prompts import load
from regreen.train.doors import as_trl_reward, as_verifiers_rubric, as_verl_score
from regreen.train.rewards import Adaptive, Coarse
from tests.toy import BAD, GOOD, PROBLEMS

TOYS = [problem_from_line(line) for line in PROBLEMS]
NAMES = [problem.id for problem in TOYS]


def chat(source):
    return [{"role": "assistant", "content": f"Here it is:\n```python\n{source}```\n"}]


@pytest.mark.parametrize("form", [str, chat])
def test_trl_s_call_gets_one_number_for_each_completion(form, sandbox):
    reward = as_trl_reward(TOYS, sandbox=sandbox)
    completions = [form(programs[name]) for programs in (GOOD, BAD) for name in NAMES]
    prompts = ["?"] * 6
    got = reward(prompts=prompts, completions=completions, completion_ids=[[1]] * 6, problem=NAMES * 2, trainer_state=0)
    assert got == [1.0] * 3 + [0.0] * 3
    assert reward.__name__ == "regreen_reward"


def test_any_reward_can_be_handed_out_and_what_says_nothing_is_trl_s_none(sandbox):
    given = {"prompts": ["?"] * 2, "completions": [BAD["toy/add"], BAD["toy/first"]], "problem": NAMES[:2]}
    assert as_trl_reward(TOYS, reward=Coarse(), sandbox=sandbox)(**given) == [-0.3, -0.6]
    assert as_trl_reward(TOYS, reward=Adaptive(), sandbox=sandbox)(**given) == [pytest.approx(0.35), None]


def test_a_completion_without_a_program_is_worth_what_bad_syntax_is(sandbox):
    silent = Problem("silent", "Print nothing.", (TOYS[2].checks[0].__class__("", ""),))
    reward = as_trl_reward([silent, *TOYS], reward=Coarse(), sandbox=sandbox)
    said = ["", [{"role": "assistant", "content": "I cannot."}], [], "pass\n"]
    assert reward(prompts=said, completions=said, problem=["silent"] * 4) == [-1.0, -1.0, -1.0, 1.0]


def test_a_template_says_how_the_program_is_found():
    opened = Problem("p", "Add.", TOYS[0].checks, entry_point="add", meta={"prompt": "def add(a, b):\n"})
    reward = as_trl_reward([opened], template=load("codex"))
    said = ["    return a + b\n", "    return a - b\n"]
    assert reward(prompts=said, completions=said, problem=["p", "p"]) == [1.0, 0.0]


def test_a_row_that_names_no_problem_is_an_error_of_one_line(sandbox):
    reward = as_trl_reward(TOYS, sandbox=sandbox)
    with pytest.raises(InputError, match="no column 'problem'"):
        reward(prompts=["?"], completions=["x"])
    with pytest.raises(InputError, match="no problem 'other' among the 3 given"):
        reward(prompts=["?"], completions=["x"], problem=["other"])


def test_verl_s_documented_call_gets_a_number_though_not_run_inside_verl(sandbox):
    compute_score = as_verl_score(TOYS, sandbox=sandbox)
    for programs, score in ((GOOD, 1.0), (BAD, 0.0)):
        for name in NAMES:
            said = {"data_source": "toy", "solution_str": programs[name], "ground_truth": name}
            assert compute_score(**said, extra_info={"index": 1}) == score
            assert compute_score(**said) == score
    undefined = as_verl_score(TOYS, reward=Adaptive(), sandbox=sandbox)
    assert undefined("toy", BAD["toy/first"], "toy/first") == 0.0


def test_verifiers_documented_call_gets_a_number_though_not_run_inside_verifiers(sandbox):
    (function,) = as_verifiers_rubric(TOYS, sandbox=sandbox)
    for name in NAMES:
        assert function(completion=chat(GOOD[name]), answer=name) == 1.0
        assert function(completion=chat(BAD[name]), answer=name) == 0.0


def test_trl_s_own_trainer_takes_a_step_on_our_judge_s_rewards(checkpoint, tiny_problems, sandbox, tmp_path):
    trl = pytest.importorskip("trl")
    datasets = pytest.importorskip("datasets")
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    template = load("austin")
    rows = [{"prompt": template.render(problem), "problem": problem.id} for problem in tiny_problems[:2]]
    heard = []
    ours = as_trl_reward(tiny_problems, sandbox=sandbox)

    def regreen_reward(**given):
        found = ours(**given)
        heard.append((given["problem"], given["completions"], found))
        return found

    told = trl.GRPOConfig(
        output_dir=str(tmp_path), per_device_train_batch_size=4, num_generations=4, max_steps=1, logging_steps=1,
        max_completion_length=40, use_cpu=True, report_to=[], save_strategy="no", disable_tqdm=True, seed=1,
        temperature=1.0,
    )  # fmt: skip
    trainer = trl.GRPOTrainer(
        model=str(checkpoint), reward_funcs=regreen_reward, args=told, train_dataset=datasets.Dataset.from_list(rows)
    )
    trainer.train()
    ((names, completions, found),) = heard
    assert len(found) == 4
    by_name = {problem.id: problem for problem in tiny_problems}
    sources = [template.source(by_name[name], text).source for name, text in zip(names, completions, strict=True)]
    twin = [sandbox.judge_now(by_name[name], source) for name, source in zip(names, sources, strict=True)]
    assert found == [float(verdict.passed) for verdict in twin]
    logged = next(entry for entry in trainer.state.log_history if "reward" in entry)
    assert logged["reward"] == pytest.approx(sum(found) / 4)
    assert logged["rewards/regreen_reward/mean"] == pytest.approx(sum(found) / 4)
