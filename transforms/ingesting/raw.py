"""Raw parts: the rows of one source as Parquet, before identifiers are resolved."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas import JsonObject
from negmine.schemas.inputs.passages import Passages
from negmine.transforms.data.datasets import write_part
from negmine.transforms.kernels.crops import passages
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.near_duplicates import MINHASH_VALUES, sketches
from negmine.transforms.readers.detection import detected
from negmine.transforms.readers.rows import Bad, Document, Judgement, Label, Query, Row, Source
from negmine.transforms.workers import made_by_workers

RAW = "raw"
"""Folder, in that of the ingested collection, of each attempt's raw parts until it is made."""

_WHERE = [
    pa.field("file", pa.int32(), nullable=False),
    pa.field("line", pa.int64(), nullable=False),
]
_TEXT = [
    *_WHERE,
    pa.field("id", pa.string(), nullable=False),
    pa.field("text", pa.large_string(), nullable=False),
    pa.field("id_key", pa.uint64(), nullable=False),
    pa.field("text_key", pa.uint64(), nullable=False),
    pa.field("language", pa.string()),
]
SCHEMAS: dict[str, pa.Schema] = {
    "documents": pa.schema(
        [
            *_TEXT,
            pa.field("minhash", pa.binary(MINHASH_VALUES)),
            pa.field("whole", pa.string()),
            pa.field("group_key", pa.uint64(), nullable=False),
            pa.field("place", pa.int64(), nullable=False),
        ]
    ),
    "queries": pa.schema([*_TEXT, pa.field("lot", pa.uint64(), nullable=False)]),
    "qrels": pa.schema(
        [
            *_WHERE,
            *(pa.field(n, pa.string()) for n in ("query_id", "doc_id")),
            pa.field("grade", pa.float32()),
        ]
    ),
    "labels": pa.schema(
        [
            *_WHERE,
            *(pa.field(n, pa.string()) for n in ("query_id", "doc_id")),
            *(pa.field(n, pa.bool_()) for n in ("positive", "own")),
        ]
    ),
    "bad": pa.schema(
        [*_WHERE, *(pa.field(n, pa.string()) for n in ("kind", "code", "reason", "excerpt", "id"))]
    ),
}
_EVALUATION = [*_WHERE, pa.field("id", pa.string()), pa.field("text_key", pa.uint64())]
SCHEMAS |= {
    "evaluation_documents": pa.schema(_EVALUATION),
    "evaluation_queries": pa.schema(_EVALUATION),
    "evaluation_qrels": pa.schema([*SCHEMAS["qrels"], pa.field("positive", pa.bool_())]),
}
_BYTES = 32 << 20
_COUNTED: dict[str, tuple[type, ...]] = {
    "pairs": (Judgement, Bad),
    "functions": (Judgement, Bad),
    "texts": (Document, Bad),
}
"""Which rows stand for one of the input, where that gives several."""

Piece: TypeAlias = tuple[str, int, list[Row]]
"""Kind, number and rows."""


@dataclass
class Report:
    """What was read of one source.

    `parts` holds (kind, path) of the raw parts, kinds as in SCHEMAS; `rows` the number of input
    rows, bad ones too; `ignored` those of qrels whose grade is 0 or less. `evaluation` and
    `kind` as in Source.
    """

    file: int
    name: str
    parts: list[tuple[str, str]] = field(default_factory=list)
    rows: int = 0
    ignored: int = 0
    evaluation: bool = False
    kind: str = ""


def write_raw(
    file: int,
    source: Source,
    rows: Iterable[Row],
    seed: int,
    directory: str,
    block_size: int,
    cut: Passages | None = None,
    detect: bool = False,
) -> Report:
    """Write a source's rows as raw parts of at most `block_size` rows or 32 MiB of text.

    Documents are `cut` into passages, or stay as they are; `detect` finds the language of texts
    that have none. `file` is the source's place in the list of sources; duplicates are settled in
    that order. Raises StorageError.
    """
    prefix = "evaluation_" if source.evaluation else ""
    report = Report(file, source.name, evaluation=source.evaluation, kind=source.kind)
    kept = _kept(rows, report, _COUNTED.get(source.kind, (object,)), cut)
    pieces = _Pieces(prefix, block_size).cut(kept)
    # Reading is one process's work, and what is made of the rows is most of it.
    report.parts.extend(made_by_workers(_Part(file, seed, directory, detect), pieces))
    report.parts.sort(key=lambda part: part[1])
    return report


def _kept(
    rows: Iterable[Row], report: Report, counted: tuple[type, ...], cut: Passages | None
) -> Iterator[Row]:
    """The rows that are written, documents cut into passages; counts into the report."""
    for row in rows:
        report.rows += isinstance(row, counted)
        if isinstance(row, Judgement) and not row.positive and not report.evaluation:
            report.ignored += 1
        elif cut and isinstance(row, Document):
            for number, text in enumerate(passages(row.text, cut.words, cut.overlap), 1):
                passage = (f"{row.id}#{number}", text, row.id, number, row.language)
                yield Document(row.line, *passage)
        else:
            yield row


class _Pieces:
    """Rows by kind, in pieces of `block_size` rows or 32 MiB, numbered as they come."""

    def __init__(self, prefix: str, block_size: int) -> None:
        self.prefix = prefix
        self.block_size = block_size
        self._made = 0
        self._rows: dict[str, list[Row]] = {kind: [] for kind in SCHEMAS}
        self._bytes = dict.fromkeys(SCHEMAS, 0)

    def cut(self, rows: Iterable[Row]) -> Iterator[Piece]:
        """Kind, number and rows of each piece."""
        for row in rows:
            kind = self._add(row)
            if len(self._rows[kind]) >= self.block_size or self._bytes[kind] >= _BYTES:
                yield self._piece(kind)
        for kind, left in self._rows.items():
            if left:
                yield self._piece(kind)

    def _add(self, row: Row) -> str:
        size = 0
        if isinstance(row, Document | Query):
            kind = self.prefix + ("documents" if isinstance(row, Document) else "queries")
            size = len(row.id) + len(row.text)
        elif isinstance(row, Judgement):
            kind = f"{self.prefix}qrels"
            size = len(row.query_id) + len(row.doc_id)
        elif isinstance(row, Label):
            kind = "labels"
            size = len(row.query_id) + len(row.doc_id)
        else:
            kind, row = "bad", row._replace(kind=self.prefix + row.kind)
            size = len(row.reason) + len(row.excerpt) + len(row.id or "")
        self._bytes[kind] += size
        self._rows[kind].append(row)
        return kind

    def _piece(self, kind: str) -> Piece:
        rows, self._rows[kind], self._bytes[kind] = self._rows[kind], [], 0
        self._made += 1
        return kind, self._made - 1, rows


@dataclass(frozen=True)
class _Part:
    """Writes a piece of a source's rows; gives its kind and path."""

    file: int
    seed: int
    directory: str
    detect: bool

    def __call__(self, piece: Piece) -> tuple[str, str]:
        kind, number, rows = piece
        name = f"{kind}-{self.file:06d}-{number:06d}.parquet"
        schema = SCHEMAS[kind]
        table = pa.table(self._columns(kind, rows), schema=schema)
        write_part(self.directory, name, table, schema, compression="lz4")
        return kind, f"{self.directory}/{name}"

    def _columns(self, kind: str, rows: Sequence[Any]) -> JsonObject:
        columns: JsonObject = {name: [row[i] for row in rows] for i, name in _FIELDS[kind]}
        columns["file"] = np.full(len(rows), self.file, dtype=np.int32)
        if kind in ("documents", "queries"):
            columns["id_key"] = text_keys(columns["id"])
            if self.detect:
                columns["language"] = detected(columns["text"], columns["language"])
            columns["text_key"], values = sketches(columns["text"], minhash=kind == "documents")
        elif kind in ("evaluation_documents", "evaluation_queries"):
            columns["text_key"], _ = sketches([row.text for row in rows], minhash=False)
        elif kind == "evaluation_qrels":
            columns["positive"] = [row.positive for row in rows]
        if kind == "documents":
            data = pa.py_buffer(np.ascontiguousarray(values))
            columns["minhash"] = pa.Array.from_buffers(
                pa.binary(MINHASH_VALUES), len(rows), [None, data]
            )
            columns |= _groups(columns)
        elif kind == "queries":
            columns["lot"] = mix(self.seed, columns["id_key"])
        return columns


def _groups(documents: JsonObject) -> JsonObject:
    """What documents are passages of: as the rows say, else as identifiers <group>#<n> do."""
    told = pa.array(documents["whole"], pa.string())
    named = pc.extract_regex(pa.array(documents["id"]), r"^(?P<group>(?s:.+))#(?P<place>\d{1,9})$")
    group = pc.coalesce(told, pc.struct_field(named, "group"))
    place = pa.array(documents["place"], pa.int64())
    numbered = pc.cast(pc.struct_field(named, "place"), pa.int64())
    keys = text_keys(group.fill_null("").to_pylist())
    keys[group.is_null().to_numpy(zero_copy_only=False)] = 0
    return {
        "whole": group,
        "group_key": keys,
        "place": pc.coalesce(place, numbered).fill_null(-1),
    }


_FIELDS: dict[str, list[tuple[int, str]]] = {
    "documents": list(enumerate(("line", "id", "text", "whole", "place", "language"))),
    "queries": list(enumerate(Query._fields)),
    "qrels": list(enumerate(Judgement._fields)),
    "labels": list(enumerate(Label._fields)),
    "evaluation_documents": [(0, "line"), (1, "id")],
    "evaluation_queries": [(0, "line"), (1, "id")],
    "evaluation_qrels": list(enumerate(Judgement._fields)),
    "bad": list(enumerate(Bad._fields)),
}
