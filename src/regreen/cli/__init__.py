"""The command line: reads arguments, calls one function, prints what it returns.

Everything heavy is imported inside the commands, so that help comes at once.
"""

from regreen.cli import score, view, choose, train, about  # noqa: F401, I001 - the order of the commands in the help
from regreen.cli.app import main

__all__ = ["main"]
