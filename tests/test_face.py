"""The public face: a run mined, opened and audited from Python."""

from pathlib import Path

import pytest

import negmine
from tests.jobs.collections import static_student, write_collection, write_config


def test_every_public_name_is_there() -> None:
    for name in negmine.__all__:
        assert getattr(negmine, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'minr'"):
        negmine.minr  # type: ignore[attr-defined]  # noqa: B018


def test_a_collection_is_mined_and_the_run_opened_again(tmp_path: Path) -> None:
    write_collection(tmp_path / "collection", documents=20, queries=4)
    file = write_config(
        tmp_path / "run.yaml",
        input={"format": "beir", "path": str(tmp_path / "collection")},
        student={"model": str(static_student(tmp_path / "student")), "device": "cpu"},
        judge={"kind": "none"},
    )
    config = negmine.load_config(file, ["output.run_id=one"], str(tmp_path / "out"))
    assert isinstance(config, negmine.Config)
    run = negmine.mine(config)
    assert run.run_id == "one"
    assert negmine.open_run(str(tmp_path / "out")).manifest == run.manifest
