"""Mapped columns: pages given back are read again, and rows held in memory are the same rows."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.schemas import tables
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.columns import BinaryColumn, array_column, binary_column, release_pages
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.pairs.features import HeldRows
from negmine.transforms.vectors.embed import vectors_table

WIDTH, ROWS = 256, 20_000
VECTORS = np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype(np.float32)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[2]) * 4096


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = str(tmp_path_factory.mktemp("vectors"))
    for block in plan_blocks(ROWS, 7000):
        rows = slice(*block)
        tokens = [f"tokens of {n}".encode() for n in range(*block)]
        table = vectors_table(block.start, np.arange(*block).astype("u8"), VECTORS[rows], tokens)
        write_part(folder, block.part, table, tables.vectors(WIDTH), compression="none")
    return Dataset(folder)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux says what it maps")
def test_pages_are_given_back_and_values_stay(dataset: Dataset) -> None:
    mapped = array_column(dataset, "vector")
    assert np.array_equal(mapped, VECTORS)
    before = resident()
    release_pages(before * 2)
    assert resident() > before - VECTORS.nbytes // 2, "as long as there is room they stay"
    release_pages(0)
    assert resident() < before - VECTORS.nbytes // 2
    assert np.array_equal(mapped, VECTORS)


def test_strings_are_found_by_position(dataset: Dataset) -> None:
    column = binary_column(dataset, "token_vectors")
    assert len(column) == ROWS
    for position in (0, 1, 6999, 7000, ROWS - 1):
        assert bytes(column.bytes_at(position)) == f"tokens of {position}".encode()
    with pytest.raises(IndexError):
        column.bytes_at(ROWS)


TEXTS = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=9), min_size=1)


@settings(max_examples=50, deadline=None)
@given(TEXTS, st.data())
def test_strings_are_taken_in_the_order_of_positions_that_repeat(
    texts: list[str], data: st.DataObject
) -> None:
    encoded = [text.encode() for text in texts]
    joined = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    column = BinaryColumn(np.cumsum([len(text) for text in encoded]), joined)
    positions = data.draw(st.lists(st.integers(0, len(texts) - 1)))
    taken = column.take(np.array(positions))
    assert taken.type == pa.large_string()
    assert taken.to_pylist() == [texts[position] for position in positions]
    assert taken.to_pylist() == column.texts(positions)
    for beyond in (-1, len(texts)):
        with pytest.raises(IndexError, match=str(len(texts))):
            column.take(np.array([*positions, beyond]))


def test_held_rows_are_those_of_the_column(dataset: Dataset) -> None:
    wanted = np.random.default_rng(2).integers(0, ROWS, 9000)
    held = HeldRows.of(dataset, "vector", wanted)
    assert len(held.rows) == len(np.unique(wanted)), "each once"
    again = np.random.default_rng(3).choice(wanted, 500)
    assert np.array_equal(held[again], VECTORS[again])
