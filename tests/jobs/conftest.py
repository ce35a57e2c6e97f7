"""One finished run, shared by the tests that only read it or mine into its output again."""

from pathlib import Path

import pytest

from negmine.jobs.mining.run import MiningRun
from tests.jobs.published_runs import mine


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MiningRun]:
    return mine(tmp_path_factory.mktemp("first"), "output.run_id=first")
