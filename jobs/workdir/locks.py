"""Locks of the work directory: who makes an artifact, and whether a run is at work."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from negmine.schemas.locations import is_mirrored
from negmine.transforms.storage.locks import LOCK, is_locked, open_lock, wait_for


@contextmanager
def artifact_lock(directory: Path) -> Iterator[bool]:
    """Hold an artifact's directory: another process that makes the same one waits, then finds it.

    Gives whether nobody else can make it now. Where files cannot be locked, or of a place in a
    store by other machines, nobody waits; what both write is the same.
    """
    file = directory / LOCK
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
    lock = open_lock(file)
    try:
        alone = lock is not None and wait_for(lock, f"makes {directory}")
        yield alone and not is_mirrored(directory)
        # Gone only when all is made: who opened it before finds that, and makes nothing.
        with suppress(OSError):
            file.unlink(missing_ok=True)
    finally:
        if lock is not None:
            os.close(lock)


def at_work(root: Path) -> bool:
    """Whether a run holds the work directory now."""
    return is_locked(root / LOCK)
