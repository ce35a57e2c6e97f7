"""Corpus, queries and judgements beside an audited file: columns are found by their usual names."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.foreign.files import objects, open_table
from negmine.transforms.foreign.rows import MOST_BYTES
from negmine.transforms.readers.label_values import refuse_classes, word_value
from negmine.transforms.readers.paths import compressed
from negmine.transforms.readers.qrels import qrels_layout, read_qrels
from negmine.transforms.readers.rows import (
    UNGRADED,
    Bad,
    Judgement,
    Rejected,
    identifier,
    joined,
    number,
)
from negmine.transforms.readers.tables import delimited
from negmine.transforms.readers.tables.classes import classes_of, named, names_at
from negmine.transforms.readers.tables.columnar import is_plain
from negmine.transforms.readers.tables.headers import Layout, find_layout, placed
from negmine.transforms.readers.tables.lines import line_cap
from negmine.transforms.readers.tables.names import USUAL, usual
from negmine.transforms.storage.digests import Digest
from negmine.transforms.storage.suffixes import require_kind

_KINDS = ("parquet", "arrow", "jsonl", "csv", "tsv")
_ROLES = {
    "corpus": ("doc_id", "doc_text", "doc_title"),
    "queries": ("query_id", "query_text"),
    "qrels": ("qrels_query_id", "qrels_doc_id", "grade"),
}
_CAP = line_cap(1 << 24)


class Text(NamedTuple):
    """A document or query with its identifier."""

    id: str
    text: str


def reference_file(path: str, what: str) -> Path:
    """The file that --corpus, --queries or --qrels names; of a BEIR folder, its own of the kind.

    Raises DataError where there is none.
    """
    place = storage.local_path(path)
    if storage.is_dir(place):
        found = compressed(place / f"{what}.jsonl")
        if found is None:
            raise DataError(f"--{what}: folder {path} holds no {what}.jsonl; name a file")
        return found
    if not storage.is_file(place):
        raise DataError(f"--{what}: {path} does not exist; looked at {place.absolute()}")
    return place


def _columns(path: Path, what: str, names: Sequence[str]) -> list[str | None]:
    """Identifier, text, title; or query, document, grade. Raises DataError where one is missing."""
    found = [usual(role, names) for role in _ROLES[what]]
    for role, name in zip(_ROLES[what][:2], found, strict=False):
        if name is None:
            raise DataError(
                f"--{what}: {path} has the columns {', '.join(names)} and none of "
                f"{', '.join(USUAL[role])}"
            )
    return found


def _records(
    path: Path, what: str, kind: str, digest: Digest | None
) -> Iterator[tuple[int, list[object]]]:
    """Line and the values of the columns of `_columns` of each row, UNGRADED for one not there."""
    columns: list[str | None] | None = None
    if kind in ("csv", "tsv"):
        yield from _delimited(path, what, kind, digest)
    elif kind == "jsonl":
        for line, record, _ in objects(path, what, digest):
            columns = columns or _columns(path, what, list(record))
            yield line, [UNGRADED if name is None else record.get(name) for name in columns]
    else:
        with open_table(path, digest) as (schema, batches):
            names = [field.name for field in schema if is_plain(field.type)]
            columns = _columns(path, what, names)
            classes = classes_of(schema.metadata)
            if what == "qrels" and columns[2] in classes:
                found = names_at(classes, str(columns[2]))
                refuse_classes(f"--qrels: {path}", None, str(columns[2]), found)
            line = 0
            for batch in batches:
                for row in batch.select([name for name in columns if name]).to_pylist():
                    record = named(row, classes)
                    line += 1
                    yield line, [UNGRADED if name is None else record[name] for name in columns]


def _delimited(
    path: Path, what: str, kind: str, digest: Digest | None
) -> Iterator[tuple[int, list[object]]]:
    text = delimited.Text(str(path), kind, _CAP, None, digest=digest)
    roles = _ROLES[what]

    def columns_of(names: Sequence[str]) -> list[str | None] | None:
        found = [usual(role, names) for role in roles]
        return None if None in found[:2] or found[0] == found[1] else found

    bare = Layout(False, (0, 1, None)[: len(roles)], 2, 2)
    layout = find_layout(
        f"--{what}: {path}", "", *delimited.head(text), "auto", roles[:2], columns_of, bare
    )
    for line, fields, _ in placed(text, layout):
        if isinstance(fields, Rejected):
            raise DataError(f"--{what}: {path} line {line}: {fields.reason}")
        yield line, fields


def texts(path: Path, what: str, digest: Digest | None = None) -> Iterator[Text]:
    """Documents (`what` is corpus) or queries of a file, streamed: JSON, CSV, TSV, Parquet, Arrow.

    A title is put before the text. Documents without a text are left out. Raises DataError naming
    file and line where a row cannot be used, and where the file has not this digest.
    """
    kind = require_kind(path, f"--{what}", _KINDS)
    for line, values in _records(path, what, kind, digest):
        try:
            title = values[2] if len(values) > 2 else None
            yield Text(identifier(values[0]), joined(values[1], title, MOST_BYTES))
        except Rejected as why:
            if why.code != "empty_text":
                raise DataError(f"--{what}: {path} line {line}: {why.reason}") from None


def judgements(path: Path, digest: Digest | None = None) -> Iterator[tuple[str, str]]:
    """(query id, document id) of the judgements that are positive. Raises DataError as `texts`."""
    kind = require_kind(path, "--qrels", _KINDS, "tsv")
    if kind in ("csv", "tsv"):
        text = delimited.Text(str(path), kind, _CAP, None, spaces=True, digest=digest)
        for row in read_qrels(text, qrels_layout(text)):
            if isinstance(row, Judgement) and row.positive:
                yield row.query_id, row.doc_id
            elif isinstance(row, Bad):
                raise DataError(f"--qrels: {path} line {row.line}: {row.reason}")
        return
    for line, (query_id, doc_id, grade) in _records(path, "qrels", kind, digest):
        try:
            pair = (identifier(query_id), identifier(doc_id))
            word = word_value(grade)
            if grade is UNGRADED or (number(grade) if word is None else word) > 0:
                yield pair
        except Rejected as why:
            raise DataError(f"--qrels: {path} line {line}: {why.reason}") from None
