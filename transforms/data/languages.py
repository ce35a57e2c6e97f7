"""Languages of a collection, looked up by position."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.languages import Languages, read_codes


@lru_cache(maxsize=4)
def languages_of(documents: Dataset, queries: Dataset) -> Languages | None:
    """Languages of documents and queries; None where the collection was ingested without any."""
    if not has_languages(documents):
        return None
    columns = (binary_column(dataset, "language") for dataset in (documents, queries))
    return Languages(*(read_codes(column.ends, column.data) for column in columns))


@lru_cache(maxsize=16)
def has_languages(dataset: Dataset) -> bool:
    """Whether documents or queries were ingested with a column of languages."""
    names = dataset.part_names()
    if not names:
        return False
    file = dataset.directory / names[0]
    try:
        return "language" in pq.read_schema(storage.fetch(file)).names
    except (OSError, pa.ArrowException) as error:
        raise StorageError(
            f"{file} cannot be read ({str(error).splitlines()[0]}); ingest it again"
        ) from error


def language_column(dataset: Dataset, positions: np.ndarray) -> pa.Array:
    """Language codes of documents or queries at positions, as strings; null where not known."""
    codes = binary_column(dataset, "language").take(positions).cast(pa.string())
    return pc.if_else(pc.equal(codes, ""), pa.scalar(None, pa.string()), codes)


def codes_at(dataset: Dataset, positions: Sequence[int] | np.ndarray) -> list[str | None] | None:
    """Language codes of documents or queries at positions; None where none was ingested."""
    if not has_languages(dataset):
        return None
    return [code or None for code in binary_column(dataset, "language").texts(positions)]
