"""The one way to write a file: under a temporary name, synced, and renamed in one step."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from negmine.schemas.errors import StorageError
from negmine.transforms import storage

_KEPT = (
    "Free space or choose another directory, then run the same command again; finished parts are "
    "kept."
)


@contextmanager
def replacing(
    path: Path, what: str = "", advice: str = _KEPT, upload: bool = True
) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it when the block ends well, else removed.

    One whose name is in a store is uploaded, unless it is a local copy of what lies there. Raises
    StorageError where the disk refuses; `what` the file is and the `advice` are for it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        (storage.replace if upload else os.replace)(temporary, path)
    except (OSError, RuntimeError) as error:
        code = getattr(error, "errno", None)
        reason = os.strerror(code) if code else str(error).splitlines()[0]
        raise StorageError(f"cannot write {what}{path}: {reason}. {advice}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, write: Callable[[str], None]) -> None:
    """Have `write` make a file under the name that it is given. Raises StorageError."""
    with replacing(path) as temporary:
        write(str(temporary))


def write_text(path: Path, text: str, what: str = "", advice: str = _KEPT) -> None:
    """Write UTF-8 text as it is. Raises StorageError as `replacing` does."""
    with replacing(path, what, advice) as temporary:
        temporary.write_bytes(text.encode())


def write_json(path: Path, value: object) -> None:
    """Write a JSON file, keys sorted. Raises StorageError."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def write(place: str) -> None:
        Path(place).write_bytes(text.encode())

    write_atomically(path, write)
