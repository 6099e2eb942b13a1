from typing import Any

from regreen.benchmarks import load

SOLUTION = "class Solution:\n    def top(self, xs: List[int]) -> int:\n        return nlargest(1, xs)[0]"
TEST = "def check(candidate):\n    assert candidate(xs = [1,3]) == 3\n    assert candidate(xs = [2]) == 2\n"
SHORT = {
    "problem_id": "leetcode-train/0",
    "problem": "Find it.",
    "solution": SOLUTION,
    "test": TEST + "\n\ncheck(Solution().top)",
}
PUBLISHED = {
    "task_id": "find-it",
    "question_id": 1,
    "difficulty": "Easy",
    "tags": ["Array"],
    "estimated_date": "2015-08-07 00:00:00",
    "starter_code": "class Solution:\n    def top(self, xs: List[int]) -> int:\n        ",
    "prompt": "from typing import *\nfrom heapq import *\n",
    "entry_point": "Solution().top",
    "test": TEST,
    "completion": SOLUTION,
    "query": "Find it, please.",
    "response": "```python\n...```",
}


def only(data: Any) -> Any:
    (problem,) = load("leetcode:train", data=data).problems()
    return problem


def test_short_rows_rely_on_the_usual_imports(write: Any, passed: Any) -> None:
    problem = only(write("leetcode/leetcode_train_a.jsonl.gz", [SHORT]))
    assert problem.checks[0].code == SHORT["test"]
    assert problem.entry_point == "Solution"
    assert passed(problem, SOLUTION) == [True]
    assert passed(problem, SOLUTION.replace("nlargest", "nsmallest")) == [False]


def test_published_rows_bring_their_imports_and_their_date(write: Any, passed: Any) -> None:
    problem = only(write("leetcode/LeetCodeDataset-train.jsonl", [PUBLISHED]))
    assert problem.checks[0].code.endswith("check(Solution().top)\n")
    assert (problem.id, problem.meta["date"], problem.meta["difficulty"]) == ("find-it", "2015-08-07", "Easy")
    assert passed(problem, problem.solution) == [True]


def test_older_published_rows_keep_details_under_meta(write: Any) -> None:
    details = {"difficulty": "Hard", "estimated_date": "2020-01-02"}
    row = {k: v for k, v in PUBLISHED.items() if k not in details} | {"meta": details}
    problem = only(write("leetcode/LeetCodeDataset-train.jsonl", [row]))
    assert (problem.meta["date"], problem.meta["difficulty"]) == ("2020-01-02", "Hard")
