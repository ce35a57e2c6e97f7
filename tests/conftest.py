"""Each worker of pytest-xdist keeps to one core, so that threads of several do not wait in turn."""

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """What a worker starts, threads and processes, keeps to its core too."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    if name and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(name.removeprefix("gw")) % len(cores)]})
