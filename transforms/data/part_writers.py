"""Parts of one name in several folders, written piece by piece: the same bytes however cut."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import StorageError
from negmine.transforms import storage

_ROWS = 65_536


class _Part:
    """One Parquet file under a temporary name; a row group is written when it is full."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.schema = schema
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
        self.pending: list[pa.Table] = []
        self.rows = 0
        self.empty = True
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.temporary, "wb")  # noqa: SIM115
        self.writer = pq.ParquetWriter(
            self.file, schema, compression="zstd", write_page_checksum=True
        )

    def add(self, table: pa.Table) -> None:
        if table.schema.names != self.schema.names:
            raise StorageError(
                f"{self.path}: columns {table.schema.names}, expected {self.schema.names}"
            )
        for column in self.schema:
            if not column.nullable and table.column(column.name).null_count:
                raise StorageError(f"{self.path}: column {column.name} holds a null")
        table = table.cast(self.schema)
        while self.rows + table.num_rows >= _ROWS:
            cut = _ROWS - self.rows
            self.pending.append(table.slice(0, cut))
            self._write()
            table = table.slice(cut)
        if table.num_rows:
            self.pending.append(table)
            self.rows += table.num_rows

    def _write(self) -> None:
        # Pages end where chunks do, so the rows must not show where they were cut.
        self.writer.write_table(pa.concat_tables(self.pending).combine_chunks(), _ROWS)
        self.pending, self.rows, self.empty = [], 0, False

    def finish(self) -> None:
        if self.pending:
            self._write()
        if self.empty:
            self.writer.write_table(self.schema.empty_table(), _ROWS)
        self.writer.close()
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        storage.replace(self.temporary, self.path)

    def drop(self) -> None:
        with suppress(OSError, ValueError):
            self.writer.close()
        # What is still buffered may find the disk full once more.
        with suppress(OSError):
            self.file.close()
        self.temporary.unlink(missing_ok=True)


class PartWriters:
    """Parts by folder, in a `with` block: they get their names at its end, and none if it fails.

    A row group has 65,536 rows, as of `datasets.write_part`; memory holds one of each part. Raises
    StorageError when a table does not have its schema's columns and types, or when the disk
    refuses.
    """

    def __init__(self, directory: str, name: str) -> None:
        self.directory = directory
        self.name = name
        self._parts: dict[str, _Part] = {}

    def open(self, folder: str, schema: pa.Schema) -> None:
        """Have a part in a folder, if only an empty one."""
        if folder not in self._parts:
            path = storage.rooted(self.directory) / folder / self.name
            try:
                self._parts[folder] = _Part(path, schema)
            except OSError as error:
                raise self._refused(error) from error

    def add(self, folder: str, table: pa.Table, schema: pa.Schema) -> None:
        """Append rows to the part of a folder; a table without rows makes none."""
        if not table.num_rows:
            return
        self.open(folder, schema)
        try:
            self._parts[folder].add(table)
        except OSError as error:
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> StorageError:
        return StorageError(
            f"cannot write {self.directory}: {error.strerror}. Free space or choose another "
            "directory, then run the same command again; finished parts are kept."
        )

    def __enter__(self) -> "PartWriters":
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        try:
            if error is None:
                for part in self._parts.values():
                    part.finish()
        except OSError as refused:
            raise self._refused(refused) from refused
        finally:
            for part in self._parts.values():
                part.drop()
