"""Collections in parts: files of documents, queries and qrels, and how a config names them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from negmine.jobs.inspection.folders import Piece
from negmine.jobs.inspection.heads import Head, head_of
from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.beir import splits_in
from negmine.transforms.readers.paths import compressed
from negmine.transforms.readers.tables.columnar import row_count
from negmine.transforms.storage.suffixes import NAMES, kind_of_file

_DELIMITED = ("csv", "tsv")


def beir_splits(folder: Path) -> list[str]:
    """The splits that a BEIR folder has qrels of."""
    return splits_in(folder)


def split_of(splits: Sequence[str], wanted: str | None, where: str) -> str:
    """The split that is mined: the one that is wanted, train, or the only one.

    Raises DataError where that is not there, or is open.
    """
    if wanted is not None and wanted not in splits:
        raise DataError(f"{where} has no split {wanted!r}; found {', '.join(splits) or 'none'}")
    if wanted is None and "train" not in splits and len(splits) != 1:
        found = f"the splits {', '.join(splits)} and no train" if splits else "no qrels"
        raise DataError(f"{where} has {found}; say --split NAME")
    return wanted or ("train" if "train" in splits else splits[0])


def kept_out_note(splits: Sequence[str], key: str) -> str:
    """What is said of splits that are kept for evaluation."""
    return (
        f"kept for evaluation: {', '.join(splits)}; their positives are no negatives, and their "
        f"queries are not mined. --set input.{key}=[] mines as if they were not there"
    )


def beir_counts(folder: Path, split: str) -> dict[str, int | str]:
    """Rows of each part of a BEIR folder."""
    files = {
        "documents": compressed(folder / "corpus.jsonl"),
        "queries": compressed(folder / "queries.jsonl"),
    }
    for suffix in (".tsv", ".csv", ".txt"):
        files.setdefault("judgements", compressed(folder / "qrels" / f"{split}{suffix}"))
        if files["judgements"] is None:
            del files["judgements"]
    return {what: count(head_of(str(path)), [str(path)]) for what, path in files.items() if path}


def files_input(
    parts: Mapping[str, Sequence[Piece]], where: str
) -> tuple[JsonObject, dict[str, int | str]]:
    """The `input` section of documents, queries and qrels, and the rows of each."""
    kinds: dict[str, str] = {}
    values: JsonObject = {}
    counts: dict[str, int | str] = {}
    for part, pieces in parts.items():
        values[part], files = one_pattern(pieces, where)
        kinds[part] = kind_of_file(files[0])
        head = head_of(files[0])
        counts["judgements" if part == "qrels" else part] = count(head, files)
    delimited = [kind in _DELIMITED for kind in kinds.values()]
    columnar = kinds["documents"] in ("parquet", "arrow")
    known = "tsv" if all(delimited) else "parquet" if columnar else "jsonl"
    return {"format": known, **values}, counts


def one_pattern(pieces: Sequence[Piece], where: str) -> tuple[str, tuple[str, ...]]:
    """How a setting names files that are read alike, and the files.

    Raises DataError where they are of several kinds, or need several patterns.
    """
    files = tuple(file for piece in pieces for file in piece.files)
    kinds = sorted({kind_of_file(file) for file in files})
    if len(kinds) > 1:
        shown = ", ".join(Path(file).name for file in files[:6])
        raise DataError(
            f"{where} holds files of several kinds ({shown}); name one of them, or put those that "
            "belong together into a folder of their own"
        )
    if len(pieces) == 1:
        return pieces[0].pattern, files
    folders = {str(Path(file).parent) for file in files}
    inside = {
        str(file)
        for folder in folders
        for file in storage.files(Path(folder))
        if kind_of_file(file) == kinds[0]
    }
    if len(folders) == 1 and inside == set(files):
        return str(Path(pieces[0].pattern).parent), files
    shown = ", ".join(piece.pattern for piece in pieces[:6])
    raise DataError(
        f"{where} holds several sets of rows ({shown}); name one of them, or a pattern such as "
        f"'{where}/*.jsonl'"
    )


def a_line_each(folder: str) -> str:
    """What is said of text files: that their lines are the documents, and how files become such."""
    return (
        'each line of these files is a document; for a file a document: python -c "import json, '
        f"pathlib; [print(json.dumps({{'id': p.name, 'text': p.read_text()}})) for p in "
        f"sorted(pathlib.Path('{folder}').rglob('*.txt'))]\" > documents.jsonl"
    )


def count(head: Head, files: Sequence[str]) -> int | str:
    """Rows of files that are like the one whose head is known; a text where they are estimated."""
    if head.kind in ("parquet", "arrow"):
        return sum(map(row_count, files))
    if head.count is None:
        return "not counted"
    if len(files) == 1:
        return head.count if head.exact else f"about {head.count:,}"
    heads = [head, *(head_of(file, head.encoding, head.header) for file in files[1:20])]
    if len(files) > len(heads) or any(h.count is None for h in heads):
        return f"{len(files)} files"
    total = sum(h.count or 0 for h in heads)
    return total if all(h.exact for h in heads) else f"about {total:,}"


def shape_of(head: Head, files: int) -> str:
    """What a file is, in a few words."""
    name = NAMES[head.kind]
    if head.kind in _DELIMITED:
        name += " with a header" if head.header else " without a header"
        name += f", {head.encoding}" if head.encoding != "utf-8" else ""
    return f"{files} files, {name}" if files > 1 else name
