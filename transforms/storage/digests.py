"""SHA-256 of files, and files that are held to theirs while they are read."""

import hashlib
import io
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError, NegmineError
from negmine.transforms import storage
from negmine.transforms.storage.states import State, state_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

RACY = 2_000_000_000
"""A file that changed less than so many ns ago may change again without another time."""


class Digest(NamedTuple):
    """SHA-256 of a file in hex and, where any later change would show, its state meanwhile."""

    sha256: str
    state: State = ()


def settled(state: Sequence[int], now: int | None = None) -> bool:
    """Whether a change from now on would change the state, which times of the same tick hide."""
    return max(state[1:3]) <= (time.time_ns() if now is None else now) - RACY


def changed(path: str | Path) -> DataError:
    """The error for people about a file that is no longer, or not always, what it was."""
    return DataError(
        f"{path} changed while it was read, so nothing of it was kept. Run again when nothing "
        "writes to it"
    )


def digest_of(path: str | Path) -> Digest:
    """Digest of a file's bytes. Raises DataError where it cannot be read."""
    try:
        with open(storage.fetch(path), "rb") as file:
            now, before = time.time_ns(), state_of(os.fstat(file.fileno()))
            found = _sha256(file)
            same = state_of(os.fstat(file.fileno())) == before
    except OSError as error:
        raise _unreadable(path, error) from error
    return Digest(found, before if same and settled(before, now) else ())


def _opened(path: Path) -> io.BufferedReader:
    try:
        return open(path, "rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror}")


def _sha256(file: io.BufferedReader) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


class Hashed(io.RawIOBase):
    """A file's bytes, hashed as they are read from its start to its end."""

    def __init__(self, path: str | Path) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._sum = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        count = self._file.readinto(buffer)
        self._sum.update(memoryview(buffer)[:count])
        return count

    def sha256(self) -> str:
        """SHA-256 of the whole file; what nobody read is read now."""
        while self.read(1 << 20):
            pass
        return self._sum.hexdigest()

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def blamed(path: str | Path, digest: Digest | None) -> Iterator[None]:
    """Call an error about a file `changed` where the file has no longer this digest.

    What a reader misses, a column for example, may be missing from the new content alone.
    """
    try:
        yield
    except NegmineError as error:
        if digest is not None and digest_of(path).sha256 != digest.sha256:
            raise changed(path) from error
        raise


@contextmanager
def held(
    path: str | Path, digest: Digest | None, error: Callable[[str | Path], NegmineError] = changed
) -> Iterator[Path]:
    """Where a file can be read whose bytes have this digest from the first to the last.

    For formats that are not read from start to end. The file is opened once and, where the kernel
    gives descriptors a path, read by that, so that nobody can put another one in its place. Its
    bytes are hashed before, unless its state is the digest's, and its state is compared after; a
    file that has just been written is hashed then too. Without a digest, the file as it is.

    Raises DataError, or what `error` makes of the path, where it differs or changes.
    """
    place = storage.fetch(path)
    if digest is None:
        yield place
        return
    with _opened(place) as file:
        before = state_of(os.fstat(file.fileno()))
        known, calm = before == digest.state, settled(before)
        if not known and _sha256(file) != digest.sha256:
            raise error(path)
        own = Path(f"/proc/self/fd/{file.fileno()}")
        try:
            yield own if own.exists() else place
        except Exception as failure:
            if state_of(os.fstat(file.fileno())) != before:
                raise error(path) from failure
            raise
        after = {state_of(os.fstat(file.fileno())), _state_at(place)}
        if after != {before} or not (known or calm or _sha256(file) == digest.sha256):
            raise error(path)


def _state_at(path: Path) -> State:
    try:
        return state_of(path.stat())
    except OSError:
        return ()


def named(message: str, paths: Sequence[str | Path], places: Sequence[Path]) -> str:
    """A message about places that `held` gave, by the paths' own names."""
    names = {str(place): str(path) for path, place in zip(paths, places, strict=True)}
    longest = sorted(names, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest)), lambda found: names[found[0]], message)


@contextmanager
def all_held(paths: Sequence[str], digests: Sequence[Digest]) -> Iterator[list[Path]]:
    """`held` for several files; without digests, the files as they are."""
    with ExitStack() as stack:
        wanted: Sequence[Digest | None] = digests or [None] * len(paths)
        yield [
            stack.enter_context(held(path, digest))
            for path, digest in zip(paths, wanted, strict=True)
        ]


def tree_digests(folder: Path) -> dict[str, JsonObject]:
    """Bytes and SHA-256 of every file below a folder, by its relative path; hidden ones aside."""
    files = [
        file
        for file in storage.files(folder)
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    with ThreadPoolExecutor(4) as threads:
        sums = threads.map(lambda file: digest_of(file).sha256, files)
        return {
            file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": found}
            for file, found in zip(files, sums, strict=True)
        }
