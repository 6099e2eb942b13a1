"""The command line: reads arguments, calls one function, prints what it returns.

Everything heavy is imported inside the commands, so that help comes at once.
"""

# in the order of the help
from regreen.cli import score, repair, refine, dialog, train, recorded, view, choose, study, curate, serve, demo, about  # noqa: F401, I001
from regreen.cli.app import main

__all__ = ["main"]
