"""The manifest of a run holds the digest of every file; `doctor --deep` names one that differs."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from negmine.jobs.workdir.diagnosis import Kind
from negmine.jobs.workdir.doctor import diagnose
from tests.jobs.collections import negmine, static_student, write_collection, write_config
from tests.jobs.workdir.workdirs import copied, mine, settings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("digests")
    write_collection(base / "collection")
    static_student(base / "student")
    write_config(base / "run.yaml", **settings(base, judge={"kind": "none"}))
    mine(base / "run.yaml", base / "out", "one")
    return base / "out"


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    return copied(made, tmp_path / "out")


def test_every_file_of_the_run_is_in_the_manifest(made: Path) -> None:
    run = made / "runs" / "one"
    parts = json.loads((run / "manifest.json").read_text())["parts"]
    files = [path for path in run.rglob("*") if path.is_file() and path.name != "manifest.json"]
    assert parts == {
        file.relative_to(run).as_posix(): {
            "bytes": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
        for file in files
    }
    assert {"report.html", "metrics.parquet"} < parts.keys()
    assert {name.split("/")[0] for name in parts} >= {"negatives", "ledger", "sets"}
    assert diagnose(made, deep=True).findings == []


def edited(run: Path) -> Path:
    """Scores of a part raised, by the library that wrote it: a sound file of as many rows."""
    file = next((run / "negatives").rglob("part-*.parquet"))
    table = pq.read_table(file, partitioning=None)
    at = table.schema.get_field_index("dense_score")
    raised = pc.add(table.column("dense_score"), pa.scalar(0.5, pa.float32()))
    pq.write_table(table.set_column(at, table.schema.field(at), raised), file)
    return file


def flipped(run: Path) -> Path:
    """As many bytes as before."""
    file = run / "metrics.parquet"
    data = file.read_bytes()
    file.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    return file


def taken(run: Path) -> Path:
    (run / "metrics.parquet").unlink()
    return run / "metrics.parquet"


def added(run: Path) -> Path:
    file = run / "others" / "part-000000000000-000000000001.parquet"
    file.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"x": [1]}), file)
    return file


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (edited, "the manifest says"),
        (flipped, "has other content than was published"),
        (taken, "is missing, and the manifest lists it"),
        (added, "is not in the manifest"),
    ],
)
def test_a_file_that_differs_is_damage(
    damage: Callable[[Path], Path], words: str, output: Path
) -> None:
    run = output / "runs" / "one"
    file = damage(run)
    ended = negmine("doctor", str(output), "--deep")
    assert ended.code == 5
    assert any(str(file) in line and words in line for line in ended.out.splitlines()), ended.out
    assert diagnose(output, deep=True).remove == [run, output / "current"]


def test_other_content_of_the_same_size_and_time_takes_reading_it(output: Path) -> None:
    file = output / "runs" / "one" / "metrics.parquet"
    found = file.stat()
    flipped(file.parent)
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert diagnose(output).sound
    assert not diagnose(output, deep=True).sound


def test_what_the_run_can_do_without_is_worth_a_note(output: Path) -> None:
    run = output / "runs" / "one"
    assert negmine("report", f"{output}:one").code == 0
    assert diagnose(output, deep=True).findings == []
    (run / "report.html").write_text("another page")
    (run / "notes.txt").write_text("mine")
    found = diagnose(output, deep=True)
    assert found.sound and found.remove == []
    told = {(f.kind, f.path): f.what for f in found.findings}
    assert told.keys() == {(Kind.NOTE, run / "report.html"), (Kind.NOTE, run / "notes.txt")}
    assert "negmine report writes it anew" in told[Kind.NOTE, run / "report.html"]


def test_a_run_without_digests_is_said_to_have_none(output: Path) -> None:
    file = output / "runs" / "one" / "manifest.json"
    manifest = json.loads(file.read_text())
    del manifest["parts"]
    file.write_text(json.dumps(manifest))
    assert diagnose(output).findings == []
    found = diagnose(output, deep=True)
    (note,) = found.findings
    assert found.sound and note.kind is Kind.NOTE
    assert "before manifests held digests" in note.what
    for command in (["show"], ["query"], ["report"], ["export", "--format", "triplet"]):
        assert negmine(command[0], f"{output}:one", *command[1:]).code == 0
