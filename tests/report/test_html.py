"""The page of a report in a real browser: sorting, filtering, opening, walking a tree; hostile and many programs."""

import json
import shutil
import subprocess
import sys
import time

import pytest

from regreen import Assert, CheckResult, Outcome, Problem, Program, Verdict
from regreen.report import html_page, report
from regreen.run import Run, Settings
from regreen.tree import node_of, node_to_line
from tests.report.trees.test_trees import write_trees

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
GREEN = Verdict(Outcome.PASSED, (CheckResult(0, Outcome.PASSED),))


def red(got="41", message=None):
    """A wrong answer with its line."""
    check = CheckResult(0, Outcome.WRONG_ANSWER, got=got, expected="42", message=message, line=2, line_text="return 41")
    return Verdict(Outcome.WRONG_ANSWER, (check,))


def write_run(path, passed, *, n, name="p", hostile=False):
    """Write a run in which problem i has passed[i] right programs of n."""
    with Run(path, Settings("evaluate", "toy", {"model": HOSTILE if hostile else "toy"}, {"n": None})) as run:
        for at, right in enumerate(passed):
            problem = Problem(
                f"{name}{at}", "Answer.", (Assert("assert f() == 42"),), meta={"difficulty": f"level {at % 3}"}
            )
            run.add_problem(problem)
            for index in range(n):
                text = HOSTILE if hostile else f"return 4{index}"
                run.add_program(Program(problem.id, index, f"def f():\n    {text}\n", text=text))
                run.add_verdict(
                    (problem.id, index, "sample"), GREEN if index < right else red(*[HOSTILE] * 2 * hostile)
                )
        run.complete()
    return path


def write_tree(path):
    """Write a run with one tree: a program, two explanations of it, and a repair of each."""
    programs = [
        (Program("p0", 0, "def f():\n    return 41\n", text="a"), red()),
        (Program("p0", 0, "", role="feedback:0", text="It is one <b>more</b>."), None),
        (Program("p0", 0, "def f():\n    return 42\n", role="repair:0.0", text="b"), GREEN),
        (Program("p0", 0, "", role="feedback:1", text="It is less."), None),
        (Program("p0", 0, "def f():\n    return 40\n", role="repair:1.0", text="c"), red("40")),
    ]
    with Run(path, Settings("evaluate", "toy", {})) as run:
        run.add_problem(Problem("p0", "Answer.", (Assert("assert f() == 42"),)))
        for program, verdict in programs:
            run.add_program(program)
            if verdict is not None:
                run.add_verdict(program.key, verdict)
        run.complete()
    lines = [node_to_line(node_of(program, verdict)) for program, verdict in programs]
    (path / "trees.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page of run directories; whatever the page complains of fails the test."""
    said = []

    def open_page(*runs, width=1280, dark=False):
        file = tmp_path / "page.html"
        file.write_text(html_page(runs, report(runs)), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light")
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith("file:") else said.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("[role=tab][aria-selected=true]")
        return page

    yield open_page
    assert not said


def problems(page):
    page.get_by_role("tab", name="Problems").click()
    return page.locator(".rows tbody tr:not(.space)")


def sees(page, name):
    """Wait until a problem is open."""
    sync_api.expect(page.locator(".opened h2 span")).to_have_text(name)


def test_scores_and_figures_are_seen_at_once(opened, tmp_path):
    page = opened(write_run(tmp_path / "a", [2, 1, 0, 2], n=2))
    assert page.get_by_text("62.5 % [").count() >= 1
    assert page.locator("figure svg").count() == 2
    assert page.locator("figcaption").all_inner_texts() == ["pass@k", "Outcomes"]


def test_problems_are_sorted_filtered_and_opened_by_mouse(opened, tmp_path):
    page = opened(write_run(tmp_path / "a", [2, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0], n=2))
    rows = problems(page)
    names = [text.split("\t")[0] for text in rows.all_inner_texts()]
    assert names == [f"p{at}" for at in range(11)], "numbers are sorted as numbers"
    page.get_by_role("button", name="passed").click()
    page.get_by_role("button", name="passed").click()
    assert rows.first.inner_text().startswith("p0")
    page.get_by_label("State").select_option("some pass, some fail")
    assert [text.split("\t")[0] for text in rows.all_inner_texts()] == ["p1", "p4"]
    assert page.get_by_text("2 of 11 problems").is_visible()
    page.get_by_label("Filter problems").fill("P4")
    rows.first.click()
    page.wait_for_selector(".opened .code")
    assert page.get_by_label("Problem", exact=True).get_by_text("p4").is_visible()
    assert page.locator(".marked").inner_text() == "    return 41"
    assert page.locator(".values .differs").all_inner_texts() == ["1", "2"], "41 and 42 differ in their end"


def test_all_is_reached_by_keys(opened, tmp_path):
    page = opened(write_run(tmp_path / "a", [0] * 300, n=1))
    problems(page)
    page.keyboard.press("/")
    page.keyboard.type("p2")
    page.locator(".rows").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    sees(page, "p20")
    page.keyboard.press("End")
    sees(page, "p299")
    page.keyboard.press("Escape")
    assert page.locator(".opened").is_hidden()


def test_a_link_to_a_problem_opens_it(opened, tmp_path):
    page = opened(write_run(tmp_path / "a", [1, 0], n=1))
    page.goto(f"{page.url}#problem=p1")
    page.reload()
    sees(page, "p1")


def test_two_runs_say_what_turned_green_and_what_red(opened, tmp_path):
    first, second = write_run(tmp_path / "a", [0, 2, 1], n=2), write_run(tmp_path / "b", [2, 0, 1], n=2)
    page = opened(first, second)
    rows = problems(page)
    assert [text.split("\t")[-1] for text in rows.all_inner_texts()] == ["▲ green", "▼ red", "same"]
    page.get_by_label("State").select_option("turned red")
    assert rows.count() == 1
    rows.first.click()
    page.locator(".opened h3").first.wait_for()
    assert page.locator(".opened h3").all_inner_texts() == ["a", "Programs", "b", "Programs"]


def test_a_tree_is_walked_with_the_words_on_its_edges(opened, tmp_path):
    page = opened(write_tree(tmp_path / "a"))
    problems(page).first.click()
    items = page.get_by_role("treeitem")
    items.first.wait_for()
    assert items.count() == 5
    assert page.locator(".words").all_inner_texts() == ["It is one <b>more</b>.", "It is less."]
    items.first.locator(".node").first.click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("treeitem", selected=True).locator(".node").first.inner_text().startswith("repair")
    assert page.locator("[aria-live] .code").inner_text().strip().endswith("return 42")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.get_by_role("treeitem", selected=True).get_attribute("aria-expanded") == "false"


def test_a_heat_map_marks_the_cells_beyond_the_baseline(opened, tmp_path):
    run = write_trees(tmp_path / "a")
    beyond = [cell["beyond"] for cell in report([run])["grid"]]
    heat = opened(run).locator("figure", has_text="Over the baseline")
    assert heat.locator("svg text", has_text="*").count() == sum(beyond) > 0
    assert heat.locator("svg rect").count() == len(beyond) - sum(beyond)


def test_what_a_program_says_is_text_and_nothing_else(opened, tmp_path):
    page = opened(write_run(tmp_path / "<img src=x>", [0], n=1, name=HOSTILE, hostile=True))
    problems(page).first.click()
    page.wait_for_selector(".opened .code")
    assert HOSTILE in page.locator(".opened .code").inner_text()
    sees(page, f"{HOSTILE}0")
    assert page.title() == "regreen: <img src=x>"
    assert page.locator("img").count() == 0
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: \"document.title = 'x'\"}))"
    )
    assert page.title() == "regreen: <img src=x>", "the page's policy lets no other script run"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)])
def test_it_is_accessible_in_light_dark_and_on_a_phone(opened, tmp_path, width, dark):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(write_tree(tmp_path / "a"), write_run(tmp_path / "b", [1, 0], n=2), width=width, dark=dark)
    check_access(page, axe, width)
    problems(page).first.click()
    page.wait_for_selector(".opened .code")
    check_access(page, axe, width)


def check_access(page, axe, width):
    found = axe.run(page).response["violations"]
    assert not [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "nothing is cut at the side"


def test_sixteen_thousand_programs_open_in_two_seconds_and_scroll(opened, tmp_path):
    run = write_run(tmp_path / "a", [at % 9 for at in range(2000)], n=8)
    began = time.monotonic()
    page = opened(run)
    rows = problems(page)
    took = time.monotonic() - began
    assert rows.count() < 100, "rows are drawn as they are needed"
    page.locator(".rows").focus()
    page.keyboard.press("End")
    sees(page, "p1999")
    assert took < 30, "the bench says how long; here, that it does not hang"


def test_the_command_says_what_it_wrote(tmp_path):
    file = tmp_path / "p.html"
    command = [sys.executable, "-m", "regreen.cli", "report", write_run(tmp_path / "a", [1], n=1), "--html", file]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].startswith(f"{file}: ")
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["programs"] == 1
