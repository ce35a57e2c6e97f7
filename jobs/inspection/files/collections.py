"""Collections in parts: files of documents, queries and qrels, and how a config names them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from negmine.jobs.inspection.columns import KINDS, columns_of
from negmine.jobs.inspection.files.folders import Piece
from negmine.jobs.inspection.findings import Told
from negmine.jobs.inspection.heads import Head, head_of
from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.tables.columnar import row_count
from negmine.transforms.readers.tables.names import usual
from negmine.transforms.storage.suffixes import NAMES, kind_of_file

_DELIMITED = ("csv", "tsv")


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


def kept_out_note(kept: Sequence[Piece], keys: Sequence[str]) -> str:
    """What is said of splits that are kept for evaluation, by these keys."""
    off = " ".join(f"--set input.{key}=[]" for key in keys)
    return (
        f"kept for evaluation: {', '.join(str(piece.split) for piece in kept)}; their positives "
        f"are no negatives, and their queries are not mined. {off} mines as if they were not there"
    )


_ROLES = {
    "documents": {
        "identifier": "doc_id",
        "text": "doc_text",
        "title": "doc_title",
        "language": "doc_language",
    },
    "queries": {"identifier": "query_id", "text": "query_text", "language": "query_language"},
    "judgements": {"query": "qrels_query_id", "document": "qrels_doc_id", "grade": "grade"},
}
"""What is read of each part of a collection, by the setting that names its column."""


def part_columns(part: str, head: Head) -> list[Told]:
    """The columns of a part of a collection, with their roles where a header names them."""
    roles = {
        name: role
        for role, setting in _ROLES[part].items()
        if (name := usual(setting, head.names)) is not None
    }
    if not head.header:
        # By the format's order; of judgements their number of columns decides, line by line.
        in_order = ("identifier", "text") if part != "judgements" else ()
        roles = dict(zip(head.names, in_order, strict=False))
    return [
        Told(f"{part}: {column.name}", KINDS[column.kind], roles.get(column.name, ""))
        for column in columns_of(head)
        if head.header or column.name in roles
    ]


def files_input(
    parts: Mapping[str, Sequence[Piece]], where: str
) -> tuple[JsonObject, dict[str, int | str], list[Told]]:
    """The `input` section of documents, queries and qrels, and rows and columns of each."""
    kinds: dict[str, str] = {}
    values: JsonObject = {}
    counts: dict[str, int | str] = {}
    columns: list[Told] = []
    for part, pieces in parts.items():
        values[part], files = one_pattern(pieces, where)
        kinds[part] = kind_of_file(files[0])
        head = head_of(files[0])
        what = "judgements" if part == "qrels" else part
        counts[what] = count(head, files)
        columns += part_columns(what, head)
    delimited = [kind in _DELIMITED for kind in kinds.values()]
    columnar = kinds["documents"] in ("parquet", "arrow")
    known = "tsv" if all(delimited) else "parquet" if columnar else "jsonl"
    if known == "tsv":  # whose reader takes no language
        columns = [replace(c, role="") if c.role == "language" else c for c in columns]
    return {"format": known, **values}, counts, columns


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
        f"'{where}/*.jsonl'; those that belong together may have a folder of their own"
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
