"""A report's page: its size, how long it takes to make, and how long a browser takes to show it and to open a program.

Run it with Chromium installed: ``python benches/page.py``. Programs are solutions of katas and mutants of them, each
with a verdict as the judge would give it; half of them failed with got, expected and a line.

Seconds are those of this machine, best of three loads, in one headless browser; the floor is an empty page.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from itertools import islice
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from regreen import CheckResult, Outcome, Program, Verdict
from regreen.benchmarks import katas
from regreen.report import html_page, report
from regreen.run import Run, Settings

SIZES = {164: (164, 1), 1_000: (200, 5), 16_000: (1_600, 10)}  # programs: problems, programs for each
ROUNDS = 3


def main() -> None:
    """Print a line for each number of programs."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        empty = Path(folder, "empty.html")
        empty.write_text("<!doctype html><title>x</title><p role=tab>x")
        print(f"an empty page: shown after {min(shown(browser, empty)[0] for _ in range(ROUNDS)):.2f} s")
        for programs, (problems, each) in SIZES.items():
            run = write_run(Path(folder, str(programs)), problems, each)
            began = time.monotonic()
            text = html_page([run], report([run]))
            made = time.monotonic() - began
            file = Path(folder, f"{programs}.html")
            file.write_text(text)
            seen, opened = (min(times) for times in zip(*(shown(browser, file) for _ in range(ROUNDS)), strict=True))
            size = f"{file.stat().st_size / 1e3:,.0f} kB, made in {made:.1f} s"
            print(f"{programs:,} programs: {size}; shown after {seen:.2f} s, a program after {opened:.2f} s more")
        browser.close()


def write_run(path: Path, problems: int, each: int) -> Path:
    """Write a run of so many programs for each of so many problems."""
    with Run(path, Settings("evaluate", "katas", {"model": "mutants"})) as run:
        for at, problem in enumerate(islice(katas.generate("train", count=problems), problems)):
            run.add_problem(problem)
            for index in range(each):
                source = f"{problem.solution}\n# {at}.{index}\n"  # no two are the same
                run.add_program(Program(problem.id, index, source, text=source))
                run.add_verdict((problem.id, index, "sample"), verdict(passed=(at + index) % 2 == 0))
        run.complete()
    return path


def verdict(*, passed: bool) -> Verdict:
    """Return a verdict on one check."""
    outcome = Outcome.PASSED if passed else Outcome.WRONG_ANSWER
    said = {} if passed else {"got": "[1, 2, 3]", "expected": "[3, 2, 1]", "line": 3, "line_text": "return x"}
    return Verdict(outcome, (CheckResult(0, outcome, **said),))


def shown(browser: Browser, file: Path) -> tuple[float, float]:
    """Return the seconds until a page is seen, and until a program of it is."""
    page = browser.new_page()
    began = time.monotonic()
    page.goto(file.as_uri())
    page.wait_for_selector("[role=tab]")
    seen = time.monotonic()
    if page.locator("[role=tab]").count() > 1:
        page.get_by_role("tab", name="Problems").click()
        page.locator(".rows tbody tr:not(.space)").first.click()
        page.wait_for_selector(".opened .code")
    opened = time.monotonic()
    page.close()
    return seen - began, opened - seen


if __name__ == "__main__":
    main()
