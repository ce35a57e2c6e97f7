"""What an edit is, and what every operation is given."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from negmine.transforms.kernels.editing.words import FUNCTION_WORDS
from negmine.transforms.kernels.hashing import mix, text_keys

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LEAST_ENGLISH = 0.2
"""Share of an English text's words that are function words, at least; running text has about 0.4,
titles fewer, and German, French or Spanish under 0.1 of these."""


@dataclass(frozen=True)
class Edit:
    """A text made from a positive.

    Attributes:
        operation: name of what was done.
        start, end: the first span of the positive that changed, in characters.
        original, replacement: what stood there, and what stands there now.
        occurrences: how many spans changed.
        text: the whole text after it.
    """

    operation: str
    start: int
    end: int
    original: str
    replacement: str
    occurrences: int
    text: str


@dataclass(frozen=True)
class Asked:
    """A query and one of its positives.

    Attributes:
        query, positive: their texts.
        known: the texts of all of the query's positives; no edit may bring in what they say.
        key: uint64; with a name it keys every choice.
        ratings: concreteness of words, 0 to 1; empty where there is none.
    """

    query: str
    positive: str
    known: tuple[str, ...]
    key: int
    ratings: Mapping[str, float] = field(default_factory=dict, compare=False)

    @cached_property
    def stated(self) -> str:
        """Query and positives in one text, case folded: what a replacement must not be part of."""
        return "\n".join([self.query, self.positive, *self.known]).casefold()

    @cached_property
    def english(self) -> bool:
        """Whether query and positive look like English, by their function words."""
        return is_english(self.positive) and (is_english(self.query) or self.query.isascii())

    def order(self, name: str, choices: Iterable[str]) -> list[str]:
        """The distinct choices in an order of their own for each query, positive and name."""
        distinct = sorted(set(choices))
        if len(distinct) < 2:
            return distinct
        named = text_keys([name])
        keys = mix(self.key, named, text_keys(distinct))
        return [distinct[at] for at in np.argsort(keys, kind="stable")]

    def by_concreteness(self, name: str, choices: Iterable[str]) -> list[str]:
        """As `order`, the most concrete first and those without a rating last."""
        return sorted(
            self.order(name, choices), key=lambda c: -self.ratings.get(c.casefold(), -1.0)
        )


Operation = Callable[[Asked], Edit | None]


def words(text: str) -> list[re.Match[str]]:
    """The words of a text, those with hyphens and apostrophes whole."""
    return list(_WORD.finditer(text))


def is_english(text: str) -> bool:
    """Whether a fifth of the words are English function words."""
    found = [word.group().casefold() for word in words(text[:4000])]
    known = sum(word in FUNCTION_WORDS for word in found)
    return bool(found) and known >= _LEAST_ENGLISH * len(found)


def replaced(
    operation: str, text: str, spans: Sequence[tuple[int, int]], by: Sequence[str]
) -> Edit:
    """The edit that puts `by[i]` in place of span i; spans in order, at least one."""
    pieces, last = [], 0
    for (start, end), new in zip(spans, by, strict=True):
        pieces += [text[last:start], new]
        last = end
    whole = "".join([*pieces, text[last:]])
    start, end = spans[0]
    return Edit(operation, start, end, text[start:end], by[0], len(spans), whole)
