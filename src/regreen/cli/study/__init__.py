"""``regreen study``: a command for each study of the papers."""

# in the order of the help
from regreen.cli.study import recorded, asking, docstrings, generated, hazards  # noqa: F401, I001
