"""Entry point of the Dataflow Flex template: submits one unfinished pipeline of a stage."""

import argparse
import sys
from collections.abc import Sequence


def command(arguments: Sequence[str]) -> list[str]:
    """The `negmine` command of a launch; whatever the template does not declare goes to Beam."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--config", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--stage", required=True, choices=("embed", "judge"))
    given, rest = parser.parse_known_args(list(arguments))
    return [given.stage, given.config, "--output", given.output, "--", *rest]


if __name__ == "__main__":
    from negmine.jobs.__main__ import process

    sys.argv[1:] = command(sys.argv[1:])
    process()
