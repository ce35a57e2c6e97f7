"""What the files of a folder are together: a collection in parts, splits of rows, or rows."""

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from negmine.jobs.inspection.names import is_train, part_of, split_of
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.paths import METADATA
from negmine.transforms.storage.suffixes import (
    PACKED,
    SHEETS,
    compression_of,
    kind_of_file,
    suffix_of,
)

BESIDE = ".export.json"
"""End of the file that an export writes beside its data, about them."""

SAVED, DICTIONARY = "state.json", "dataset_dict.json"
"""Files by which a folder is a saved Hugging Face data set, or a dictionary of such."""


DEEPEST = 6
"""Folders in folders that are looked into."""


@dataclass(frozen=True)
class Piece:
    """Files that belong together: how a setting names them, and one of them to look at."""

    pattern: str
    files: tuple[str, ...]
    split: str | None = None

    @property
    def kind(self) -> str:
        """That of the first file."""
        return kind_of_file(self.files[0])


@dataclass
class Contents:
    """The pieces of a folder, by what they are: documents, queries, qrels, or rows of anything.

    `left`: files in deeper folders that no name on their way says anything of.
    """

    documents: list[Piece] = field(default_factory=list)
    queries: list[Piece] = field(default_factory=list)
    qrels: list[Piece] = field(default_factory=list)
    rows: list[Piece] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def files_in(folder: Path) -> list[str]:
    """Names of the files of a folder that may hold rows."""
    names = storage.sizes(folder) if storage.is_dir(folder) else ()
    shown = (name for name in names if not name.startswith((".", "_")))
    return sorted(n for n in shown if n not in METADATA and not n.endswith(BESIDE))


def folders_in(folder: Path) -> list[str]:
    """Names of the folders of a folder that may hold rows: none that is hidden, or is a run's."""
    names = (found.name for found in storage.folders(folder))
    shown = (name for name in names if not name.startswith((".", "_")))
    return [name for name in shown if not _is_made(folder / name)]


def _is_made(folder: Path) -> bool:
    """Whether a folder is what runs write: their output, or their work directory."""
    output = storage.is_dir(folder / "runs") and (
        storage.is_dir(folder / "work") or storage.is_file(folder / "current")
    )
    return output or (storage.is_dir(folder / "ingest") and storage.is_file(folder / ".lock"))


def is_saved(folder: Path) -> bool:
    """Whether a folder is one saved data set, no dictionary of such."""
    return storage.is_file(folder / SAVED)


def contents(folder: str) -> Contents:
    """What a folder holds. Raises DataError where that is nothing that is read."""
    root = storage.local_path(folder)
    shown = folder.rstrip("/") or folder
    found = Contents()
    if is_saved(root):
        found.rows = [_saved(root, shown, None)]
        return found
    for name in sorted(files_in(root)):
        if kind_of_file(name):
            piece = Piece(f"{shown}/{name}", (str(root / name),), split_of(name))
            _put(found, part_of(name), piece)
    for name in folders_in(root):
        for piece in _below(root / name, f"{shown}/{name}", name):
            own = piece if piece.split else replace(piece, split=split_of(name))
            # A folder of any name says by its files what they are.
            _put(found, part_of(name) or part_of(Path(own.files[0]).name), own)
        _put_deeper(found, root / name, f"{shown}/{name}", (name,))
    if found.documents and found.queries and not found.qrels:
        found.qrels, found.rows = found.rows, []
    if not (found.documents or found.queries or found.qrels or found.rows):
        raise DataError(
            f"{folder} holds no file that is read: .csv, .tsv, .jsonl, .json, .parquet, .arrow "
            "(text: .gz or .zst behind it), nor folders of them"
        )
    _refuse_unread(root, shown, found)
    return found


def _put_deeper(found: Contents, folder: Path, shown: str, way: tuple[str, ...]) -> None:
    """Add what the folders of a folder hold, at any depth, where a name on the way says what."""
    if is_saved(folder) or storage.is_file(folder / DICTIONARY) or len(way) > DEEPEST:
        return
    for name in folders_in(folder):
        inner = (*way, name)
        for piece in _below(folder / name, f"{shown}/{name}", name):
            split = piece.split or said_split(inner)
            part = next((part for n in inner if (part := part_of(n))), None)
            part = part or part_of(Path(piece.files[0]).name)
            if split or part == "qrels" or part_of(way[0]):
                _put(found, part, replace(piece, split=split))
            else:
                found.left.append(piece.pattern)
        _put_deeper(found, folder / name, f"{shown}/{name}", inner)


def said_split(way: Sequence[str]) -> str | None:
    """The split that a way through folders says; the nearest name counts."""
    return next((split for name in reversed(way) if (split := split_of(name))), None)


def unread(folder: Path, way: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Files that seem to hold rows of a split and are not read, at any depth: way and split."""
    for name in files_in(folder):
        split = said_split((*way, name))
        judged = any(part_of(n) == "qrels" for n in (*way, name)) and not _is_prose(name)
        if split and not kind_of_file(name) and (judged or _seems_data(name)):
            yield "/".join((*way, name)), split
    for name in folders_in(folder) if len(way) < DEEPEST else ():
        yield from unread(folder / name, (*way, name))


def _seems_data(name: str) -> bool:
    """Whether a file that is not read may hold rows: no suffix, a packed one, a spreadsheet."""
    suffix = suffix_of(name)
    plain = not suffix and not name.isupper()
    return plain or suffix in (*PACKED, *SHEETS) or compression_of(name) is not None


def _is_prose(name: str) -> bool:
    """Whether a file is for people or a program, whatever stands beside it."""
    return suffix_of(name) in (".md", ".rst", ".html", ".pdf", ".py", ".sh", ".log", ".yaml")


def _refuse_unread(root: Path, shown: str, found: Contents) -> None:
    """Raise DataError where nothing is read of a split that a file is of, by its name."""
    pieces = (*found.documents, *found.queries, *found.qrels, *found.rows)
    read = {piece.split for piece in pieces}
    for way, split in unread(root):
        if split not in read:
            raise refused(f"{shown}/{way}", split)
        found.left.append(f"{shown}/{way}")


def refused(file: str, split: str) -> DataError:
    """That a file of a split is not read, and what to do."""
    return DataError(
        f"{file} is of the split {split!r} by its name, and is not read, as its end is none of "
        ".tsv, .csv, .jsonl, .parquet and the like; rename or convert it, or move it out of the "
        "folder"
    )


def _put(found: Contents, part: str | None, piece: Piece) -> None:
    known = {"documents": found.documents, "queries": found.queries, "qrels": found.qrels}
    known.get(part or "", found.rows).append(piece)


def _below(folder: Path, shown: str, name: str) -> list[Piece]:
    """The pieces of a folder in a folder, one a split."""
    if is_saved(folder):
        return [_saved(folder, shown, split_of(name))]
    if storage.is_file(folder / DICTIONARY):
        return [
            _saved(folder / split, f"{shown}/{split}", split)
            for split in folders_in(folder)
            if is_saved(folder / split)
        ]
    by_split: dict[str | None, list[str]] = {}
    names = sorted(n for n in files_in(folder) if kind_of_file(n))
    for file in names:
        by_split.setdefault(split_of(file), []).append(file)
    found = []
    for split, files in by_split.items():
        paths = tuple(str(folder / file) for file in files)
        found.append(Piece(_pattern(shown, files, names, split), paths, split))
    return found


def _pattern(shown: str, files: Sequence[str], names: Sequence[str], split: str | None) -> str:
    """How a setting names some of the files of a folder."""
    if len(files) == 1:
        return f"{shown}/{files[0]}"
    if len({kind_of_file(file) for file in files}) > 1:
        of = f" of the split {split!r}" if split else ""
        raise DataError(
            f"{shown} holds files of several kinds{of} ({', '.join(files[:6])}), which are not "
            "read together; keep one of them there, and move the others out of the folder"
        )
    suffix = "".join(Path(files[0]).suffixes[-2:] if compression_of(files[0]) else [])
    suffix = suffix or Path(files[0]).suffix
    first, last = min(files), max(files)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    for tried in (f"{first[:same]}*{suffix}", f"*{split or ''}*{suffix}"):
        if fnmatch.filter(names, tried) == list(files):
            return f"{shown}/{tried}"
    raise DataError(
        f"{shown}: no pattern names {', '.join(files[:3])} alone; move them to a folder"
    )


def _saved(folder: Path, shown: str, split: str | None) -> Piece:
    files = [name for name in files_in(folder) if kind_of_file(name) == "arrow"]
    if not files:
        raise DataError(f"{shown} is a saved data set without its .arrow files; save it again")
    paths = tuple(str(folder / name) for name in sorted(files))
    return Piece(f"{shown}/*.arrow" if len(files) > 1 else f"{shown}/{files[0]}", paths, split)


def chosen(pieces: Sequence[Piece], split: str | None, what: str, folder: str) -> list[Piece]:
    """The pieces of a split: of `split`, else of train, else of the only one, else all.

    Raises DataError where there are several splits and none is named.
    """
    splits = list(dict.fromkeys(piece.split for piece in pieces))
    if split is not None:
        found = [piece for piece in pieces if piece.split == split.casefold()]
        if found or splits == [None]:
            return found or list(pieces)
        names = ", ".join(str(s) for s in splits if s)
        raise DataError(f"{folder} has no {what} of split {split!r}; found {names}")
    train = [piece for piece in pieces if is_train(piece.split)]
    if train or len(splits) == 1:
        return train or list(pieces)
    plain = [piece for piece in pieces if piece.split is None]
    if plain:
        return plain
    names = ", ".join(str(s) for s in splits)
    raise DataError(f"{folder} has {what} of the splits {names} and no train; say --split NAME")


def kept_out(pieces: Sequence[Piece], mined: Sequence[Piece]) -> list[Piece]:
    """The pieces of other splits than those that are mined."""
    return [piece for piece in pieces if piece.split and piece not in mined]
