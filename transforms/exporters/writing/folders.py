"""Folders of files: made under a temporary name, and renamed in one step when they are whole."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa

from negmine.schemas.errors import ConfigError, StorageError
from negmine.transforms import storage
from negmine.transforms.exporters.writing.files import Write, opened
from negmine.transforms.storage.targets import ending, refuse_special, target

REPORT = "export.json"
"""File in a folder that an export wrote, by which the next one knows that it may replace it."""

Texts = Callable[[str, str], None]


def folder_target(named: str | Path, name: str, outputs: tuple[Path, ...]) -> Path:
    """The folder to write: `named`, or `name` in it where it is there or ends in a slash.

    One that an export wrote is replaced. Raises ConfigError as `targets.target` does, and where
    the folder holds anything else.
    """
    path = storage.local_path(named)
    within = str(named).endswith(("/", os.sep)) or storage.is_dir(path)
    if within and not storage.is_file(path / REPORT):
        path = path / name
    # The rules for a file beside it are those for the folder.
    beside = path.with_name(f"{path.name}.jsonl")
    target(beside, "--output", (ending(beside),), outputs=outputs)
    if not storage.is_mirrored(path) and path.is_symlink():
        refuse_special(path, "--output")
    if storage.is_file(path):
        raise ConfigError(f"--output {path} is a file, and this format is a folder; name a folder")
    if storage.is_dir(path) and storage.names(path) and not storage.is_file(path / REPORT):
        raise ConfigError(
            f"--output {path} holds files that no export wrote (it has no {REPORT}); name another "
            "folder, or remove it"
        )
    return path


@contextmanager
def folder_written(
    path: Path, files: Mapping[str, pa.Schema]
) -> Iterator[tuple[dict[str, Write], Texts]]:
    """What writes tables to files of a folder, by name, and small files of text.

    The folder appears when the block ends well; one that is there goes then. Raises StorageError
    where the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)

        def text(name: str, content: str) -> None:
            file = temporary / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")

        with ExitStack() as stack:
            writes = {}
            for name, schema in files.items():
                file = temporary / name
                file.parent.mkdir(parents=True, exist_ok=True)
                writes[name] = stack.enter_context(opened(file, ending(Path(name)), schema))
            yield writes, text
        _sync(temporary)
        _appear(temporary, path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error).splitlines()[0]
        raise StorageError(
            f"cannot write {path}: {reason}. Free space or give another --output"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sync(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            with open(file, "rb+") as opened_file:
                os.fsync(opened_file.fileno())


def _appear(temporary: Path, path: Path) -> None:
    """Rename the folder into its place; what an export wrote there before is moved aside first."""
    if storage.is_mirrored(path):
        storage.remove_tree(path)
        shutil.rmtree(path, ignore_errors=True)
        os.replace(temporary, path)
        storage.put_tree(path, last=REPORT)
        return
    before = path.with_name(f".{path.name}.{os.getpid()}-0.tmp")
    if path.is_dir():
        os.replace(path, before)
    try:
        os.replace(temporary, path)
    except OSError:
        if before.is_dir():
            os.replace(before, path)
        raise
    shutil.rmtree(before, ignore_errors=True)


def json_text(value: object) -> str:
    """A JSON file's text, keys sorted."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
