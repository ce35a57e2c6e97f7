"""One side of a comparison in a process of its own: python -m benchmarks._side NAME OUT JSON."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks._paired import Side, read_json, write_json

_RESULT = "result.json"


def side(name: str, function: str, arguments: dict[str, Any], folder: str | None = None) -> Side:
    """A side that runs a function of this package, `module.function`, and gives back its dict.

    `folder` names the argument that gets the run's own folder, where the function writes files.
    """

    def command(run: Path) -> list[str]:
        given = {**arguments, folder: str(run)} if folder else arguments
        words = [function, str(run / _RESULT), json.dumps(given)]
        return [sys.executable, "-m", "benchmarks._side", *words]

    return Side(name, command, lambda run: dict(read_json(run / _RESULT)))


def main() -> None:
    function, out, arguments = sys.argv[1:]
    module, name = function.rsplit(".", 1)
    found = getattr(importlib.import_module(f"benchmarks.{module}"), name)(**json.loads(arguments))
    write_json(Path(out), found)


if __name__ == "__main__":
    main()
