"""Standard input, output and error of a process, whatever they are: closed, full, or of a small
character set."""

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from negmine.jobs.terminal import escaped
from negmine.schemas.errors import StorageError

_READABLE = "negmine.readable"
_NEAREST = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\u2500\u2501", "-"),
    **dict.fromkeys("\u2018\u2019", "'"),
    **dict.fromkeys("\u201c\u201d", '"'),
    **dict.fromkeys("\u2502\u2503", "|"),
    "Δ": "Delta",
    "×": "x",
    "±": "+-",
    "≥": ">=",
    "≤": "<=",
    "→": "->",
    "…": "...",
    "•": "*",
}


def _readable(error: UnicodeError) -> tuple[str, int]:
    """The nearest form of what an encoding lacks: `Delta`, `>=`, else an escape such as \\u6771."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_NEAREST.get(letter) or escaped(letter) for letter in letters), error.end


codecs.register_error(_READABLE, _readable)


class OutputLost(StorageError):
    """Standard output cannot be written."""


@contextmanager
def for_information() -> Iterator[None]:
    """For what a command prints once its work is done: where nobody reads it, it did not fail."""
    try:
        yield
    except OutputLost as error:
        print(f"note: {error}; the work is done", file=sys.stderr)


class Output(io.TextIOWrapper):
    """A text stream that no letter stops; raises OutputLost where it cannot be written."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        super().__init__(
            stream.buffer,
            encoding=stream.encoding,
            errors=_READABLE,
            newline="\n",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        self._ended = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream; latin-1 for ASCII, which Typer would take for a mistake."""
        own = io.TextIOWrapper.encoding.__get__(self)  # type: ignore[attr-defined]
        return "iso8859-1" if codecs.lookup(own).name == "ascii" else str(own)

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise self._lost(error) from error

    def flush(self) -> None:
        if self._ended:  # It was told; what is held back would only fail again.
            return
        try:
            super().flush()
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> OutputLost:
        if error.errno == errno.EPIPE:
            self._ended = "standard output was closed before all was printed"
        else:
            self._ended = f"standard output cannot be written: {error.strerror or error}"
        return OutputLost(self._ended)


class Closed(io.TextIOBase):
    """Standard output of a process that was started without one."""

    encoding = "utf-8"
    errors = _READABLE

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise OutputLost("standard output is closed, so nothing is printed")


class Errors(Output):
    """Standard error: where it cannot be written, nobody can be told, and nothing is said."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OutputLost:
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OutputLost:
            return


def open_streams() -> None:
    """Put streams in place of this process's own, which no text and no closed end can stop.

    Descriptors 0 to 2 that are closed become the null device, so that no data file gets their
    number and with it what a library prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115
    sys.stdout = _in_place_of(sys.stdout, Output) or Closed()
    sys.stderr = _in_place_of(sys.stderr, Errors) or open(os.devnull, "w")  # noqa: SIM115


def _in_place_of(stream: TextIO | None, kind: type[Output]) -> TextIO | None:
    if isinstance(stream, io.TextIOWrapper):
        return kind(stream)
    return stream
