"""What changes with a file's content, as the system tells it without reading the file."""

import os

State = tuple[int, ...]
"""Bytes, times of the last change of content and of the inode in ns, inode, device."""


def state_of(found: os.stat_result) -> State:
    """What changes when a file is written, replaced, or has its time put back."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
