"""Delimited text, record by record: CSV, tab-separated lines, lines cut at white space."""

import csv
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from negmine.schemas.errors import DataError
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.limits import Unpacked
from negmine.transforms.readers.tables.lines import decoded, held_bytes, lines, open_bytes
from negmine.transforms.storage.digests import Digest
from negmine.transforms.storage.suffixes import compression_of

HEAD = 100
"""Records after the first that are looked at to tell whether the first is a header."""

Record = tuple[int, list[Any] | Rejected, bytes]
_DELIMITERS = (",", ";", "\t")
_QUOTE = '"'
_RECORDS, _SNIFFED = 30, 1 << 16
"""Lines that the delimiter is told by, and how much of each."""

csv.field_size_limit(sys.maxsize)


class Text(NamedTuple):
    """A delimited file and how it is read: `kind` is csv or tsv.

    `cap`, `most`, `digest` and `encoding` are as in `lines`. With `spaces` a line
    without a tab is cut at white space.
    """

    path: str
    kind: str
    cap: int
    most: int | None
    spaces: bool = False
    digest: Digest | None = None
    encoding: str = "utf-8"


def records(text: Text) -> Iterator[Record]:
    """Line number, fields or why there are none, and the line, of each record that is not blank.

    Fields are as they are written: nothing is stripped. Of tab-separated lines a field that stands
    in double quotes, with those inside it doubled, is unquoted; a record is a line. CSV records may
    hold line ends in quotes. Raises DataError where the file is damaged or a quote never closes
    and, after the last record, where what was read has not the file's digest.
    """
    return _csv_records(text) if text.kind == "csv" else _tsv_records(text)


def _tsv_records(text: Text) -> Iterator[Record]:
    for number, data, size in lines(text.path, text.cap, text.most, text.digest, text.encoding):
        try:
            line = decoded(data, size)
        except Rejected as why:
            yield number, why, data
            continue
        if text.spaces and "\t" not in line:
            yield number, line.split(), data
        elif _QUOTE in line:
            yield number, [unquoted(field) for field in line.split("\t")], data
        else:
            yield number, line.split("\t"), data


def quoted(identifier: str) -> str:
    """An identifier as a field that `records` reads back from a line of tab-separated ones.

    Raises DataError where it holds a tab or a line end: no such line has room for those.
    """
    if not identifier.isprintable() and set(identifier) & set("\t\n\r"):
        raise DataError(
            f"the identifier {identifier!r:.120} holds a tab or a line end, which qrels have no "
            "room for; give it another in the input"
        )
    if identifier[:1] != _QUOTE:
        return identifier
    return f"{_QUOTE}{identifier.replace(_QUOTE, 2 * _QUOTE)}{_QUOTE}"


def unquoted(field: str) -> str:
    """A field without its quotes, where it is quoted as CSV quotes: wholly, those inside doubled.

    Any other field is what it is.
    """
    if len(field) < 2 or field[0] != _QUOTE or field[-1] != _QUOTE:
        return field
    inner = field[1:-1]
    if _QUOTE in inner.replace(2 * _QUOTE, ""):
        return field
    return inner.replace(2 * _QUOTE, _QUOTE)


class _Lines:
    """Lines of a CSV file for the parser; counts what a record takes."""

    def __init__(self, text: Text, file: Iterator[bytes]) -> None:
        self.text = text
        self.file = file
        self.unpacked = Unpacked(text.path, text.most if compression_of(text.path) else sys.maxsize)
        self.number = self.start = 0
        self.taken: list[bytes] = []
        self.bytes = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        data = next(self.file)
        self.number += 1
        if self.number == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        if not self.taken:
            self.start = self.number
        self.unpacked.add(len(data))
        self.bytes += len(data)
        self.taken.append(data[: self.text.cap])
        if self.bytes > self.text.cap:
            raise DataError(
                f"{self.text.path} line {self.start}: a record of more than {self.text.cap:,} "
                "bytes; look for a quote there that opens and does not close"
            )
        return data.decode("utf-8", "surrogateescape")

    def clear(self) -> None:
        """Begin the next record."""
        self.taken, self.bytes = [], 0


def _csv_records(text: Text) -> Iterator[Record]:
    with held_bytes(text.path, text.digest, text.encoding) as file:
        found = _Lines(text, iter(lambda: file.readline(text.cap + 1), b""))
        delimiter, said = _delimiter(text)
        if said:
            next(found)
        reader = csv.reader(found, delimiter=delimiter, strict=True)
        while True:
            found.clear()
            try:
                fields = next(reader, None)
                if fields is None:
                    return
                broken = next((field for field in fields if not _is_text(field)), None)
                if broken is not None:
                    raise Rejected("broken_utf8", f"record is not {_named(text)}")
                if any(field.strip() for field in fields):
                    yield found.start, fields, b"".join(found.taken)
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise DataError(
                        f"{text.path}: a quote opens in the record of line {found.start} and never "
                        "closes; close it, or double the quotes inside quoted fields"
                    ) from None
                why = Rejected("wrong_quotes", f"not CSV: {error}")
                yield found.start, why, b"".join(found.taken)
            except Rejected as why:
                yield found.start, why, b"".join(found.taken)
            except OSError as error:
                raise DataError(
                    f"{text.path} is cut off or damaged after line {found.number} ({error}); "
                    "fetch it again"
                ) from error


def _named(text: Text) -> str:
    return "UTF-8" if text.encoding == "utf-8" else text.encoding


def _is_text(field: str) -> bool:
    return field.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in field)


def _delimiter(text: Text) -> tuple[str, bool]:
    """What cuts records, and whether line 1 says so, as spreadsheets write it: `sep=;`.

    The mark that cuts the first records into equally many fields, two or more. Where none or
    several do, the comma where the first line has one, else the semicolon, else the tab.
    """
    with open_bytes(text.path, encoding=text.encoding) as file:
        try:
            start = [file.readline(_SNIFFED).decode("utf-8", "replace") for _ in range(_RECORDS)]
        except OSError:
            return ",", False
    first = start[0].removeprefix("\ufeff")
    said = first.rstrip("\r\n").strip('"')
    if said.lower().startswith("sep=") and len(said) == 5:
        return said[-1], True
    marks = [mark for mark in _DELIMITERS if mark in first]
    fitting = [mark for mark in marks if _cuts_evenly(start, mark)]
    return (fitting or marks or [","])[0], False


def _cuts_evenly(start: list[str], mark: str) -> bool:
    """Whether records, the last aside, have equally many fields, two or more, cut at a mark."""
    try:
        found = [record for record in csv.reader(start, delimiter=mark) if any(record)]
    except csv.Error:
        return False
    whole = found[:-1] if len(found) > 2 else found
    return len({len(record) for record in whole}) == 1 and len(whole[0]) > 1


def head(text: Text, count: int = HEAD) -> tuple[list[str] | None, list[list[str]]]:
    """Fields of the first record, None where it has none, and of up to `count` after it."""
    found = [fields for _, fields, _ in islice(records(text), count + 1)]
    first = found[0] if found else None
    following = [fields for fields in found[1:] if not isinstance(fields, Rejected)]
    return (None if isinstance(first, Rejected) else first), following


def shown(fields: list[str]) -> str:
    """The start of a record for a message."""
    return ", ".join(repr(field[:40] + "…" if len(field) > 40 else field) for field in fields[:6])
