"""What the image of the Flex template starts, against a job service on this machine."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.collections import (
    cross_encoder,
    digest,
    leftovers,
    negmine,
    static_student,
    write_collection,
    write_config,
)
from tests.jobs.runner.job_service import LAUNCHER, ROOT, job_service

TEMPLATES = ROOT / "jobs" / "templates"
PUBLISHED = ("negatives", "positives", "ledger", "sets")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    base = tmp_path_factory.mktemp("flex")
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(write_collection(base / "c")), "split": "train"},
        student={"model": str(static_student(base / "student"))},
        judge={"kind": "cross_encoder", "model": str(cross_encoder(base / "judge"))},
        runner={"block_size": 5},
        output={"run_id": "r"},
    )


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    variables = {"NEGMINE_PYTHON": sys.executable}
    with job_service(tmp_path_factory.mktemp("services"), variables, LAUNCHER) as options:
        yield options


def launch(folder: Path, **parameters: str) -> str:
    """Run the file of the image, beside nothing of ours, with a template's parameters."""
    shutil.copy(ROOT / "jobs" / "flex_main.py", folder)
    given = [f"--{name}={value}" for name, value in parameters.items()]
    ended = subprocess.run(
        [sys.executable, folder / "flex_main.py", *given],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def test_stages_that_the_launcher_finished_are_gone_on_from(
    config: str, services: dict[str, str], tmp_path: Path
) -> None:
    local, flex = tmp_path / "local", tmp_path / "flex"
    assert negmine("mine", config, "--output", str(local)).code == 0
    assert negmine("ingest", config, "--output", str(flex)).code == 0
    given = {"config": config, "output": str(flex), "runner": "PortableRunner", **services}
    assert "embed" in launch(tmp_path, stage="embed", **given)
    assert (flex / "work" / "embed").is_dir()
    assert not (flex / "work" / "judge").exists()
    assert negmine("retrieve", config, "--output", str(flex)).code == 0
    assert "judge" in launch(tmp_path, stage="judge", **given)
    ended = negmine("mine", config, "--output", str(flex))
    assert ended.code == 0, ended.err
    timings = json.loads((flex / "runs" / "r" / "manifest.json").read_text())["timings"]
    assert timings["embed"]["reused"] and timings["judge"]["reused"]
    for name in PUBLISHED:
        expected = digest(local / "runs" / "r", name)
        assert expected and digest(flex / "runs" / "r", name) == expected
    assert leftovers(flex) == []


def test_the_image_holds_the_launcher_and_the_template_declares_what_it_takes() -> None:
    metadata = json.loads((TEMPLATES / "metadata.json").read_text())
    declared = {p["name"] for p in metadata["parameters"]}
    assert {"config", "output", "stage"} <= declared
    recipe = (TEMPLATES / "flex.Dockerfile").read_text()
    assert "jobs/flex_main.py" in recipe
    assert "FLEX_TEMPLATE_PYTHON_PY_FILE=/template/flex_main.py" in recipe
