"""Plain, gzip and zstd files, line by line as bytes, with a cap on the length of a line."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.limits import Unpacked
from negmine.transforms.readers.tables.transcoded import Transcoded, is_utf8
from negmine.transforms.storage.digests import Digest, Hashed, blamed, changed
from negmine.transforms.storage.suffixes import compression_of

_BUFFER = 1 << 20


def line_cap(max_text_bytes: int) -> int:
    """Bytes of a line that are kept: room for a text whose every byte is escaped in JSON."""
    return max(16 << 20, 8 * max_text_bytes)


def open_bytes(path: str | Path, raw: Hashed | None = None, encoding: str = "utf-8") -> BinaryIO:
    """A file's bytes, decompressed as its suffix says: .gz, .zst or none. Raises DataError.

    They are read by way of `raw` where it is given; those of another encoding come as UTF-8.
    """
    kind = compression_of(path)
    try:
        path = storage.fetch(path)
        file: object = io.FileIO(path) if raw is None else raw
        if kind is not None:
            file = pa.input_stream(str(path) if raw is None else raw, compression=kind)
    except OSError as error:
        raise _unreadable(path, error) from error
    return _buffered(file if is_utf8(encoding) else Transcoded(file, encoding))


def _buffered(stream: object) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(stream, _BUFFER))


def _unreadable(path: str | Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror or error}")


@contextmanager
def held_bytes(
    path: str | Path, digest: Digest | None, encoding: str = "utf-8"
) -> Iterator[BinaryIO]:
    """`open_bytes` of a file that is read from its start to its end in the block.

    Raises DataError, when the block ends, where the bytes that were read have not this digest.
    """
    if digest is None:
        with open_bytes(path, encoding=encoding) as file:
            yield file
        return
    try:
        raw = Hashed(storage.fetch(path))
    except OSError as error:
        raise _unreadable(path, error) from error
    with blamed(path, digest), raw, open_bytes(path, raw, encoding) as file:
        yield file
        try:
            read = raw.sha256()
        except OSError as error:
            raise _unreadable(path, error) from error
        if read != digest.sha256:
            raise changed(path)


def lines(
    path: str | Path,
    cap: int,
    most: int | None = None,
    digest: Digest | None = None,
    encoding: str = "utf-8",
) -> Iterator[tuple[int, bytes, int]]:
    """Lines that are not blank: number from 1, at most `cap` bytes without the end, full size.

    A byte-order mark is skipped. Raises DataError where the file is cut off or damaged, or a
    compressed one unpacks to more than `most` bytes, see `Unpacked`; and, after the last line,
    where the bytes that were read have not this digest.
    """
    number = 0
    with held_bytes(path, digest, encoding) as file:
        unpacked = Unpacked(path, most if compression_of(path) else sys.maxsize)
        try:
            while data := file.readline(cap + 1):
                number += 1
                size = len(data)
                unpacked.add(size)
                if size > cap and not data.endswith(b"\n"):
                    while rest := file.readline(_BUFFER):
                        size += len(rest)
                        unpacked.add(len(rest))
                        if rest.endswith(b"\n"):
                            break
                    yield number, data[:cap], size
                    continue
                if number == 1:
                    data = data.removeprefix(b"\xef\xbb\xbf")
                data = data.rstrip(b"\r\n")
                if data and not data.isspace():
                    yield number, data, len(data)
        except OSError as error:
            raise DataError(
                f"{path} is cut off or damaged after line {number} ({error}); fetch it again"
            ) from error


def decoded(data: bytes, size: int) -> str:
    """A line as text. Raises Rejected where it is longer than the cap or not UTF-8."""
    if size > len(data):
        raise Rejected("too_long", f"line of {size} bytes is over the cap of {len(data)}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Rejected(
            "broken_utf8", f"line is not UTF-8: {error.reason} at byte {error.start}"
        ) from None


class _Repeated(Exception):
    """A key that a JSON object has twice."""


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Repeated(name)
            seen.add(name)
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def parsed(data: bytes, size: int) -> JsonObject:
    """A line as a JSON object. Raises Rejected, also where an object has a key twice."""
    text = decoded(data, size)
    try:
        value = _DECODER.decode(text)
    except _Repeated as error:
        raise Rejected("repeated_key", f"the key {str(error)[:40]!r} stands twice") from None
    except json.JSONDecodeError as error:
        raise Rejected("not_json", f"not JSON: {error}") from None
    except ValueError:
        raise Rejected("not_json", "not JSON: a number of more than 4,300 digits") from None
    except RecursionError:
        raise Rejected("not_json", "not JSON: nested too deeply") from None
    if not isinstance(value, dict):
        raise Rejected("not_an_object", f"JSON {type(value).__name__}, expected an object")
    return value
