"""Mined sets in every format that is audited, written from the same rows."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq


class Mined(NamedTuple):
    """A row of a mined set: query, positive, negatives."""

    query: str
    positive: str
    negatives: tuple[str, ...]


Ids = Callable[[str], str]


def write_jsonl(path: Path, records: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.splitlines()]


def write_table(path: Path, table: pa.Table, stream: bool = False) -> Path:
    """Parquet or Arrow IPC, as the suffix says; with `stream` as `datasets` saves to disk."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return path
    new = pa.ipc.new_stream if stream else pa.ipc.new_file
    with new(str(path), table.schema) as writer:
        writer.write_table(table)
    return path


def read_table(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    try:
        return pa.ipc.open_file(path).read_all()
    except pa.ArrowInvalid:
        return pa.ipc.open_stream(path).read_all()


def triplets(rows: Sequence[Mined]) -> list[dict[str, Any]]:
    return [
        {"anchor": row.query, "positive": row.positive, "negative": negative}
        for row in rows
        for negative in row.negatives
    ]


def n_tuples(rows: Sequence[Mined]) -> list[dict[str, Any]]:
    return [
        {
            "anchor": row.query,
            "positive": row.positive,
            **{f"negative_{at}": text for at, text in enumerate(row.negatives, 1)},
        }
        for row in rows
    ]


def flagembedding(rows: Sequence[Mined]) -> list[dict[str, Any]]:
    return [
        {
            "query": row.query,
            "pos": [row.positive],
            "neg": list(row.negatives),
            "neg_scores": list(range(len(row.negatives))),
            "type": "normal",
        }
        for row in rows
    ]


def tevatron(rows: Sequence[Mined], query_id: Ids, doc_id: Ids) -> list[dict[str, Any]]:
    def passage(text: str) -> dict[str, str]:
        return {"docid": doc_id(text), "title": "", "text": text}

    return [
        {
            "query_id": query_id(row.query),
            "query": row.query,
            "positive_passages": [passage(row.positive)],
            "negative_passages": [passage(text) for text in row.negatives],
        }
        for row in rows
    ]


def msmarco(rows: Sequence[Mined], query_id: Ids, doc_id: Ids) -> list[dict[str, Any]]:
    return [
        {
            "qid": query_id(row.query),
            "pos": [doc_id(row.positive)],
            "neg": {"bm25": [{"pid": doc_id(text), "ce-score": 1.0} for text in row.negatives]},
        }
        for row in rows
    ]


def automodel_inline(rows: Sequence[Mined]) -> list[dict[str, Any]]:
    return [
        {"question": row.query, "pos_doc": row.positive, "neg_doc": list(row.negatives)}
        for row in rows
    ]


def _talk(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "find it"}, {"role": "user", "content": text}]


def ms_swift(rows: Sequence[Mined]) -> list[dict[str, Any]]:
    return [
        {
            "messages": _talk(row.query),
            "positive_messages": [_talk(row.positive)],
            "negative_messages": [_talk(text) for text in row.negatives],
        }
        for row in rows
    ]


def labeled_lists(rows: Sequence[Mined]) -> list[dict[str, Any]]:
    return [
        {
            "query": row.query,
            "documents": [row.positive, *row.negatives],
            "labels": [1.0, *(0.0 for _ in row.negatives)],
        }
        for row in rows
    ]


def labeled_pairs(rows: Sequence[Mined]) -> list[dict[str, Any]]:
    return [
        {"anchor": row.query, "positive": text, "label": int(at == 0)}
        for row in rows
        for at, text in enumerate((row.positive, *row.negatives))
    ]


def lightning_ir(rows: Sequence[Mined], query_id: Ids, doc_id: Ids) -> list[dict[str, Any]]:
    return [
        {
            "query_id": query_id(row.query),
            "doc_id": doc_id(text),
            "rank": at + 1,
            "score": 1.0 - at,
            "query": row.query,
            "text": text,
            "relevance": int(at == 0),
        }
        for row in rows
        for at, text in enumerate((row.positive, *row.negatives))
    ]


def tevatron_v2(rows: Sequence[Mined], query_id: Ids, doc_id: Ids) -> list[dict[str, Any]]:
    return [
        {
            "query_id": query_id(row.query),
            "query_text": row.query,
            "positive_document_ids": [doc_id(row.positive)],
            "negative_document_ids": [doc_id(text) for text in row.negatives],
        }
        for row in rows
    ]


def pylate_kd(rows: Sequence[Mined], query_id: Ids, doc_id: Ids) -> list[dict[str, Any]]:
    return [
        {
            "query_id": query_id(row.query),
            "document_ids": [doc_id(text) for text in (row.positive, *row.negatives)],
            "scores": [2.0, *(1.0 for _ in row.negatives)],
        }
        for row in rows
    ]


def colbert(rows: Sequence[Mined], query_id: Ids, doc_id: Ids) -> list[list[Any]]:
    return [
        [query_id(row.query), *([doc_id(text), 1.0] for text in (row.positive, *row.negatives))]
        for row in rows
    ]


def automodel(rows: Sequence[Mined], query_id: Ids, doc_id: Ids) -> list[dict[str, Any]]:
    return [
        {
            "question_id": query_id(row.query),
            "question": row.query,
            "corpus_id": "planted",
            "pos_doc": [{"id": doc_id(row.positive), "score": 2.0}],
            "neg_doc": [{"id": doc_id(text), "score": 1.0} for text in row.negatives],
            "lineage": "kept",
        }
        for row in rows
    ]


def write_automodel(folder: Path, entries: Sequence[Any], corpus: dict[str, str]) -> Path:
    """train.json and its corpus, from identifier to text."""
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    facts = {"class": "TextQADataset", "corpus_id": "planted"}
    (folder / "corpus" / "merlin_metadata.json").write_text(json.dumps(facts))
    texts = {"id": list(corpus), "text": list(corpus.values())}
    pq.write_table(pa.table(texts), folder / "corpus" / "train.parquet")
    value = {"corpus": [{"path": "corpus"}], "data": list(entries)}
    (folder / "train.json").write_text(json.dumps(value))
    return folder / "train.json"
