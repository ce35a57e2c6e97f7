"""Tables and models that are objects of Python, put into files that a run can read and name."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, cast, runtime_checkable

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import ConfigError, StorageError
from negmine.transforms import storage
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.readers.tables.classes import classes_of, metadata_of
from negmine.transforms.storage.digests import digest_of, tree_digests

GIVEN = "given"
"""Folder of an output that holds what was given as objects."""

ROWS_AT_ONCE = 10_000


@runtime_checkable
class ArrowStream(Protocol):
    """What gives its rows as Arrow: DataFrames of pandas and polars, pyarrow, DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Rows: TypeAlias = Sequence[Mapping[str, object]] | Sequence[Sequence[object]]
Table: TypeAlias = str | os.PathLike[str] | ArrowStream | Rows
"""Where a table comes from: a path, a DataFrame, a `datasets.Dataset`, a list of dictionaries, a
list of (query, positive)."""


class Loaded(Protocol):
    """A loaded SentenceTransformer or CrossEncoder."""

    def save_pretrained(self, path: str, /, *, create_model_card: bool) -> None: ...


Model: TypeAlias = str | os.PathLike[str] | Loaded
"""A model's name or folder, or the loaded model."""


def place_table(data: Table, output: str, role: str) -> str:
    """The path of a table: its own, or a Parquet file in `<output>/given/` named by its content.

    An unnamed index of a DataFrame is left out. Raises ConfigError for what is no table, and
    StorageError where it cannot be written.
    """
    if isinstance(data, str | os.PathLike):
        return os.fspath(data)
    folder = _folder(output)
    try:
        return _written(_reader(data, role), folder, role)
    except OSError as error:
        raise _unwritten(folder, error) from error
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(
            f"{role}: the {type(data).__name__} cannot be written as a table ({reason}); columns "
            "need names of their own, and values of one kind"
        ) from None


def _written(batches: pa.RecordBatchReader, folder: Path, role: str) -> str:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".given-") as scratch:
        file = Path(scratch) / "rows.parquet"
        kept = metadata_of(classes_of(batches.schema.metadata))
        schema = batches.schema.remove_metadata()
        schema = schema if kept is None else schema.with_metadata(kept)
        rows = 0
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch.replace_schema_metadata(None))
                rows += batch.num_rows
        if not rows:
            raise ConfigError(f"{role}: a table without rows; there is nothing to mine")
        target = folder / f"{role}-{digest_of(file).sha256[:16]}.parquet"
        if not target.exists():
            os.replace(file, target)
    return str(target)


def place_model(model: Model, output: str) -> str:
    """The name or folder of a model: as given, or where a loaded one is saved, by its content."""
    if isinstance(model, str | os.PathLike):
        return os.fspath(model)
    save = getattr(model, "save_pretrained", None)
    if save is None:
        raise ConfigError(
            f"a model is a name, a folder, or a loaded SentenceTransformer or CrossEncoder, not "
            f"{type(model).__name__}"
        )
    folder = _folder(output)
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=".given-"))
    try:
        save(str(scratch), create_model_card=False)
        target = folder / f"model-{fingerprint(dict(tree_digests(scratch)))[:16]}"
        if not target.exists():
            os.rename(scratch, target)
    except OSError as error:
        raise _unwritten(folder, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return str(target)


def _unwritten(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot write in {folder}: {error.strerror or error}; free space or choose another output"
    )


def is_cross_encoder(model: object) -> bool:
    """Whether it is a loaded CrossEncoder; imports nothing."""
    return any(kind.__name__ == "CrossEncoder" for kind in type(model).__mro__)


def _folder(output: str) -> Path:
    folder = storage.local_path(output) / GIVEN
    if storage.is_mirrored(folder):
        raise ConfigError(
            f"tables and models that are objects are kept beside the run, and {output} is in a "
            "store; write them to files there and give their paths"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot create {folder}: {error.strerror}; choose another output"
        ) from error
    return folder


def _reader(data: object, role: str) -> pa.RecordBatchReader:
    """The rows, a batch at a time."""
    if isinstance(data, ArrowStream):
        return pa.RecordBatchReader.from_stream(_without_index(data))
    if isinstance(data, Mapping):
        if hasattr(data, "values") and any(hasattr(v, "features") for v in data.values()):
            raise ConfigError(
                f"{role}: a dictionary of splits ({', '.join(map(str, data))}); give one of them"
            )
        return _of(pa.Table.from_pydict(dict(data)), role)
    features = getattr(data, "features", None)
    if features is not None and hasattr(data, "with_format"):
        return _dataset_reader(data)
    if isinstance(data, Iterable) and not isinstance(data, bytes):
        return _of(_table_of(list(data), role), role)
    raise ConfigError(
        f"{role}: {type(data).__name__} is no table; give a path, a DataFrame, a datasets.Dataset, "
        "an Arrow table, a list of dictionaries or a list of (query, positive)"
    )


def _of(table: pa.Table, role: str) -> pa.RecordBatchReader:
    return table.to_reader(max_chunksize=ROWS_AT_ONCE)


def _without_index(data: ArrowStream) -> ArrowStream:
    """A DataFrame of pandas without an index that nobody named."""
    index = getattr(data, "index", None)
    if index is None or not (hasattr(data, "reset_index") and hasattr(data, "columns")):
        return data
    named = any(name is not None for name in index.names)
    found = pa.Table.from_pandas(data.reset_index() if named else data, preserve_index=False)
    return cast(ArrowStream, found)


def _dataset_reader(data: object) -> pa.RecordBatchReader:
    """Rows of a datasets.Dataset, its selection of rows applied."""
    arrow = data.with_format("arrow")  # type: ignore[attr-defined]
    found = iter(arrow.iter(batch_size=ROWS_AT_ONCE))
    first = next(found, None)
    if first is None:
        return pa.RecordBatchReader.from_batches(pa.schema([]), iter(()))
    schema = first.schema.with_metadata(data.features.arrow_schema.metadata)  # type: ignore[attr-defined]

    def batches() -> Iterable[pa.RecordBatch]:
        for table in (first, *found):
            yield from table.cast(schema).to_batches()

    return pa.RecordBatchReader.from_batches(schema, batches())


def _table_of(rows: Sequence[object], role: str) -> pa.Table:
    if rows and all(isinstance(row, str) for row in rows):
        return pa.table({"text": pa.array(rows, pa.string())})
    if rows and all(isinstance(row, Mapping) for row in rows):
        maps = cast(Sequence[Mapping[str, object]], rows)
        # Every key of every row: Arrow would take those of the first.
        names = list(dict.fromkeys(name for row in maps for name in row))
        return pa.table({str(name): pa.array([row.get(name) for row in maps]) for name in names})
    if rows and all(isinstance(row, Sequence) and len(row) == 2 for row in rows):
        both = zip(*(cast(Sequence[object], row) for row in rows), strict=True)
        return pa.table({n: pa.array(list(c)) for n, c in zip(_PAIR, both, strict=True)})
    if not rows:
        raise ConfigError(f"{role}: a list without rows; there is nothing to mine")
    raise ConfigError(
        f"{role}: rows are all dictionaries, all (query, positive), or all texts; the first is "
        f"{type(rows[0]).__name__}"
    )


_PAIR = ("query", "positive")
