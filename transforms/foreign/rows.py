"""What every reader of foreign negatives yields: a row with its query, positives and negatives."""

import math
from typing import NamedTuple

from negmine.schemas.errors import DataError
from negmine.transforms.readers.rows import Rejected, identifier, joined

MOST_BYTES = 1 << 30
"""Longest text of an audited file."""


class Passage(NamedTuple):
    """A query or document: the file's own identifier, or None, and its text, "" where it has none.

    One of the two is there.
    """

    id: str | None
    text: str


SCORE = "score_not_finite"
"""What is wrong with a negative whose score, or whose positive's, is missing or no number."""


class Negative(NamedTuple):
    """A negative: the name of its list ("" where a row has one), its place from 1, the document.

    `fault`: what its row shows to be wrong with it, "" for nothing.
    """

    list: str
    place: int
    document: Passage
    fault: str = ""


class Row(NamedTuple):
    """A row or line, numbered from 1."""

    number: int
    query: Passage
    positives: tuple[Passage, ...]
    negatives: tuple[Negative, ...]


def text(value: object, what: str) -> Passage:
    """A passage that is only text. Raises Rejected."""
    return Passage(None, joined(value, None, MOST_BYTES, what))


def named(identity: object, value: object, title: object, what: str) -> Passage:
    """A passage with its identifier. Raises Rejected."""
    return Passage(identifier(identity, f"{what}'s id"), joined(value, title, MOST_BYTES, what))


def listed(value: object, what: str) -> list[object]:
    """A list that is not empty. Raises Rejected."""
    if not isinstance(value, list):
        found = "missing" if value is None else type(value).__name__
        raise Rejected("wrong_type", f"{what} is {found}, expected a list")
    if not value:
        raise Rejected("empty_list", f"{what} is an empty list")
    return value


def broken(path: str, number: int, why: Rejected, format: str, table: bool = False) -> DataError:
    """The error for people about a row that is not of the format."""
    return DataError(
        f"{path} {'row' if table else 'line'} {number}: {why.reason}; this is not a row of "
        f"--format {format}. Repair the file, or name another format"
    )


def is_finite(value: object) -> bool:
    """Whether it is a number that can be compared."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type]


def finite(below: object, count: int, above: object = None) -> list[str]:
    """The fault of each of `count` negatives, by their scores and those of the positives.

    Scores that are not there at all are no fault; where their number is another, all are.
    """
    if below is None:
        return [""] * count
    if not isinstance(below, list) or len(below) != count:
        return [SCORE] * count
    sound = above is None or (isinstance(above, list) and all(map(is_finite, above)))
    return ["" if sound and is_finite(score) else SCORE for score in below]
