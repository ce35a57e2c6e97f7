"""Data sets on disk: whole parts or none, clear errors, rows found by position."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.transforms.data.blocks import Block, parse_part, plan_blocks
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.vectors.embed import vectors_table


def positives(pairs: list[tuple[int, int]]) -> pa.Table:
    return pa.table(
        [pa.array([q for q, _ in pairs], pa.int64()), pa.array([d for _, d in pairs], pa.int64())],
        schema=tables.CONFIRMED_NEGATIVES,
    )


def test_blocks_cover_every_row_once() -> None:
    assert plan_blocks(10, 4) == [Block(0, 4), Block(4, 8), Block(8, 10)]
    assert plan_blocks(0, 4) == [Block(0, 0)]
    assert all(parse_part(block.part) == block for block in plan_blocks(10**9, 10**8))


def test_a_foreign_file_name_is_refused() -> None:
    with pytest.raises(StorageError, match="not the name of a part"):
        parse_part("part-first.parquet")


def test_rows_of_queries_are_found_across_parts(tmp_path: Path) -> None:
    rows = [(q, d) for q in range(9) for d in range(q % 3)]
    for block in plan_blocks(9, 4):
        inside = [pair for pair in rows if block.start <= pair[0] < block.stop]
        write_part(str(tmp_path), block.part, positives(inside), tables.CONFIRMED_NEGATIVES)
    dataset = Dataset(str(tmp_path))
    for start in range(9):
        for stop in range(start, 10):
            found = dataset.read_queries(Block(start, stop), ["doc_ix"])
            expected = [pair for pair in rows if start <= pair[0] < stop]
            columns = found.to_pydict()
            assert list(zip(columns["query_ix"], columns["doc_ix"], strict=True)) == expected


def test_a_part_must_have_the_schemas_columns_and_no_nulls(tmp_path: Path) -> None:
    table = positives([(0, 1)])
    with pytest.raises(StorageError, match="expected"):
        write_part(
            str(tmp_path),
            "part-0-1.parquet",
            table.select(["query_ix"]),
            tables.CONFIRMED_NEGATIVES,
        )
    broken = pa.table({"query_ix": pa.array([0]), "doc_ix": pa.array([None], pa.int64())})
    with pytest.raises(StorageError, match="doc_ix holds a null"):
        write_part(str(tmp_path), "part-0-1.parquet", broken, tables.CONFIRMED_NEGATIVES)
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_part_names_the_file_and_what_to_remove(tmp_path: Path) -> None:
    name = Block(0, 100).part
    write_part(
        str(tmp_path), name, positives([(i, i) for i in range(100)]), tables.CONFIRMED_NEGATIVES
    )
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(StorageError, match=f"{name} cannot be read.*remove"):
        Dataset(str(tmp_path)).read()


def test_a_flipped_bit_in_a_page_is_noticed(tmp_path: Path) -> None:
    name = Block(0, 4096).part
    rng = np.random.default_rng(0)
    pairs = [(i, int(d)) for i, d in enumerate(rng.integers(0, 2**60, 4096))]
    write_part(
        str(tmp_path), name, positives(pairs), tables.CONFIRMED_NEGATIVES, compression="none"
    )
    data = bytearray((tmp_path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / name).write_bytes(bytes(data))
    with pytest.raises(StorageError, match="cannot be read"):
        Dataset(str(tmp_path)).read()


def test_a_full_disk_leaves_no_half_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match=r"No space left on device\. Free space"):
        write_part(str(tmp_path), Block(0, 1).part, positives([(0, 0)]), tables.CONFIRMED_NEGATIVES)
    assert list(tmp_path.iterdir()) == []


def test_columns_are_mapped_by_position(tmp_path: Path) -> None:
    vectors = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    raw = [bytes([i]) * i for i in range(7)]
    for block in plan_blocks(7, 3):
        rows = slice(block.start, block.stop)
        keys = np.arange(block.start, block.stop, dtype=np.uint64)
        table = vectors_table(block.start, keys, vectors[rows], raw[rows])
        write_part(str(tmp_path), block.part, table, tables.vectors(5), compression="none")
    dataset = Dataset(str(tmp_path))
    dataset.finish(fingerprint="x")
    assert dataset.rows == 7
    np.testing.assert_array_equal(array_column(dataset, "vector"), vectors)
    np.testing.assert_array_equal(array_column(dataset, "text_hash"), np.arange(7))
    store = binary_column(dataset, "token_vectors")
    assert [bytes(store.bytes_at(i)) for i in range(7)] == raw
    np.testing.assert_array_equal(
        dataset.read_rows(Block(2, 5), ["ix"]).column("ix").to_numpy(), [2, 3, 4]
    )
