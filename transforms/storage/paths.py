"""From a path that a setting names to the files there: a file, a folder's, or a pattern's."""

import glob
from collections.abc import Sequence
from pathlib import Path

from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.storage.suffixes import NAMES, kind_of_file, require_kind

TABLES = ("parquet", "jsonl")
"""Kinds of files with a row a pair."""


def files_at(path: str | Path) -> list[Path]:
    """The file at a path, a folder's own files, or what a pattern matches; empty for none."""
    place = storage.local_path(path)
    if storage.is_dir(place):
        return [place / name for name in sorted(storage.names(place))]
    if storage.is_file(place):
        return [place]
    if storage.is_mirrored(place):
        return storage.matching(place.parent, place.name)
    return sorted(Path(name) for name in glob.glob(str(place)))


def table_files(path: str, key: str, what: str, kinds: Sequence[str] = TABLES) -> list[str]:
    """Files of one of the `kinds` that the path of a setting `key` names, by name.

    `what` they hold is for the message. Raises DataError for none, for two kinds, for a file of
    another kind and for what is no regular file.
    """
    found = files_at(path)
    if storage.is_file(storage.local_path(path)):
        require_kind(found[0], key, kinds)
    files = sorted(str(file) for file in found if kind_of_file(file) in kinds)
    if not files:
        suffixes = " or ".join(f".{kind}" for kind in kinds)
        raise DataError(
            f"{key}: {path} names no {what}{_instead(found)}; give a {suffixes} file, a "
            "folder or a pattern of them"
        )
    if len({kind_of_file(file) for file in files}) > 1:
        mixed = " and ".join("JSONL" if kind == "jsonl" else NAMES[kind] for kind in kinds)
        raise DataError(f"{key}: {path} mixes {mixed}; name one kind")
    for file in files:
        if not storage.is_file(file):
            raise DataError(f"{key}: {file} is not a regular file")
    return files


def _instead(found: Sequence[Path]) -> str:
    """What there is of other kinds, to be put into a message."""
    suffixes = sorted({file.suffix for file in found if file.suffix})
    return f"; it names {', '.join(suffixes)} files" if suffixes else ""
