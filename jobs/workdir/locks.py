"""Locks of the work directory: who makes an artifact, and whether a run is at work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from negmine.transforms.storage.locks import LOCK, is_locked, open_lock, wait_for


@contextmanager
def artifact_lock(directory: Path) -> Iterator[None]:
    """Hold an artifact's directory: another process that makes the same one waits, then finds it.

    Where files cannot be locked nobody waits; what both write is the same.
    """
    file = directory / LOCK
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
    lock = open_lock(file)
    try:
        if lock is not None:
            wait_for(lock, f"makes {directory}")
        yield
        # Gone only when all is made: who opened it before finds that, and makes nothing.
        with suppress(OSError):
            file.unlink(missing_ok=True)
    finally:
        if lock is not None:
            os.close(lock)


def at_work(root: Path) -> bool:
    """Whether a run holds the work directory now."""
    return is_locked(root / LOCK)
