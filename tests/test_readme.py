"""What the README shows is what happens."""

import doctest
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_session_that_opens_the_readme_runs_as_shown():
    failures, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert (failures, tried > 4) == (0, True)


def test_every_file_in_the_readmes_tree_is_there():
    tree = (ROOT / "README.md").read_text().partition("## The house")[2]
    names = re.findall(r"^│   [├└]── (\S+)", tree, re.MULTILINE)
    assert len(names) > 15
    assert [name for name in names if not (ROOT / "src" / "regreen" / name).exists()] == []


def test_every_module_is_in_the_readmes_tree():
    tree = (ROOT / "README.md").read_text().partition("## The house")[2]
    modules = {path.name for path in (ROOT / "src" / "regreen").iterdir() if not path.name.startswith("_")}
    assert [name for name in modules - {"py.typed", "templates"} if name not in tree] == []
