"""What importing costs: the nouns and the help load nothing heavy."""

import subprocess
import sys

import pytest

HEAVY = ["torch", "transformers", "datasets", "openai", "matplotlib", "numpy", "scipy", "pydantic", "jinja2", "httpx"]
HEAVY += ["rich", "huggingface_hub"]


def loaded(code):
    print_them = f"import sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{print_them}"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()


def test_importing_the_package_loads_nothing_heavy():
    assert loaded("import regreen; regreen.Problem, regreen.Verdict") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["score", "--help"],
        ["refine", "--help"],
        ["import", "--help"],
        ["report", "--help"],
        ["serve", "--help"],
    ],
)
def test_help_loads_nothing_heavy(arguments):
    typers_own = ["pydantic"] if len(arguments) > 1 else []  # it converts the options' defaults
    code = f"""
from regreen.cli import main
try:
    main({arguments!r})
except SystemExit as done:
    assert done.code == 0
"""
    assert set(loaded(code)) <= set(typers_own)


def test_the_public_names_are_these():
    import regreen

    for name in regreen.__all__:
        assert getattr(regreen, name) is not None
    assert regreen.__version__
    with pytest.raises(AttributeError, match="nothing"):
        regreen.nothing  # noqa: B018
