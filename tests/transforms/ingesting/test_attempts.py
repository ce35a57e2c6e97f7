"""Two jobs at one collection: one that goes on after another began takes nothing from it."""

from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.inputs import Input
from negmine.transforms.ingesting import ingest as module
from negmine.transforms.ingesting.ingest import resolve
from negmine.transforms.ingesting.raw import Report, write_raw
from negmine.transforms.readers import read, sources
from tests.transforms.input_files import config, write_beir

SEED = 42


def read_raw(made: Input, raw: Path, block_size: int = 8192) -> list[Report]:
    return [
        write_raw(file, source, read(source, made, SEED), SEED, str(raw), block_size)
        for file, source in enumerate(sources(made))
    ]


def made_files(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def test_an_attempt_that_ends_late_leaves_every_part_in_place_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = config(format="beir", path=str(write_beir(tmp_path / "in")))
    directory = tmp_path / "made"
    late, new = directory / "raw" / "late", directory / "raw" / "new"
    late_reports = read_raw(made, late)
    new_reports = read_raw(made, new)
    resolve(new_reports, made, str(directory), str(new))
    assert late.is_dir(), "it still reads there"
    expected = {n: b for n, b in made_files(directory).items() if not n.startswith("raw/")}
    assert len(expected) == 7
    write_part, writes = module.write_part, []

    def watched(*what: Any) -> None:
        writes.append(what[1])
        assert expected.items() <= made_files(directory).items()
        write_part(*what)

    monkeypatch.setattr(module, "write_part", watched)
    resolve(late_reports, made, str(directory), str(late))
    assert len(writes) == 6
    assert made_files(directory) == expected
    assert not (directory / "raw").exists()


def test_parts_of_an_attempt_that_cut_otherwise_go(tmp_path: Path) -> None:
    made = config(format="beir", path=str(write_beir(tmp_path / "in")))
    first, again = tmp_path / "first", tmp_path / "again"
    for directory, sizes in ((first, [8192]), (again, [1, 8192])):
        for number, size in enumerate(sizes):
            raw = directory / "raw" / str(number)
            resolve(read_raw(made, raw), made, str(directory), str(raw), size)
    assert made_files(again) == made_files(first)
