"""The data set `refreshed` of a run: what became of each of its parent's negatives."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.jobs.runs.published import Run
from negmine.jobs.runs.views import create_run_views
from negmine.schemas.tables import REFRESHED
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.part_writers import PartWriters
from negmine.transforms.data.sql import connect, dataset_sql, sql_string
from negmine.transforms.kernels.choosing.staleness import now_easy
from negmine.transforms.pairs.features import Collection

FOLDER = "refreshed"
_ROWS = 65_536

_BECAME = """
SELECT p.query_id, p.negative_id, p.positive_id,
    p.tier AS parent_tier, p.rank AS parent_rank, p.dense_score AS parent_dense_score,
    p.positive_dense_score AS parent_positive_dense_score, p.dense_rank AS parent_dense_rank,
    p.judge_score AS parent_judge_score,
    l.doc_id IS NOT NULL AS candidate, l.verdict,
    CASE WHEN l.verdict = 'kept' THEN l.tier END AS tier,
    CASE WHEN l.verdict = 'kept' THEN l.rank END AS rank,
    l.dense_rank, l.judge_score, q.query_ix, n.doc_ix AS negative_ix, d.doc_ix AS positive_ix
FROM parent_negatives AS p
LEFT JOIN now_ledger AS l ON l.query_id = p.query_id AND l.doc_id = p.negative_id
LEFT JOIN queries AS q ON q.query_id = p.query_id
LEFT JOIN documents AS n ON n.doc_id = p.negative_id
LEFT JOIN documents AS d ON d.doc_id = p.positive_id
ORDER BY p.query_id, {tier}, p.rank, p.negative_id
"""


def write_refreshed(parent: Run, directory: Path, collection: Collection) -> None:
    """Write `tables.REFRESHED` into the folder of a run whose ledger is there.

    `collection` has the new student's vectors, which say how similar a negative is that no source
    returns any more. Raises StorageError where the disk refuses, duckdb.Error where a part cannot
    be read.
    """
    with connect() as database:
        create_run_views(database, parent.path, "parent_")
        create_run_views(database, directory, "now_")
        for name, dataset in (("documents", collection.documents), ("queries", collection.queries)):
            columns = "doc_id, doc_ix" if name == "documents" else "query_id, query_ix"
            sql = dataset_sql(dataset.directory, columns)
            database.execute(f"CREATE VIEW {name} AS {sql}")
        ((rows,),) = database.execute("SELECT count(*) FROM parent_negatives").fetchall()
        answer = database.sql(_BECAME.format(tier=_order(list(parent.quotas))))
        with PartWriters(str(directory), Block(0, rows).part) as parts:
            parts.open(FOLDER, REFRESHED)
            for batch in answer.to_arrow_reader(_ROWS):
                parts.add(FOLDER, _compared(pa.table(batch), collection), REFRESHED)


def _order(tiers: Sequence[str]) -> str:
    """SQL that sorts tiers in the order of the run."""
    cases = " ".join(f"WHEN p.tier = {sql_string(tier)} THEN {at}" for at, tier in enumerate(tiers))
    return f"CASE {cases} ELSE {len(tiers)} END, p.tier" if tiers else "p.tier"


def _compared(found: pa.Table, collection: Collection) -> pa.Table:
    """Rows of `tables.REFRESHED`: with the new similarities, and what they say."""
    now = _similarity(found, "negative_ix", collection)
    positive = _similarity(found, "positive_ix", collection)
    before, positive_before = (
        found.column(name).to_numpy()
        for name in ("parent_dense_score", "parent_positive_dense_score")
    )
    easy = now_easy(before, positive_before, now, positive)
    kept = pc.fill_null(pc.equal(found.column("verdict"), "kept"), False).to_numpy()
    columns = {name: found.column(name) for name in found.column_names} | {
        "dense_score": _known(now),
        "positive_dense_score": _known(positive),
        "easy": pa.array(easy),
        "stale": pa.array(easy & ~kept),
    }
    return pa.table([columns[name] for name in REFRESHED.names], names=REFRESHED.names)


def _similarity(found: pa.Table, document: str, collection: Collection) -> np.ndarray:
    """The new student's similarity of each query and document, (n,) float32; NaN where none."""
    query_ix, doc_ix = found.column("query_ix"), found.column(document)
    there = pc.and_(pc.is_valid(query_ix), pc.is_valid(doc_ix))
    scores = np.full(found.num_rows, np.nan, dtype=np.float32)
    pairs = (column.filter(there).to_numpy().astype(np.int64) for column in (query_ix, doc_ix))
    scores[there.to_numpy()] = collection.similarity(*pairs)
    return scores


def _known(scores: np.ndarray) -> pa.Array:
    return pa.array(scores, pa.float32(), mask=np.isnan(scores))
