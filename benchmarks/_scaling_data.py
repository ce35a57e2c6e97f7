"""A collection of any size for measurements: Zipf text, clustered vectors; the same every time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

VOCABULARY, WORDS, WIDTH, CLUSTERS = 200_000, 60, 384, 1_000
_EXPONENT = 1.05
_BLOCK = 4096
_SYLLABLES = [a + b for a, b in zip("bcdfghjklmnprstvwxyz", "aeiouaeiouaeiouaeiou", strict=True)]
_VECTOR = pa.list_(pa.float32(), WIDTH)


@dataclass(frozen=True)
class Collection:
    """So many documents, and queries of one positive each, in a folder of Parquet files."""

    folder: Path
    documents: int
    queries: int

    def config(self) -> dict[str, object]:
        """The sections `input` and `student` of a run over it."""
        names = ("documents", "queries", "qrels")
        vectors = {n: str(self.folder / f"{n}-vectors.parquet") for n in names[:2]}
        files = {name: str(self.folder / f"{name}.parquet") for name in names}
        return {"input": {"format": "parquet", **files}, "student": {"vectors": vectors}}

    def write(self) -> None:
        """Make the files, unless they are there; a block of documents is in memory at a time.

        Document i is the same in a collection of any size. A query takes its positive's words and
        vector, half of them; positives are spread evenly over the documents.
        """
        if (self.folder / "done").is_file():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        words = np.array(list(_words()), dtype=object)
        share = np.cumsum(np.arange(1, VOCABULARY + 1, dtype=np.float64) ** -_EXPONENT)
        share /= share[-1]
        positives = np.arange(self.queries) * (self.documents // self.queries)
        out = {
            "documents": pa.schema({"doc_id": pa.string(), "text": pa.string()}),
            "queries": pa.schema({"query_id": pa.string(), "text": pa.string()}),
            "qrels": pa.schema({"query_id": pa.string(), "doc_id": pa.string()}),
            "documents-vectors": pa.schema({"id": pa.string(), "vector": _VECTOR}),
            "queries-vectors": pa.schema({"id": pa.string(), "vector": _VECTOR}),
        }
        writers = {n: pq.ParquetWriter(self.folder / f"{n}.parquet", s) for n, s in out.items()}
        for start in range(0, self.documents, _BLOCK):
            stop = min(start + _BLOCK, self.documents)
            rows = self._block(start, stop, words, share, positives)
            for name, columns in rows.items():
                writers[name].write_table(pa.table(columns, schema=out[name]))
        for writer in writers.values():
            writer.close()
        (self.folder / "done").touch()

    def _block(
        self, start: int, stop: int, words: np.ndarray, share: np.ndarray, positives: np.ndarray
    ) -> dict[str, list[object]]:
        draw = np.random.Generator(np.random.Philox(key=[7, start]))
        lengths = draw.integers(WORDS // 2, WORDS + WORDS // 2, _BLOCK)
        ends = np.cumsum(lengths)
        drawn = words[np.searchsorted(share, draw.random(ends[-1]))]
        texts = [drawn[end - size : end] for end, size in zip(ends, lengths, strict=True)]
        vectors = _unit(
            _centres()[draw.integers(0, CLUSTERS, _BLOCK)]
            + 1.2 * draw.normal(size=(_BLOCK, WIDTH)).astype(np.float32) / np.sqrt(WIDTH)
        )
        own = positives[(positives >= start) & (positives < stop)] - start
        noise = draw.normal(size=(_BLOCK, WIDTH)).astype(np.float32) / np.sqrt(WIDTH)
        asked = _unit(vectors[own] + noise[own])
        ids = [f"d{i}" for i in range(start, stop)]
        names = [f"q{start + i}" for i in own]
        return {
            "documents": [ids, [" ".join(text) for text in texts[: stop - start]]],
            "queries": [names, [" ".join([*texts[i][::8], *texts[i - 1][:2]]) for i in own]],
            "qrels": [names, [ids[i] for i in own]],
            "documents-vectors": [ids, _lists(vectors[: stop - start])],
            "queries-vectors": [names, _lists(asked)],
        }


def _words() -> Iterator[str]:
    base = len(_SYLLABLES)
    for number in range(VOCABULARY):
        word = ""
        while True:
            number, digit = divmod(number, base)
            word += _SYLLABLES[digit]
            if not number:
                break
        yield word


def _centres() -> np.ndarray:
    draw = np.random.Generator(np.random.Philox(key=[11, 0]))
    return _unit(draw.normal(size=(CLUSTERS, WIDTH)).astype(np.float32))


def _unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / norms, dtype=np.float32)


def _lists(vectors: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), WIDTH)
