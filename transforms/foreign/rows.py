"""What every reader of foreign negatives yields: a row with its query, positives and negatives."""

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


class Negative(NamedTuple):
    """A negative: the name of its list ("" where a row has one), its place from 1, the document."""

    list: str
    place: int
    document: Passage


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
