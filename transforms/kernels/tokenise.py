"""Texts to terms for lexical retrieval: words, stop words, stems."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import Stemmer

from schemas.errors import ConfigError

_WORD = re.compile(r"\w\w+", re.UNICODE)
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
    """Words of two or more characters, NFKC and casefolded, without stop words, stemmed.

    `language` is one of PyStemmer's algorithms; None keeps every word as it is. Languages without
    a list of stop words here are stemmed only. Raises ConfigError for a language not known.
    """

    def __init__(self, language: str | None) -> None:
        self.language = language
        self._stop_words: frozenset[str] = frozenset()
        self._stemmer = None
        if language is not None:
            known = Stemmer.algorithms()
            if language not in known:
                raise ConfigError(
                    f"sources.bm25.language is {language!r}; choose null or one of "
                    f"{', '.join(known)}"
                )
            self._stop_words = STOP_WORDS.get(language, frozenset())
            self._stemmer = Stemmer.Stemmer(language, _STEMS_KEPT)

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Terms of these texts; each distinct word is stemmed once."""
        words = [_WORD.findall(unicodedata.normalize("NFKC", text).casefold()) for text in texts]
        seen: dict[str, int] = {}
        raw = np.fromiter(
            (seen.setdefault(word, len(seen)) for word in chain.from_iterable(words)),
            dtype=np.int64,
        )
        offsets = np.zeros(len(words) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in words], out=offsets[1:])

        kept = [word not in self._stop_words for word in seen]
        stems = list(seen) if self._stemmer is None else self._stemmer.stemWords(list(seen))
        vocabulary = sorted({stem for stem, keep in zip(stems, kept, strict=True) if keep})
        number = {term: position for position, term in enumerate(vocabulary)}
        mapping = np.array(
            [number[stem] if keep else -1 for stem, keep in zip(stems, kept, strict=True)],
            dtype=np.int64,
        )
        numbers = mapping[raw] if len(raw) else raw
        keep_token = numbers >= 0
        before = np.concatenate([[0], np.cumsum(keep_token)])
        return Tokens(vocabulary, numbers[keep_token], before[offsets])
