"""Starts one Beam worker without a container: what an engine runs where processes are all it has.

    python -m negmine.jobs.runner.worker --id=1-1 --provision_endpoint=host:port

An engine whose environment is PROCESS (a task manager of Flink, an executor of Spark) calls
jobs/templates/worker.sh, which runs this. It asks the engine where its services are, and then is
Beam's own worker in this process, with the packages of this Python.
"""

import argparse
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence

from negmine.schemas.errors import ConfigError

_EVERY = 1.0


def main(arguments: Sequence[str]) -> None:
    """Run a worker until the engine has no more work for it, or is gone.

    Raises ConfigError where the engine's provisioning service does not answer.
    """
    given = _arguments(arguments)
    _end_with(os.getppid())
    # Beam takes seconds to import, in which whoever started this process may go.
    from negmine.jobs.runner.provisioning import provision, variables

    info = provision(given.provision_endpoint, given.id)
    with tempfile.TemporaryDirectory(prefix="negmine-worker-") as folder:
        os.environ.update(variables(info, given, folder))
        from apache_beam.runners.worker import sdk_worker_main

        for artifact in info.dependencies:
            logging.getLogger(__name__).debug("not installed: %s", artifact.role_urn)
        sdk_worker_main.main([])


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__)
    # Prism writes the quotes of a shell round the name, and no shell takes them off.
    parser.add_argument("--id", required=True, type=_bare, help="chosen by the engine")
    parser.add_argument("--provision_endpoint", required=True, help="host:port of the engine")
    for service in ("control", "logging", "artifact"):
        parser.add_argument(f"--{service}_endpoint", help="where provisioning names none")
    return parser.parse_known_args(list(arguments))[0]


def _bare(name: str) -> str:
    return name.strip("'")


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone, as after a kill -9 of the engine."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"error: {error}")
