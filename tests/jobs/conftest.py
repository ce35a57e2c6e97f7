"""A finished run, shared by tests that only read it or mine into its output again; a small disk."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from negmine.jobs.mining.run import MiningRun
from tests.jobs.published_runs import mine


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MiningRun]:
    return mine(tmp_path_factory.mktemp("first"), "output.run_id=first")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 3 MB, that really fills."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    try:
        made = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if made.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
