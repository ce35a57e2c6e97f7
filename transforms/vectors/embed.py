"""Embed texts block by block; a text that an earlier artifact holds is copied from it."""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from negmine.schemas import tables
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import WriteParts
from negmine.transforms.kernels import underway
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.search.token_codes import (
    DOCUMENT_BITS,
    QUERY_BITS,
    from_bfloat16,
    pack,
)
from negmine.transforms.kernels.threads import one_thread, own_threads
from negmine.transforms.steps import Step

if TYPE_CHECKING:
    from negmine.transforms.models.specs import EncoderSpec, Kind

_packing = threading.Lock()
"""One block at a time: whoever ends first would give BLAS back its threads."""


@dataclass
class EmbedTexts(beam.PTransform):
    """`PCollection[Block] -> PCollection[(Block, table)]`, tables as in `schemas.tables.vectors`.

    Attributes:
        texts: documents or queries; their `text` column is embedded.
        kind: which prompt and which route of an asymmetric model.
        tokens: also keep token vectors, from the same forward pass.
        earlier: finished artifacts of the same encoder; equal texts are copied from them.
    """

    texts: Dataset
    kind: "Kind"
    encoder: "EncoderSpec"
    tokens: bool = False
    earlier: Sequence[Dataset] = ()

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Encode" >> beam.ParDo(_Encode(self))

    def writing(self, write: WriteParts) -> beam.PTransform:
        """The same with its parts written: `PCollection[Block] -> PCollection[part name]`."""
        return _Embedded(self, write)


@dataclass
class _Embedded(beam.PTransform):
    embed: EmbedTexts
    write: WriteParts

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Encode" >> beam.ParDo(_EncodeAndWrite(self.embed, self.write))


class _Encode(Step):
    def __init__(self, transform: EmbedTexts) -> None:
        self.texts = transform.texts
        self.kind = transform.kind
        self.spec = transform.encoder
        self.tokens = transform.tokens
        self.earlier = list(transform.earlier)

    def setup(self) -> None:
        from negmine.transforms.models.encoder import load_encoder

        self.encoder = load_encoder(self.spec)
        self.held: dict[str, pa.Table] = {}

    def process(self, block: Block) -> Iterator[tuple[Block, pa.Table]]:
        table, counts = self.table(block)
        for name, number in counts.items():
            count(name, number)
        yield block, table

    def table(self, block: Block) -> tuple[pa.Table, dict[str, int]]:
        """The vectors of a block, and what there is to count."""
        texts = self.texts.read_rows(block, ["text"], self.held).column("text").to_pylist()
        hashes = text_keys(texts)
        vectors = np.empty((len(texts), self.encoder.dimension), dtype=np.float32)
        token_bytes: list[bytes | None] = [None] * len(texts)
        missing = self._copy_known(hashes, vectors, token_bytes)
        unique, first, inverse = np.unique(hashes[missing], return_index=True, return_inverse=True)
        with underway.block(len(texts)):
            underway.expect(len(unique))
            encoded = self.encoder.encode(
                [texts[missing[i]] for i in first], self.kind, tokens=self.tokens
            )
        vectors[missing] = encoded.vectors[inverse]
        if encoded.token_vectors is not None:
            bits = QUERY_BITS if self.kind == "query" else DOCUMENT_BITS
            packed = packed_tokens(encoded.token_vectors, bits)
            for row, source in zip(missing, inverse, strict=True):
                token_bytes[row] = packed[source]
        counts = {
            "rows_read": len(texts),
            "texts_encoded": len(unique),
            "texts_reused": len(texts) - len(missing),
        }
        return vectors_table(block.start, hashes, vectors, token_bytes), counts

    def _copy_known(
        self, hashes: np.ndarray, vectors: np.ndarray, token_bytes: list[bytes | None]
    ) -> np.ndarray:
        missing = np.arange(len(hashes))
        for dataset in self.earlier:
            known = np.asarray(array_column(dataset, "text_hash"))
            order = np.argsort(known, kind="stable")
            place = np.searchsorted(known, hashes[missing], sorter=order)
            place = order[np.minimum(place, len(order) - 1)]
            hit = known[place] == hashes[missing]
            vectors[missing[hit]] = array_column(dataset, "vector")[place[hit]]
            if self.tokens:
                store = binary_column(dataset, "token_vectors")
                for row, source in zip(missing[hit], place[hit], strict=True):
                    token_bytes[row] = bytes(store.bytes_at(source))
            missing = missing[~hit]
        return missing


class _EncodeAndWrite(_Encode):
    """While a GPU computes one block, the next is read and tokenised and the last is written."""

    def __init__(self, transform: EmbedTexts, write: WriteParts) -> None:
        super().__init__(transform)
        self.write = write

    def setup(self) -> None:
        super().setup()
        self.at_once = self.encoder.blocks_at_once
        self.threads = ThreadPoolExecutor(self.at_once, thread_name_prefix="embed")
        self.under_way: deque[Future[tuple[str, dict[str, int]]]] = deque()

    def process(self, block: Block) -> Iterator[str]:  # type: ignore[override]
        if self.at_once == 1:
            yield self._counted(*self._part(block))
            return
        self.under_way.append(self.threads.submit(self._part, block))
        while len(self.under_way) > self.at_once:
            yield self._counted(*self.under_way.popleft().result())

    def finish_bundle(self) -> Iterator[WindowedValue]:
        while self.under_way:
            name = self._counted(*self.under_way.popleft().result())
            yield WindowedValue(name, MIN_TIMESTAMP, (GlobalWindow(),))

    def teardown(self) -> None:
        self.threads.shutdown(cancel_futures=True)

    def _part(self, block: Block) -> tuple[str, dict[str, int]]:
        table, counts = self.table(block)
        name = self.write.written((block, table))
        return name, {**counts, "rows_written": table.num_rows}

    def _counted(self, name: str, counts: dict[str, int]) -> str:
        # Here, for Beam knows whose counters these are by the thread.
        for counter, number in counts.items():
            count(counter, number)
        return name


def packed_tokens(texts: Sequence[np.ndarray], bits: int) -> list[bytes]:
    """`token_vectors` of `schemas.tables.vectors` for what an encoder gives, text by text."""

    def packed(tokens: np.ndarray) -> bytes:
        return pack(from_bfloat16(tokens), bits).tobytes()

    with _packing, one_thread(), ThreadPoolExecutor(own_threads()) as threads:
        return list(threads.map(packed, texts))


def vectors_table(
    start: int, hashes: np.ndarray, vectors: np.ndarray, token_bytes: Sequence[bytes | None]
) -> pa.Table:
    """Rows of `schemas.tables.vectors` for positions `start ..`; vectors (n, dimension) float32."""
    flat = pa.array(vectors.reshape(-1), type=pa.float32())
    return pa.table(
        [
            pa.array(np.arange(start, start + len(vectors)), type=pa.int64()),
            pa.array(hashes, type=pa.uint64()),
            pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
            pa.array(token_bytes, type=pa.large_binary()),
        ],
        schema=tables.vectors(vectors.shape[1]),
    )
