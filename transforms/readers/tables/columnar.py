"""Parquet and Arrow files as rows of values, with their columns checked before they are read."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.tables.arrow import damage, open_arrow
from negmine.transforms.readers.tables.classes import classes_of, named
from negmine.transforms.readers.tables.limits import ROWS, Unpacked, rows_at_once
from negmine.transforms.storage.digests import Digest, held
from negmine.transforms.storage.suffixes import kind_of_file


def schema_of(path: str) -> pa.Schema:
    """Names and types of a file's columns. Raises DataError where it cannot be read."""
    if kind_of_file(path) == "arrow":
        with open_arrow(path) as (schema, _):
            return schema
    with storage.opened(path) as source, _open_parquet(path, source) as file, damage(path):
        return file.schema_arrow


def row_count(path: str) -> int:
    """Rows of a file, by its footer or its batches. Raises DataError where it cannot be read."""
    if kind_of_file(path) == "arrow":
        with open_arrow(path) as (_, batches), damage(path):
            return sum(batch.num_rows for batch in batches)
    with storage.opened(path) as source, _open_parquet(path, source) as file, damage(path):
        return int(file.metadata.num_rows)


def require_columns(name: str, names: Sequence[str], wanted: Sequence[str | None]) -> None:
    """Raises DataError, naming the columns there are, where a wanted one is missing or not one."""
    for column in wanted:
        if column is None:
            continue
        if column not in names:
            raise DataError(
                f"{name} has no column {column!r}; its columns are {', '.join(names)}. "
                "Name the right one in the input section"
            )
        if names.count(column) > 1:
            raise DataError(f"{name} has {names.count(column)} columns {column!r}; rename them")


def require_values(
    name: str,
    schema: pa.Schema,
    wanted: Sequence[str | None],
    listed: Collection[str] = (),
) -> None:
    """Raises DataError where a wanted column stands twice, or holds lists, structs or the like.

    Texts, bytes and numbers are checked row by row; so are the values of `listed` columns, which
    may hold lists of texts or of structs.
    """
    require_columns(name, schema.names, wanted)
    for column in wanted:
        kind = pa.null() if column is None else schema.field(column).type
        if not (is_plain(kind) or (column in listed and is_nested(kind))):
            raise DataError(
                f"{name}: column {column!r} holds {str(kind)[:80]}, expected texts or numbers. "
                "Name another in the input section, or cast it"
            )


def is_nested(kind: pa.DataType) -> bool:
    """Whether values of a type are structs of texts or numbers, or lists of such or of texts.

    Lists of lists are conversations or nothing.
    """
    if pa.types.is_struct(kind):
        return all(is_plain(field.type) or is_nested(field.type) for field in kind)
    if not is_list(kind):
        return False
    value = kind.value_type
    talks = is_list(value) and pa.types.is_struct(value.value_type)
    return is_plain(value) or pa.types.is_struct(value) or bool(talks)


def is_list(kind: pa.DataType) -> bool:
    """Whether values of a type are lists."""
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    views = (pa.types.is_list_view, pa.types.is_large_list_view)
    return any(test(kind) for test in (*tests, *views))


def is_plain(kind: pa.DataType) -> bool:
    """Whether values of a type are texts, bytes, numbers or null."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        _is_bytes, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal,
        pa.types.is_boolean, pa.types.is_null, pa.types.is_fixed_size_binary,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _is_bytes(kind: pa.DataType) -> bool:
    tests = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    return any(getattr(pa.types, f"is_{name}")(kind) for name in tests)


def _open_parquet(path: str, source: object = None) -> pq.ParquetFile:
    with damage(path, "is not a Parquet file that can be read"):
        return pq.ParquetFile(source or storage.fetch(path), pre_buffer=False)


def table_rows(
    path: str,
    wanted: Sequence[str | None],
    most: int | None = None,
    listed: Collection[str] = (),
    digest: Digest | None = None,
) -> Iterator[tuple[int, list[object]]]:
    """Row number from 1 and the wanted values of each row of a file; text as bytes.

    Classes of Hugging Face data sets are their names.

    Raises DataError where it is damaged, a column does not fit, the values take more than `most`
    bytes, see `Unpacked`, or it has not this digest while it is read.
    """
    read = _arrow_batches if kind_of_file(path) == "arrow" else _parquet_batches
    with held(path, digest) as place, damage(path):
        batches = read(path, place, wanted, listed)
        yield from batch_rows(_counted(batches, Unpacked(storage.fetch(path), most)), wanted)


def bracketed(path: str, wanted: Sequence[str]) -> Iterator[tuple[str, int, list[bytes], int]]:
    """Of each batch and wanted column of texts: its name, how many there are, those that begin
    with a bracket, and the bytes of all.

    Raises DataError where the file is damaged or a column does not fit.
    """
    read = _arrow_batches if kind_of_file(path) == "arrow" else _parquet_batches
    with held(path, None) as place, damage(path):
        for batch in read(path, place, wanted, ()):
            for name in wanted:
                column = _decoded(batch.column(name)).cast(pa.large_binary()).drop_null()
                first = pc.binary_slice(column, 0, 1)
                open_ones = column.filter(pc.is_in(first, pa.array([b"[", b"{", b"("], first.type)))
                yield name, len(column), open_ones.to_pylist(), column.nbytes


def _parquet_batches(
    path: str, place: Path, wanted: Sequence[str | None], listed: Collection[str]
) -> Iterator[pa.RecordBatch]:
    present = list(dict.fromkeys(column for column in wanted if column is not None))
    with _open_parquet(path, place) as file, damage(path):
        require_values(path, file.schema_arrow, wanted, listed)
        size = rows_at_once(place, file, present)
        yield from file.iter_batches(batch_size=size, columns=present)


def _arrow_batches(
    path: str, place: Path, wanted: Sequence[str | None], listed: Collection[str]
) -> Iterator[pa.RecordBatch]:
    with open_arrow(path, place) as (_, batches), damage(path):
        for batch in batches:
            checked = checked_batch(path, batch, wanted, listed)
            for start in range(0, checked.num_rows, ROWS):
                yield checked.slice(start, ROWS)


def _counted(batches: Iterator[pa.RecordBatch], unpacked: Unpacked) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        columns = [_decoded(column) for column in batch.columns]
        unpacked.add(batch.num_rows + sum(column.nbytes for column in columns))
        counted = pa.RecordBatch.from_arrays(columns, batch.schema.names)
        yield counted.replace_schema_metadata(batch.schema.metadata)


def checked_batch(
    name: str,
    batch: pa.RecordBatch | pa.Table,
    wanted: Sequence[str | None],
    listed: Collection[str] = (),
) -> pa.RecordBatch | pa.Table:
    """The wanted columns of a mapped batch, text as bytes, offsets within their buffers.

    Arrow trusts the offsets of a file; those that point elsewhere would read other memory. Raises
    ArrowInvalid, and DataError as `require_values`.
    """
    require_values(name, batch.schema, wanted, listed)
    batch = batch.select([column for column in batch.schema.names if column in wanted])
    batch.validate()
    views = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    fields = [field.with_type(views.get(field.type, field.type)) for field in batch.schema]
    batch = batch.cast(pa.schema(fields, batch.schema.metadata))
    batch.validate(full=True)
    return batch


def batch_rows(
    batches: Iterator[pa.RecordBatch | pa.Table], wanted: Sequence[str | None]
) -> Iterator[tuple[int, list[object]]]:
    """Row number from 1 and the wanted values of each row of Arrow batches; text as bytes.

    Numbers of classes are the names that the batch's schema has for them.
    """
    number = 0
    for batch in batches:
        classes = classes_of(batch.schema.metadata)
        columns = [
            [None] * batch.num_rows if name is None else _values(batch.column(name))
            for name in wanted
        ]
        for at, name in enumerate(wanted):
            if name is not None and name in classes:
                columns[at] = named(columns[at], classes[name])
        for values in zip(*columns, strict=True):
            number += 1
            yield number, list(values)


def _decoded(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _values(column: pa.Array | pa.ChunkedArray) -> list[object]:
    column = _decoded(column)
    kind = as_bytes(column.type)
    return (column if kind == column.type else column.cast(kind)).to_pylist()


def as_bytes(kind: pa.DataType) -> pa.DataType:
    """A type with its texts as bytes, in lists and structs too: not every file's are UTF-8."""
    if _is_bytes(kind):
        return pa.large_binary()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(as_bytes(field.type)) for field in kind])
    if is_list(kind):
        made = pa.large_list if pa.types.is_large_list(kind) else pa.list_
        value = kind.value_field.with_type(as_bytes(kind.value_type))
        fixed = pa.types.is_fixed_size_list(kind)
        return pa.list_(value, kind.list_size) if fixed else made(value)
    return kind
