"""WordPiece by a table of words: what a BERT tokeniser gives, ten times as fast on one core.

BERT's normaliser and its splitting look at one character at a time and never across a space, so the
tokens of a text are those of its words, one after another. Each different word is tokenised once,
and texts are looked up: split, numbered and put together as whole arrays.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

_MOST_WORDS = 200_000
"""Words in the table; with more it begins anew."""


_SEGMENTS = np.array([0, 0, 0, 1, 1], dtype=np.int32)
"""Of special tokens before, the first text, those between, the second text, those after."""


@dataclass(frozen=True)
class Pieces:
    """Tokens of some texts, without special ones: row i is `ids[offsets[i]:offsets[i+1]]`."""

    ids: np.ndarray
    offsets: np.ndarray


class WordTable:
    """The tokens of words, remembered."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """`tokenizer` neither pads nor truncates."""
        self._tokenizer = tokenizer
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._words = pa.array([], type=pa.large_string())
        self._ids = np.empty(0, dtype=np.int32)
        self._starts = np.zeros(1, dtype=np.int64)

    def pieces(self, texts: Sequence[str]) -> Pieces:
        """Tokens of texts, all of them. Raises UnicodeError for text that is not."""
        split = pc.split_pattern(pa.array(texts, type=pa.large_string()), " ")
        words = split.flatten().dictionary_encode()
        places, ids, starts = self._look_up(words.dictionary)
        word = places[words.indices.to_numpy()]
        lengths = starts[word + 1] - starts[word]
        ends = np.concatenate(([0], np.cumsum(lengths)))
        ids = gather(ids, starts[word], lengths)
        counts = pc.list_value_length(split).to_numpy()
        return Pieces(ids, ends[np.concatenate(([0], np.cumsum(counts)))])

    def _look_up(self, words: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places of words in the table, and the table: ids, and where each word's begin."""
        with self._lock:
            if len(self._words) > _MOST_WORDS:
                self._clear()
            known, ids, starts = self._words, self._ids, self._starts
        # Arrow searches without the interpreter's lock, so other threads go on.
        places = pc.fill_null(pc.index_in(words, value_set=known), -1).to_numpy().astype(np.int64)
        if (places >= 0).all():
            return places, ids, starts
        with self._lock:
            return self._learned(words)

    def _learned(self, words: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        places = pc.index_in(words, value_set=self._words)
        new = words.filter(pc.is_null(places))
        places = pc.fill_null(places, -1).to_numpy().astype(np.int64)
        found = self._tokenizer.encode_batch_fast(new.to_pylist(), add_special_tokens=False)
        rows = [np.array(one.ids, dtype=np.int32) for one in found]
        lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        places[places < 0] = np.arange(len(self._words), len(self._words) + len(new))
        self._words = pa.concat_arrays([self._words, new])
        self._ids = np.concatenate([self._ids, *rows])
        self._starts = np.concatenate([self._starts, self._starts[-1] + np.cumsum(lengths)])
        return places, self._ids, self._starts


def gather(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Slices of an array, one after another: `values[s:s+l]` of each start and length."""
    before = np.cumsum(lengths) - lengths
    places = np.repeat(starts - before, lengths)
    places += np.arange(len(places))
    return values[places]


class WordPieces:
    """A BERT tokeniser for whole arrays: special tokens and cut as its own settings say."""

    def __init__(self, table: WordTable, around: Sequence[Sequence[int]], most: int | None) -> None:
        """`around` are the tokens before, between and after; `most` those of a row in all."""
        self._table, self._around, self._most = table, around, most

    @classmethod
    def of(cls, tokenizer: Tokenizer, paired: bool) -> "WordPieces | None":
        """The same as `tokenizer`, or None where that is of another kind or set otherwise."""
        state = json.loads(tokenizer.to_str())
        cut = state["truncation"]
        if not _is_plain(state) or not (cut is None or _cuts_plainly(cut)):
            return None
        bare = Tokenizer.from_str(tokenizer.to_str())
        bare.no_padding()
        bare.no_truncation()
        around = _around(bare, paired)
        if around is None:
            return None
        return cls(WordTable(bare), around, int(cut["max_length"]) if cut else None)

    def __call__(
        self, inputs: Sequence[Sequence[str]]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids and segments, flat, and offsets of the rows; `inputs` are tuples of one or two."""
        parts = len(inputs[0])
        unique = {text: 0 for one in inputs for text in one}
        unique = dict(zip(unique, range(len(unique)), strict=True))
        pieces = self._table.pieces(list(unique))
        places = np.array([[unique[text] for text in one] for one in inputs])
        lengths = np.diff(pieces.offsets)[places]
        if self._most is not None:
            lengths = _cut(lengths, self._most - sum(map(len, self._around)))
        special = np.concatenate([np.asarray(one, dtype=np.int32) for one in self._around])
        sizes = np.array([len(one) for one in self._around])
        at = len(pieces.ids) + np.cumsum(sizes) - sizes
        rows, columns = len(inputs), 2 * parts + 1
        starts = np.empty((rows, columns), dtype=np.int64)
        counts = np.empty((rows, columns), dtype=np.int64)
        starts[:, 0::2], counts[:, 0::2] = at, sizes
        starts[:, 1::2], counts[:, 1::2] = pieces.offsets[:-1][places], lengths
        every = np.concatenate([pieces.ids, special])
        ids = gather(every, starts.ravel(), counts.ravel())
        types = np.repeat(np.tile(_SEGMENTS[:columns], rows), counts.ravel())
        return ids, types, np.concatenate(([0], np.cumsum(counts.sum(axis=1))))


def _cut(lengths: np.ndarray, most: int) -> np.ndarray:
    """Lengths (rows, parts) cut to `most` in all, the longest first, as the library does it."""
    if lengths.shape[1] == 1:
        return np.minimum(lengths, most)
    short, long = lengths.min(axis=1), lengths.max(axis=1)
    kept = np.where(short > most, short, np.maximum(short, most - short))
    halves = short + kept > most
    first = np.where(halves, most // 2, short)
    second = np.where(halves, most // 2 + most % 2, kept)
    swapped = lengths[:, 0] > lengths[:, 1]
    cut = np.stack([np.where(swapped, second, first), np.where(swapped, first, second)], axis=1)
    return np.where((short + long > most)[:, None], np.minimum(cut, lengths), lengths)


def _is_plain(state: dict) -> bool:
    kinds = [(state[part] or {}).get("type") for part in ("model", "normalizer", "pre_tokenizer")]
    plain = kinds == ["WordPiece", "BertNormalizer", "BertPreTokenizer"]
    odd = ("lstrip", "rstrip", "single_word")
    tokens = state["added_tokens"]
    return plain and not any(" " in one["content"] or any(one[k] for k in odd) for one in tokens)


def _cuts_plainly(cut: dict) -> bool:
    return cut["direction"] == "Right" and cut["strategy"] == "LongestFirst" and not cut["stride"]


def _around(bare: Tokenizer, paired: bool) -> list[list[int]] | None:
    """Special tokens before, between and after, found by two words of one token each."""
    words = (w for w in sorted(bare.get_vocab()) if w.isascii() and w.isalpha() and w.islower())
    single = (w for w in words if len(bare.encode(w, add_special_tokens=False).ids) == 1)
    marks = list(islice(single, 2))
    if len(marks) < 2:
        return None
    asked = marks[: 1 + paired]
    found = (bare.encode(asked[0], asked[1]) if paired else bare.encode(asked[0])).ids
    own = [bare.encode(mark, add_special_tokens=False).ids[0] for mark in asked]
    if any(found.count(one) != 1 for one in own):
        return None
    cuts = [found.index(one) for one in own]
    starts, ends = [0, *(cut + 1 for cut in cuts)], [*cuts, len(found)]
    return [found[start:end] for start, end in zip(starts, ends, strict=True)]
