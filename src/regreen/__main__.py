"""``python -m regreen``: the command line, for whoever launches modules."""

from regreen.cli import main

if __name__ == "__main__":
    main()
