"""Data sets in memory, so that stage code runs without Parquet and without a work directory."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from negmine.schemas.sources import Bm25
from negmine.transforms.data import columns as stores
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.search import bm25
from negmine.transforms.kernels.tokenise import Tokens
from negmine.transforms.sources import bm25 as bm25_index
from negmine.transforms.sources.bm25 import Bm25Index, OpenIndex


@dataclass(frozen=True)
class Held(Dataset):
    """A data set whose parts are tables in this process, by name; `path` is only a name."""

    parts: ClassVar[dict[str, dict[str, pa.Table]]] = {}

    @classmethod
    def of(cls, name: str, parts: Sequence[tuple[Block, pa.Table]]) -> "Held":
        """Hold these parts under a name."""
        cls.parts[name] = {block.part: table for block, table in parts}
        return cls(name)

    def part_names(self) -> list[str]:
        return sorted(self.parts[self.path])

    def read_part(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        table = self.parts[self.path][name]
        return table if columns is None else table.select(list(columns))

    @property
    def rows(self) -> int:
        return sum(table.num_rows for table in self.parts[self.path].values())

    def manifest(self) -> dict[str, Any]:
        return {"fingerprint": self.path, "rows": self.rows}


@lru_cache(maxsize=64)
def _array(dataset: Dataset, column: str) -> np.ndarray:
    return np.ascontiguousarray(stores._numpy_of(dataset.read([column])[column]))


@lru_cache(maxsize=64)
def _binary(dataset: Dataset, column: str) -> stores.BinaryColumn:
    data = dataset.read([column])[column]
    kind = pa.large_binary() if pa.types.is_large_binary(data.type) else pa.large_string()
    array = pa.concat_arrays([chunk.cast(kind) for chunk in data.chunks])
    _, offsets, values = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[1 : len(array) + 1]
    return stores.BinaryColumn(ends, np.frombuffer(values or b"", dtype=np.uint8))


def index_in_memory(tokens: Tokens, config: Bm25) -> OpenIndex:
    """A BM25 index made of a corpus's tokens, as `OpenIndex` reads one from its parts."""
    row, term, count = tokens.frequencies()
    documents = len(tokens.offsets) - 1
    opened = OpenIndex.__new__(OpenIndex)
    opened.parameters = bm25.Parameters(config.method, config.k1, config.b, config.delta)
    opened.terms = pa.array(tokens.vocabulary, pa.string())
    opened.df = np.bincount(term, minlength=len(tokens.vocabulary))
    opened.lengths = np.diff(tokens.offsets).astype(np.int32)
    distinct = np.bincount(row, minlength=documents)
    opened.offsets = np.concatenate([[0], np.cumsum(distinct, dtype=np.int64)])
    opened.frequencies = count.astype(np.int32)
    opened.numbers = term.astype(np.int32)
    opened.documents = documents
    opened.average_length = len(tokens.numbers) / max(documents, 1)
    opened.idf = bm25.idf(config.method, opened.df, documents)
    opened.absent = bm25.absent_weight(opened.parameters, opened.idf)
    return opened


def use_memory(index: OpenIndex) -> None:
    """Let the stage code of this process look columns and the BM25 index up in memory."""

    def opened(_: Bm25Index, __: Bm25) -> OpenIndex:
        return index

    instead: dict[Any, Any] = {
        stores.array_column: _array,
        stores.binary_column: _binary,
        bm25_index.open_index: opened,
    }
    for name, module in list(sys.modules.items()):
        if name.startswith("negmine.transforms."):
            for attribute, value in list(vars(module).items()):
                if callable(value) and getattr(value, "__hash__", None) and value in instead:
                    setattr(module, attribute, instead[value])
