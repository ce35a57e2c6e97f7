"""Texts to terms for lexical retrieval: words, stop words, stems."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import Stemmer

from negmine.schemas.errors import ConfigError
from negmine.schemas.languages import analyser_of
from negmine.transforms.kernels.text import raw_terms, terms

AUTO = "auto"
"""The `sources.bm25.language` that takes each text's own."""
_STEMS_KEPT = 50_000

# Lucene's EnglishAnalyzer, Apache License 2.0
_ENGLISH_WORDS = (
    "a an and are as at be but by for if in into is it no not of on or such that the their then "
    "there these they this to was will with"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
STOP_WORDS: dict[str, frozenset[str]] = {"english": _ENGLISH, "porter": _ENGLISH}


class Tokens(NamedTuple):
    """Terms of a block of texts.

    Text i holds `vocabulary[numbers[offsets[i]:offsets[i + 1]]]`, in reading order. `vocabulary`
    is sorted by code point and holds no term that does not occur; `numbers` is (tokens,) int64,
    `offsets` (texts + 1,) int64.
    """

    vocabulary: list[str]
    numbers: np.ndarray
    offsets: np.ndarray

    def frequencies(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Text, term number and count of every distinct pair, sorted by text, then term."""
        texts = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        width = max(len(self.vocabulary), 1)
        pairs, counts = np.unique(texts * width + self.numbers, return_counts=True)
        return pairs // width, pairs % width, counts


class Tokeniser:
    """Terms of texts, see `transforms.kernels.text.terms`, without stop words, words stemmed.

    `language` is one of PyStemmer's algorithms; None keeps every word as it is; `auto` takes the
    language that is told of each text. Languages without a list of stop words here are stemmed
    only. Raises ConfigError for a language not known.
    """

    def __init__(self, language: str | None) -> None:
        self.language = language
        self._own: dict[str | None, Tokeniser] = {}
        self._stop_words: frozenset[str] = frozenset()
        self._stemmer = None
        if language is not None and language != AUTO:
            known = Stemmer.algorithms()
            if language not in known:
                raise ConfigError(
                    f"sources.bm25.language is {language!r}; choose null, auto or one of "
                    f"{', '.join(known)}"
                )
            self._stop_words = STOP_WORDS.get(language, frozenset())
            self._stemmer = Stemmer.Stemmer(language, _STEMS_KEPT)

    def __call__(
        self, texts: Sequence[str], languages: Sequence[str | None] | None = None
    ) -> Tokens:
        """Terms of these texts; each distinct piece is taken apart, each word stemmed once.

        `languages` are their codes, which `auto` reads and nothing else: a text without one, or
        of one that PyStemmer has no algorithm for, keeps its words.
        """
        if self.language == AUTO:
            return self._by_language(texts, languages or [None] * len(texts))
        return self._tokens(texts)

    def _by_language(self, texts: Sequence[str], languages: Sequence[str | None]) -> Tokens:
        rows: dict[str | None, list[int]] = {}
        for row, code in enumerate(languages):
            rows.setdefault(analyser_of(code), []).append(row)
        parts = []
        for analyser, some in rows.items():
            if analyser not in self._own:
                self._own[analyser] = Tokeniser(analyser)
            parts.append((some, self._own[analyser]([texts[row] for row in some])))
        vocabulary = sorted({term for _, part in parts for term in part.vocabulary})
        number = {term: at for at, term in enumerate(vocabulary)}
        terms_of: list[np.ndarray] = [np.empty(0, dtype=np.int64)] * len(texts)
        for some, part in parts:
            mapped = np.fromiter((number[term] for term in part.vocabulary), dtype=np.int64)
            for place, row in enumerate(some):
                low, high = part.offsets[place : place + 2]
                terms_of[row] = mapped[part.numbers[low:high]]
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(found) for found in terms_of], out=offsets[1:])
        numbers = np.concatenate([np.empty(0, dtype=np.int64), *terms_of])
        return Tokens(vocabulary, numbers, offsets)

    def _tokens(self, texts: Sequence[str]) -> Tokens:
        pieces = [raw_terms(text) for text in texts]
        seen: dict[str, int] = {}
        raw = np.fromiter(
            (seen.setdefault(piece, len(seen)) for piece in chain.from_iterable(pieces)),
            dtype=np.int64,
        )
        found = self._terms(list(seen))
        vocabulary = sorted(set(chain.from_iterable(found)))
        number = {term: position for position, term in enumerate(vocabulary)}
        own = np.fromiter((number[term] for term in chain.from_iterable(found)), dtype=np.int64)
        counts = np.array([len(row) for row in found], dtype=np.int64)
        numbers, lengths = _gather(own, counts, raw)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        before = np.zeros(len(pieces) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in pieces], out=before[1:])
        return Tokens(vocabulary, numbers, ends[before])

    def _terms(self, pieces: list[str]) -> list[list[str]]:
        """Terms of each piece, words stemmed and without stop words."""
        split = [terms(piece) for piece in pieces]
        words = list(dict.fromkeys(chain.from_iterable(row for row, _ in split)))
        stems = words if self._stemmer is None else self._stemmer.stemWords(words)
        stem = dict(zip(words, stems, strict=True))
        for word in self._stop_words:
            stem.pop(word, None)
        return [[*(stem[word] for word in row if word in stem), *kept] for row, kept in split]


def _gather(values: np.ndarray, counts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows of a ragged array, one after another, and the length of each."""
    lengths = counts[rows]
    first = (np.cumsum(counts) - counts)[rows]
    before = np.cumsum(lengths) - lengths
    return values[np.repeat(first - before, lengths) + np.arange(lengths.sum())], lengths
