"""nDCG@10 and Recall@100 of a run's own candidates, and of its judge, against a qrels file.

    python benchmarks/retrieval_quality.py RUN --qrels data/scifact/qrels/test.tsv

RUN is a published run's folder; its stage outputs are found in its work directory. The judge is
measured as a reranker of the union of the retrieved candidates, known positives that no source
retrieved left out.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import ir_measures
import numpy as np
import pyarrow.compute as pc
from ir_measures import Qrel, ScoredDoc, nDCG

from negmine.jobs.runs.published import find_run
from negmine.transforms.data.datasets import Dataset

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
    dataset: Dataset, names: list[list[str]], documents: list[str], wanted: set[str]
) -> Iterator[ScoredDoc]:
    """Candidates of the wanted queries as a run, ordered by rank or, where judged, by the judge."""
    judged = np.array([any(name in wanted for name in own) for own in names], dtype=bool)
    for table in dataset.tables():
        query_ix, doc_ix = table["query_ix"].to_numpy(), table["doc_ix"].to_numpy()
        keep = judged[query_ix]
        if "rank" in table.column_names:
            score = -table["rank"].to_numpy().astype(float)
        else:
            score = table["judge_score"].to_numpy().astype(float)
            ranks = [pc.is_valid(table[f"{source}_rank"]) for source in ("bm25", "dense")]
            keep = keep & pc.or_(*ranks).to_numpy()
        rows = (column[keep].tolist() for column in (query_ix, doc_ix, score))
        for query, document, value in zip(*rows, strict=True):
            for name in names[query]:
                yield ScoredDoc(name, documents[document], value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="a published run")
    parser.add_argument("--qrels", required=True, type=Path, help="BEIR or TREC qrels file")
    given = parser.parse_args()

    qrels = read_qrels(given.qrels)
    wanted = {qrel.query_id for qrel in qrels}
    run = find_run(given.run)
    datasets = {name: Dataset(str(path)) for name, path in run.artifacts().items()}
    for name in run.manifest["artifacts"]:
        if name not in datasets:
            raise SystemExit(f"{run.missing_artifact(name)}; mine the run again")
    documents = datasets["documents"].read(["doc_id"])["doc_id"].to_pylist()
    names = query_names(datasets["queries"])
    print(f"{len(documents)} documents, {len(wanted)} queries with qrels in {given.qrels}")
    print(f"{'source':<12}" + "".join(f"{measure!s:>12}" for measure in MEASURES))
    for source in ("bm25", "dense", "judged"):
        name = source if source == "judged" else f"candidates_{source}"
        if name not in datasets:
            continue
        scored = run_of(datasets[name], names, documents, wanted)
        values = ir_measures.calc_aggregate(MEASURES, qrels, scored)
        print(f"{source:<12}" + "".join(f"{values[measure]:>12.4f}" for measure in MEASURES))


if __name__ == "__main__":
    main()
