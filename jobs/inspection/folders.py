"""What the files of a folder are together: a collection in parts, splits of rows, or rows."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from negmine.jobs.inspection.names import is_train, part_of, split_of
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.paths import METADATA
from negmine.transforms.storage.suffixes import compression_of, kind_of_file

BESIDE = ".export.json"
"""End of the file that an export writes beside its data, about them."""

SAVED, DICTIONARY = "state.json", "dataset_dict.json"
"""Files by which a folder is a saved Hugging Face data set, or a dictionary of such."""


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
    """The pieces of a folder, by what they are: documents, queries, qrels, or rows of anything."""

    documents: list[Piece] = field(default_factory=list)
    queries: list[Piece] = field(default_factory=list)
    qrels: list[Piece] = field(default_factory=list)
    rows: list[Piece] = field(default_factory=list)

    @property
    def is_collection(self) -> bool:
        """Whether the three parts of a collection are there."""
        return bool(self.documents and self.queries and self.qrels)


def is_beir(folder: Path) -> bool:
    """Whether a folder is laid out as BEIR's are on disk."""
    names = {name.split(".")[0] for name in _files(folder) if ".jsonl" in name.lower()}
    qrels = folder / "qrels"
    readable = any(kind_of_file(name) in ("tsv", "csv") for name in _files(qrels))
    return {"corpus", "queries"} <= names and storage.is_dir(qrels) and readable


def _files(folder: Path) -> list[str]:
    """Names of the files of a folder that may hold rows."""
    names = storage.sizes(folder) if storage.is_dir(folder) else ()
    shown = (name for name in names if not name.startswith((".", "_")))
    return sorted(n for n in shown if n not in METADATA and not n.endswith(BESIDE))


def _folders(folder: Path) -> list[str]:
    names = (found.name for found in storage.folders(folder))
    return [name for name in names if not name.startswith((".", "_"))]


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
    for name in sorted(_files(root)):
        if kind_of_file(name):
            piece = Piece(f"{shown}/{name}", (str(root / name),), split_of(name))
            _put(found, part_of(name), piece)
    for name in _folders(root):
        for piece in _below(root / name, f"{shown}/{name}", name):
            own = piece if piece.split else replace(piece, split=split_of(name))
            # A folder of any name says by its files what they are.
            _put(found, part_of(name) or part_of(Path(own.files[0]).name), own)
    if found.documents and found.queries and not found.qrels:
        found.qrels, found.rows = found.rows, []
    if not (found.documents or found.queries or found.qrels or found.rows):
        raise DataError(
            f"{folder} holds no file that is read: .csv, .tsv, .jsonl, .json, .parquet, .arrow "
            "(text: .gz or .zst behind it), nor folders of them"
        )
    return found


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
            for split in _folders(folder)
            if is_saved(folder / split)
        ]
    by_split: dict[str | None, list[str]] = {}
    names = sorted(n for n in _files(folder) if kind_of_file(n))
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
    files = [name for name in _files(folder) if kind_of_file(name) == "arrow"]
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
