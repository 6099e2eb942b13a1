"""``regreen curate``: problems made of what is there."""

# in the order of the help
from regreen.cli.curate import tracing, importing, filtering  # noqa: F401, I001
