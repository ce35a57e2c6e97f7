"""Embed texts block by block; a text that an earlier artifact holds is copied from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import apache_beam as beam
import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels import underway
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.steps import Step

if TYPE_CHECKING:
    from negmine.transforms.models.specs import EncoderSpec, Kind


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
            for row, source in zip(missing, inverse, strict=True):
                token_bytes[row] = encoded.token_vectors[source].tobytes()
        count("rows_read", len(texts))
        count("texts_encoded", len(unique))
        count("texts_reused", len(texts) - len(missing))
        yield block, vectors_table(block.start, hashes, vectors, token_bytes)

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
