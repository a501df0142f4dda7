"""The command `retold`: the program itself, in this process."""

import sys

from . import _retold


def main() -> None:
    """Runs the program with the words of this process, and exits with its status."""
    sys.exit(_retold.command(["retold", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
