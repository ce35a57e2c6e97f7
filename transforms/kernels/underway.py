"""How far the block of rows is that this process is making, for whoever shows progress."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_rows = 0
"""Rows of the block that is being made, 0 for none."""
_expected = 0.0
_done = 0.0

MOST = 0.99
"""A block is never shown as done before its part is there."""


@contextmanager
def block(rows: int) -> Iterator[None]:
    """The body makes a block of so many rows. Of blocks at the same time only the first counts."""
    global _rows, _expected, _done
    with _lock:
        mine = not _rows
        if mine:
            _rows, _expected, _done = rows, 0.0, 0.0
    try:
        yield
    finally:
        if mine:
            with _lock:
                _rows = 0


def expect(items: float) -> None:
    """The block takes about so many texts or pairs, all of them counted by `advance`."""
    global _expected
    with _lock:
        _expected = items


def advance(items: int) -> None:
    """So many more texts or pairs went through a model."""
    global _done
    with _lock:
        _done += items


def rows_underway() -> float:
    """Rows of the block that is being made, times the share of it that is done."""
    with _lock:
        return _rows * min(_done / _expected, MOST) if _rows and _expected > 0 else 0.0
