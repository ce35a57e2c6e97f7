"""The one sentence of a positive that says what the query asks or claims."""

import re
from functools import lru_cache

import Stemmer

from negmine.transforms.kernels.editing.edit import Asked, words
from negmine.transforms.kernels.editing.words import FUNCTION_WORDS

_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])|\n{2,}")
_ABBREVIATED = re.compile(r"(?:\b(?:[A-Z]|e\.g|i\.e|cf|vs|al|Dr|Mr|Mrs|Ms|St|Fig|No|ca|approx))\.$")
_LEAST_TERMS = 3
_LEAST_SHARE = 0.6
"""Share of the query's terms that the answering sentence has, at least."""
_SECOND = 1 / 3
"""No other sentence has this share of what the answering one has: it may say it again."""


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The English stem of a word, case folded."""
    return str(_stemmer().stemWord(word.casefold()))


@lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def terms(text: str) -> set[str]:
    """Stems of the words of a text that are no function words."""
    found = (word.group().casefold() for word in words(text))
    return {stem(word) for word in found if word not in FUNCTION_WORDS and len(word) > 1}


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of an English text."""
    spans, start = [], 0
    for end in _END.finditer(text):
        if _ABBREVIATED.search(text[start : end.start()]):
            continue
        spans.append((start, end.start()))
        start = end.end()
    return [*spans, (start, len(text))]


@lru_cache(maxsize=4)
def answering(asked: Asked) -> tuple[int, int] | None:
    """Span of the only sentence of the positive that says what the query does; None without one.

    It has at least three of the query's terms and 60 % of them, and every other sentence has less
    than a third as many. Where two sentences say it, an edit of one leaves the other true.
    """
    wanted = terms(asked.query)
    spans = sentences(asked.positive)
    shared = [len(wanted & terms(asked.positive[start:end])) for start, end in spans]
    best = max(shared)
    if best < max(_LEAST_TERMS, _LEAST_SHARE * len(wanted)):
        return None
    if sum(count >= _SECOND * best for count in shared) > 1:
        return None
    return spans[shared.index(best)]
