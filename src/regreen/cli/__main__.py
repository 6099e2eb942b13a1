"""``python -m regreen.cli``."""

from regreen.cli import main

main()
