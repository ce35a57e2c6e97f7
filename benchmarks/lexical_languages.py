"""BM25 by language: nDCG@10 and recall@100 where each language's documents are a corpus.

    python -m benchmarks.lexical_languages path/to/xquad-r

Takes any BEIR folder whose rows carry `lang`; without that key the folder is one corpus.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from negmine.transforms.kernels.search import bm25
from negmine.transforms.kernels.tokenise import Tokeniser

DEPTH = 100
NDCG_AT = 10


def _rows(path: Path) -> dict[str, dict[str, str]]:
    """Texts by language and identifier."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            text = f"{row.get('title') or ''} {row['text']}".strip()
            found[row.get("lang", "all")][str(row["_id"])] = text
    return found


def _judgements(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            query, document, grade = line.rstrip("\n").split("\t")
            if float(grade) > 0:
                found[query].add(document)
    return found


def search(documents: list[str], queries: list[str], language: str | None) -> np.ndarray:
    """Positions of the best documents, (queries, DEPTH) int64; -1 where there are no more."""
    tokenise, parameters = Tokeniser(language), bm25.Parameters()
    tokens = tokenise(documents)
    row, term, frequency = tokens.frequencies()
    lengths = np.diff(tokens.offsets)
    df = np.bincount(term, minlength=len(tokens.vocabulary))
    idf = bm25.idf(parameters.method, df, len(documents))
    average = max(float(lengths.mean()), 1e-9)
    weights = bm25.weights(parameters, idf[term], frequency, lengths[row], average)
    shape = (len(tokens.vocabulary), len(documents))
    matrix = bm25.Bm25Matrix(sparse.coo_array((weights, (term, row)), shape=shape).tocsr())
    asked = tokenise(queries)
    known = pc.index_in(pa.array(asked.vocabulary), value_set=pa.array(tokens.vocabulary))
    numbers = pc.fill_null(known, -1).to_numpy()[asked.numbers].astype(np.int64)
    return matrix.top_k(bm25.Queries.of(numbers, asked.offsets), DEPTH).ids


def measure(
    documents: dict[str, str],
    queries: dict[str, str],
    judged: dict[str, set[str]],
    language: str | None,
) -> tuple[int, float, float]:
    """Queries with a judgement, their mean nDCG@10 and recall@100 (binary relevance)."""
    asked = [query for query in queries if judged.get(query)]
    names = list(documents)
    ids = search(list(documents.values()), [queries[query] for query in asked], language)
    discount = 1 / np.log2(np.arange(NDCG_AT) + 2)
    ndcg, recall = [], []
    for query, row in zip(asked, ids, strict=True):
        hits = np.array([i >= 0 and names[i] in judged[query] for i in row])
        relevant = len(judged[query])
        ideal = discount[: min(relevant, NDCG_AT)].sum()
        ndcg.append((hits[:NDCG_AT] * discount[: len(hits[:NDCG_AT])]).sum() / ideal)
        recall.append(hits.sum() / relevant)
    return len(asked), float(np.mean(ndcg)), float(np.mean(recall))


def main() -> None:
    """Print a row a language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--language", default="english", help="the analyser's; none for neither")
    given = parser.parse_args()
    language = None if given.language == "none" else given.language
    documents = _rows(given.folder / "corpus.jsonl")
    queries = _rows(given.folder / "queries.jsonl")
    judged = _judgements(given.folder / "qrels" / f"{given.split}.tsv")
    print(f"{'language':<10} {'documents':>9} {'queries':>8} {'nDCG@10':>8} {'recall@100':>10}")
    for name in sorted(documents):
        count, ndcg, recall = measure(documents[name], queries[name], judged, language)
        print(f"{name:<10} {len(documents[name]):>9,} {count:>8,} {ndcg:>8.3f} {recall:>10.3f}")


if __name__ == "__main__":
    main()
