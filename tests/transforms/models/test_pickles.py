"""Models that could run code when they are loaded: refused, unless a key allows it."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest

from negmine.schemas.errors import ModelError
from negmine.transforms.models.weights import find_weights
from tests.jobs.collections import cross_encoder, negmine, static_student, write_collection

MODEL = 4


class Bomb:
    """What creates a file as it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def student(tmp_path: Path) -> Path:
    return static_student(tmp_path / "student")


def armed(folder: Path, name: str, marker: Path) -> Path:
    """The folder with a pickle of this name in place of its safetensors."""
    for file in folder.rglob("*.safetensors"):
        file.with_name(name).write_bytes(pickle.dumps(Bomb(marker)))
        file.unlink()
    return folder


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.bin", "model.pkl", "model.pt"])
def test_a_pickle_is_refused_and_does_not_run(student: Path, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "ran"
    armed(student, name, marker)
    with pytest.raises(ModelError, match=rf"{name} is a pickle.*safetensors.*allow_pickle") as told:
        find_weights(str(student))
    assert "student.allow_pickle or judge.allow_pickle" in str(told.value)
    assert find_weights(str(student), allow_pickle=True).digest
    assert not marker.exists()


def test_a_pickle_beside_safetensors_is_never_loaded(student: Path, tmp_path: Path) -> None:
    (student / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    assert find_weights(str(student)).digest
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("role", ["student", "judge"])
def test_the_command_refuses_a_pickle_and_even_when_allowed_runs_none_of_its_code(
    student: Path, tmp_path: Path, role: str
) -> None:
    marker, out = tmp_path / "ran", tmp_path / "out"
    bad = armed(cross_encoder(tmp_path / "judge"), "pytorch_model.bin", marker)
    if role == "student":
        bad = armed(Path(shutil.copytree(student, tmp_path / "bad")), "pytorch_model.bin", marker)
    judge = {"kind": "cross_encoder", "model": str(bad)} if role == "judge" else {"kind": "none"}
    sections = {
        "input": {"format": "beir", "path": str(write_collection(tmp_path / "in"))},
        "student": {"model": str(bad if role == "student" else student), "device": "cpu"},
        "judge": judge,
    }
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps(sections))
    ended = negmine("mine", str(config), "--output", str(out))
    assert ended.code == MODEL, ended.err
    assert "is a pickle" in ended.err
    allowed = f"{role}.allow_pickle=true"
    ended = negmine("mine", str(config), "--output", str(out), "--set", allowed)
    assert ended.code == MODEL, ended.err
    assert "cannot be loaded" in ended.err
    assert not marker.exists()
    assert not list((out / "runs").iterdir())


def test_code_that_comes_with_a_model_is_refused(student: Path, tmp_path: Path) -> None:
    (student / "own.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\n")
    modules = json.loads((student / "modules.json").read_text())
    modules[0]["type"] = "own.Module"
    (student / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match=r"names 'own.Module', code that comes with the model"):
        find_weights(str(student))
    assert find_weights(str(student), trust_remote_code=True).digest
    assert not (tmp_path / "ran").exists()
