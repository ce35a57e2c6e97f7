"""Named columns: Parquet tables and JSON Lines of documents, queries and qrels."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import DataError
from schemas.inputs import HfInput, JsonlInput, ParquetInput
from transforms.readers.lines import line_cap, lines, parsed
from transforms.readers.paths import evaluation_sources, file_sources, kind_of_file
from transforms.readers.qrels import read_qrels
from transforms.readers.rows import Rejected, Row, Source, bad, judgement_row, text_row

ColumnsInput = ParquetInput | JsonlInput | HfInput
_ROWS = 1024


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
    with _open_table(path) as file:
        require_columns(path, file.schema_arrow.names, wanted)


def require_columns(name: str, names: Sequence[str], wanted: Sequence[str | None]) -> None:
    """Raises DataError, naming the columns there are, where a wanted one is missing."""
    for column in wanted:
        if column is not None and column not in names:
            raise DataError(
                f"{name} has no column {column!r}; its columns are {', '.join(names)}. "
                "Name the right one in the input section"
            )


def _open_table(path: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} is not a Parquet file that can be read ({error})") from error


def table_rows(path: str, wanted: Sequence[str | None]) -> Iterator[tuple[int, list[Any]]]:
    """Row number from 1 and the wanted values of each row of a Parquet file; text as bytes."""
    present = [column for column in wanted if column is not None]
    with _open_table(path) as file:
        require_columns(path, file.schema_arrow.names, wanted)
        try:
            batches = file.iter_batches(batch_size=_ROWS, columns=list(dict.fromkeys(present)))
            yield from batch_rows(batches, wanted)
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{path} is cut off or damaged ({error}); fetch it again") from error


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


def _values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.large_binary())
    return column.to_pylist()


def json_rows(
    source: Source, wanted: Sequence[str | None], cap: int
) -> Iterator[tuple[int, list[Any] | Rejected, bytes]]:
    """Line number, the wanted values or why there are none, and the line, of a JSON Lines file."""
    for number, data, size in lines(source.path, cap):
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
    cap = line_cap(config.max_text_bytes)
    kind = kind_of_file(source.path) or config.format
    if kind == "tsv" and source.kind == "qrels":
        yield from read_qrels(source, cap)
        return
    wanted = wanted_columns(source.kind, config)
    make = row_maker(source.kind, config)
    if kind == "parquet":
        for number, values in table_rows(source.path, wanted):
            yield make(number, values, values)
        return
    for number, found, data in json_rows(source, wanted, cap):
        if isinstance(found, Rejected):
            yield bad(number, source.kind, found, data)
        else:
            yield make(number, found, data)
