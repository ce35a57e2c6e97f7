"""The command line with data in the place of a config: it is told, mined, and written as YAML."""

from pathlib import Path

import pytest
import yaml

from negmine.jobs.runs.published import find_run
from tests.jobs.collections import document, negmine, static_student
from tests.transforms.input_files import write_lines

ROWS = [{"question": " ".join(document(i).split()[:3]), "answer": document(i)} for i in range(24)]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_is_told_and_mined(tmp_path: Path) -> None:
    write_lines(Path("rows.jsonl"), ROWS)
    student = static_student(tmp_path / "student")
    told = ("--student", str(student), "--judge", "none", "--negatives", "2", "-o", "out")
    ended = negmine("mine", "rows.jsonl", *told)
    assert ended.code == 0, ended.err
    assert "rows.jsonl: JSON, 24 rows" in ended.err
    assert "answer    text                positive" in ended.err
    assert "rows.jsonl: JSON" not in ended.out
    config = find_run("out").manifest["config"]
    assert config["student"]["model"] == student.name
    assert config["judge"]["kind"] == "none"
    assert config["tiers"]["hard"]["quota"] == 2
    assert config["input"]["path"] == "rows.jsonl"


def test_documents_alone_are_mined_and_labelled(tmp_path: Path) -> None:
    texts = [{"title": " ".join(document(i).split()[:3]), "text": document(i)} for i in range(20)]
    write_lines(Path("texts.jsonl"), texts)
    student = static_student(tmp_path / "student")
    ended = negmine("mine", "texts.jsonl", "--student", str(student), "--judge", "none")
    assert ended.code == 0, ended.err
    manifest = find_run("out").manifest
    (remark,) = [r for r in manifest["remarks"] if r["code"] == "pseudo_pairs"]
    assert "20 queries are pseudo-queries" in remark["title"]
    assert remark["title"] in " ".join(ended.err.split())


def test_init_writes_a_config_and_replaces_none() -> None:
    write_lines(Path("rows.jsonl"), ROWS)
    ended = negmine("init", "rows.jsonl", "--negatives", "3")
    assert (ended.code, ended.out) == (0, "rows.yaml\n")
    values = yaml.safe_load(Path("rows.yaml").read_text())
    assert values["input"] == {"format": "pairs", "path": "rows.jsonl"}
    assert values["tiers"]["hard"]["quota"] == 3
    again = negmine("init", "rows.jsonl")
    assert again.code == 2
    assert "--force replaces it" in again.err
    assert negmine("init", "rows.jsonl", "--force", "--output", "rows.yaml").code == 0
    assert negmine("config", "rows.yaml").code == 0


def test_what_cannot_be_told_is_one_sentence() -> None:
    write_lines(Path("rows.jsonl"), [{"x": "a b", "y": "c d", "z": "e f"}] * 4)
    ended = negmine("mine", "rows.jsonl")
    assert ended.code == 3
    assert ended.err.count("\n") == 1
    assert "--query COLUMN --positive COLUMN" in ended.err


def test_every_command_that_takes_a_config_takes_data() -> None:
    write_lines(Path("rows.jsonl"), ROWS)
    ended = negmine("config", "rows.jsonl", "--set", "seed=7")
    assert ended.code == 0
    assert yaml.safe_load(ended.out)["seed"] == 7
    for command in ("mine", "plan", "ingest", "embed", "judge", "tune-index", "publish"):
        shown = negmine(command, "--help").out
        assert "CONFIG_OR_DATA" in shown, command
        assert "--negatives" in shown, command
