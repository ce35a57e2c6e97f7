"""Texts of a known number of tokens, as data sets and as pairs, and the models that read them."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks import _peer_data
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.models.weights import find_folder

TOKENS = 256
_SPECIAL = 2
_PART = 8192


def model() -> str:
    """Folder of the encoder whose weights come with a package."""
    return str(find_folder("all-MiniLM-L6-v2"))


def words(folder: str) -> np.ndarray:
    """Lower-case words that are one token each."""
    from transformers import AutoTokenizer

    vocabulary = AutoTokenizer.from_pretrained(folder).get_vocab()
    found = [w for w in vocabulary if w.isascii() and w.isalpha() and w.islower() and len(w) > 2]
    return np.array(sorted(found))


def texts(vocabulary: np.ndarray, rows: int, tokens: int, seed: int) -> list[str]:
    """Different texts of so many tokens, those that begin and end a text included."""
    drawn = np.random.default_rng(seed).choice(len(vocabulary), (rows, tokens - _SPECIAL))
    return [" ".join(row) for row in vocabulary[drawn]]


def as_documents(some: list[str], folder: Path) -> Dataset:
    """Parts of a data set with these texts, of as many rows as ingest writes."""
    schema = pa.schema([pa.field("text", pa.string(), nullable=False)])
    for block in plan_blocks(len(some), _PART):
        rows = pa.table([some[block.start : block.stop]], schema=schema)
        write_part(str(folder), block.part, rows, schema)
    made = Dataset(str(folder))
    made.finish()
    return made


def judge(folder: Path, vocabulary: np.ndarray) -> str:
    """A cross-encoder of MiniLM-L6 size with random weights."""
    sample = texts(vocabulary, 32, 64, seed=1)
    pairs = list(zip(sample[:16], sample[16:], strict=True))
    return _peer_data.cross_encoder(folder, "minilm-l6", pairs, model())


def pairs(vocabulary: np.ndarray, rows: int, tokens: int) -> list[tuple[str, str]]:
    """A sixteenth of the tokens in the query, the rest in the document, three of the model's."""
    query = tokens // 16
    first = texts(vocabulary, rows, query + _SPECIAL, seed=2)
    second = texts(vocabulary, rows, tokens - query - 3 + _SPECIAL, seed=3)
    return list(zip(first, second, strict=True))
