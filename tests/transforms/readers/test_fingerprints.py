"""Fingerprints of inputs: content and options count, location does not."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from negmine.transforms.readers import fingerprint_input, fingerprints
from negmine.transforms.storage import digests
from negmine.transforms.storage.digests import Digest
from tests.transforms.input_files import config, write_beir


def beir(folder: Path, **values: Any) -> dict[str, object]:
    return fingerprint_input(config(format="beir", path=str(folder), **values), 42, None)


def test_it_does_not_depend_on_where_the_collection_lies(tmp_path: Path) -> None:
    write_beir(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert beir(tmp_path / "a") == beir(tmp_path / "b")
    assert str(tmp_path) not in json.dumps(beir(tmp_path / "a"))


def test_it_depends_on_content_and_options(tmp_path: Path) -> None:
    folder = write_beir(tmp_path)
    before = beir(folder)
    assert beir(folder, limit=3) != before
    assert beir(folder, max_text_bytes=10) != before
    (folder / "queries.jsonl").write_text("")
    assert beir(folder) != before


def test_other_splits_do_not_matter(tmp_path: Path) -> None:
    before = beir(write_beir(tmp_path))
    (tmp_path / "qrels" / "test.tsv").write_text("anything")
    assert beir(tmp_path) == before


def test_the_seed_counts_where_a_limit_makes_a_choice(tmp_path: Path) -> None:
    folder = str(write_beir(tmp_path))
    whole, some = config(format="beir", path=folder), config(format="beir", path=folder, limit=1)
    assert fingerprint_input(whole, 1, None) == fingerprint_input(whole, 2, None)
    assert fingerprint_input(some, 1, None) != fingerprint_input(some, 2, None)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are hashed from here on."""
    names: list[str] = []
    original = fingerprints.digest_of

    def spy(path: str) -> Digest:
        names.append(Path(path).name)
        return original(path)

    monkeypatch.setattr(fingerprints, "digest_of", spy)
    return names


def test_unchanged_files_are_not_hashed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashed: list[str]
) -> None:
    monkeypatch.setattr(digests, "RACY", 0)
    folder = write_beir(tmp_path / "data")
    cache = tmp_path / "cache" / "sums.json"
    made = config(format="beir", path=str(folder))
    first = fingerprint_input(made, 42, cache)
    assert sorted(hashed) == ["corpus.jsonl", "queries.jsonl", "train.tsv"]
    assert fingerprint_input(made, 42, cache) == first
    assert len(hashed) == 3
    os.utime(folder / "corpus.jsonl", ns=(1, 1))
    assert fingerprint_input(made, 42, cache) == first
    assert hashed[3:] == ["corpus.jsonl"]
    cache.write_text("broken")
    assert fingerprint_input(made, 42, cache) == first


def test_a_file_that_was_just_written_is_hashed_again(tmp_path: Path, hashed: list[str]) -> None:
    """It may change once more within the tick of the clock that its times were taken from."""
    folder = write_beir(tmp_path / "data")
    made = config(format="beir", path=str(folder))
    assert fingerprint_input(made, 42, tmp_path / "sums.json")
    assert fingerprint_input(made, 42, tmp_path / "sums.json")
    assert len(hashed) == 6
    assert not (tmp_path / "sums.json").exists()


@pytest.mark.parametrize("how", ["written", "replaced"])
def test_other_content_of_the_same_size_and_time_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(digests, "RACY", 0)
    folder = write_beir(tmp_path / "data")
    made, cache = config(format="beir", path=str(folder)), tmp_path / "sums.json"
    before = fingerprint_input(made, 42, cache)
    file = folder / "qrels" / "train.tsv"
    text, found = file.read_text(), file.stat()
    other = tmp_path / "other.tsv" if how == "replaced" else file
    other.write_text(text.replace("d1", "d2"))
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    os.replace(other, file)
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    assert file.read_text() != text
    assert fingerprint_input(made, 42, cache) != before


def test_the_standard_library_is_known_by_the_python_version() -> None:
    found = fingerprint_input(config(format="stdlib", limit=5), 42, None)
    assert str(found["python"]).startswith("cpython 3.")
    assert found["seed"] == 42
