"""Files that a user names: regular files of a known ending, away from runs and work."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from negmine.schemas.errors import ConfigError
from negmine.transforms.storage.targets import ending, target


def named(path: Path | str, **options: object) -> Path:
    return target(path, "--output", (".jsonl", ".jsonl.gz"), **options)  # type: ignore[arg-type]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder with a run."""
    made = tmp_path / "out"
    (made / "runs" / "one").mkdir(parents=True)
    (made / "current").write_text("one\n")
    return made


def test_a_regular_file_or_nothing_is_taken(tmp_path: Path) -> None:
    assert named(tmp_path / "new.jsonl") == tmp_path / "new.jsonl"
    (tmp_path / "old.JSONL.gz").write_text("x")
    assert named(tmp_path / "old.JSONL.gz") == tmp_path / "old.JSONL.gz"
    os.link(tmp_path / "old.JSONL.gz", tmp_path / "hard.jsonl")
    assert named(tmp_path / "hard.jsonl") == tmp_path / "hard.jsonl"


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.PARQUET", ".parquet"), ("a.jsonl.GZ", ".jsonl.gz"), ("b.x.csv", ".csv"), ("c", "")],
)
def test_the_ending_is_read_in_lower_case_with_what_packs_it(name: str, found: str) -> None:
    assert ending(Path(name)) == found


@pytest.mark.parametrize("name", ["x.csv", "x", "x.gz", "x.json", "-", ".jsonl"])
def test_another_ending_is_refused_with_those_that_there_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"which says what to write: \.jsonl, \.jsonl\.gz"):
        named(tmp_path / name)


def test_a_folder_takes_the_default_name_or_is_refused(tmp_path: Path) -> None:
    assert named(tmp_path, name="d.jsonl") == tmp_path / "d.jsonl"
    assert named(f"{tmp_path}/not/yet/", name="d.jsonl") == tmp_path / "not" / "yet" / "d.jsonl"
    with pytest.raises(ConfigError, match="is a folder; name a file in it"):
        named(tmp_path)
    (tmp_path / "d.jsonl").mkdir()
    with pytest.raises(ConfigError, match="is a folder; name a file"):
        named(tmp_path, name="d.jsonl")


def link_to(place: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        (path.parent / "there.jsonl").write_text("kept")
        path.symlink_to(place)

    return make


def listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (link_to("there.jsonl"), "is a link to there.jsonl"),
        (link_to("/etc/hostname"), "is a link to /etc/hostname"),
        (link_to("gone.jsonl"), "is a link to gone.jsonl"),
        (link_to("/dev/null"), "is a link to /dev/null"),
        (os.mkfifo, "is a pipe"),
        (listen, "is a socket"),
    ],
)
def test_what_is_no_regular_file_is_refused_and_stays(
    make: Callable[[Path], None], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "x.jsonl")
    before = os.lstat(tmp_path / "x.jsonl")
    with pytest.raises(ConfigError, match=f"{words}.*, or give - instead"):
        named(tmp_path / "x.jsonl", instead="or give - instead")
    assert os.lstat(tmp_path / "x.jsonl") == before


def test_a_device_is_refused_whatever_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="/dev/null is a device; name a regular file"):
        named("/dev/null")


@pytest.mark.parametrize(
    "name", ["x.jsonl", "labels.jsonl", "runs/x.jsonl", "runs/one/x.jsonl", "work/x.jsonl"]
)
def test_nothing_but_exports_is_written_among_runs(name: str, output: Path) -> None:
    for outputs in ((output,), ()):
        with pytest.raises(ConfigError, match=r"never changed; name a file in .*/out/exports"):
            named(output / name, outputs=outputs)
    assert named(output / "exports" / "x.jsonl", outputs=(output,))


def test_a_detour_into_the_output_is_seen(output: Path, tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to(output / "runs")
    for path in (tmp_path / "door" / "x.jsonl", output / "exports" / ".." / "x.jsonl"):
        with pytest.raises(ConfigError, match="never changed"):
            named(path, outputs=(output,))


def test_a_file_may_be_allowed_by_name(output: Path) -> None:
    own = output / "labels.jsonl"
    assert named(own, outputs=(output,), allowed=(own,)) == own


def test_in_a_store_the_place_counts_and_no_disk_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEGMINE_CACHE", str(tmp_path))
    monkeypatch.setattr("negmine.transforms.storage.is_dir", lambda path: False)
    output = target("s3://bucket/out", "--output", ("",))
    assert named("s3://bucket/x.jsonl", outputs=(output,))
    assert named("s3://bucket/out/exports/x.jsonl", outputs=(output,))
    with pytest.raises(ConfigError, match=r"s3://bucket/out/runs/x\.jsonl lies in s3://bucket/out"):
        named("s3://bucket/out/runs/x.jsonl", outputs=(output,))
