"""Exports that are folders appear whole, and replace nothing but what an export wrote."""

from pathlib import Path

import pytest

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.exporters import Options, Source, export
from negmine.transforms.exporters.writing.numbering import Numbering
from tests.transforms.exporters.test_exporters import source_of


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(tmp_path / "out")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_of_an_export_is_replaced_and_any_other_refused(
    source: Source, tmp_path: Path
) -> None:
    place = tmp_path / "t"
    first = export(source, "tevatron_v2", place, Options())
    (place / "more.txt").write_text("of before")
    again = export(source, "tevatron_v2", place, Options())
    assert first.files == again.files == ["corpus.jsonl", "train.jsonl"]
    assert left(place) == ["corpus.jsonl", "export.json", "train.jsonl"]
    mine = tmp_path / "mine" / "run-1-tevatron_v2"
    mine.mkdir(parents=True)
    (mine / "thesis.tex").write_text("kept")
    with pytest.raises(ConfigError, match="holds files that no export wrote"):
        export(source, "tevatron_v2", tmp_path / "mine", Options())
    assert left(mine) == ["thesis.tex"]


def test_a_folder_that_is_there_takes_the_default_name(source: Source, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "new/"):
        report = export(source, "colbert", f"{tmp_path}/{name}", Options())
        assert report.path == tmp_path / name.rstrip("/") / "run-1-colbert"


def test_one_that_fails_leaves_what_is_there(source: Source, tmp_path: Path) -> None:
    place = tmp_path / "c"
    export(source, "colbert", place, Options())
    before = (place / "triples.jsonl").read_bytes()
    with pytest.raises(DataError, match="8 with fewer than n negatives"):
        export(source, "colbert", place, Options(n=50))
    assert (place / "triples.jsonl").read_bytes() == before
    assert left(tmp_path) == ["c", "out"]


def test_runs_files_links_and_standard_output_are_refused(source: Source, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for place, words in {
        source.run.parent / "x": "among runs",
        tmp_path / "file": "is a file, and this format is a folder",
        tmp_path / "link": "is a link",
        Path("-"): "standard output takes one file",
    }.items():
        with pytest.raises(ConfigError, match=words):
            export(source, "msmarco", place, Options())
    assert not (tmp_path / "elsewhere").exists()


def test_numbers_are_those_of_the_first_appearance() -> None:
    import pyarrow as pa

    numbering = Numbering()
    numbers, fresh = numbering.add(pa.array(["b", "a", "b", "c"]))
    assert (numbers.tolist(), fresh.tolist()) == ([0, 1, 0, 2], [0, 1, 3])
    numbers, fresh = numbering.add(pa.array(["c", "d", "a", "d"]))
    assert (numbers.tolist(), fresh.tolist()) == ([2, 3, 1, 3], [1])
    assert len(numbering) == 4
