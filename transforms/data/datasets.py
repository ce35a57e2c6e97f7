"""Data sets on disk: Parquet parts, written whole or not at all, and a manifest written last."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block, parse_part
from negmine.transforms.storage.atomic import write_atomically, write_json

MANIFEST = "_manifest.json"
PARTIAL = "_partial"
"""Folder of what an unfinished data set will be merged from; it goes when that is finished."""

_checked: set[Path] = set()
"""Mirrored data sets whose manifest was compared with the store's by this process."""


def write_part(
    directory: str,
    name: str,
    table: pa.Table,
    schema: pa.Schema,
    *,
    compression: str = "zstd",
    row_group_size: int = 65_536,
    dictionary: bool = False,
) -> None:
    """Write one Parquet part under its final name, atomically, with page checksums.

    A `dictionary` is for what DuckDB will filter and group; it costs time and, beside zstd, space.
    Raises StorageError when the table does not have exactly the schema's columns and types, or
    when the disk refuses.
    """
    if table.schema.names != schema.names:
        raise StorageError(f"{name}: columns {table.schema.names}, expected {schema.names}")
    for column in schema:
        if not column.nullable and table.column(column.name).null_count:
            raise StorageError(f"{name}: column {column.name} holds a null")
    table = table.cast(schema)

    def write(path: str) -> None:
        with pa.OSFile(path, "wb") as file:
            pq.write_table(
                table,
                file,
                compression=compression,
                row_group_size=row_group_size,
                write_page_checksum=True,
                use_dictionary=dictionary,
            )

    write_atomically(storage.rooted(directory) / name, write)


def _is_part(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def _are_parts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(part, dict) and {"name", "rows", "bytes"} <= part.keys() for part in value
    )


@lru_cache(maxsize=32)
def _manifest_sizes(file: str, _: int) -> dict[str, int]:
    manifest = storage.read_json(Path(file))
    return {part["name"]: int(part["bytes"]) for part in manifest["parts"]}


@dataclass(frozen=True)
class Dataset:
    """A data set in a directory: `part-<start>-<stop>.parquet` files and `_manifest.json`.

    Where the directory mirrors a store, the store says what there is, and a part is fetched when
    it is read.

    Parts are named by the block they were made from. For data sets with one row a position
    (documents, queries, vectors) that is the range of rows they hold.
    """

    path: str

    @property
    def directory(self) -> Path:
        return storage.rooted(self.path)

    @property
    def finished(self) -> bool:
        """Whether its manifest was written, which is the last thing that happens."""
        if storage.is_mirrored(self.directory):
            self.refresh()
            return self.directory in _checked
        return (self.directory / MANIFEST).is_file()

    def refresh(self) -> None:
        """Compare a mirrored copy with the store: drop it where the store has another one."""
        directory = self.directory
        if not storage.is_mirrored(directory):
            return
        _checked.discard(directory)
        if storage.outdated(directory / MANIFEST):
            shutil.rmtree(directory, ignore_errors=True)
        try:
            storage.fetch(directory / MANIFEST)
        except FileNotFoundError:
            return
        _checked.add(directory)

    def _is_checked(self) -> bool:
        """Whether a mirrored data set is finished, asked of the store once a process."""
        if self.directory not in _checked or not (self.directory / MANIFEST).exists():
            self.refresh()
        return self.directory in _checked

    def manifest(self) -> JsonObject:
        """The manifest. Raises StorageError where it is missing or not JSON."""
        if storage.is_mirrored(self.directory):
            self._is_checked()
        try:
            value = storage.read_json(self.directory / MANIFEST)
            if type(value.get("rows")) is not int or not _are_parts(value.get("parts")):
                raise ValueError("not a manifest")
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{self.directory / MANIFEST} cannot be read ({error}); remove the directory "
                "and run again to make it anew"
            ) from error
        return value

    def finish(self, **details: Any) -> None:
        """Write the manifest: details, parts with rows and bytes, and the number of rows."""
        sizes = storage.sizes(self.directory)
        names = sorted(filter(_is_part, sizes))
        counts = storage.parquet_rows([(self.directory / name, sizes[name]) for name in names])
        parts: list[JsonObject] = []
        for name in names:
            try:
                rows = next(counts)
            except (OSError, pa.ArrowException) as error:
                raise StorageError(
                    f"{self.directory / name} cannot be read ({str(error).splitlines()[0]}); "
                    "remove it and run again to make it anew"
                ) from error
            parts.append({"name": name, "rows": rows, "bytes": sizes[name]})
        rows = sum(part["rows"] for part in parts)
        write_json(self.directory / MANIFEST, {**details, "parts": parts, "rows": rows})

    @property
    def rows(self) -> int:
        """Number of rows, from the manifest."""
        return int(self.manifest()["rows"])

    def part_names(self) -> list[str]:
        """Names of the parts on disk, in row order."""
        if storage.is_mirrored(self.directory):
            return sorted(self._mirrored_sizes())
        if not self.directory.is_dir():
            return []
        return sorted(file.name for file in self.directory.glob("part-*.parquet"))

    def _parts(self) -> list[str]:
        """Names of the parts, at least one. Raises StorageError where the directory is gone."""
        names = self.part_names()
        if not names:
            raise StorageError(
                f"{self.directory} is gone or holds no part; remove it and run again to make it "
                "anew"
            )
        return names

    def blocks(self) -> list[Block]:
        """The blocks whose parts are on disk, in row order."""
        return [parse_part(name) for name in self.part_names()]

    def read_part(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One part. Raises StorageError, naming the file, where it is truncated or corrupted."""
        file = self.directory / name
        try:
            return storage.read(
                file,
                lambda place: pq.read_table(
                    place,
                    columns=None if columns is None else list(columns),
                    page_checksum_verification=True,
                    partitioning=None,
                ),
                self._size(name),
            )
        except (OSError, pa.ArrowException) as error:
            raise StorageError(
                f"{file} cannot be read ({str(error).splitlines()[0]}); remove "
                f"{self.directory} and run again to make it anew"
            ) from error

    def fetch(self) -> None:
        """Have all parts on this machine, for readers of files."""
        if storage.is_mirrored(self.directory):
            sizes = self._mirrored_sizes()
            storage.fetch_all((self.directory / name, size) for name, size in sizes.items())

    def _mirrored_sizes(self) -> dict[str, int]:
        """Bytes of the parts in the store, by name: of a finished data set as its manifest says."""
        if not self._is_checked():
            found = storage.sizes(self.directory)
            return {name: size for name, size in found.items() if _is_part(name)}
        state = (self.directory / MANIFEST).stat()
        return _manifest_sizes(str(self.directory / MANIFEST), state.st_mtime_ns)

    def _size(self, name: str) -> int | None:
        """Bytes of a part of a mirrored and finished data set, None otherwise."""
        if not storage.is_mirrored(self.directory) or not self._is_checked():
            return None
        return self._mirrored_sizes().get(name)

    def columns(self) -> list[str]:
        """Names of the columns of its first part; an older data set may lack newer ones."""
        return list(self.read_part(self._parts()[0]).column_names)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The parts, one after another, in row order."""
        for name in self._parts():
            yield self.read_part(name, columns)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The whole data set in memory; for small ones."""
        return pa.concat_tables(self.tables(columns))

    def read_rows(
        self,
        block: Block,
        columns: Sequence[str] | None = None,
        held: dict[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Rows of a block of positions, for data sets with one row a position.

        `held` keeps the parts of one call for the next, of the same columns.
        """
        held = {} if held is None else held
        read = {}
        pieces = []
        for name in self.part_names():
            part = parse_part(name)
            low, high = max(part.start, block.start), min(part.stop, block.stop)
            if low < high:
                read[name] = held[name] if name in held else self.read_part(name, columns)
                pieces.append(read[name].slice(low - part.start, high - low))
        held.clear()
        held.update(read)
        if not pieces:
            return self.read_part(self._parts()[0], columns).slice(0, 0)
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
            return self.read_part(self._parts()[0], wanted).slice(0, 0)
        return pa.concat_tables(pieces)
