"""Every format read back to the same thing: a query's positives and negatives, as texts."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.builders import document_text, query_text

Sets = dict[str, tuple[list[str], list[str]]]


def plain(text: str) -> str:
    """A text with every run of white space as one space, as files of lines and tabs have it."""
    return " ".join(text.split())


def read_back(name: str, path: Path) -> Sets:
    """Positives and negatives of each query, in their order, each once; all texts `plain`."""
    found: Sets = {}
    for query, above, below in READERS[name](path):
        positives, negatives = found.setdefault(plain(query), ([], []))
        for texts, known in ((above, positives), (below, negatives)):
            known.extend(text for text in map(plain, texts) if text not in known)
    return found


Row = tuple[str, list[str], list[str]]


def _rows(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        return list(pq.read_table(file).to_pylist())
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def _triplet(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        yield row["anchor"], [row["positive"]], [row["negative"]]


def _n_tuple(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        names = [name for name in row if name.startswith("negative_")]
        yield row["anchor"], [row["positive"]], [row[name] for name in names]


def _labeled_pair(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        query, text = row.get("anchor", row.get("query")), row.get("positive", row.get("document"))
        yield (query, [text], []) if row["label"] > 0 else (query, [], [text])


def _labeled_list(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        labelled = list(zip(row["documents"], row["labels"], strict=True))
        above = [text for text, label in labelled if label > 0]
        yield row["query"], above, [text for text, label in labelled if label == 0]


def _flagembedding(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        yield row["query"], row["pos"], row["neg"]


def _tevatron(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        passages = [row[f"{which}_passages"] for which in ("positive", "negative")]
        for entries in passages:
            for entry in entries:
                assert entry["text"] == document_text(entry["docid"])
        above, below = ([entry["text"] for entry in entries] for entries in passages)
        yield row["query"], above, below


def _tevatron_v2(folder: Path) -> Iterator[Row]:
    corpus = _once((row["docid"], row["text"]) for row in _rows(folder / "corpus.jsonl"))
    for row in _rows(folder / "train.jsonl"):
        ids = [row[f"{which}_document_ids"] for which in ("positive", "negative")]
        above, below = ([corpus[at] for at in each] for each in ids)
        yield row["query_text"], above, below


def _pylate_kd(folder: Path) -> Iterator[Row]:
    queries = _once((r["query_id"], r["text"]) for r in _rows(folder / "queries.parquet"))
    texts = _once((r["document_id"], r["text"]) for r in _rows(folder / "documents.parquet"))
    for row in _rows(folder / "train.parquet"):
        assert len(row["document_ids"]) == len(row["scores"])
        positive, *negatives = [texts[at] for at in row["document_ids"]]
        yield queries[row["query_id"]], [positive], negatives


def _numbered(folder: Path) -> tuple[dict[int, str], dict[int, str]]:
    """Queries and documents by number, which is the line."""
    found = []
    for name in ("queries", "collection"):
        lines = (folder / f"{name}.tsv").read_text(encoding="utf-8").split("\n")[:-1]
        pairs = [line.split("\t") for line in lines]
        assert [int(number) for number, _ in pairs] == list(range(len(pairs)))
        found.append({int(number): text for number, text in pairs})
    return found[0], found[1]


def _colbert(folder: Path) -> Iterator[Row]:
    queries, texts = _numbered(folder)
    for line in (folder / "triples.jsonl").read_text().splitlines():
        qid, positive, *negatives = json.loads(line)
        yield queries[qid], [texts[positive]], [texts[at] for at in negatives]


def _msmarco(folder: Path) -> Iterator[Row]:
    queries, texts = _numbered(folder)
    for line in (folder / "msmarco-hard-negatives.jsonl").read_text().splitlines():
        row = json.loads(line)
        below = [texts[entry["pid"]] for entries in row["neg"].values() for entry in entries]
        assert all(isinstance(e["ce-score"], float) for es in row["neg"].values() for e in es)
        yield queries[row["qid"]], [texts[at] for at in row["pos"]], below


def _automodel(folder: Path) -> Iterator[Row]:
    whole = json.loads((folder / "train.json").read_text(encoding="utf-8"))
    corpus = folder / whole["corpus"][0]["path"]
    facts = json.loads((corpus / "merlin_metadata.json").read_text())
    texts = _once((row["id"], row["text"]) for row in _rows(corpus / "train.parquet"))
    names = [row["question_id"] for row in whole["data"]]
    assert len(names) == len(set(names))
    for row in whole["data"]:
        assert row["corpus_id"] == facts["corpus_id"]
        above, below = ([texts[d["id"]] for d in row[k]] for k in ("pos_doc", "neg_doc"))
        yield row["question"], above, below


def _automodel_inline(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        yield row["question"], row["pos_doc"], row["neg_doc"]


def _ms_swift(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        above, below = (
            [messages[0]["content"] for messages in row[f"{which}_messages"]]
            for which in ("positive", "negative")
        )
        assert len(above) == 1
        yield row["messages"][-1]["content"], above, below


def _lightning_ir(file: Path) -> Iterator[Row]:
    for row in _rows(file):
        assert row["text"] == document_text(row["doc_id"])
        texts = [row["text"]]
        yield (row["query"], texts, []) if row["relevance"] else (row["query"], [], texts)


def _words(file: Path) -> Iterator[tuple[str, list[str]]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        query, *others = line.split(" ")
        yield query_text(int(query[1:])), others


def _trec_run(file: Path) -> Iterator[Row]:
    for query, (_, document, _, _, _) in _words(file):
        texts = [document_text(document)]
        known = "-positive-" in document or "-" not in document
        yield (query, texts, []) if known else (query, [], texts)


def _qrels(file: Path) -> Iterator[Row]:
    for query, (_, document, _) in _words(file):
        yield query, [document_text(document)], []


def _hf(folder: Path) -> Iterator[Row]:
    for row in _rows(folder / "sets" / "train.parquet"):
        assert len(row["tiers"]) == len(row["negatives"]) == len(row["negative_ids"])
        assert len(row["grades"]) == len(row["positives"]) == len(row["positive_ids"])
        yield row["query"], row["positives"], row["negatives"]


def _hf_triplets(folder: Path) -> Iterator[Row]:
    yield from _triplet(folder / "triplet" / "train.parquet")


def _once(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """Texts by identifier, each of which stands there once."""
    listed = list(pairs)
    found = dict(listed)
    assert len(found) == len(listed)
    return found


READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "triplet": _triplet,
    "n_tuple": _n_tuple,
    "pylate": _n_tuple,
    "labeled_pair": _labeled_pair,
    "bce": _labeled_pair,
    "labeled_list": _labeled_list,
    "flagembedding": _flagembedding,
    "flagembedding_reranker": _flagembedding,
    "tevatron": _tevatron,
    "tevatron_v2": _tevatron_v2,
    "pylate_kd": _pylate_kd,
    "colbert": _colbert,
    "msmarco": _msmarco,
    "automodel": _automodel,
    "automodel_inline": _automodel_inline,
    "ms_swift": _ms_swift,
    "ms_swift_reranker": _ms_swift,
    "lightning_ir": _lightning_ir,
    "trec_run": _trec_run,
    "qrels": _qrels,
    "hf": _hf,
    "hf, triplets": _hf_triplets,
}
