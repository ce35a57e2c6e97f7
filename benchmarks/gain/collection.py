"""A collection to train and evaluate on: a BEIR folder and how its queries are divided."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks._hidden_positives import read_positives, split_positives, write_reduced
from negmine.transforms.kernels.hashing import fingerprint

Division = Literal["split", "folds", "one-known"]
Relevant = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Collection:
    """Texts and positives by identifier.

    Attributes:
        name: in the table.
        documents, queries: texts by identifier; queries are those with a positive.
        known: positives that mining and training see, by query.
        relevant: positives that evaluation counts, by query.
        folds: parts that the queries are cut into, each held out once; 0 = train on the queries of
            `known`, evaluate on those of `relevant`.
        mined: BEIR folder and split that negatives are mined from.
    """

    name: str
    documents: dict[str, str]
    queries: dict[str, str]
    known: Relevant
    relevant: Relevant
    folds: int
    mined: tuple[str, str]
    made: Mapping[str, str] = field(default_factory=dict)
    """Texts of negatives that are in no corpus: trained with, never searched."""

    def divide(self, fold: int) -> tuple[list[tuple[str, str]], list[str]]:
        """Pairs to train with and queries to evaluate on, in one order for every set and seed."""
        pairs = [(q, d) for q in sorted(self.known) for d in sorted(self.known[q])]
        if not self.folds:
            return pairs, sorted(self.relevant)
        held = {q for q in self.relevant if int(fingerprint(["fold", q]), 16) % self.folds == fold}
        return [pair for pair in pairs if pair[0] not in held], sorted(held)

    def hidden(self, query: str) -> frozenset[str]:
        """Positives of a query that mining does not see."""
        return self.relevant.get(query, frozenset()) - self.known.get(query, frozenset())


def _lines(file: Path) -> Iterator[Any]:
    with open(file, encoding="utf-8") as rows:
        yield from (json.loads(row) for row in rows if row.strip())


def read_qrels(file: Path) -> dict[str, frozenset[str]]:
    """Positives by query of a BEIR qrels file: rows with a grade above 0."""
    found: dict[str, set[str]] = {}
    for row in file.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = row.split("\t")
        if float(grade) > 0:
            found.setdefault(query, set()).add(document)
    return {query: frozenset(documents) for query, documents in found.items()}


def _sample(qrels: Relevant, most: int | None) -> dict[str, frozenset[str]]:
    if most is None or len(qrels) <= most:
        return dict(qrels)
    kept = sorted(qrels, key=lambda query: fingerprint(["query", query]))[:most]
    return {query: qrels[query] for query in sorted(kept)}


def _write_known(folder: Path, known: Relevant, target: Path) -> tuple[str, str]:
    """A BEIR folder that links to the texts and has a subset of the queries' positives."""
    (target / "qrels").mkdir(parents=True, exist_ok=True)
    for name in ("corpus.jsonl", "queries.jsonl"):
        link = target / name
        link.unlink(missing_ok=True)
        link.symlink_to((folder / name).resolve())
    rows = "".join(f"{q}\t{d}\t1\n" for q in sorted(known) for d in sorted(known[q]))
    (target / "qrels" / "known.tsv").write_text("query-id\tcorpus-id\tscore\n" + rows)
    return str(target), "known"


def _target(out: Path, folder: Path, known: list[Any]) -> Path:
    """Where a reduced collection goes: others in the same place would be taken for it."""
    return out / "mined" / f"{folder.name}-{fingerprint(known)}"


def read_collection(
    folder: Path,
    division: Division,
    out: Path,
    train: str = "train",
    test: str = "test",
    folds: int = 5,
    most_queries: int | None = None,
    seed: int = 0,
) -> Collection:
    """Read a BEIR folder and divide it.

    Args:
        folder: corpus.jsonl, queries.jsonl, qrels/.
        division: split = train on one split, evaluate on another; folds = one split, queries held
            out in turn; one-known = as folds, but mining and training see one positive a query.
        out: where what is written for mining goes.
        train, test: names of the splits; folds and one-known read `test` alone.
        folds: parts of the queries.
        most_queries: training queries to use; None = all.
        seed: keys the choice of the known positive.
    """
    texts = {
        row["_id"]: " ".join((row.get("title") or "", row["text"])).strip()
        for row in _lines(folder / "corpus.jsonl")
    }
    asked = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
    relevant = _there(read_qrels(folder / "qrels" / f"{test}.tsv"), texts, asked)
    if division == "one-known":
        positives = read_positives(str(folder), test, str(out / "mined" / f"{folder.name}-all"))
        chosen, _ = split_positives(positives, "A", seed, most_queries)
        pairs = zip(chosen.query_id.tolist(), chosen.doc_id.tolist(), strict=True)
        target = _target(out, folder, sorted(map(list, pairs)))
        mined = (str(write_reduced(str(folder), test, chosen, target)), "known")
        known = read_qrels(target / "qrels" / "known.tsv")
        relevant = {query: relevant[query] for query in known}
    else:
        split = test if division == "folds" else train
        known = _there(read_qrels(folder / "qrels" / f"{split}.tsv"), texts, asked)
        mined = (str(folder), split)
        if most_queries is not None and len(known) > most_queries:
            known = _sample(known, most_queries)
            rows = sorted((query, sorted(documents)) for query, documents in known.items())
            mined = _write_known(folder, known, _target(out, folder, rows))
        if division == "folds":
            relevant = known
    wanted = {*known, *relevant}
    queries = {query: asked[query] for query in sorted(wanted)}
    parts = 0 if division == "split" else folds
    return Collection(folder.name, texts, queries, known, relevant, parts, mined)


def _there(
    qrels: Relevant, documents: Mapping[str, str], queries: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Qrels without queries and documents that have no text in the folder."""
    found = {q: frozenset(d for d in ds if d in documents) for q, ds in qrels.items()}
    return {query: ds for query, ds in found.items() if ds and query in queries}
