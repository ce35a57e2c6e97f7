"""Locks between processes of one machine: the kernel lets go of them when a process ends.

Every lock is an empty file. Where files cannot be locked nobody waits, and of a place in a store
the copy on this machine is locked, which other machines do not see.
"""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from negmine.schemas.errors import StorageError

LOCK = ".lock"
"""File in the work directory: locked shared by every run, exclusively while artifacts are deleted;
and in an artifact while it is made, locked by the run that makes it."""

RUNS_LOCK = ".runs.lock"
"""File in an output: locked shared while one of its runs is read, published or put in force,
exclusively while runs are deleted."""


def open_lock(file: Path, create: bool = True) -> int | None:
    """Descriptor of a lock file; None where there can be none."""
    try:
        return os.open(file, os.O_RDONLY | (os.O_CREAT if create else 0), 0o666)
    except OSError:
        return None


def shared_lock(file: Path, create: bool = True) -> int | None:
    """Descriptor that holds the lock together with others, after anybody who has it alone.

    None where files cannot be locked or, without `create`, there is no such file.
    """
    lock = open_lock(file, create)
    if lock is None:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
    except OSError:
        os.close(lock)
        return None
    return lock


@contextmanager
def sharing(file: Path, create: bool = True) -> Iterator[None]:
    """Hold a lock together with others, see `shared_lock`."""
    lock = shared_lock(file, create)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def wait_for(lock: int, what: str) -> bool:
    """Lock alone, telling people where that takes waiting; False where files cannot be locked."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another process, which {what}", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Have a file, and what belongs to it, to oneself: others that write it wait, then go on.

    What they write hangs on what is there then, so read inside. The lock is `.NAME.lock` beside
    the file and goes with its last holder.
    """
    file = path.with_name(f".{path.name}{LOCK}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
    lock = _locked(file, f"writes {path}")
    try:
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                file.unlink(missing_ok=True)
            os.close(lock)


def _locked(file: Path, what: str) -> int | None:
    """Descriptor that holds the lock of this name alone; None where files cannot be locked."""
    while True:
        lock = open_lock(file)
        if lock is None:
            return None
        if not wait_for(lock, what):
            os.close(lock)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), file.stat()):
                return lock
        # It was removed by the one that had it, and the name may be another's by now.
        os.close(lock)


@contextmanager
def exclusive_lock(root: Path, name: str = LOCK) -> Iterator[None]:
    """Keep others out of a folder. Raises StorageError while one is at work there."""
    try:
        lock = os.open(root / name, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StorageError(f"cannot lock {root / name}: {error.strerror}") from error
    try:
        _lock_now(lock, root, name)
        yield
    finally:
        os.close(lock)


def _lock_now(lock: int, root: Path, name: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StorageError(
            f"another process works in {root}; nothing was removed. Run again when it has ended"
        ) from None
    except OSError as error:
        raise StorageError(
            f"cannot lock {root / name}: {error.strerror}; nothing was removed"
        ) from error


def is_locked(file: Path) -> bool:
    """Whether somebody holds a lock now; makes no lock file."""
    lock = open_lock(file, create=False)
    if lock is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
