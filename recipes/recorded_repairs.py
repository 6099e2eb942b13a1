"""What did repair add in recorded runs of Reflexion and LLMDebugger? Every program of them, judged again.

Run it with REGREEN_DATA set: ``python recipes/recorded_repairs.py OUT`` (four minutes on two cores; OUT is a new folder
or an earlier one, which it goes on with).

Data. Runs published in github.com/noahshinn/reflexion (MIT), github.com/FloridSleeves/LLMDebugger (Apache-2.0) and, of
Reflexion with ChatGPT, github.com/Md-Ashraful-Pramanik/MapCoder (MIT), on HumanEval and MBPP. The scoring tests are
those of the rows; a program has 6 seconds of CPU time.

Hypotheses, metrics and directions:

1. The pass rate rises from first to last programs (Shinn et al. 2023, table 1; Zhong et al. 2024, table 1).
2. Repairs pass more seldom than first programs (Olausson et al. 2023, section 4): what is repaired is what failed.

What came out: docs/recorded-repairs.md, whose tables this prints. 1 holds for LLMDebugger with GPT-3.5 (+7.9, +5.5 and
+6.8 points, no interval reaches 0) and, by +1.2 points, for StarCoder on MBPP; not for StarCoder on HumanEval nor for
ChatGPT's Reflexion, whose intervals contain 0. For GPT-4's Reflexion it cannot be told: first programs that were
repaired are not in the files. 2 holds in the seven runs that kept all programs.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regreen.evaluate import Judging, import_trees
from regreen.report import Table, render, share_cell
from regreen.report.tables import Cell, estimate_cell

RUNS = {  # by form
    "reflexion": (
        "reflexion/reflexion_humaneval_gpt-4",
        "reflexion/reflexion_mbpp_gpt-4",
        "mapcoder/chatgpt_humaneval_reflexion-10",
        "mapcoder/chatgpt_mbpp_reflexion-10",
    ),
    "reflexion-ucs": ("reflexion/reflexion-ucs_humaneval_gpt-4",),
    "ldb": (
        "llmdebugger/ldb_humaneval_gpt-3.5-turbo-0613",
        "llmdebugger/ldb-line_humaneval_gpt-3.5-turbo-0613",
        "llmdebugger/ldb_humaneval_starcoder",
        "llmdebugger/ldb_mbpp_gpt-3.5-turbo-0613",
        "llmdebugger/ldb_mbpp_starcoder",
    ),
}
JUDGING = Judging(timeout=6.0)


def judged(data: Path, out: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each run's name and what it comes to."""
    for form, names in RUNS.items():
        for name in names:
            path = data / "recorded" / f"{name}.jsonl.gz"
            run = out / name.replace("/", "-")
            yield name.partition("/")[2], import_trees(path, form, judge=True, judging=JUDGING, out=run, quiet=False)


def programs_table(runs: dict[str, dict[str, Any]]) -> Table:
    """Return first and last programs by both verdicts, and the gain."""
    rows: list[list[str | Cell]] = []
    for name, found in runs.items():
        theirs, ours = found["verdicts"]["recorded"], found["verdicts"]["ours"]
        differ = found["recorded"]["differ"]
        cells = [share_cell(ours["first"]), share_cell(theirs["last"]), share_cell(ours["last"])]
        gain = estimate_cell(ours["gain"], signed=True)
        rows.append([name, *cells, gain, f"{differ} of {differ + found['recorded']['agree']}"])
    names = ["run", "first, ours", "last, recorded", "last, ours", "gain, ours", "verdicts that differ"]
    return Table("First and last programs", names, rows)


def repairs_table(runs: dict[str, dict[str, Any]]) -> Table:
    """Return how often repairs pass, and what becomes of wrong first programs."""
    rows: list[list[str | Cell]] = []
    for name, found in runs.items():
        ours = found["verdicts"]["ours"]
        cells = [share_cell(ours[part]) for part in ("repairs", "mended", "kept")]
        rows.append([name, *cells, str(ours["left"])])
    names = ["run", "repairs that pass", "wrong first programs mended", "right ones kept", "wrong, never repaired"]
    return Table("Repairs, our verdicts", names, rows)


def rounds_table(runs: dict[str, dict[str, Any]]) -> Table:
    """Return the pass rate of the programs that stand after each round."""
    rounds = {name: found["verdicts"]["ours"]["rounds"] for name, found in runs.items()}
    most = max(map(len, rounds.values()))
    rows: list[list[str | Cell]] = [
        [name, *(_standing(found, number) for number in range(most))] for name, found in rounds.items()
    ]
    return Table("Standing after each round, our verdicts, %", ["run", *map(str, range(most))], rows)


def _standing(rounds: list[dict[str, Any]], number: int) -> str:
    if number >= len(rounds):
        return ""
    rate = rounds[number]["standing"]["rate"]
    return "-" if rate is None else f"{100 * rate:.1f}"


def main(out: Path) -> None:
    """Judge every program of every run, and print the tables."""
    runs = dict(judged(Path(os.environ["REGREEN_DATA"]), out))
    print(render([programs_table(runs), repairs_table(runs), rounds_table(runs)], "md"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
