"""``regreen study``: a command for each study of the papers."""

# in the order of the help
from regreen.cli.study import recorded, copies, asking  # noqa: F401, I001
