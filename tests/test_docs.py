"""What the documentation shows is what happens: its commands parse, its files are read, its blocks run."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from regreen.cli.app import app
from regreen.train import config as configs
from tests.pages import PAGES, ROOT, Block, blocks_of, compiled, prose_of, refusal, run_page, words_of

REASONS = {
    "needs an endpoint",
    "needs a GPU",
    "needs the hub",
    "needs public data",
    "my_package is yours",
    "a form, not a command",
}
LANGUAGES = {"bash", "python", "toml", "text", "json", "jinja"}
SLOW = {  # pages that `make test-slow` alone runs, each with what takes long
    "README.md": "the demonstration",
    "docs/quickstart.md": "the demonstration",
    "docs/concepts/tiny.md": "torch, and a model for llama.cpp",
    "docs/guides/refine.md": "four runs with their controls",
    "docs/guides/report.md": "two runs of 250 programs, for pages with something on them",
    "docs/guides/rltf.md": "two trainings",
    "docs/guides/study.md": "a grid of temperatures on 400 problems",
    "docs/guides/train.md": "five trainings",
    "docs/papers/rltf.md": "torch",
}
BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def command_line() -> Any:
    return typer.main.get_command(app)


def test_the_command_line_takes_every_command_that_a_page_shows(command_line: Any):
    shown = [(block.name, words) for block in BLOCKS for words in block.commands]
    assert len(shown) > 40
    assert [(name, words, why) for name, words in shown if (why := refusal(command_line, words))] == []


@pytest.mark.parametrize(
    "line",
    [
        "regreen evaluatte katas -m tiny",
        "regreen evaluate katas -m tiny --tempreature 0.8",
        "regreen evaluate katas -m tiny -n many",
        "regreen export RUN --to nothing -o FILE",
        "regreen score",
        "regreen study nothing RUN",
        "regreen train sft",
    ],
)
def test_a_command_that_is_wrong_is_found(command_line: Any, line: str):
    assert refusal(command_line, words_of(line)) is not None


def test_every_command_and_option_that_a_sentence_names_is_there(command_line: Any):
    named = [(page_name(page), code) for page in PAGES for code in re.findall(r"`([^`\n]+)`", prose_of(page))]
    assert [(page, code) for page, code in named if _is_unknown(code, command_line)] == []


@pytest.mark.parametrize("code", ["regreen evaluatte", "regreen train nothing", "--tempreature", "regreen rank --kk 1"])
def test_a_name_in_a_sentence_that_is_wrong_is_found(command_line: Any, code: str):
    assert _is_unknown(code, command_line)


def _is_unknown(code: str, command_line: Any) -> bool:
    """Say whether code in a sentence names a command, or an option of any command, that is not there."""
    known, options = dict(_commands(command_line)), set(_options(command_line))
    ours = code.startswith("regreen ")
    if not ours and not code.startswith("--"):
        return False
    name, *rest = code.split()[ours:]
    inner = hasattr(known.get(name), "commands") and rest and rest[0].isalpha() and rest[0].islower()
    wrong = ours and (f"{name} {rest[0]}" if inner else name) not in known
    return wrong or not set(re.findall(r"(?<=\s)--[a-z][\w-]*", f" {code}")) <= options


def _commands(command: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command by its name, as ``train sft``."""
    for name, inner in getattr(command, "commands", {}).items():
        yield above + name, inner
        yield from _commands(inner, f"{above}{name} ")


def _options(command_line: Any) -> Iterator[str]:
    """Yield all options of all commands."""
    for command in [command_line, *dict(_commands(command_line)).values()]:
        yield from (name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))


def test_a_block_for_the_shell_is_never_taken_for_mere_text():
    assert [block.name for block in BLOCKS if block.commands and block.language != "bash"] == []


def test_every_block_says_what_it_is_in_a_language_that_is_known():
    assert [(block.name, block.language) for block in BLOCKS if block.language not in LANGUAGES] == []


def test_every_python_block_compiles():
    python = [block for block in BLOCKS if block.language == "python"]
    assert len(python) > 10
    assert all(code for block in python for code in compiled(block))


def test_every_training_file_is_read_by_its_configuration(tmp_path: Path):
    read = Counter(kind for block in BLOCKS for kind in _read_as_training(block, tmp_path))
    assert {"sft", "cycle", "rltf"} <= set(read)


def _read_as_training(block: Block, folder: Path) -> list[str]:
    """Read a toml block as the commands of its page do, and return their kinds; the block itself must be toml."""
    if block.language != "toml":
        return []
    tomllib.loads(block.text)
    commands = [words for each in blocks_of(block.page) for words in each.commands]
    kinds = {words[1] for words in commands if words[0] == "train" and block.file in words}
    assert kinds or not block.file, f"{block.name}: no command reads {block.file}"
    for kind in kinds:
        (folder / "page.toml").write_text(block.text)
        configs.read_config(folder / "page.toml", vars(configs)[f"{kind.capitalize()}Config"])
    return list(kinds)


def test_every_extra_that_a_page_installs_is_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {name for page in PAGES for name in re.findall(r"pip install '?regreen\[([\w,]+)\]", page.read_text())}
    assert "train" in named
    assert {name for names in named for name in names.split(",")} <= set(extras)


def test_blocks_are_left_out_for_known_reasons_alone():
    reasons = Counter(block.no_run for block in BLOCKS if block.no_run)
    print(*(f"{reason}: {count} blocks" for reason, count in sorted(reasons.items())), sep="\n")
    assert set(reasons) <= REASONS
    assert len([block for page in RUN for block in blocks_of(page) if block.no_run is None]) > 30


def test_every_mark_stands_above_a_block():
    marks = sum(page.read_text().count("<!-- no-run:") for page in PAGES)
    assert marks == sum(block.no_run is not None for block in BLOCKS)


def test_every_slow_page_is_there():
    assert set(SLOW) <= set(map(page_name, PAGES))


def test_every_link_leads_to_a_page_and_a_heading_of_it():
    assert [(page_name(page), link) for page in PAGES for link in _links(page) if not _is_there(page, link)] == []


def _links(page: Path) -> list[str]:
    """Return the links of a page that stay in this repository."""
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)) if "://" not in link]


def _is_there(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """Return what Python-Markdown calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_every_page_is_in_the_navigation_once():
    navigation = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    named = re.findall(r"[\w/-]+\.md$", navigation, re.MULTILINE)
    assert sorted(named) == sorted(str(page.relative_to(ROOT / "docs")) for page in PAGES if page.name != "README.md")


def test_every_module_of_the_reference_is_there():
    named = {name for page in PAGES for name in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE)}
    assert len(named) > 30
    assert [name for name in sorted(named) if not (_is_module(name) or _is_module(name.rpartition(".")[0]))] == []


def _is_module(name: str) -> bool:
    """Say whether a module has this name; importing those that need torch would take longer than all else here."""
    path = ROOT / "src" / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


RUN = [page for page in PAGES if any(b.no_run is None and b.language in ("bash", "python") for b in blocks_of(page))]


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page_name(page) in SLOW else ()) for page in RUN],
    ids=page_name,
)
def test_a_pages_blocks_run_as_shown(page: Path, tmp_path: Path):
    assert run_page(page, tmp_path)
