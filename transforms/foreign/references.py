"""Corpus, queries and judgements beside an audited file: columns are found by their usual names."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from schemas.errors import DataError
from transforms import storage
from transforms.foreign.files import container, objects, open_table
from transforms.foreign.rows import MOST_BYTES
from transforms.readers.columns import is_plain
from transforms.readers.lines import decoded, line_cap, lines
from transforms.readers.paths import compressed, kind_of_file
from transforms.readers.qrels import read_qrels
from transforms.readers.rows import Bad, Judgement, Rejected, Source, identifier, joined, number
from transforms.storage.digests import Digest

_IDS = {
    "corpus": ("_id", "doc_id", "docid", "pid", "id"),
    "queries": ("_id", "query_id", "qid", "id"),
}
_TEXTS = {"corpus": ("text", "document_text", "passage"), "queries": ("text", "query")}
_QRELS = (("query_id", "query-id", "qid"), ("doc_id", "corpus-id", "docid", "pid"))
_GRADES = ("grade", "score", "relevance", "label")
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


def _column(path: Path, what: str, names: Sequence[str], wanted: Sequence[str]) -> str:
    for name in wanted:
        if name in names:
            return name
    raise DataError(
        f"--{what}: {path} has the columns {', '.join(names)} and none of {', '.join(wanted)}"
    )


def _records(
    path: Path, what: str, digest: Digest | None
) -> Iterator[tuple[int, dict[str, object]]]:
    if kind_of_file(path) == "tsv":
        for line, data, size in lines(path, _CAP, None, digest):
            try:
                identity, _, rest = decoded(data, size).partition("\t")
            except Rejected as why:
                raise DataError(f"--{what}: {path} line {line}: {why.reason}") from None
            yield line, {"_id": identity, "text": rest}
    elif container(path) == "jsonl":
        for line, record, _ in objects(path, what, digest):
            yield line, record
    else:
        with open_table(path, digest) as (schema, batches):
            names = [field.name for field in schema if is_plain(field.type)]
            line = 0
            for batch in batches:
                for record in batch.select(names).to_pylist():
                    line += 1
                    yield line, record


def texts(path: Path, what: str, digest: Digest | None = None) -> Iterator[Text]:
    """Documents (`what` is corpus) or queries of a file: JSONL, TSV, Parquet or Arrow, streamed.

    A title is put before the text. Documents without a text are left out. Raises DataError naming
    file and line where a row cannot be used.
    """
    columns: tuple[str, str] | None = None
    for line, record in _records(path, what, digest):
        if columns is None:
            names = list(record)
            columns = (
                _column(path, what, names, _IDS[what]),
                _column(path, what, names, _TEXTS[what]),
            )
        try:
            title = record.get("title") if what == "corpus" else None
            identity = identifier(record.get(columns[0]))
            yield Text(identity, joined(record.get(columns[1]), title, MOST_BYTES))
        except Rejected as why:
            if why.code != "empty_text":
                raise DataError(f"--{what}: {path} line {line}: {why.reason}") from None


def judgements(path: Path, digest: Digest | None = None) -> Iterator[tuple[str, str]]:
    """(query id, document id) of the judgements with a grade above 0. Raises DataError."""
    if kind_of_file(path) in ("tsv", ""):
        digests = (digest,) if digest else ()
        for row in read_qrels(Source("qrels", str(path), path.name, digests=digests), _CAP):
            if isinstance(row, Judgement) and row.grade > 0:
                yield row.query_id, row.doc_id
            elif isinstance(row, Bad) and row.line > 1:
                raise DataError(f"--qrels: {path} line {row.line}: {row.reason}")
        return
    columns: tuple[str, str] | None = None
    grade: str | None = None
    for line, record in _records(path, "qrels", digest):
        names = list(record)
        if columns is None:
            query, document = (_column(path, "qrels", names, wanted) for wanted in _QRELS)
            columns = (query, document)
            grade = next((name for name in _GRADES if name in names), None)
        try:
            pair = (identifier(record.get(columns[0])), identifier(record.get(columns[1])))
            if grade is None or number(record.get(grade)) > 0:
                yield pair
        except Rejected as why:
            raise DataError(f"--qrels: {path} line {line}: {why.reason}") from None
