"""A whole run on real text: what is published, what is reused, and that the bytes are the same."""

import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from negmine.jobs.mining.run import MiningRun
from negmine.schemas.errors import ModelError, StorageError
from tests.jobs.published_runs import mine, prepared, work_without

LONG = pytest.mark.long


def digest(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.parquet"))
    }


def vectors_by_text(miner: MiningRun) -> dict[int, list[float]]:
    table = miner.document_vectors.read(["text_hash", "vector"]).to_pydict()
    return dict(zip(table["text_hash"], table["vector"], strict=True))


def rows(run: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as database:
        for name in ("negatives", "ledger", "sets"):
            files = f"{run}/{name}/**/*.parquet"
            database.execute(
                f"CREATE VIEW {name} AS FROM read_parquet('{files}', hive_partitioning = true)"
            )
        return database.execute(sql).fetchall()


def test_three_tiers_are_published(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    found = dict(rows(run, "SELECT tier, count(*) FROM negatives GROUP BY tier"))
    assert set(found) == {"hard", "semi_hard", "random"}
    assert sum(found.values()) > 120 * 5  # type: ignore[arg-type]


def test_no_known_positive_is_a_negative_by_id_or_text(first: tuple[Path, MiningRun]) -> None:
    """Other miners serve positives as negatives, by id or under another id."""
    run, _ = first
    by_id = """
        SELECT count(*) FROM negatives SEMI JOIN
        (SELECT query_id, doc_id FROM ledger WHERE is_positive) p
        ON negatives.query_id = p.query_id AND negatives.negative_id = p.doc_id"""
    assert rows(run, by_id) == [(0,)]
    assert rows(run, "SELECT count(*) FROM negatives WHERE negative = positive") == [(0,)]


def test_every_candidate_is_in_the_ledger_exactly_once(first: tuple[Path, MiningRun]) -> None:
    """Another miner's count of missing negatives is wrong; ours balances."""
    run, miner = first
    pairs = "SELECT DISTINCT query_id, doc_id FROM ledger"
    assert rows(run, f"SELECT count(*) FROM ({pairs})") == rows(run, "SELECT count(*) FROM ledger")
    assert rows(run, "SELECT count(*) FROM ledger") == [(miner.judged.rows,)]
    union: set[tuple[int, int]] = set()
    for dataset in [*miner.candidates.values(), miner.ingested["positives"]]:
        table = dataset.read(["query_ix", "doc_ix"])
        union |= set(zip(*(c.to_pylist() for c in table.columns), strict=True))
    assert len(union) == miner.judged.rows
    assert rows(run, "SELECT sum(candidates)::BIGINT FROM sets") == [(len(union),)]


def test_a_short_query_is_kept_and_its_shortfall_counted(first: tuple[Path, MiningRun]) -> None:
    """Other miners drop rows short of n."""
    run, _ = first
    assert rows(run, "SELECT count(*) FROM sets") == [(120,)]
    assert rows(run, "SELECT bool_and(negatives + shortfall = 8) FROM sets") == [(True,)]


def test_negatives_stand_alone_and_ranks_run_from_the_hardest(
    first: tuple[Path, MiningRun],
) -> None:
    run, _ = first
    missing = "SELECT count(*) FROM negatives WHERE query = '' OR positive = '' OR negative = ''"
    assert rows(run, missing) == [(0,)]
    order = """
        SELECT bool_and(dense_score <= previous) FROM (
            SELECT dense_score, lag(dense_score, 1, 9) OVER (
                PARTITION BY query_id, tier ORDER BY rank) AS previous FROM negatives)"""
    assert rows(run, order) == [(True,)]


def test_no_negative_reaches_the_calibrated_threshold(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    manifest = json.loads((run / "manifest.json").read_text())
    (policy,) = [p for p in manifest["policies"] if "judge_calibrated_threshold" in p]
    threshold = policy["judge_calibrated_threshold"]["threshold"]
    assert rows(run, f"SELECT bool_and(judge_score < {threshold}) FROM negatives") == [(True,)]
    reached = f"SELECT avg((judge_score >= {threshold})::INT) FROM ledger WHERE is_positive"
    assert rows(run, reached)[0][0] == pytest.approx(0.5, abs=0.02)
    (half, *_) = manifest["summary"]["calibration"]
    assert half["positives_above"] == "50%"
    assert half["threshold"] == threshold
    dropped = f"SELECT count(*) FROM ledger WHERE judge_score >= {threshold} AND NOT is_positive"
    assert rows(run, dropped) == [(half["candidates_dropped"],)]


def test_the_manifest_tells_the_run_and_shares_no_path(first: tuple[Path, MiningRun]) -> None:
    run, _ = first
    text = (run / "manifest.json").read_text()
    manifest = json.loads(text)
    assert manifest["run_id"] == "first"
    assert manifest["summary"]["eci"]["overall"]["eci"] > 0
    assert manifest["models"]["student"]
    assert str(run.parent) not in text and str(Path.home()) not in text
    in_force = (run.parents[1] / "current").read_text().strip()
    assert (run.parent / in_force / "manifest.json").is_file()


OTHER_CUTS = ("runner.block_size=7", "sources.dense.shards=3")


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [OTHER_CUTS, *(pytest.param((s,), marks=LONG) for s in (*OTHER_CUTS, "seed=42"))]
)
def test_another_block_size_shard_count_or_a_second_run_gives_the_same_bytes(
    first: tuple[Path, MiningRun], tmp_path: Path, settings: tuple[str, ...]
) -> None:
    run, _ = mine(tmp_path / "again", *settings, "output.run_id=again")
    assert digest(run) == digest(first[0])


def test_a_threshold_change_remakes_select_and_nothing_before(
    first: tuple[Path, MiningRun],
) -> None:
    """Other miners lose hours of embedding while a user tunes a threshold."""
    output = first[0].parents[1]
    setting = "policies.judge_calibrated_threshold.positives_above=0.45"
    _, miner = mine(output, "output.run_id=tuned", setting)
    reused = {stage: entry["reused"] for stage, entry in miner.work.timings.items()}
    assert reused == {
        "ingest": True,
        "embed": True,
        "bm25_index": True,
        "retrieve": True,
        "check_judge": True,
        "judge": True,
        "select": False,
        "score": False,
        "publish": False,
    }


def test_a_stage_goes_on_from_its_finished_parts(
    first: tuple[Path, MiningRun], tmp_path: Path
) -> None:
    """A crash loses no finished block."""
    work_without(first[1], tmp_path / "work", "judge")
    miner = prepared(tmp_path, "runner.block_size=50")
    miner.run_until("judge")
    judged = miner.judged
    kept, lost = judged.part_names()[0], judged.part_names()[1]
    stamp = (judged.directory / kept).stat().st_mtime_ns
    before = (judged.directory / lost).read_bytes()
    (judged.directory / lost).unlink()
    (judged.directory / "_manifest.json").unlink()
    again = prepared(tmp_path, "runner.block_size=7")
    again.run_until("judge")
    assert again.judged.part_names() == judged.part_names()
    assert (judged.directory / kept).stat().st_mtime_ns == stamp
    assert (judged.directory / lost).read_bytes() == before


def test_ids_only_leaves_the_texts_out(first: tuple[Path, MiningRun]) -> None:
    run, _ = mine(first[0].parents[1], "output.texts=ids_only", "output.run_id=ids")
    columns = [row[0] for row in rows(run, "DESCRIBE negatives")]
    assert "negative_id" in columns
    assert not {"query", "positive", "negative"} & set(columns)


def test_a_changed_corpus_embeds_only_new_texts(
    first: tuple[Path, MiningRun], tmp_path: Path
) -> None:
    work_without(first[1], tmp_path / "work")
    small, large = first[1], prepared(tmp_path, "input.limit=140")
    before = {p.name for p in (tmp_path / "work" / "embed").iterdir()}
    large.run_until("embed")
    assert {p.name for p in (tmp_path / "work" / "embed").iterdir()} > before
    old, new = vectors_by_text(small), vectors_by_text(large)
    shared = set(old) & set(new)
    assert len(shared) > 100
    assert all(old[key] == new[key] for key in shared)


def test_a_taken_run_id_is_refused_before_any_work(first: tuple[Path, MiningRun]) -> None:
    with pytest.raises(StorageError, match="never changed"):
        mine(first[0].parents[1], "output.run_id=first")


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot create the work directory"):
        mine(tmp_path / "file" / "below")


def test_a_judge_that_cannot_be_loaded_names_one_that_needs_no_download(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"judge\.kind: fusion"):
        mine(tmp_path, "judge.kind=cross_encoder", "judge.model=./nowhere")
