"""Parts written piece by piece: the bytes of a part written at once, whole or not at all."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.schemas.errors import StorageError
from negmine.transforms.data.datasets import write_part
from negmine.transforms.data.part_writers import PartWriters

SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("scores", pa.map_(pa.string(), pa.float32())),
    ]
)
NAME = "part-0-1.parquet"


def table(rows: int) -> pa.Table:
    """Rows whose columns take more than a page and more than a dictionary."""
    numbers = np.arange(rows) * 7919 % 1_000_003
    names = [None if n % 11 == 0 else f"name {n} of many, each another" for n in numbers.tolist()]
    scores = [[("a", n / 7)] * (n % 3) for n in numbers.tolist()]
    return pa.table([numbers, names, scores], schema=SCHEMA)


WHOLE = table(150_000)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, len(WHOLE)), st.lists(st.integers(0, len(WHOLE)), max_size=6))
def test_the_bytes_are_those_of_a_part_written_at_once(
    tmp_path_factory: pytest.TempPathFactory, rows: int, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    wanted = WHOLE.slice(0, rows).combine_chunks()
    write_part(str(folder / "once"), NAME, wanted, SCHEMA, dictionary=True)
    ends = [0, *sorted(min(cut, rows) for cut in cuts), rows]
    with PartWriters(str(folder), NAME) as parts:
        parts.open("pieces", SCHEMA)
        for start, stop in pairwise(ends):
            parts.add("pieces", wanted.slice(start, stop - start), SCHEMA)
    assert (folder / "pieces" / NAME).read_bytes() == (folder / "once" / NAME).read_bytes()


def test_a_folder_without_rows_has_no_part_unless_it_is_asked_for(tmp_path: Path) -> None:
    with PartWriters(str(tmp_path), NAME) as parts:
        parts.open("asked", SCHEMA)
        parts.add("silent", WHOLE.slice(0, 0), SCHEMA)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")] == [f"asked/{NAME}"]


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError), PartWriters(str(tmp_path), NAME) as parts:
        parts.add("some", WHOLE, SCHEMA)
        raise KeyError
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_columns_and_nulls_must_fit_the_schema(tmp_path: Path) -> None:
    for wrong in (WHOLE.select(["number"]), WHOLE.set_column(0, "number", pa.nulls(150_000))):
        refused = pytest.raises(StorageError, match=r"expected|holds a null")
        with refused, PartWriters(str(tmp_path), NAME) as parts:
            parts.add("some", wrong, SCHEMA)
