"""A run mined again with a new student: parent, data set `refreshed`, drift, what is reused."""

from pathlib import Path

import duckdb
import pytest

from negmine.jobs.runs.published import current_id
from tests.jobs.collections import digest, negmine, published
from tests.jobs.refresh.rounds import Rounds, cosines, done, ledger, manifest, rows


def test_a_refreshed_run_names_its_parent_and_is_in_force(rounds: Rounds) -> None:
    assert manifest(rounds.run("two"))["parent"] == "one"
    assert "parent" not in manifest(rounds.run("one"))
    assert done("show", f"{rounds.output}:two").out.split("\n")[2].startswith("Parent: run one")
    pages = [(rounds.run(name) / "report.html").read_text() for name in ("one", "two")]
    assert ["Parent: run one; of its" in page for page in pages] == [False, True]


def test_the_older_run_can_be_put_in_force_again(rounds: Rounds, output: Path) -> None:
    assert done("runs", "promote", str(output), "one").out.startswith("current: one")
    assert current_id(output) == "one"
    done("runs", "promote", str(output), "two")


def test_all_but_the_student_is_as_it_was(rounds: Rounds) -> None:
    one, two = manifest(rounds.run("one")), manifest(rounds.run("two"))
    assert one["models"]["judge"] == two["models"]["judge"]
    assert one["models"]["student"] != two["models"]["student"]
    assert one["tier_order"] == two["tier_order"] == ["hard", "easy", "random"]
    assert one["inputs"] == two["inputs"]
    for values in (one["config"], two["config"]):
        del values["student"]["model"], values["output"]
    assert one["config"] == two["config"]


def test_what_does_not_hang_on_the_student_is_reused(rounds: Rounds) -> None:
    one, two = manifest(rounds.run("one")), manifest(rounds.run("two"))
    for name in ("documents", "candidates_bm25", "candidates_random"):
        assert one["artifacts"][name] == two["artifacts"][name]
    assert one["artifacts"]["candidates_dense"] != two["artifacts"]["candidates_dense"]
    assert two["timings"]["ingest"]["reused"] and two["timings"]["bm25_index"]["reused"]
    counted = [counts.get("texts_encoded", 0) for counts in two["counters"].values()]
    assert sum(counted) == 60 + 12


def test_each_negative_of_the_parent_is_told_with_what_became_of_it(rounds: Rounds) -> None:
    before, now = cosines(rounds.base / "student"), cosines(rounds.new)
    judged = ledger(rounds.run("two"))
    parent = {(r["query_id"], r["negative_id"]): r for r in rows(rounds.run("one"), "negatives")}
    found = rows(rounds.run("two"), "refreshed")
    assert [(r["query_id"], r["negative_id"]) for r in found] == sorted(
        parent,
        key=lambda pair: (
            pair[0],
            ["hard", "easy", "random"].index(parent[pair]["tier"]),
            parent[pair]["rank"],
        ),
    )
    for row in found:
        pair = (row["query_id"], row["negative_id"])
        positive = (row["query_id"], row["positive_id"])
        old, new = parent[pair], judged.get(pair)
        assert row["parent_tier"] == old["tier"] and row["parent_rank"] == old["rank"]
        assert row["parent_judge_score"] == old["judge_score"]
        assert row["candidate"] == (new is not None)
        kept = new is not None and new["verdict"] == "kept"
        assert row["verdict"] == (new["verdict"] if new else None)
        assert row["tier"] == (new["tier"] if new and kept else None)
        assert row["dense_score"] == pytest.approx(now[pair], abs=1e-6)
        assert row["positive_dense_score"] == pytest.approx(now[positive], abs=1e-6)
        assert row["parent_dense_score"] == pytest.approx(before[pair], abs=1e-6)
        if new:
            assert row["dense_score"] == new["dense_score"]
            assert row["judge_score"] == new["judge_score"]
        then, today = before[pair] / before[positive], now[pair] / now[positive]
        assert row["easy"] == (before[pair] > 0 and 1.15 * today < then)
        assert row["stale"] == (row["easy"] and not kept)
    assert {True, False} == {row["stale"] for row in found} == {r["candidate"] for r in found}


_ORACLE = """
WITH p AS (SELECT query_id, negative_id AS doc_id, tier FROM '{one}/negatives/*/*.parquet'),
a AS (SELECT query_id, doc_id, dense_rank FROM '{one}/ledger/*/*.parquet'),
b AS (SELECT query_id, doc_id, dense_rank, verdict FROM '{two}/ledger/*/*.parquet'),
j AS (
    SELECT query_id, list(DISTINCT doc_id) FILTER (side = 'a') AS l,
        list(DISTINCT doc_id) FILTER (side = 'b') AS m
    FROM (SELECT *, 'a' AS side FROM a UNION ALL BY NAME SELECT *, 'b' AS side FROM b)
    WHERE dense_rank <= 10 GROUP BY query_id
)
SELECT (SELECT count(*) FROM p),
    (SELECT count(*) FROM p SEMI JOIN b USING (query_id, doc_id)),
    (SELECT count(*) FROM p SEMI JOIN (FROM b WHERE verdict = 'kept') USING (query_id, doc_id)),
    (SELECT count(*) FROM p SEMI JOIN (FROM a WHERE dense_rank <= 10) USING (query_id, doc_id)),
    (SELECT count(*) FROM p SEMI JOIN (FROM b WHERE dense_rank <= 10) USING (query_id, doc_id)),
    (SELECT avg(len(list_intersect(l, m)) / (len(l) + len(m) - len(list_intersect(l, m)))) FROM j),
    (SELECT count(*) FROM b WHERE verdict = 'kept'),
    (SELECT count(*) FROM (FROM b WHERE verdict = 'kept') ANTI JOIN p USING (query_id, doc_id))
"""


def test_drift_is_what_duckdb_counts_in_the_two_runs(rounds: Rounds) -> None:
    sql = _ORACLE.format(one=rounds.run("one"), two=rounds.run("two"))
    ((whole, there, again, then, now, jaccard, kept, new),) = duckdb.connect().sql(sql).fetchall()
    drift = manifest(rounds.run("two"))["drift"]
    assert drift["queries"] == 12
    assert (drift["negatives"], drift["candidates"], drift["chosen"]) == (whole, there, again)
    assert drift["top"]["10"] == {"parent": then, "now": now, "jaccard": round(jaccard, 6)}
    assert (drift["kept"], drift["kept_new"]) == (kept, new)
    assert 0 < new < kept and 0 < jaccard < 1
    found = rows(rounds.run("two"), "refreshed")
    assert drift["easy"] == sum(row["easy"] for row in found)
    for tier, count in drift["easy_tiers"].items():
        assert count == sum(row["easy"] for row in found if row["parent_tier"] == tier)
    assert sum(drift["easy_tiers"].values()) == drift["easy"] > 0
    assert drift["stale"] == sum(row["stale"] for row in found)
    moved = sum(n for tier in drift["tiers"].values() for n in tier.values())
    assert moved == whole
    hard = [row for row in found if row["parent_tier"] == "hard"]
    assert drift["tiers"]["hard"]["hard"] == sum(row["tier"] == "hard" for row in hard)


def test_a_pinned_judge_reads_no_pair_again(
    rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    from negmine.transforms.models.cross_encoder import CrossEncoderJudge

    def never(*_: object) -> None:
        raise AssertionError("a pair was read twice")

    one, two = ledger(rounds.run("one")), ledger(rounds.run("two"))
    both = [
        pair
        for pair in one.keys() & two.keys()
        if None not in (one[pair]["judge_score"], two[pair]["judge_score"])
    ]
    assert len(both) > 50
    assert [one[pair]["judge_score"] for pair in both] == [two[p]["judge_score"] for p in both]
    monkeypatch.setattr(CrossEncoderJudge, "score", never)
    rounds.refresh("again", "--student", str(rounds.new))
    assert digest(rounds.run("again")) == digest(rounds.run("two"))


def test_another_block_size_gives_the_same_bytes(rounds: Rounds, tmp_path: Path) -> None:
    settings = (f"output.workdir={tmp_path / 'work'}", "runner.block_size=5")
    arguments = ["--student", str(rounds.new), "--output", str(tmp_path / "out")]
    named = [word for setting in settings for word in ("--set", setting)]
    rounds.refresh("two", *arguments, *named)
    made = tmp_path / "out" / "runs" / "two"
    for name in ("negatives", "ledger", "sets", "refreshed"):
        assert digest(made, name) == digest(rounds.run("two"), name)
    assert manifest(made)["drift"] == manifest(rounds.run("two"))["drift"]


def test_what_became_of_the_negatives_is_asked_by_name(rounds: Rounds) -> None:
    answer = done("query", f"{rounds.output}:two", "refreshed", "--format", "csv").out
    lines = answer.strip().splitlines()
    assert lines[0].startswith("parent_tier,verdict,tier,negatives,easy,stale")
    counted = sum(int(line.split(",")[3]) for line in lines[1:])
    assert counted == manifest(rounds.run("two"))["drift"]["negatives"]


def test_the_terminal_tells_churn_migration_and_what_is_new(rounds: Rounds) -> None:
    ended = rounds.refresh("told", "--student", str(rounds.new))
    drift = manifest(rounds.run("told"))["drift"]
    told = " ".join(ended.out.split())
    assert "The parent's negatives among the first of the dense source" in told
    assert "Where the negatives of each tier of the parent are now" in told
    assert f"{drift['kept_new']:,} of {drift['kept']:,} negatives are new" in told


def test_a_sound_output_stays_sound(rounds: Rounds, output: Path) -> None:
    assert done("doctor", str(output), "--deep").out.strip().endswith("sound")
    part = next((rounds.run("two") / "refreshed").iterdir())
    whole = part.read_bytes()
    try:
        part.write_bytes(whole[:-1])
        assert "refreshed" in negmine("doctor", str(output)).out
    finally:
        part.write_bytes(whole)
    assert "runs/two" in " ".join(published(output))
