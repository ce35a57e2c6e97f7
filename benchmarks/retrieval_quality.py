"""nDCG@10 and Recall@100 of finished candidate data sets against a qrels file.

    python benchmarks/retrieval_quality.py --documents DIR --queries DIR \
        --candidates bm25=DIR --candidates dense=DIR --qrels data/scifact/qrels/test.tsv
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import ir_measures
import numpy as np
from ir_measures import Qrel, ScoredDoc, nDCG

from transforms.datasets import Dataset

MEASURES = [nDCG @ 10, ir_measures.R @ 100]


def read_qrels(path: Path) -> list[Qrel]:
    """Rows of a qrels file: BEIR (query, document, grade) or TREC (query, 0, document, grade)."""
    qrels = []
    for line in path.read_text().splitlines():
        fields = line.split()
        if len(fields) >= 3 and fields[-1].lstrip("-").isdigit():
            qrels.append(Qrel(fields[0], fields[-2], int(fields[-1])))
    return qrels


def query_names(queries: Dataset) -> list[list[str]]:
    """Every identifier of each query, by query_ix: its own and those merged into it."""
    table = queries.read()
    names = [[name] for name in table["query_id"].to_pylist()]
    if "merged_ids" in table.column_names:
        for own, merged in zip(names, table["merged_ids"].to_pylist(), strict=True):
            own.extend(merged or ())
    return names


def run_of(
    candidates: Dataset, names: list[list[str]], documents: list[str], wanted: set[str]
) -> Iterator[ScoredDoc]:
    """Candidates of the wanted queries as a run; the score is the rank's, so that order holds."""
    judged = np.array([any(name in wanted for name in own) for own in names], dtype=bool)
    for table in candidates.tables(["query_ix", "doc_ix", "rank"]):
        columns = [table[name].to_numpy() for name in ("query_ix", "doc_ix", "rank")]
        keep = judged[columns[0]]
        for query, document, rank in zip(*(column[keep].tolist() for column in columns)):  # noqa: B905
            for name in names[query]:
                yield ScoredDoc(name, documents[document], -float(rank))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", required=True, help="data set of documents")
    parser.add_argument("--queries", required=True, help="data set of queries")
    parser.add_argument("--qrels", required=True, type=Path, help="BEIR or TREC qrels file")
    parser.add_argument(
        "--candidates", required=True, action="append", metavar="NAME=DIR", help="may be repeated"
    )
    given = parser.parse_args()

    qrels = read_qrels(given.qrels)
    wanted = {qrel.query_id for qrel in qrels}
    documents = Dataset(given.documents).read(["doc_id"])["doc_id"].to_pylist()
    names = query_names(Dataset(given.queries))
    print(f"{len(documents)} documents, {len(wanted)} queries with qrels in {given.qrels}")
    print(f"{'source':<12}" + "".join(f"{measure!s:>12}" for measure in MEASURES))
    for source in given.candidates:
        name, _, directory = source.partition("=")
        run = run_of(Dataset(directory), names, documents, wanted)
        values = ir_measures.calc_aggregate(MEASURES, qrels, run)
        print(f"{name:<12}" + "".join(f"{values[measure]:>12.4f}" for measure in MEASURES))


if __name__ == "__main__":
    main()
