"""Named columns: Parquet tables and JSON Lines of documents, queries and qrels."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import DataError
from schemas.inputs import HfInput, JsonlInput, ParquetInput
from transforms import storage
from transforms.readers.limits import Unpacked, rows_at_once
from transforms.readers.lines import line_cap, lines, parsed
from transforms.readers.paths import evaluation_sources, file_sources, kind_of_file
from transforms.readers.qrels import read_qrels
from transforms.readers.rows import Rejected, Row, Source, bad, judgement_row, text_row
from transforms.storage.digests import Digest, held

ColumnsInput = ParquetInput | JsonlInput | HfInput


def wanted_columns(kind: str, config: ColumnsInput) -> list[str | None]:
    """Columns to read of a kind of source; None where the configuration names none."""
    if kind == "documents":
        return [config.doc_id, config.doc_text, config.doc_title]
    if kind == "queries":
        return [config.query_id, config.query_text, None]
    return [config.query_id, config.doc_id, config.grade]


def sources(config: ColumnsInput) -> list[Source]:
    """A source for each file.

    Raises DataError naming a path or column that is missing, ConfigError where qrels of the
    evaluation are mined.
    """
    kinds: dict[str, list[str]] = {kind: [config.format] for kind in ("documents", "queries")}
    kinds["qrels"] = [config.format, "tsv"]
    found = [
        source
        for kind, endings in kinds.items()
        for source in file_sources(kind, getattr(config, kind), kind, endings)
    ]
    for kind, mined in (("queries", []), ("qrels", found)):
        key = f"evaluation_{kind}"
        found += evaluation_sources(kind, getattr(config, key), key, kinds[kind], mined)
    for source in found:
        if kind_of_file(source.path) == "parquet":
            check_columns(source.path, wanted_columns(source.kind, config))
    return found


def check_columns(path: str, wanted: Sequence[str | None]) -> None:
    """Raises DataError where a Parquet file cannot be read or lacks a wanted column."""
    with storage.opened(path) as source, _open_table(path, source) as file, damage(path):
        _check(path, file, wanted)


def _check(path: str, file: pq.ParquetFile, wanted: Sequence[str | None]) -> None:
    require_columns(path, file.schema_arrow.names, wanted)
    require_values(path, file.schema_arrow, wanted)


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


def require_values(name: str, schema: pa.Schema, wanted: Sequence[str | None]) -> None:
    """Raises DataError where a wanted column holds lists, structs, dates or the like.

    Texts, bytes and numbers are checked row by row.
    """
    for column in wanted:
        kind = pa.null() if column is None else schema.field(column).type
        if not is_plain(kind):
            raise DataError(
                f"{name}: column {column!r} holds {str(kind)[:80]}, expected texts or numbers. "
                "Name another in the input section, or cast it"
            )


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


def _open_table(path: str, source: Any = None) -> pq.ParquetFile:
    with damage(path, "is not a Parquet file that can be read"):
        return pq.ParquetFile(source or storage.fetch(path), pre_buffer=False)


@contextmanager
def damage(
    name: str | Path, what: str = "is cut off or damaged", advice: str = "fetch it again"
) -> Iterator[None]:
    """Turn what pyarrow raises for a file that is damaged, or no table, into a DataError."""
    try:
        yield
    except (OSError, pa.ArrowException, ValueError, RuntimeError, MemoryError) as error:
        raise DataError(f"{name} {what} ({first_line(error)}); {advice}") from error


def first_line(error: BaseException) -> str:
    """What an error says in one line; its name where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def table_rows(
    path: str,
    wanted: Sequence[str | None],
    most: int | None = None,
    digest: Digest | None = None,
) -> Iterator[tuple[int, list[Any]]]:
    """Row number from 1 and the wanted values of each row of a Parquet file; text as bytes.

    Raises DataError where it is damaged, the values take more than `most` bytes, see `Unpacked`, or
    it has not this digest while it is read.
    """
    present = list(dict.fromkeys(column for column in wanted if column is not None))
    with held(path, digest) as place, _open_table(path, place) as file, damage(path):
        _check(path, file, wanted)
        unpacked = Unpacked(path, most)
        size = rows_at_once(place, file, present)
        batches = file.iter_batches(batch_size=size, columns=present)
        yield from batch_rows(_counted(batches, unpacked), wanted)


def _counted(batches: Iterator[pa.RecordBatch], unpacked: Unpacked) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        columns = [_decoded(column) for column in batch.columns]
        unpacked.add(batch.num_rows + sum(column.nbytes for column in columns))
        yield pa.RecordBatch.from_arrays(columns, batch.schema.names)


def checked_batch(
    name: str, batch: pa.RecordBatch | pa.Table, wanted: Sequence[str | None]
) -> pa.RecordBatch | pa.Table:
    """The wanted columns of a mapped batch, text as bytes, offsets within their buffers.

    Arrow trusts the offsets of a file; those that point elsewhere would read other memory. Raises
    ArrowInvalid, and DataError as `require_values`.
    """
    require_values(name, batch.schema, wanted)
    batch = batch.select([column for column in batch.schema.names if column in wanted])
    batch.validate()
    views = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    fields = [field.with_type(views.get(field.type, field.type)) for field in batch.schema]
    batch = batch.cast(pa.schema(fields))
    batch.validate(full=True)
    return batch


def batch_rows(
    batches: Iterator[pa.RecordBatch | pa.Table], wanted: Sequence[str | None]
) -> Iterator[tuple[int, list[Any]]]:
    """Row number from 1 and the wanted values of each row of Arrow batches; text as bytes."""
    number = 0
    for batch in batches:
        columns = [
            [None] * batch.num_rows if name is None else _values(batch.column(name))
            for name in wanted
        ]
        for values in zip(*columns, strict=True):
            number += 1
            yield number, list(values)


def _decoded(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    column = _decoded(column)
    if _is_bytes(column.type):
        column = column.cast(pa.large_binary())
    return column.to_pylist()


def json_rows(
    source: Source, wanted: Sequence[str | None], cap: int, most: int | None
) -> Iterator[tuple[int, list[Any] | Rejected, bytes]]:
    """Line number, the wanted values or why there are none, and the line, of a JSON Lines file."""
    for number, data, size in lines(source.path, cap, most, source.digest):
        try:
            record = parsed(data, size)
            yield number, [None if name is None else record.get(name) for name in wanted], data
        except Rejected as why:
            yield number, why, data


def row_maker(kind: str, config: ColumnsInput) -> Callable[[int, list[Any], Any], Row]:
    """What turns line, values and raw row of a kind of source into a row."""
    limit = config.max_text_bytes

    def make_text(line: int, values: list[Any], raw: Any) -> Row:
        identity, text, title = values
        return text_row(kind, line, identity, text, title, limit, raw)

    def make_judgement(line: int, values: list[Any], raw: Any) -> Row:
        query_id, doc_id, grade = values
        return judgement_row(line, query_id, doc_id, 1 if config.grade is None else grade, raw)

    return make_judgement if kind == "qrels" else make_text


def read(source: Source, config: ParquetInput | JsonlInput, seed: int) -> Iterator[Row]:
    """Rows of one file; its suffix, then the format, says how it is read."""
    cap, most = line_cap(config.max_text_bytes), config.max_unpacked_bytes
    kind = kind_of_file(source.path) or config.format
    if kind == "tsv" and source.kind == "qrels":
        yield from read_qrels(source, cap, most)
        return
    wanted = wanted_columns(source.kind, config)
    make = row_maker(source.kind, config)
    if kind == "parquet":
        for number, values in table_rows(source.path, wanted, most, source.digest):
            yield make(number, values, values)
        return
    for number, found, data in json_rows(source, wanted, cap, most):
        if isinstance(found, Rejected):
            yield bad(number, source.kind, found, data)
        else:
            yield make(number, found, data)
