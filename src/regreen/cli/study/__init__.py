"""``regreen study``: a command for each study of the papers."""

# in the order of the help
from regreen.cli.study import (  # noqa: F401, I001
    recorded, copies, asking, prompting, failing, trusting, docstrings, generated, hazards,
)  # fmt: skip
