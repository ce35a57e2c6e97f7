"""Data sets on disk: Parquet parts, written whole or not at all, and a manifest written last."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import StorageError
from transforms.blocks import Block, parse_part

MANIFEST = "_manifest.json"


def _write_atomically(path: Path, data: Any) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise StorageError(
            f"cannot write {path}: {error.strerror}. Free space or choose another directory, "
            "then run the same command again; finished parts are kept."
        ) from error


def write_part(
    directory: str,
    name: str,
    table: pa.Table,
    schema: pa.Schema,
    *,
    compression: str = "zstd",
    row_group_size: int = 65_536,
) -> None:
    """Write one Parquet part under its final name, atomically, with page checksums.

    Raises StorageError when the table does not have exactly the schema's columns and types, or
    when the disk refuses.
    """
    if table.schema.names != schema.names:
        raise StorageError(f"{name}: columns {table.schema.names}, expected {schema.names}")
    for column in schema:
        if not column.nullable and table.column(column.name).null_count:
            raise StorageError(f"{name}: column {column.name} holds a null")
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.cast(schema),
        sink,
        compression=compression,
        row_group_size=row_group_size,
        write_page_checksum=True,
    )
    _write_atomically(Path(directory) / name, sink.getvalue())


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically, keys sorted."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    _write_atomically(path, text.encode())


@dataclass(frozen=True)
class Dataset:
    """A data set in a directory: `part-<start>-<stop>.parquet` files and `_manifest.json`.

    Parts are named by the block they were made from. For data sets with one row a position
    (documents, queries, vectors) that is the range of rows they hold.
    """

    path: str

    @property
    def directory(self) -> Path:
        return Path(self.path)

    @property
    def finished(self) -> bool:
        """Whether its manifest was written, which is the last thing that happens."""
        return (self.directory / MANIFEST).is_file()

    def manifest(self) -> dict[str, Any]:
        """The manifest. Raises StorageError where it is missing or not JSON."""
        try:
            value = json.loads((self.directory / MANIFEST).read_text())
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{self.directory / MANIFEST} cannot be read ({error}); remove the directory "
                "and run again to make it anew"
            ) from error
        return dict(value)

    def finish(self, **details: Any) -> None:
        """Write the manifest: details, parts with rows and bytes, and the number of rows."""
        parts = []
        for name in self.part_names():
            file = self.directory / name
            try:
                rows = pq.read_metadata(file).num_rows
            except (OSError, pa.ArrowException) as error:
                raise StorageError(
                    f"{file} cannot be read ({str(error).splitlines()[0]}); remove it and run "
                    "again to make it anew"
                ) from error
            parts.append({"name": name, "rows": rows, "bytes": file.stat().st_size})
        rows = sum(part["rows"] for part in parts)
        write_json(self.directory / MANIFEST, {**details, "parts": parts, "rows": rows})

    @property
    def rows(self) -> int:
        """Number of rows, from the manifest."""
        return int(self.manifest()["rows"])

    def part_names(self) -> list[str]:
        """Names of the parts on disk, in row order."""
        if not self.directory.is_dir():
            return []
        return sorted(file.name for file in self.directory.glob("part-*.parquet"))

    def blocks(self) -> list[Block]:
        """The blocks whose parts are on disk, in row order."""
        return [parse_part(name) for name in self.part_names()]

    def read_part(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One part. Raises StorageError, naming the file, where it is truncated or corrupted."""
        file = self.directory / name
        try:
            return pq.read_table(
                file,
                columns=None if columns is None else list(columns),
                page_checksum_verification=True,
                partitioning=None,
            )
        except (OSError, pa.ArrowException) as error:
            raise StorageError(
                f"{file} cannot be read ({str(error).splitlines()[0]}); remove "
                f"{self.directory} and run again to make it anew"
            ) from error

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The parts, one after another, in row order."""
        for name in self.part_names():
            yield self.read_part(name, columns)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The whole data set in memory; for small ones."""
        return pa.concat_tables(self.tables(columns))

    def read_rows(self, block: Block, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of a block of positions, for data sets with one row a position."""
        pieces = []
        for name in self.part_names():
            part = parse_part(name)
            low, high = max(part.start, block.start), min(part.stop, block.stop)
            if low < high:
                pieces.append(self.read_part(name, columns).slice(low - part.start, high - low))
        if not pieces:
            return self.read_part(self.part_names()[0], columns).slice(0, 0)
        return pa.concat_tables(pieces)

    def read_queries(self, block: Block, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows whose `query_ix` lies in the block, for data sets sorted by query_ix.

        Parts must be named by the block of queries that they hold.
        """
        wanted = None if columns is None else list(dict.fromkeys(["query_ix", *columns]))
        pieces = []
        for name in self.part_names():
            part = parse_part(name)
            if part.start < block.stop and block.start < part.stop:
                table = self.read_part(name, wanted)
                if part.start < block.start or block.stop < part.stop:
                    ix = table.column("query_ix").to_numpy()
                    low, high = ix.searchsorted([block.start, block.stop])
                    table = table.slice(low, high - low)
                pieces.append(table)
        if not pieces:
            return self.read_part(self.part_names()[0], wanted).slice(0, 0)
        return pa.concat_tables(pieces)
