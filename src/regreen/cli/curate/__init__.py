"""``regreen curate``: a command for each way of making problems and texts."""

# in the order of the help
from regreen.cli.curate import tracing, importing, filtering, strengthening, corpus  # noqa: F401, I001
