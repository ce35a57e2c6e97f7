"""The mirror of a store's objects on this machine: fetched once, checked against the store."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import StorageError
from negmine.schemas.locations import MARKER, cache_folder, url_of
from negmine.transforms.storage import objects
from negmine.transforms.storage.objects import Entry
from negmine.transforms.storage.objects import folder_names as _folder_names

TAGS = "negmine-tags"
"""Folder beside the mirror: a file for each mirrored one, with the size and time of its object."""

_AT_ONCE = 8


def _url(path: Path) -> str:
    url = url_of(path)
    assert url is not None
    return url


def exists(path: Path) -> bool:
    """Whether the store has the object; where not, a copy of it is removed."""
    if objects.entry(_url(path)) is not None:
        return True
    if path.is_file():
        path.unlink(missing_ok=True)
    return False


def is_dir(path: Path) -> bool:
    """Whether the store has objects below."""
    return objects.is_folder(_url(path))


def entry(path: Path) -> Entry:
    """Size and time of the object. Raises FileNotFoundError."""
    found = objects.entry(_url(path))
    if found is None:
        path.unlink(missing_ok=True)
        raise FileNotFoundError(2, "No such object", _url(path))
    return found


def listing(path: Path, recursive: bool) -> dict[str, Entry]:
    """Objects below, by the rest of their keys."""
    return objects.listing(_url(path), recursive)


def folder_names(path: Path) -> list[str]:
    """Names of the folders directly below."""
    return _folder_names(_url(path))


@contextmanager
def _tag(path: Path) -> Iterator[TextIOWrapper]:
    """The tag of a mirrored file, locked: of processes that want one object, one fetches it."""
    root = cache_folder()
    tag = root / TAGS / f"{path.relative_to(root / MARKER)}.tag"
    try:
        tag.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(tag, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _full(path, error) from error
    with os.fdopen(descriptor, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _tagged(tag: TextIOWrapper) -> str:
    tag.seek(0)
    return tag.read()


def _set(tag: TextIOWrapper, found: Entry | None) -> None:
    tag.seek(0)
    tag.truncate()
    tag.write(f"{found.size} {found.modified}" if found else "")
    tag.flush()


def _full(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot keep a copy of {_url(path)} in {cache_folder()}: {error.strerror}; free space "
        "there, or name another folder in NEGMINE_CACHE"
    )


def _good(path: Path, tag: TextIOWrapper, found: Entry) -> bool:
    return _bytes(path) == found.size and _tagged(tag) == f"{found.size} {found.modified}"


def _bytes(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def outdated(path: Path) -> bool:
    """Whether the copy is not of the object that the store has."""
    found = objects.entry(_url(path))
    with _tag(path) as tag:
        return found is None or not _good(path, tag, found)


def fetch(path: Path, size: int | None = None) -> None:
    """See `transforms.storage.fetch`."""
    if size is not None and _bytes(path) == size:
        return
    with _tag(path) as tag:
        if size is not None and _bytes(path) == size:
            return
        found = entry(path)
        if size is not None and found.size != size:
            raise StorageError(
                f"{_url(path)} has {found.size:,} bytes and the manifest says {size:,}; remove "
                f"the folder {_url(path.parent)} in the store and run again to make it anew"
            )
        if not _good(path, tag, found):
            _download(path, tag, found)


def _download(path: Path, tag: TextIOWrapper, found: Entry) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    _set(tag, None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(objects.ATTEMPTS):
            written = objects.download(_url(path), temporary)
            if written == found.size:
                os.replace(temporary, path)
                _set(tag, found)
                return
            found = entry(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _full(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    raise StorageError(
        f"{_url(path)} is {found.size:,} bytes long, and {written:,} arrived; it changes while it "
        "is read, or the store cuts it off. Run again"
    )


@lru_cache(maxsize=2)
def _pool(_: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="negmine-store")


def _together(work: Callable[..., None], items: Iterable[Sequence[object]]) -> None:
    """Call for every item on threads; an upload is so never cut off by Ctrl-C."""
    waiting = [_pool(os.getpid()).submit(work, *item) for item in items]
    try:
        for future in waiting:
            future.result()
    finally:
        for future in waiting:
            future.cancel()


def fetch_all(wanted: Sequence[tuple[Path, int]]) -> None:
    """Fetch files of known sizes."""
    _together(fetch, [(path, size) for path, size in wanted if _bytes(path) != size])


def fetch_tree(folder: Path) -> None:
    """Make a folder of the mirror hold what the store has below it."""
    found = {folder / name: entry for name, entry in listing(folder, True).items()}
    _together(_fetch_entry, found.items())
    for file in [file for file in folder.rglob("*") if file.is_file()]:
        parts = file.relative_to(folder).parts
        if file not in found and not any(part[0] in "._" for part in parts):
            file.unlink(missing_ok=True)


def _fetch_entry(path: Path, found: Entry) -> None:
    with _tag(path) as tag:
        if not _good(path, tag, found):
            _download(path, tag, found)


def put(path: Path) -> None:
    """Upload a file, and remember what it became."""
    _together(_put, [(path,)])


def _put(path: Path) -> None:
    with _tag(path) as tag:
        _set(tag, None)
        _set(tag, objects.upload(path, _url(path)))


def remove(path: Path) -> None:
    """Delete the object."""
    objects.delete(_url(path))


def remove_tree(folder: Path) -> None:
    """Delete every object below."""
    objects.delete_folder(_url(folder))


def parquet_rows(wanted: Sequence[tuple[Path, int]]) -> Iterator[int]:
    """Rows of Parquet objects of known sizes, by their footers."""
    yield from _pool(os.getpid()).map(_rows, wanted)


def _rows(wanted: tuple[Path, int]) -> int:
    path, size = wanted
    if _bytes(path) == size:
        return int(pq.read_metadata(path).num_rows)
    with opened(path) as file:
        return int(pq.read_metadata(file).num_rows)


@contextmanager
def opened(path: Path) -> Iterator[pa.NativeFile | Path]:
    """The object, for random access; of GCS a copy, as ranges of its objects were not tested."""
    if _url(path).startswith("gs:"):
        fetch(path)
        yield path
    else:
        with objects.opened(_url(path)) as file:
            yield file
