"""Data sets over all queries that DuckDB makes in one go, written as parts by block."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import apache_beam as beam
import duckdb
import pyarrow as pa

from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.sql import connect, sql_string
from negmine.transforms.steps import flat_map_step
from negmine.transforms.storage.digests import Digest, all_held, named
from negmine.transforms.storage.suffixes import compression_of, kind_of_file


@dataclass
class QueryTable(beam.PTransform):
    """A table that one worker has DuckDB fill: `Pipeline -> PCollection[part name]`.

    Attributes:
        fill: creates the table `result` on a connection, with `query_ix` and `doc_ix` among its
            columns; picklable.
        schema: of the parts.
        directory: where the parts go; DuckDB spills beside them.
        blocks: of queries; one part each.
    """

    fill: Callable[[duckdb.DuckDBPyConnection], None]
    schema: pa.Schema
    directory: str
    blocks: tuple[Block, ...]

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        return root | "Once" >> beam.Impulse() | "Fill" >> flat_map_step(self._parts)

    def _parts(self, _: bytes) -> Iterator[str]:
        spill = storage.rooted(self.directory) / "_spill"
        try:
            with connect(spill=spill) as connection:
                self.fill(connection)
                for block in self.blocks:
                    part = _part(connection, self, block)
                    write_part(self.directory, block.part, part, self.schema)
                    yield block.part
        except duckdb.Error as error:
            raise StorageError(
                f"cannot make {self.directory}: {str(error).splitlines()[0]}; free memory or "
                "disk there and run again"
            ) from error


def _part(connection: duckdb.DuckDBPyConnection, table: QueryTable, block: Block) -> pa.Table:
    found = connection.sql(
        f"SELECT {', '.join(table.schema.names)} FROM result WHERE query_ix >= {block.start} "
        f"AND query_ix < {block.stop} ORDER BY query_ix, doc_ix"
    )
    return found.to_arrow_table().cast(table.schema)


def parquet_sql(directory: str, names: Sequence[str], columns: str) -> str:
    """SELECT over the named parts of a data set."""
    dataset = Dataset(directory)
    dataset.fetch()
    files = ", ".join(sql_string(str(dataset.directory / name)) for name in names)
    return f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning = false)"


def queries_sql(queries: Dataset) -> str:
    """SELECT of `query_ix` and `id`: every identifier that a query stands for, merged ones too."""
    columns = "query_ix, unnest(list_append(merged_ids, query_id)) AS id"
    return parquet_sql(queries.path, queries.part_names(), columns)


def documents_sql(documents: Dataset) -> str:
    """SELECT of `doc_ix` and `id`."""
    return parquet_sql(documents.path, documents.part_names(), "doc_ix, doc_id AS id")


@contextmanager
def files_sql(
    files: Sequence[str],
    columns: Mapping[str, tuple[str, str]],
    digests: Sequence[Digest] = (),
) -> Iterator[str]:
    """SELECT over files of Parquet or of JSON lines, all of one kind, to be run in the block.

    What a line of JSON lacks is null.

    Args:
        files: Parquet, or JSON (.gz or .zst too), by their suffixes.
        columns: name in the answer to name in the files and SQL type.
        digests: what the files must have; DataError where one differs or changes in the block.
    """
    quoted = {
        name: f'"{column.replace(chr(34), 2 * chr(34))}"' for name, (column, _) in columns.items()
    }
    # Types that DuckDB finds by itself would rewrite identifiers that look like a UUID or time.
    kinds = ", ".join(f"{quoted[name]}: '{kind}'" for name, (_, kind) in columns.items())
    chosen = ", ".join(f"{quoted[name]}::{kind} AS {name}" for name, (_, kind) in columns.items())
    with all_held(files, digests) as places:
        alike: dict[tuple[str, str], list[str]] = {}
        for file, place in zip(files, places, strict=True):
            alike.setdefault(_reader(file, kinds), []).append(sql_string(str(place)))
        parts = [
            f"SELECT {chosen} FROM {function}([{', '.join(listed)}], {options})"
            for (function, options), listed in alike.items()
        ]
        try:
            yield " UNION ALL ".join(parts)
        except duckdb.Error as error:
            raise type(error)(named(str(error), files, places)) from error


def _reader(file: str, kinds: str) -> tuple[str, str]:
    """DuckDB's function for a file, and its options."""
    if kind_of_file(file) == "parquet":
        return "read_parquet", "hive_partitioning = false"
    packed = compression_of(file) or "uncompressed"
    return "read_json", f"columns = {{{kinds}}}, compression = '{packed}'"
