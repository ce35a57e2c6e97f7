"""JSON objects of a file: one a line, or the elements of one array, streamed."""

import codecs
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.limits import Unpacked
from negmine.transforms.readers.tables.lines import held_bytes, lines, open_bytes, parsed
from negmine.transforms.readers.tables.names import usual
from negmine.transforms.storage.digests import Digest
from negmine.transforms.storage.suffixes import compression_of

HEAD = 200
"""Objects that are looked at for the columns there are."""

_LAYOUTS = 10_000
"""Sets of keys whose columns are remembered."""

Object = tuple[int, JsonObject | Rejected, bytes]
_CHUNK = 1 << 20
_SPACE = " \t\r\n"
_START = 4096


def objects(
    path: str, cap: int, most: int | None = None, digest: Digest | None = None
) -> Iterator[Object]:
    """Number from 1, object or why there is none, and the bytes, of each object of a file.

    The number is the line's or, of an array, the element's. An array takes memory for one element
    of at most `cap` bytes; `most` and `digest` as in `lines`. Raises DataError where the file is
    damaged, is an array that is not whole, or is one value that spans lines, and, after the last
    object, where what was read has not the digest.
    """
    with open_bytes(path) as file:
        try:
            start = file.read(_START).removeprefix(b"\xef\xbb\xbf").lstrip()
        except OSError:
            start = b""
    if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"{", b"") and start.strip() != b"[]":
        yield from _elements(path, cap, most, digest)
        return
    for number, data, size in lines(path, cap, most, digest):
        try:
            yield number, parsed(data, size), data
        except Rejected as why:
            if number == 1 and data.rstrip()[-1:] in (b"{", b"["):
                raise DataError(
                    f"{path} is one JSON value over several lines; expected one object a line, or "
                    "one array of objects. Write it so: jq -c '.' (or '.NAME[]' for the list NAME "
                    f"in it) {path} > FILE.jsonl"
                ) from None
            yield number, why, data


def keys(path: str, cap: int, most: int | None = None) -> list[str]:
    """Keys of the first objects of a file, in the order in which they come."""
    found: dict[str, None] = {}
    for _, record, _ in islice(objects(path, cap, most), HEAD):
        if not isinstance(record, Rejected):
            found.update(dict.fromkeys(record))
    return list(found)


class LateColumns:
    """The columns that are read of each object of a file, some of which only later ones have.

    Those that the first objects have are the same in all; of a role of which these have none,
    such as a title, each object's own of a usual name is read.
    """

    def __init__(self, known: Sequence[str | None], roles: Sequence[str | None]) -> None:
        """`roles` has the role of each of `known` that may come late, None for the others."""
        self._known = list(known)
        pairs = enumerate(zip(known, roles, strict=True))
        self._open = [(at, role) for at, (name, role) in pairs if name is None and role]
        self._seen: dict[tuple[str, ...], list[str | None]] = {}

    def values(self, record: JsonObject) -> list[object]:
        """The values of an object, None for what it has not."""
        columns = self._columns(tuple(record)) if self._open else self._known
        return [None if name is None else record.get(name) for name in columns]

    def _columns(self, names: tuple[str, ...]) -> list[str | None]:
        found = self._seen.get(names)
        if found is None:
            found = list(self._known)
            for at, role in self._open:
                name = usual(role, names)
                found[at] = None if name in self._known else name
            if len(self._seen) < _LAYOUTS:
                self._seen[names] = found
        return found


class _Repeats:
    """Decodes a value and remembers the key that an object has twice."""

    def __init__(self) -> None:
        self.key: str | None = None
        self.decoder = json.JSONDecoder(object_pairs_hook=self._object)

    def forget(self) -> None:
        """Begin the next value."""
        self.key = None

    def _object(self, pairs: list[tuple[str, object]]) -> JsonObject:
        value = dict(pairs)
        if len(value) < len(pairs) and self.key is None:
            names = [name for name, _ in pairs]
            self.key = next(name for at, name in enumerate(names) if name in names[:at])
        return value


class _Buffer:
    """The text of a file from a place on; grows as more is needed, and forgets what was read."""

    def __init__(self, path: str, file: BinaryIO, most: int | None) -> None:
        limit = most if compression_of(path) else 1 << 62
        self.path, self.file, self.unpacked = path, file, Unpacked(path, limit)
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        self.text, self.at, self.ended = "", 0, False

    def more(self, count: int = _CHUNK) -> bool:
        """Read on; False at the end of the file. Raises DataError where it is damaged."""
        if self.ended:
            return False
        try:
            data = self.file.read(count)
        except OSError as error:
            raise DataError(
                f"{self.path} is cut off or damaged ({error}); fetch it again"
            ) from error
        self.unpacked.add(len(data))
        self.ended = not data
        self.text = self.text[self.at :] + self.decoder.decode(data, self.ended)
        self.at = 0
        return True

    def mark(self) -> str:
        """The next character that is no white space, left where it is; empty at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""


def _elements(path: str, cap: int, most: int | None, digest: Digest | None) -> Iterator[Object]:
    with held_bytes(path, digest) as file:
        buffer = _Buffer(path, file, most)
        buffer.mark()
        buffer.at += 1
        number, repeats = 0, _Repeats()
        while True:
            number += 1
            yield _element(buffer, repeats, number, cap)
            following = buffer.mark()
            if following == "]":
                break
            if following != ",":
                raise _broken(path, number, f"{following!r} instead of a comma or ]")
            buffer.at += 1
        buffer.at += 1
        if buffer.mark():
            raise _broken(path, number, "more text behind the closing ]")


def _element(buffer: _Buffer, repeats: _Repeats, number: int, cap: int) -> Object:
    """The element where the buffer stands; moves the buffer behind it."""
    buffer.mark()
    while True:
        start = buffer.at
        repeats.forget()
        try:
            value, end = repeats.decoder.raw_decode(buffer.text, start)
        except json.JSONDecodeError as error:
            if len(buffer.text) - start > cap or not buffer.more(max(_CHUNK, len(buffer.text))):
                raise _broken(buffer.path, number, error.msg) from None
            continue
        except (ValueError, RecursionError) as error:
            raise _broken(buffer.path, number, str(error)[:80]) from None
        # A number at the end of what was read may go on.
        if end == len(buffer.text) and buffer.more():
            continue
        raw = buffer.text[start:end].encode("utf-8", "replace")
        size = end - start
        buffer.at = end
        if size > cap:
            why = Rejected("too_long", f"element of {size} characters is over the cap of {cap}")
            return number, why, raw
        if repeats.key is not None:
            why = Rejected("repeated_key", f"the key {repeats.key[:40]!r} stands twice")
            return number, why, raw
        if not isinstance(value, dict):
            kind = type(value).__name__
            return number, Rejected("not_an_object", f"JSON {kind}, expected an object"), raw
        return number, value, raw


def _broken(path: str, number: int, what: str) -> DataError:
    return DataError(
        f"{path} is a JSON array that is broken at element {number} ({what}); mend it, or write "
        "one object a line, of which a broken one costs only itself"
    )
