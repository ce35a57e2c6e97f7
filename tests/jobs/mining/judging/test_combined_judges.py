"""Judges made of judges, and scores that somebody else computed, through whole runs."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.mining.run import MiningRun
from negmine.pipelines.graph import STAGES
from negmine.schemas.errors import DataError
from negmine.transforms.vectors import embed
from tests.jobs.collections import cross_encoder
from tests.jobs.published_runs import mine, prepared, work_without

Fused = tuple[Path, MiningRun]


@pytest.fixture(scope="module")
def workdir(first: tuple[Path, MiningRun], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("combined") / "work"
    work_without(first[1], folder, "check_judge", "judge", "select", "score")
    return folder


@pytest.fixture(scope="module")
def fused(workdir: Path, tmp_path_factory: pytest.TempPathFactory) -> Fused:
    return mine(tmp_path_factory.mktemp("fused"), f"output.workdir={workdir}", "judge.kind=fusion")


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross_encoder(tmp_path_factory.mktemp("models") / "reranker")


def ledger(run: Path) -> dict[tuple[str, str], dict[str, Any]]:
    rows = pq.read_table(run / "ledger").to_pylist()
    return {(row["query_id"], row["doc_id"]): row for row in rows}


def scores_of(run: Path) -> list[dict[str, Any]]:
    return [
        {"query_id": query, "doc_id": document, "score": row["judge_score"]}
        for (query, document), row in ledger(run).items()
    ]


def judged(output: Path, workdir: Path, *judge: str, **more: str) -> Path:
    settings = [f"judge.{part}" for part in judge] + [f"{k}={v}" for k, v in more.items()]
    return mine(output, f"output.workdir={workdir}", *settings)[0]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_scores_of_another_judge_give_the_same_negatives(
    fused: Fused, workdir: Path, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"scores.{kind}"
    rows = scores_of(fused[0])
    if kind == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), file)
    run = judged(tmp_path / "out", workdir, "kind=precomputed", f"path={file}")
    mine_, theirs = (
        duckdb.connect()
        .sql(
            "SELECT query_id, negative_id, tier, rank, judge_score "
            f"FROM read_parquet('{path}/negatives/*/*.parquet') ORDER BY ALL"
        )
        .fetchall()
        for path in (run, fused[0])
    )
    assert mine_ == theirs


def test_pairs_without_a_score_are_named_or_fall_to_a_second_judge(
    fused: Fused, workdir: Path, tmp_path: Path, reranker: Path
) -> None:
    rows = scores_of(fused[0])
    known, unknown = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    file = tmp_path / "half.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in known))
    first = min(unknown, key=lambda row: (row["query_id"], row["doc_id"]))
    with pytest.raises(DataError, match=r"judge\.fallback") as refused:
        judged(tmp_path / "no", workdir, "kind=precomputed", f"path={file}")
    assert any(repr(row["query_id"]) in str(refused.value) for row in unknown), first
    run = judged(
        tmp_path / "yes",
        workdir,
        "kind=precomputed",
        f"path={file}",
        f"fallback={{kind: cross_encoder, model: {reranker}}}",
    )
    seen = ledger(run)
    given = {(row["query_id"], row["doc_id"]): row["score"] for row in known}
    for pair, score in given.items():
        assert seen[pair]["judge_score"] in (None, score)
    found = [row["judge_score"] for pair, row in seen.items() if pair not in given]
    assert any(score is not None and 0 <= score <= 1 for score in found)


def test_a_file_without_a_fitting_score_is_told(workdir: Path, tmp_path: Path) -> None:
    strangers = tmp_path / "strangers.jsonl"
    strangers.write_text('{"query_id": "nobody", "doc_id": "nothing", "score": 1}\n')
    with pytest.raises(DataError, match="of a query and a document of this collection"):
        judged(tmp_path / "a", workdir, "kind=precomputed", f"path={strangers}")
    named = tmp_path / "named.jsonl"
    named.write_text('{"qid": "a", "pid": "b", "value": 1}\n')
    with pytest.raises(DataError, match=r"judge\.query_column"):
        judged(tmp_path / "b", workdir, "kind=precomputed", f"path={named}")
    with pytest.raises(DataError, match="names no scores"):
        judged(tmp_path / "c", workdir, "kind=precomputed", f"path={tmp_path / 'none.jsonl'}")


def test_a_cascade_reads_dearly_only_what_the_cheap_judge_leaves_open(
    workdir: Path, tmp_path: Path, reranker: Path
) -> None:
    judges = f"judges=[{{kind: fusion}}, {{kind: cross_encoder, model: {reranker}}}]"
    run = judged(tmp_path, workdir, "kind=cascade", judges, "uncertain=[0.2, 0.8]")
    read = 0
    for row in ledger(run).values():
        parts = dict(row["judge_parts"])
        if row["judge_score"] is None:
            continue
        assert 0 <= row["judge_score"] <= 1
        if "cross_encoder_2" in parts:
            read += 1
        else:
            assert not 0.2 <= row["judge_score"] <= 0.8
    assert read


def test_a_vote_is_the_score_that_enough_judges_reach(
    workdir: Path, tmp_path: Path, reranker: Path
) -> None:
    judges = (
        "judges=[{kind: fusion}, {kind: late_interaction}, "
        f"{{kind: cross_encoder, model: {reranker}}}]"
    )
    run, miner = mine(
        tmp_path, f"output.workdir={workdir}", "judge.kind=vote", f"judge.{judges}", "judge.agree=2"
    )
    members = miner.judgement.judge.members  # type: ignore[attr-defined]
    checked = 0
    for row in ledger(run).values():
        if row["judge_score"] is None:
            continue
        parts = dict(row["judge_parts"])
        shares = [
            member.calibration.share_below(np.array([parts[member.name]], dtype=np.float32))[0]
            for member in members
        ]
        assert row["judge_score"] == pytest.approx(sorted(shares)[1])
        checked += 1
    assert checked


def test_a_changed_quota_judges_only_unseen_pairs(
    workdir: Path, tmp_path: Path, reranker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from negmine.transforms.models.cross_encoder import CrossEncoderJudge

    asked: list[tuple[str, str]] = []
    score = CrossEncoderJudge.score

    def counting(self: CrossEncoderJudge, pairs: Any) -> Any:
        asked.extend(pairs)
        return score(self, pairs)

    monkeypatch.setattr(CrossEncoderJudge, "score", counting)
    judge = ("kind=cross_encoder", f"model={reranker}")
    judged(tmp_path / "few", workdir, *judge, **{"tiers.hard.quota": "1"})
    few = list(asked)
    asked.clear()
    judged(tmp_path / "more", workdir, *judge, **{"tiers.hard.quota": "4"})
    assert asked
    assert not set(asked) & set(few)
    assert len(asked) == len(set(asked))


def test_another_threshold_reads_no_token_vectors(
    fused: Fused, workdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from negmine.transforms.judging import late_interaction

    def refused(*_: object) -> None:
        raise AssertionError("token vectors are read")

    monkeypatch.setattr(late_interaction, "binary_column", refused)
    margin = {"policies.judge_relative_margin.keep_below": "0.5"}
    run = judged(tmp_path, workdir, "kind=fusion", **margin)
    verdicts = [row["verdict"] for row in ledger(run).values()]
    before = [row["verdict"] for row in ledger(fused[0]).values()]
    assert verdicts.count("judge_relative_margin") > before.count("judge_relative_margin")


def test_token_vectors_of_another_format_are_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes of one format can be cut into rows of another without a word."""
    older = replace(STAGES["embed"], version=STAGES["embed"].version - 1)
    few, workdir = {"input.limit": "30"}, tmp_path / "work"
    with monkeypatch.context() as patch:
        patch.setitem(STAGES, "embed", older)
        patch.setattr(embed, "pack", lambda vectors, _: np.zeros((len(vectors), 5), dtype=np.uint8))
        old = prepared(
            tmp_path / "old", f"output.workdir={workdir}", "judge.kind=fusion", "input.limit=30"
        )
        old.run_until("embed")
    work_without(old, tmp_path / "clean", "embed")
    run = judged(tmp_path / "new", workdir, "kind=fusion", **few)
    assert ledger(run) == ledger(judged(tmp_path / "own", tmp_path / "clean", "kind=fusion", **few))


def test_a_hub_cap_bounds_how_many_queries_use_a_document(workdir: Path, tmp_path: Path) -> None:
    policies = "policies=[{hub_cap: {max_queries: 3}}]"
    run, _ = mine(tmp_path, f"output.workdir={workdir}", "judge.kind=none", policies)
    found = f"read_parquet('{run}/negatives/*/*.parquet')"
    counts = f"SELECT count(*) AS n FROM {found} GROUP BY negative_id"
    ((most,),) = duckdb.connect().sql(f"SELECT max(n) FROM ({counts})").fetchall()
    assert 0 < most <= 3
    hubs = [row for row in ledger(run).values() if row["verdict"] == "hub"]
    assert hubs
    assert all(row["value"] > row["threshold"] == 3 for row in hubs)
