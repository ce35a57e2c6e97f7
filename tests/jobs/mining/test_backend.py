"""Whole runs of models in OpenVINO: what is kept of them, and nothing of torch's reused."""

import json
from pathlib import Path
from unittest import mock

import pytest

from tests.jobs.collections import cross_encoder, negmine, published, small_run, token_student

SETTINGS = ("student.backend=openvino", "student.precision=fp32", "judge.backend=openvino")


def test_a_run_in_openvino_says_so_and_how_near_it_is_to_torch(tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="the extra openvino is not installed")
    config = small_run(
        tmp_path / "base",
        student={"model": str(token_student(tmp_path / "student", 7)), "precision": "fp32"},
        judge={"kind": "cross_encoder", "model": str(cross_encoder(tmp_path / "judge"))},
        output={},
    )
    output = tmp_path / "out"
    vectors: list[str] = []
    for settings in ((), SETTINGS):
        sets = [word for setting in settings for word in ("--set", setting)]
        ended = negmine("mine", config, "--output", str(output), *sets)
        assert ended.code == 0, ended.err
        run = output / "runs" / published(output)["current"].strip()
        manifest = json.loads((run / "manifest.json").read_text())
        vectors.append(manifest["artifacts"]["document_vectors"])
    assert len(set(vectors)) == 2
    assert "openvino" in manifest["versions"]
    found = manifest["precision"]
    assert found["student_backend"] == found["judge_backend"] == "openvino"
    assert found["lowest_cosine_with_fp32"] > 0.9999
    assert found["judge_largest_difference_from_fp32"] < 1e-4
    shown = negmine("show", str(output)).out
    assert "fp32 in openvino (lowest cosine with fp32 on a sample: 1.0000)" in shown
    assert "Judge judge: fp32 in openvino (largest difference of a score" in shown


def test_a_cross_encoder_in_bf16_says_so_and_how_near_it_is_to_fp32(tmp_path: Path) -> None:
    """A model of random weights is told apart from fp32, and its scores are kept apart."""
    config = small_run(
        tmp_path / "base",
        student={"model": str(token_student(tmp_path / "student", 7)), "precision": "fp32"},
        judge={"kind": "cross_encoder", "model": str(cross_encoder(tmp_path / "judge"))},
        output={},
    )
    output = tmp_path / "out"
    for setting in ("judge.precision=fp32", "judge.precision=bf16"):
        ended = negmine("mine", config, "--output", str(output), "--set", setting)
        assert ended.code == 0, ended.err
    run = output / "runs" / published(output)["current"].strip()
    found = json.loads((run / "manifest.json").read_text())["precision"]
    assert (found["judge_backend"], found["judge"]) == ("torch", "bf16")
    assert 0 < found["judge_largest_difference_from_fp32"] < 0.25
    assert "Judge judge: bf16 in torch (largest difference" in negmine("show", str(output)).out
    stores = [path for path in (output / "work" / "pair_scores").iterdir() if path.is_dir()]
    assert len(stores) == 2


def test_a_backend_that_is_not_installed_ends_before_anything_is_read(tmp_path: Path) -> None:
    config = small_run(tmp_path)
    name = "negmine.transforms.models.backends.package.importlib.util.find_spec"
    with mock.patch(name, lambda _: None):
        ended = negmine("mine", config, "--set", "student.backend=openvino")
    assert ended.code == 2, ended.err
    assert "pip install 'negmine[openvino]'" in ended.err
    assert not (tmp_path / "out" / "work" / "ingest").exists()
