"""The metrics of a whole run: against SQL over what is published, and against its texts."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from negmine.jobs.mining.bm25 import bm25_scorer
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.runs.published import Run
from negmine.schemas import tables
from negmine.schemas.metrics import MEANINGS, METRICS
from negmine.schemas.selection import Selection
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.kernels.near_duplicates import jaccard, shingles
from negmine.transforms.kernels.tokenise import Tokeniser
from negmine.transforms.metrics import duplicates
from negmine.transforms.metrics.duplicates import near_negative, near_positive
from negmine.transforms.metrics.inputs import Inputs
from negmine.transforms.metrics.measure import measure
from negmine.transforms.metrics.verdicts import read_verdicts
from negmine.transforms.sources.bm25 import open_index

Found = tuple[Any, ...]
TERMS = """
SELECT tier, query_id, count(*) AS n, avg(dense_score::DOUBLE) AS s,
    avg(greatest(0, positive_dense_score::DOUBLE - dense_score)) AS d
FROM (SELECT tier, * EXCLUDE tier FROM negatives UNION ALL SELECT NULL, * EXCLUDE tier
    FROM negatives) GROUP BY ALL"""
BY_TIER = f"""
SELECT tier, avg(s) AS signal, avg(d) AS safety, median(n) AS size,
    ln(1 + median(n)) * 2 * avg(s) * avg(d) / (avg(s) + avg(d)) AS eci
FROM ({TERMS}) GROUP BY tier"""
JUDGED = """
SELECT avg(least), avg((least > 0)::INT), sum(above) / sum(n) FROM (
    SELECT min(positive_judge_score::DOUBLE - judge_score) AS least, count(*) AS n,
        count(*) FILTER (judge_score > positive_judge_score) AS above
    FROM negatives GROUP BY query_id)"""
GINI = """
SELECT sum((2 * i - n - 1) * x) / (n * sum(x)) FROM (
    SELECT x, row_number() OVER (ORDER BY x) AS i, count(*) OVER () AS n
    FROM (SELECT count(*) AS x FROM negatives GROUP BY negative_id)) GROUP BY n"""


ELSEWHERE = {
    "leak", "leak_hard", "tolerance", "first_pass_recall",
    "weight", "weight_effective", "weight_cell", "weight_cell_after",
    "language_auc", "language_eci", "language_share", "language_share_positive",
    "edit_drop", "edit_fooled", "probe_drop", "probe_below_negative",
}  # fmt: skip
"""Metrics of runs with several positives a query, crowded vectors, weights, languages, or edits."""


def ask(run: Path, sql: str) -> list[Found]:
    with duckdb.connect() as database:
        for name in ("negatives", "ledger", "sets"):
            files = f"{run}/{name}/**/*.parquet"
            database.execute(
                f"CREATE VIEW {name} AS FROM read_parquet('{files}', hive_partitioning = true)"
            )
        database.execute(f"CREATE VIEW metrics AS FROM read_parquet('{run}/metrics.parquet')")
        return database.execute(sql).fetchall()


def metric(run: Path, name: str, *columns: str) -> dict[Any, float]:
    """Values of a metric by these columns; only rows where the other labels are null."""
    others = {"tier", "source", "key", "bin"} - set(columns)
    where = " AND ".join([f"metric = '{name}'", *(f"{other} IS NULL" for other in others)])
    found = ask(run, f"SELECT {', '.join([*columns, 'value'])} FROM metrics WHERE {where}")
    return {row[0] if len(columns) == 1 else row[:-1]: row[-1] for row in found}


def close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_every_metric_has_a_meaning_and_a_row(first: tuple[Path, MiningRun]) -> None:
    table = pq.read_table(first[0] / "metrics.parquet")
    assert table.schema.equals(METRICS)
    assert set(table["metric"].to_pylist()) == set(MEANINGS) - ELSEWHERE
    labels = table.select(["metric", "tier", "source", "key", "bin"]).to_pylist()
    assert len({tuple(row.values()) for row in labels}) == table.num_rows


def test_eci_and_its_parts_are_those_of_sql(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    for tier, *values in ask(run, BY_TIER):
        for name, value in zip(("signal", "safety", "size", "eci"), values, strict=True):
            assert metric(run, name, "tier")[tier] == close(value)


def test_the_manifest_has_the_same_eci(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    told = Run(run).manifest["summary"]["eci"]
    for tier, value in metric(run, "eci", "tier").items():
        where = told["tiers"][tier] if tier else told["overall"]
        assert value == pytest.approx(where["eci"], abs=1e-6)


def test_counts_are_those_of_sql(first: tuple[Path, MiningRun]) -> None:
    run, miner = first
    count: dict[Any, int] = dict(ask(run, "SELECT tier, count(*) FROM negatives GROUP BY tier"))
    found = metric(run, "negatives", "tier")
    assert found == {**count, None: sum(count.values())}
    verdicts: dict[Any, int] = dict(
        ask(run, "SELECT verdict, count(*) FROM ledger GROUP BY verdict")
    )
    assert metric(run, "verdict", "key") == verdicts
    each = "SELECT tier, unnest(sources) AS source FROM negatives"
    by_source = f"SELECT tier, source, count(*) FROM ({each}) GROUP BY ALL"
    sql = {(tier, source): n for tier, source, n in ask(run, by_source)}
    assert metric(run, "tier_source", "tier", "source") == sql
    short = "SELECT count(*) FILTER (shortfall > 0), sum(shortfall), avg((shortfall = 0)::INT)"
    ((queries, missing, coverage),) = ask(run, f"{short} FROM sets")
    assert metric(run, "queries_short", "tier")[None] == queries
    assert metric(run, "shortfall", "tier")[None] == missing
    assert metric(run, "coverage", "tier")[None] == close(coverage)
    for tier, spec in miner.config.tiers.items():
        held = f"coalesce(element_at(tier_counts, '{tier}')[1], 0)"
        ((missed,),) = ask(run, f"SELECT count(*) FROM sets WHERE {held} < {spec.quota}")
        assert metric(run, "queries_short", "tier")[tier] == missed


def test_use_of_the_corpus_is_that_of_sql(first: tuple[Path, MiningRun]) -> None:
    run, miner = first
    assert metric(run, "gini")[()] == close(ask(run, GINI)[0][0])
    ((used,),) = ask(run, "SELECT count(DISTINCT negative_id) FROM negatives")
    assert metric(run, "corpus_used")[()] == close(used / miner.rows("documents"))
    hubs = "SELECT negative_id, count(*) AS n FROM negatives GROUP BY ALL ORDER BY n DESC, 1"
    assert metric(run, "hub", "key") == dict(ask(run, f"{hubs} LIMIT 20"))


def test_the_judges_audit_is_that_of_sql(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    ((margin, at_1, false),) = ask(run, JUDGED)
    assert metric(run, "judge_margin", "tier")[None] == close(margin)
    assert metric(run, "judge_pos_at_1", "tier")[None] == close(at_1)
    assert metric(run, "judge_fn_rate", "tier")[None] == close(false)


def test_distributions_are_those_of_sql(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    score = "positive_judge_score::DOUBLE - judge_score"
    sql = f"""SELECT avg(x), median(x), stddev(x), min(x), quantile_cont(x, 0.25), max(x)
        FROM (SELECT {score} AS x FROM negatives WHERE tier = 'hard')"""
    names = ("mean", "median", "std", "min", "q25", "max")
    found = metric(run, "judge_difference", "tier", "key")
    assert [found["hard", name] for name in names] == close(list(ask(run, sql)[0]))


def test_overlap_of_sources_is_that_of_sql(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    either = "bm25_rank IS NOT NULL OR dense_rank IS NOT NULL"
    both = "bm25_rank IS NOT NULL AND dense_rank IS NOT NULL"
    first_ten = "2 * sum((bm25_rank <= 10 AND dense_rank <= 10)::INT)"
    ten = "(sum((bm25_rank <= 10)::INT) + sum((dense_rank <= 10)::INT))"
    ((share, overlap),) = ask(
        run,
        f"SELECT count(*) FILTER ({both}) / count(*) FILTER ({either}), {first_ten} / {ten} "
        "FROM ledger",
    )
    assert metric(run, "source_jaccard", "key")["bm25|dense"] == close(share)
    assert metric(run, "source_overlap_10", "key")["bm25|dense"] == close(overlap)


def inputs(miner: MiningRun, verdicts: Dataset) -> Inputs:
    quotas = {name: tier.quota for name, tier in miner.config.tiers.items()}
    found = read_verdicts(verdicts, list(miner.candidates), quotas, miner.rows("queries"))
    return Inputs(
        found[0],
        miner.collection,
        bm25_scorer(miner),
        found[1],
        verdicts,
        Selection.of(miner.config),
        miner.config.seed,
        {c.judge: (c.auc, c.low, c.high, c.queries) for c in miner.judge_checks},
    )


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_cut_into_blocks_does_not_matter(
    first: tuple[Path, MiningRun], tmp_path: Path, size: int
) -> None:
    run, miner = first
    again = Dataset(str(tmp_path))
    for block in plan_blocks(miner.rows("queries"), size):
        part = miner.verdicts.read_queries(block)
        write_part(again.path, block.part, part, tables.VERDICTS)
    table = measure(inputs(miner, again))
    write_part(str(tmp_path / "out"), "metrics.parquet", table, METRICS, dictionary=True)
    written = (tmp_path / "out" / "metrics.parquet").read_bytes()
    assert written == (run / "metrics.parquet").read_bytes()


def words(miner: MiningRun, name: str, positions: np.ndarray) -> list[list[str]]:
    texts = binary_column(miner.ingested[name], "text").texts(positions)
    tokens = Tokeniser("english")(texts)
    return [
        [tokens.vocabulary[number] for number in tokens.numbers[low:high]]
        for low, high in itertools.pairwise(tokens.offsets)
    ]


def test_lexical_metrics_are_those_of_the_texts(first: tuple[Path, MiningRun]) -> None:
    run, miner = first
    sets = inputs(miner, miner.verdicts).negatives
    scorer = bm25_scorer(miner)
    index = open_index(scorer.index, scorer.config)
    idf = dict(zip(index.terms.to_pylist(), index.idf, strict=True))
    ends = {"queries": sets.query_ix, "documents": sets.doc_ix}
    query, negative = (words(miner, name, positions) for name, positions in ends.items())
    positive = words(miner, "documents", sets.positive_ix)
    overlap, new = np.zeros(len(sets)), np.ones(len(sets))
    for i, (q, p, n) in enumerate(zip(query, positive, negative, strict=True)):
        total = sum(idf.get(term, 0.0) for term in q)
        overlap[i] = sum(idf[term] for term in q if term in set(n)) / total if total else 0.0
        known = sum(idf[term] for term in set(n))
        new[i] = sum(idf[term] for term in set(n) - {*q, *p}) / known if known else 1.0
    found = metric(run, "lexical_overlap_negative", "tier")
    assert found[None] == pytest.approx(overlap.mean(), abs=1e-6)
    assert found["hard"] == pytest.approx(overlap[sets.tier == 0].mean(), abs=1e-6)
    assert metric(run, "residuality", "tier")[None] == pytest.approx(new.mean())
    once = {query_ix: len(p) for query_ix, p in zip(sets.query_ix, positive, strict=True)}
    ratio = np.mean([len(n) for n in negative]) / np.mean(list(once.values()))
    assert metric(run, "length_ratio", "tier")[None] == pytest.approx(ratio)


def test_the_second_form_is_that_of_the_definition(first: tuple[Path, MiningRun]) -> None:
    run, miner = first
    sets = inputs(miner, miner.verdicts).negatives
    documents = np.array(array_column(miner.document_vectors, "vector"), dtype=np.float64)
    query = np.array(array_column(miner.query_vectors, "vector"), dtype=np.float64)[sets.query_ix]
    positive, negative = documents[sets.positive_ix], documents[sets.doc_ix]
    near, far = (query * negative).sum(axis=1), (query * positive).sum(axis=1)
    locality = np.maximum(near, 0)
    consistency = 1 / (1 + np.exp((near - far) / 0.05))
    assert metric(run, "locality", "tier")[None] == pytest.approx(locality.mean(), abs=1e-6)
    assert metric(run, "consistency", "tier")[None] == pytest.approx(consistency.mean(), abs=1e-6)
    score, trace = (metric(run, f"eci_sem_recon{n}", "tier") for n in ("", "_trace"))
    assert all(0 < score[tier] <= trace[tier] for tier in score)
    assert list(score) == [None, *miner.config.tiers]


def test_near_duplicates_are_those_of_the_texts(first: tuple[Path, MiningRun]) -> None:
    run, miner = first
    sets = inputs(miner, miner.verdicts).negatives
    texts = binary_column(miner.ingested["documents"], "text")
    known = {ix: shingles(texts.texts([ix])[0]) for ix in {*sets.doc_ix, *sets.positive_ix}}
    near = np.zeros((2, len(sets)), dtype=bool)
    for i, (query, doc) in enumerate(zip(sets.query_ix, sets.doc_ix, strict=True)):
        near[0, i] = jaccard(known[doc], known[sets.positive_ix[i]]) >= 0.8
        others = sets.doc_ix[(sets.query_ix == query) & (sets.doc_ix != doc)]
        near[1, i] = any(jaccard(known[doc], known[other]) >= 0.8 for other in others)
    assert metric(run, "near_duplicate_positive", "tier")[None] == near[0].mean()
    assert metric(run, "near_duplicate_negative", "tier")[None] == near[1].mean()


def test_near_duplicates_are_found_where_no_policy_drops_them(
    first: tuple[Path, MiningRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run's policies drop them, so the shares above are 0: plant some, and ask for less."""
    _, miner = first
    sets = inputs(miner, miner.verdicts).negatives
    sets.doc_ix[0] = sets.positive_ix[0]
    assert near_positive(sets, miner.collection).nonzero()[0].tolist() == [0]
    size = miner.rows("documents")
    known = list(
        map(shingles, binary_column(miner.ingested["documents"], "text").texts(range(size)))
    )
    monkeypatch.setattr(duplicates, "JACCARD", 0.3)
    near = [
        {i, j}
        for i, j in itertools.combinations(range(size), 2)
        if jaccard(known[i], known[j]) >= 0.3
    ]
    rows = np.zeros(size, dtype=np.int64)
    one = replace(sets.take(rows), query_ix=rows, doc_ix=np.arange(size))
    found = near_negative(one, miner.collection).nonzero()[0].tolist()
    assert near and found == sorted(set().union(*near))
