"""Bytes in another encoding, read as UTF-8."""

import codecs
import io
from typing import Any

_CHUNK = 1 << 16
_BROKEN = "negmine.broken"


def _kept(error: UnicodeError) -> tuple[str, int]:
    """A byte that is none of the encoding stays one that is no UTF-8, so that its row is bad."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff" * (error.end - error.start), error.end


codecs.register_error(_BROKEN, _kept)


def is_utf8(encoding: str) -> bool:
    """Whether an encoding's bytes are read as they are."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


class Transcoded(io.RawIOBase):
    """The bytes of a stream of text in some encoding, as UTF-8.

    What the encoding cannot read comes as bytes that are not UTF-8 either: readers then call the
    row bad, as they do with any file.
    """

    def __init__(self, stream: Any, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(_BROKEN)
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            data = self._stream.read(_CHUNK)
            self._ended = not data
            text = self._decoder.decode(data, final=self._ended)
            self._ready = text.encode("utf-8", "surrogateescape")
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()
