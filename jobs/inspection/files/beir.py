"""BEIR folders: whether a folder is one as a whole, its splits and the parts that are read."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from negmine.jobs.inspection.files.collections import count, part_columns
from negmine.jobs.inspection.files.folders import (
    DEEPEST,
    files_in,
    folders_in,
    refused,
    said_split,
    unread,
)
from negmine.jobs.inspection.findings import Told
from negmine.jobs.inspection.heads import head_of
from negmine.jobs.inspection.names import part_of, split_of
from negmine.schemas.errors import DataError
from negmine.transforms.readers.beir import judged_in, splits_in
from negmine.transforms.readers.paths import compressed
from negmine.transforms.storage.suffixes import compression_of, kind_of_file

_OWN = ("corpus.jsonl", "queries.jsonl")
_JUDGED = ("tsv", "csv")


class Beside(NamedTuple):
    """Files of a BEIR folder that its format does not read.

    `belonging`: those that are of the collection by their names, or may be; `others`: the rest.
    """

    belonging: list[str]
    others: list[str]


def is_beir(folder: Path) -> bool:
    """Whether a folder holds what BEIR's do on disk; there may be more in it, see `beside`."""
    names = {_plain(name) for name in files_in(folder)}
    judged = any(kind_of_file(name) in _JUDGED for name in files_in(folder / "qrels"))
    return names.issuperset(_OWN) and judged


def _plain(name: str) -> str:
    """A file's name without the suffix of a compression, the other one in lower case."""
    path = Path(name).with_suffix("") if compression_of(name) else Path(name)
    return path.stem + path.suffix.lower()


def beside(folder: Path) -> Beside:
    """What stands in a BEIR folder beside that which is read of it.

    Raises DataError for a split in a file that no format reads.
    """
    splits = splits_in(folder)
    read = {*splits, *map(split_of, splits)}
    for way, split in unread(folder):
        if split not in read:
            raise refused(f"{folder}/{way}", split)
    found = Beside([], [])
    for way in _readable(folder):
        names = way.split("/")
        twin = compression_of(way) and (folder / way).with_suffix("").name in files_in(
            (folder / way).parent
        )
        if twin:
            found.others.append(way)
        elif (len(names) == 1 and _plain(way) in _OWN) or _is_qrels(folder, names):
            continue
        elif said_split(names) or any(map(part_of, names)):
            found.belonging.append(way)
        else:
            found.others.append(way)
    return found


def _is_qrels(folder: Path, names: list[str]) -> bool:
    """Whether a file is the one that is read of its split."""
    inside = len(names) == 2 and names[0] == "qrels" and kind_of_file(names[1]) in _JUDGED
    return inside and len(judged_in(folder, Path(_plain(names[1])).stem)) == 1


def _readable(folder: Path, way: tuple[str, ...] = ()) -> Iterator[str]:
    for name in files_in(folder):
        if kind_of_file(name):
            yield "/".join((*way, name))
    for name in folders_in(folder) if len(way) < DEEPEST else ():
        yield from _readable(folder / name, (*way, name))


def beir_parts(folder: Path, split: str) -> tuple[dict[str, int | str], list[Told]]:
    """Rows and columns of each part of a BEIR folder."""
    files = {
        "documents": compressed(folder / "corpus.jsonl"),
        "queries": compressed(folder / "queries.jsonl"),
        "judgements": next(iter(judged_in(folder, split)), None),
    }
    heads = {what: head_of(str(path)) for what, path in files.items() if path}
    counts = {what: count(head, [head.path]) for what, head in heads.items()}
    return counts, [told for what, head in heads.items() for told in part_columns(what, head)]


def only_beir(folder: str, why: DataError) -> DataError:
    """The same, with how a folder is read as BEIR's alone."""
    return DataError(
        f"{why}. --set input.format=beir reads corpus.jsonl, queries.jsonl and qrels/*.tsv of "
        f"{folder} alone"
    )
