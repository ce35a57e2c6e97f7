"""Samples of a collection: whole positives, positions of their own."""

import numpy as np
import pyarrow as pa

from negmine.jobs.plan.sample import Sample
from negmine.schemas import tables


def sample(documents: int, positives: list[tuple[int, int]]) -> Sample:
    """Documents and a query for each, with such positives."""

    def texts(kind: str, schema: pa.Schema) -> pa.Table:
        values = {
            field.name: pa.array([f"{kind}{i}" for i in range(documents)])
            if field.name.endswith("_id") or field.name == "text"
            else pa.array(np.arange(documents))
            for field in schema
            if field.name in {f"{kind}_ix", f"{kind}_id", "text"}
        }
        return pa.table(values)

    query_ix, doc_ix = zip(*positives, strict=True)
    columns = [query_ix, doc_ix, [None] * len(positives), [True] * len(positives)]
    return Sample(
        texts("doc", tables.DOCUMENTS),
        texts("query", tables.QUERIES),
        pa.table([pa.array(c, f.type) for c, f in zip(columns, tables.POSITIVES, strict=True)],
                 schema=tables.POSITIVES),
    )  # fmt: skip


def test_the_head_has_the_positives_of_its_queries_on_positions_of_its_own() -> None:
    head = sample(9, [(0, 8), (1, 0), (1, 6), (2, 7)]).head(documents=3, queries=2)
    assert head.documents["doc_id"].to_pylist() == ["doc0", "doc1", "doc2", "doc6", "doc8"]
    assert head.documents["doc_ix"].to_pylist() == [0, 1, 2, 3, 4]
    assert head.queries.num_rows == 2
    assert head.positives["query_ix"].to_pylist() == [0, 1, 1]
    assert head.positives["doc_ix"].to_pylist() == [4, 0, 3]


def test_a_head_larger_than_the_sample_is_all_of_it() -> None:
    whole = sample(4, [(0, 3), (3, 1)])
    head = whole.head(documents=100, queries=100)
    assert head.documents.to_pydict() == whole.documents.to_pydict()
    assert head.positives.to_pydict() == whole.positives.to_pydict()
