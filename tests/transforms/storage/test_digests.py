"""Files held to their digest: other bytes, whenever and however put there, are noticed."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from negmine.schemas.errors import DataError
from negmine.transforms.data.query_tables import files_sql
from negmine.transforms.readers.columns import table_rows
from negmine.transforms.readers.tables.lines import lines
from negmine.transforms.storage import digests
from negmine.transforms.storage.digests import Digest, Hashed, digest_of, held, tree_digests

Change = Callable[[Path], None]
TEXT = "".join(f"line {at} of a file\n" for at in range(200_000)).encode()


def write(path: Path, data: bytes = TEXT) -> Path:
    packed = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(packed(data))
    return path


def written(file: Path) -> None:
    """The same bytes again, so that only the times change."""
    file.write_bytes(file.read_bytes())


def backdated(file: Path) -> None:
    """Other bytes of the same length under the old time."""
    found, data = file.stat(), file.read_bytes()
    file.write_bytes(data[::-1])
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))


def put_back(file: Path) -> None:
    """Another file in its place for a moment."""
    file.rename(file.with_name("aside"))
    file.write_bytes(b"other")
    file.with_name("aside").replace(file)


def gone(file: Path) -> None:
    file.unlink()


CHANGES = pytest.mark.parametrize("change", [written, backdated, put_back, gone])


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_bytes_are_hashed_as_they_are_read(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path / f"text{suffix}")
    digest = digest_of(file)
    rows = [data for _, data, _ in lines(file, 1 << 20, None, digest)]
    assert rows == TEXT.splitlines()
    other = Digest("0" * 64)
    with pytest.raises(DataError, match="changed while it was read, so nothing of it was kept"):
        list(lines(file, 1 << 20, None, other))


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_what_follows_the_compressed_data_counts(tmp_path: Path, suffix: str) -> None:
    """A file is its bytes, also those that no line comes from."""
    file = write(tmp_path / f"text{suffix}")
    digest = digest_of(file)
    with open(file, "ab") as more:
        more.write(b"\0" * 100)
    with pytest.raises(DataError):
        list(lines(file, 1 << 20, None, digest))


def test_a_part_that_nobody_read_is_hashed_too(tmp_path: Path) -> None:
    file = write(tmp_path / "text")
    raw = Hashed(file)
    assert raw.read(10) == TEXT[:10]
    assert raw.sha256() == digest_of(file).sha256
    raw.close()


def test_lines_of_a_file_that_is_exchanged_and_put_back_are_noticed(tmp_path: Path) -> None:
    """By way of a link, where nothing about the file itself changes."""
    one, two, link = write(tmp_path / "one"), write(tmp_path / "two", TEXT[::-1]), tmp_path / "l"
    link.symlink_to(one)
    digest = digest_of(link)
    link.unlink()
    link.symlink_to(two)
    found = lines(link, 1 << 20, None, digest)
    next(found)
    link.unlink()
    link.symlink_to(one)
    with pytest.raises(DataError, match="changed while it was read"):
        list(found)


@CHANGES
@pytest.mark.parametrize("racy", [0, digests.RACY])
def test_a_file_that_changes_while_it_is_held_is_named(
    tmp_path: Path, change: Change, racy: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "RACY", racy)
    file = write(tmp_path / "a file")
    digest = digest_of(file)
    assert bool(digest.state) == (racy == 0)
    with pytest.raises(DataError, match="a file changed while it was read"), held(file, digest):
        change(file)
    with pytest.raises(DataError, match="a file"), held(file, Digest("0" * 64)):
        raise AssertionError("its bytes differ from the first")


def test_what_is_read_is_what_was_hashed(tmp_path: Path) -> None:
    """Whatever stands under the name meanwhile."""
    one, two, link = write(tmp_path / "one", b"1"), write(tmp_path / "two", b"2"), tmp_path / "l"
    link.symlink_to(one)
    with held(link, digest_of(link)) as place:
        link.unlink()
        link.symlink_to(two)
        assert place.read_bytes() == b"1"
        link.unlink()
        link.symlink_to(one)


def test_damage_by_a_change_is_told_as_the_change(tmp_path: Path) -> None:
    file = write(tmp_path / "file")
    with pytest.raises(DataError, match="changed while it was read"), held(file, digest_of(file)):
        written(file)
        raise ValueError("not what was expected")
    with pytest.raises(ValueError), held(file, digest_of(file)):
        raise ValueError("not what was expected")


def test_rows_of_parquet_are_of_the_digest(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(1000))}), file)
    digest = digest_of(file)
    assert len(list(table_rows(str(file), ["a"], digest=digest))) == 1000
    rows = table_rows(str(file), ["a"], digest=digest)
    next(rows)
    written(file)
    with pytest.raises(DataError, match="changed while it was read"):
        list(rows)


def test_sql_over_files_is_of_the_digests_and_names_them(tmp_path: Path) -> None:
    packed, plain = tmp_path / "b.jsonl.gz", tmp_path / "a.jsonl"
    write(packed, b'{"x": "1"}\n')
    write(plain, b'{"x": "2"}\n')
    files = [str(plain), str(packed)]
    known = [digest_of(file) for file in files]
    columns = {"x": ("x", "VARCHAR")}
    with duckdb.connect() as connection:
        with files_sql(files, columns, known) as sql:
            assert sorted(connection.execute(sql).fetchall()) == [("1",), ("2",)]
        with pytest.raises(DataError, match=r"b\.jsonl\.gz"), files_sql(files, columns, known):
            written(packed)
        write(plain, b"{[\n")
        known = [digest_of(file) for file in files]
        with (
            pytest.raises(duckdb.Error, match=r"a\.jsonl") as raised,
            files_sql(files, columns, known) as sql,
        ):
            connection.execute(sql)
        assert "/proc/" not in str(raised.value)


def test_digests_of_a_tree(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    write(tmp_path / "a" / "b" / "c", b"c")
    write(tmp_path / "d", b"")
    write(tmp_path / ".hidden")
    assert tree_digests(tmp_path) == {
        "a/b/c": {"bytes": 1, "sha256": digest_of(tmp_path / "a" / "b" / "c").sha256},
        "d": {"bytes": 0, "sha256": digest_of(tmp_path / "d").sha256},
    }
