"""The small student that the audits share."""

from pathlib import Path

import pytest

from tests.jobs.collections import static_student


@pytest.fixture(scope="session")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return static_student(tmp_path_factory.mktemp("audit") / "student")
