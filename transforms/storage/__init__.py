"""Files by path, on this machine or in a store: a mirror path stands for an object.

Every function takes any path; for one that is no mirror path it does the plain thing.
"""

import fnmatch
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from negmine.schemas import JsonObject
from negmine.schemas.locations import is_mirrored, rooted, url_of
from negmine.transforms.storage.places import local_path
from negmine.transforms.storage.states import state_of

if TYPE_CHECKING:
    from types import ModuleType

    import pyarrow as pa

__all__ = [
    "exists",
    "fetch",
    "fetch_all",
    "fetch_tree",
    "files",
    "folders",
    "forget",
    "is_dir",
    "is_file",
    "is_mirrored",
    "local_path",
    "matching",
    "names",
    "opened",
    "outdated",
    "parquet_rows",
    "put",
    "put_tree",
    "read",
    "read_json",
    "remove",
    "remove_attempt",
    "remove_tree",
    "replace",
    "rooted",
    "sizes",
    "state",
    "url_of",
]

Result = TypeVar("Result")


def _mirror() -> "ModuleType":
    from negmine.transforms.storage import mirror

    return mirror


def is_file(path: str | Path) -> bool:
    """Whether a file or an object is there; of a mirror path the store decides."""
    place = rooted(path)
    return bool(_mirror().exists(place)) if is_mirrored(place) else place.is_file()


def is_dir(path: str | Path) -> bool:
    """Whether a folder is there: in a store, any object whose key goes on behind it."""
    place = rooted(path)
    return bool(_mirror().is_dir(place)) if is_mirrored(place) else place.is_dir()


def exists(path: str | Path) -> bool:
    """Whether a file or folder is there."""
    return is_file(path) or is_dir(path)


def state(path: str | Path) -> list[int]:
    """Bytes first, then what changes with the content: times in ns and, here, inode and device.

    In a store the object's. Raises FileNotFoundError.
    """
    place = rooted(path)
    return list(_mirror().entry(place)) if is_mirrored(place) else list(state_of(place.stat()))


def names(folder: str | Path) -> list[str]:
    """Names directly in a folder. Raises FileNotFoundError where a local one is missing."""
    place = rooted(folder)
    return list(_mirror().listing(place, False)) if is_mirrored(place) else os.listdir(place)


def sizes(folder: str | Path) -> dict[str, int]:
    """Bytes of the files directly in a folder, by name; none where it is missing."""
    place = rooted(folder)
    if is_mirrored(place):
        return {name: entry.size for name, entry in _mirror().listing(place, False).items()}
    if not place.is_dir():
        return {}
    return {file.name: file.stat().st_size for file in place.iterdir() if file.is_file()}


def files(folder: str | Path) -> list[Path]:
    """What is no folder below a folder, by path; objects of a store as mirror paths."""
    place = rooted(folder)
    if is_mirrored(place):
        return sorted(place / name for name in _mirror().listing(place, True))
    return sorted(file for file in place.rglob("*") if not file.is_dir())


def folders(folder: str | Path) -> list[Path]:
    """Folders directly in a folder, by name; none where it is missing."""
    place = rooted(folder)
    if is_mirrored(place):
        return [place / name for name in _mirror().folder_names(place)]
    return sorted(path for path in place.glob("*/") if path.is_dir())


def matching(root: str | Path, pattern: str) -> list[Path]:
    """Files below a folder whose relative paths a glob matches, as `Path.glob` has it."""
    place = rooted(root)
    if not is_mirrored(place):
        return [file for file in place.glob(pattern) if file.is_file()]
    wanted = re.compile(_regex(pattern), re.DOTALL)
    return [file for file in files(place) if wanted.fullmatch(file.relative_to(place).as_posix())]


def _regex(pattern: str) -> str:
    parts = [
        "(?:[^/]+/)*"
        if part == "**"
        else fnmatch.translate(part)[4:-3].replace(".*", "[^/]*") + "/"
        for part in pattern.split("/")
    ]
    return "".join(parts).removesuffix("/")


def fetch(path: str | Path, size: int | None = None) -> Path:
    """Where a file can be read: the path, or its mirror path once a copy is there.

    A copy is good as long as the object has its size and time; with `size`, which a manifest gave,
    a copy of so many bytes is good without asking. Raises FileNotFoundError where the object is
    gone, StorageError where the store refuses or the object has another size.
    """
    place = rooted(path)
    if is_mirrored(place):
        _mirror().fetch(place, size)
    return place


def fetch_all(wanted: Iterable[tuple[Path, int]]) -> None:
    """`fetch` for files of known sizes, several at once."""
    mirrored = [(path, size) for path, size in wanted if is_mirrored(path)]
    if mirrored:
        _mirror().fetch_all(mirrored)


def fetch_tree(folder: str | Path) -> Path:
    """Where a folder can be read, all its files there; files that the store has not are removed.

    Hidden folders and those that begin with `_` are local and stay. Raises as `fetch`.
    """
    place = rooted(folder)
    if is_mirrored(place):
        _mirror().fetch_tree(place)
    return place


def put(path: Path) -> None:
    """Upload a finished file of the mirror; it appears whole. Raises StorageError."""
    if is_mirrored(path):
        _mirror().put(path)


def put_tree(folder: Path, last: str = "") -> None:
    """Upload what is below a folder of the mirror, the file named `last` after all others."""
    if is_mirrored(folder):
        found = [file for file in folder.rglob("*") if file.is_file() and file.name[0] != "."]
        for file in sorted(found, key=lambda file: (file.name == last, file)):
            put(file)


def read(path: str | Path, reader: Callable[[Path], Result], size: int | None = None) -> Result:
    """What `reader` makes of a file; a mirrored copy that it refuses is fetched once more."""
    place = fetch(path, size)
    try:
        return reader(place)
    except (OSError, ValueError):
        if not is_mirrored(place):
            raise
    forget(place)
    return reader(fetch(place))


def parquet_rows(wanted: Sequence[tuple[Path, int]]) -> Iterator[int]:
    """Rows of Parquet files of known sizes, in their order; of objects the footer alone is read."""
    if wanted and is_mirrored(wanted[0][0]):
        yield from _mirror().parquet_rows(wanted)
        return
    import pyarrow.parquet as pq

    for path, _ in wanted:
        yield int(pq.read_metadata(path).num_rows)


@contextmanager
def opened(path: str | Path) -> "Iterator[Path | pa.NativeFile]":
    """What pyarrow can read from here and there: the path, or the object without a copy."""
    place = rooted(path)
    if is_mirrored(place):
        with _mirror().opened(place) as file:
            yield file
    else:
        yield place


def outdated(path: str | Path) -> bool:
    """Whether a mirrored copy is there that is not what the store has now."""
    place = rooted(path)
    return is_mirrored(place) and place.exists() and bool(_mirror().outdated(place))


def forget(path: Path) -> None:
    """Remove a file or folder of the mirror, and leave the store alone."""
    if is_mirrored(path):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def remove(path: str | Path) -> None:
    """Remove a file, from the store too; one that is missing is none. Raises OSError."""
    place = rooted(path)
    place.unlink(missing_ok=True)
    if is_mirrored(place):
        _mirror().remove(place)


def remove_tree(folder: str | Path) -> None:
    """Remove a folder and what is below it, from the store too."""
    place = rooted(folder)
    shutil.rmtree(place, ignore_errors=True)
    if is_mirrored(place):
        _mirror().remove_tree(place)


def remove_attempt(folder: str | Path) -> None:
    """Remove an attempt's folder and, with the last of them, the one that holds them."""
    remove_tree(folder)
    with suppress(OSError):  # There is another attempt's.
        rooted(folder).parent.rmdir()


def replace(temporary: Path, path: Path) -> None:
    """Give a finished file its name in one step, and upload it where the name is in a store."""
    os.replace(temporary, path)
    put(path)


def read_json(file: Path) -> JsonObject:
    """A JSON object. Raises OSError, and ValueError where the file holds anything else."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value
