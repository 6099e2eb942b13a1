"""What the documentation shows is what happens: its commands parse, its files are read, its blocks run."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer

from regreen.cli.app import app
from regreen.train.config import CycleConfig, DocstringConfig, ExecutionConfig, RltfConfig, SftConfig, read_config
from tests.pages import PAGES, ROOT, Block, blocks_of, compiled, refusal, run_page, words_of

REASONS = {
    "needs an endpoint",
    "needs a GPU",
    "needs the hub",
    "needs public data",
    "my_package is yours",
    "a form, not a command",
}
LANGUAGES = {"bash", "python", "toml", "text", "json", "jinja"}
CONFIGS: dict[str, Any] = {
    "sft": SftConfig,
    "cycle": CycleConfig,
    "rltf": RltfConfig,
    "docstring": DocstringConfig,
    "execution": ExecutionConfig,
}
SLOW: dict[str, str] = {}  # pages that are run by `make test-slow` alone, each with what takes long
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
    assert set(read) == set(CONFIGS)


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
        read_config(folder / "page.toml", CONFIGS[kind])
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
    assert reasons.total() < len([block for block in BLOCKS if block.language in ("bash", "python")]) / 2


def test_every_mark_stands_above_a_block():
    marks = sum(page.read_text().count("<!-- no-run:") for page in PAGES)
    assert marks == sum(block.no_run is not None for block in BLOCKS)


def test_every_slow_page_is_there():
    assert set(SLOW) <= set(map(page_name, PAGES))


RUN = [page for page in PAGES if any(b.no_run is None and b.language in ("bash", "python") for b in blocks_of(page))]


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if page_name(page) in SLOW else ()) for page in RUN],
    ids=page_name,
)
def test_a_pages_blocks_run_as_shown(page: Path, tmp_path: Path):
    assert run_page(page, tmp_path)
