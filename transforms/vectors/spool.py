"""A plain copy of vectors as they were given, and the row of each position in it; checked."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import DataError, StorageError
from negmine.transforms.data.sql import connect, file_sql
from negmine.transforms.storage.digests import held
from negmine.transforms.vectors.files import VectorFiles, to_float32

SPOOL = "_given"
"""Folder in the artifact's own: `values` (rows, width) float32 as given, `rows` int64 by position,
written last."""

_MEMORY = "512MB"
_NAMED = 3
_IDS = pa.schema([("id", pa.string()), ("row", pa.int64()), ("state", pa.int8())])
_FAULTS = {
    1: "have no vector (null)",
    2: "have a vector that is not of the width of the others, {width}",
    3: "have a vector that holds infinity, NaN or null",
    4: "have a vector of zeros, which has no direction",
}
_PLACED = """
CREATE TABLE known AS
    SELECT id, min(row) AS row, arg_min(state, row) AS state FROM ids GROUP BY id;
CREATE TABLE placed AS
    SELECT ix, min(id) AS id, arg_min(row, id) AS row, arg_min(state, id) AS state
    FROM texts JOIN known USING (id) GROUP BY ix;
"""
_MISSING = "SELECT ix, min(id) AS id FROM texts ANTI JOIN placed USING (ix) GROUP BY ix"
_REPEATED = """
SELECT p.id, p.row AS first, i.row FROM ids i JOIN placed p USING (id)
WHERE i.row <> p.row ORDER BY p.id, i.row
"""


def copy_as_float32(given: VectorFiles, identifiers: str, width: int, directory: Path) -> None:
    """Make the folder SPOOL in `directory`, unless it is there.

    Args:
        given: files of identifiers and vectors.
        identifiers: SELECT of `ix` and `id`; of a position's identifiers that have a vector the
            smallest one counts.
        width: numbers in a vector.
        directory: where it goes; DuckDB spills there too.

    Raises DataError where a file changes while it is copied and, naming the first three, where
    positions have no vector, or one of another width, with infinity, NaN or null, of zeros, or
    several that differ. Rows of identifiers that no position has are left out, whatever they hold.
    """
    place = directory / SPOOL
    if (place / "rows").is_file():
        return
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(parents=True)
        _copy(given, width, place)
        with connect(_MEMORY, place / "spill", place / "join.duckdb") as connection:
            connection.execute(f"CREATE VIEW ids AS {file_sql(place / 'ids.parquet')}")
            connection.execute(f"CREATE VIEW texts AS {identifiers}")
            connection.execute(_PLACED)
            _check(connection, given, width, place)
            _write_rows(connection, place)
    except OSError as error:
        raise StorageError(
            f"cannot copy vectors to {place}: {error.strerror}; free space there and run again"
        ) from error
    except duckdb.Error as error:
        raise StorageError(
            f"cannot join vectors in {place}: {str(error).splitlines()[0]}; free memory or disk "
            "there and run again"
        ) from error


def _copy(given: VectorFiles, width: int, place: Path) -> None:
    start = 0
    with (
        open(place / "values", "wb") as values,
        pq.ParquetWriter(place / "ids.parquet", _IDS) as ids,
    ):
        for at, file in enumerate(given.files):
            digest = given.digests[at] if given.digests else None
            with held(file, digest) as source, given.open(file, source) as table:
                for batch in given.batches(table, file):
                    vectors, state = to_float32(batch.column(1), width)
                    values.write(vectors.data)
                    rows = pa.array(np.arange(start, start + len(vectors)))
                    names = _names(batch.column(0), given, file)
                    ids.write_table(pa.table([names, rows, pa.array(state)], schema=_IDS))
                    start += len(vectors)


def _names(column: pa.Array, given: VectorFiles, file: str) -> pa.Array:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    if not (pa.types.is_integer(kind) or any(check(kind) for check in checks)):
        raise DataError(
            f"{given.key}: column {given.id!r} of {file} is {kind}; identifiers are text or "
            "integers"
        )
    if column.null_count:
        raise DataError(f"{given.key}: {column.null_count} rows of {file} have no {given.id}")
    return column.cast(kind).cast(pa.string())


def _check(
    connection: duckdb.DuckDBPyConnection, given: VectorFiles, width: int, place: Path
) -> None:
    files = given.files[0] if len(given.files) == 1 else f"{len(given.files)} files"
    _refuse(
        connection,
        f"SELECT ix, id FROM ({_MISSING})",
        f"{given.key}: {{}} have no vector in {files}. Export theirs too, or check that "
        f"student.vectors.id ({given.id}) is the column of the collection's identifiers",
    )
    for state, fault in _FAULTS.items():
        _refuse(
            connection,
            f"SELECT ix, id FROM placed WHERE state = {state}",
            f"{given.key}: {{}} {fault.format(width=width)}, in {files}. Export them again",
        )
    differ = dict.fromkeys(_different(connection, place / "values", width))
    if differ:
        raise DataError(
            f"{given.key}: {_named(len(differ), list(differ))} stand in several rows of {files} "
            "with vectors that differ. Keep one of each"
        )


def _refuse(connection: duckdb.DuckDBPyConnection, bad: str, message: str) -> None:
    ((count,),) = connection.execute(f"SELECT count(*) FROM ({bad})").fetchall()
    if count:
        first = connection.execute(f"{bad} ORDER BY ix LIMIT {_NAMED}").fetchall()
        raise DataError(message.format(_named(count, [name for _, name in first])))


def _named(count: int, names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_NAMED])
    return f"{count:,} identifiers, {'the first ' if count > len(names[:_NAMED]) else ''}{shown},"


def _different(connection: duckdb.DuckDBPyConnection, file: Path, width: int) -> Iterator[str]:
    """Identifiers whose later rows differ from their first one, an identifier often repeatedly."""
    if not file.stat().st_size:
        return
    for batch in _batches(connection, _REPEATED):
        values = np.memmap(file, dtype=np.float32, mode="r").reshape(-1, width)
        first, row = (batch.column(name).to_numpy() for name in ("first", "row"))
        differs = (values[first] != values[row]).any(axis=1)
        yield from batch.column("id").filter(pa.array(differs)).to_pylist()


def _write_rows(connection: duckdb.DuckDBPyConnection, place: Path) -> None:
    building = place / "rows.building"
    with open(building, "wb") as out:
        for batch in _batches(connection, "SELECT row FROM placed ORDER BY ix"):
            out.write(batch.column(0).to_numpy().astype("<i8").tobytes())
    building.replace(place / "rows")


def _batches(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    relation = connection.sql(query)
    newer = getattr(relation, "to_arrow_reader", None)
    yield from newer(8192) if newer else relation.fetch_record_batch(8192)
