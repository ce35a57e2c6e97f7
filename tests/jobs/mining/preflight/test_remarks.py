"""Remarks of whole runs: in the terminal, the summary, the report and the manifest, each time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from negmine.jobs.runs.remarks import Remarks, listed, sentence
from negmine.schemas.remarks import Remark
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.sample import RANDOM
from tests.jobs.collections import (
    Ended,
    cross_encoder,
    document,
    negmine,
    published,
    static_student,
    write_collection,
    write_config,
)
from tests.transforms.input_files import write_beir
from tests.transforms.models import broken

QUERIES = 12
RUSSIAN = "Этот текст написан по русски и не имеет ни одного латинского слова "


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("remarks")


@pytest.fixture(scope="module")
def student(base: Path) -> str:
    return str(static_student(base / "student"))


@pytest.fixture(scope="module")
def collection(base: Path) -> str:
    return str(write_collection(base / "collection", queries=QUERIES))


@pytest.fixture(scope="module")
def reranker(base: Path) -> str:
    return str(cross_encoder(base / "reranker"))


def mine(path: str, student: str, output: Path, **sections: Any) -> Ended:
    given = {"judge": {"kind": "none"}, "student": {"model": student, "device": "cpu"}}
    given["input"] = {"format": "beir", "path": path}
    file = write_config(output / "run.yaml", **{**given, **sections})
    ended = negmine("mine", file, "--output", str(output))
    assert ended.code == 0, ended.err
    return ended


def manifest(output: Path) -> dict[str, Any]:
    run = output / "runs" / published(output)["current"].strip()
    return dict(json.loads((run / "manifest.json").read_text()))


def report(output: Path) -> str:
    run = output / "runs" / published(output)["current"].strip()
    return (run / "report.html").read_text()


def told_everywhere(ended: Ended, output: Path, code: str) -> Remark:
    """The one remark of this kind, after making sure that it is told in all four places."""
    (remark,) = (r for r in listed(manifest(output)) if r.code == code)
    assert sentence(remark) in ended.err
    title = " ".join(remark.title.split())
    assert title in " ".join(ended.out.split())
    assert title in " ".join(negmine("show", str(output)).out.split())
    assert remark.title.replace("'", "&#x27;") in report(output)
    assert remark.advice
    return remark


def some_unanswered(folder: Path, strangers: int, queries: int = 20) -> str:
    """A collection in which so many queries share no word with any document."""
    texts = [f"sola tera {i}" if i >= strangers else f"foreign {i:03}x" for i in range(queries)]
    return str(
        write_beir(
            folder,
            [{"_id": f"d{i}", "text": document(i)} for i in range(40)],
            [{"_id": f"q{i}", "text": text} for i, text in enumerate(texts)],
            [(f"q{i}", f"d{i}", 1) for i in range(queries)],
        )
    )


@pytest.mark.parametrize(("strangers", "serious"), [(2, False), (11, True)])
def test_a_source_that_finds_nothing_is_named_each_time(
    tmp_path: Path, student: str, strangers: int, serious: bool
) -> None:
    path = some_unanswered(tmp_path / "collection", strangers)
    for _ in range(2):
        ended = mine(path, student, tmp_path / "out")
        remark = told_everywhere(ended, tmp_path / "out", "source_finds_nothing")
        assert remark.serious is serious
        assert remark.numbers == {"source": "bm25", "queries": 20, "without": strangers}
    metrics = pq.read_table(next((tmp_path / "out" / "runs").rglob("metrics.parquet"))).to_pylist()
    without = {r["source"]: r["value"] for r in metrics if r["metric"] == "queries_without"}
    assert without == {"bm25": strangers, "dense": 0, "random": 0}


def test_given_candidates_that_leave_queries_out_are_named(
    tmp_path: Path, collection: str, student: str
) -> None:
    rows = [{"query_id": f"q{i:04}", "doc_id": f"d{i + 1:04}", "rank": 1} for i in range(9)]
    file = tmp_path / "given.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sources = {"given": {"path": str(file)}, "random": {"count": 5}, "bm25": None, "dense": None}
    tiers = {"all": {"quota": 2}}
    ended = mine(collection, student, tmp_path / "out", sources=sources, tiers=tiers)
    remark = told_everywhere(ended, tmp_path / "out", "source_finds_nothing")
    assert remark.numbers == {"source": "given", "queries": QUERIES, "without": 3}
    assert "sources.given.path" in remark.advice


def test_a_source_that_finds_something_for_all_but_few_is_not_remarked_on(
    tmp_path: Path, student: str
) -> None:
    ended = mine(some_unanswered(tmp_path / "collection", 1), student, tmp_path / "out")
    assert manifest(tmp_path / "out")["remarks"] == []
    assert "remark" not in ended.err


def test_a_language_of_another_script_is_named_with_one_that_fits(
    tmp_path: Path, student: str
) -> None:
    path = write_beir(
        tmp_path / "collection",
        [{"_id": f"d{i}", "text": f"{RUSSIAN} {i}"} for i in range(70)],
        [{"_id": f"q{i}", "text": f"{RUSSIAN} {i}"} for i in range(4)],
        [(f"q{i}", f"d{i}", 1) for i in range(4)],
    )
    for _ in range(2):
        ended = mine(str(path), student, tmp_path / "out")
        remarks = [r for r in listed(manifest(tmp_path / "out")) if "language" in r.code]
        assert [r.numbers["texts"] for r in remarks] == ["documents", "queries"]
        for remark in remarks:
            assert "english" in remark.title and "Cyrillic" in remark.fact
            assert "russian" in remark.advice and "null" in remark.advice
            assert sentence(remark) in ended.err
            assert remark.numbers["share"] == 0
    for language in ("russian", None):
        sources = {"bm25": {"language": language}}
        ended = mine(str(path), student, tmp_path / "out", sources=sources)
        assert "language" not in ended.err


@pytest.fixture(scope="module")
def guessing(base: Path, collection: str, student: str, reranker: str) -> list[tuple[Remark, Any]]:
    """The remark on a judge of random weights and its check, of two runs in `base / "guessed"`."""
    judge = {"kind": "cross_encoder", "model": reranker, "device": "cpu"}
    found = []
    for _ in range(2):
        ended = mine(collection, student, base / "guessed", judge=judge)
        remark = told_everywhere(ended, base / "guessed", "judge_cannot_tell")
        found.append((remark, manifest(base / "guessed")["judge_checks"]))
    return found


def test_a_judge_that_guesses_is_named_before_it_judges(
    base: Path, guessing: list[tuple[Remark, Any]]
) -> None:
    """An AUC near 0.5, over twelve queries."""
    for remark, (check,) in guessing:
        assert remark.serious
        assert remark.numbers == check
        assert check["low"] <= 0.5
        assert (check["judge"], check["queries"], check["positives"]) == (
            "cross_encoder",
            QUERIES,
            QUERIES,
        )
        assert check["random"] == RANDOM * QUERIES
    output = base / "guessed"
    assert manifest(output)["timings"]["check_judge"]["reused"]
    metrics = pq.read_table(next((output / "runs").rglob("metrics.parquet"))).to_pylist()
    (row,) = (row for row in metrics if row["metric"] == "judge_auc")
    assert (row["key"], row["count"]) == ("cross_encoder", QUERIES)
    assert row["value"] == pytest.approx(check["auc"], abs=1e-6)


@pytest.mark.usefixtures("guessing")
def test_what_the_sample_scored_is_not_scored_again(base: Path) -> None:
    """Every positive, and the documents that the source random draws first, are in the ledger."""
    artifacts = manifest(base / "guessed")["artifacts"]
    work = base / "guessed" / "work"
    sample = Dataset(str(work / artifacts["check_judge"])).read()
    judged = Dataset(str(work / artifacts["judged"])).read(["query_ix", "doc_ix", "judge_score"])
    scores = {(row["query_ix"], row["doc_ix"]): row["judge_score"] for row in judged.to_pylist()}
    random = Dataset(str(work / artifacts["candidates_random"])).read()
    drawn = {(row["query_ix"], row["doc_ix"]) for row in random.to_pylist()}
    for row in sample.to_pylist():
        pair = row["query_ix"], row["doc_ix"]
        assert scores[pair] in (None, row["judge_score"])
        assert row["is_positive"] or pair in drawn


def test_a_judge_that_can_tell_is_measured_and_not_remarked_on(
    tmp_path: Path, collection: str, student: str
) -> None:
    """Precomputed scores that are right; pairs without one are left out of the sample."""
    rows = [
        {"query_id": f"q{q:04}", "doc_id": f"d{d:04}", "score": float(q == d)}
        for q in range(QUERIES)
        for d in range(60)
    ]
    file = tmp_path / "scores.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    judge = {"kind": "precomputed", "path": str(file)}
    ended = mine(collection, student, tmp_path / "out", judge=judge)
    (check,) = manifest(tmp_path / "out")["judge_checks"]
    assert (check["auc"], check["high"]) == (1.0, 1.0) and check["low"] > 0.8
    assert manifest(tmp_path / "out")["remarks"] == []
    assert "AUC 1.000" in " ".join(ended.out.split())
    assert "AUC 1.000" in report(tmp_path / "out")


def test_every_judge_of_a_tree_is_measured_by_its_own_scores(
    tmp_path: Path, collection: str, reranker: str
) -> None:
    student = str(broken.encoder(tmp_path / "student"))
    judges = [{"kind": "fusion"}, {"kind": "cross_encoder", "model": reranker, "device": "cpu"}]
    judge = {"kind": "cascade", "judges": judges, "uncertain": [0.0, 1.0]}
    mine(collection, student, tmp_path / "out", judge=judge)
    checks = manifest(tmp_path / "out")["judge_checks"]
    assert [check["judge"] for check in checks] == ["fusion_1", "cross_encoder_2"]
    assert np.unique([check["auc"] for check in checks]).size == 2


def test_the_sample_of_a_fusion_has_the_scores_of_the_judge_stage(
    tmp_path: Path, collection: str
) -> None:
    student = str(broken.encoder(tmp_path / "student"))
    mine(collection, student, tmp_path / "out", judge={"kind": "fusion"})
    artifacts = manifest(tmp_path / "out")["artifacts"]
    work = tmp_path / "out" / "work"
    sample = Dataset(str(work / artifacts["check_judge"])).read().to_pylist()
    judged = Dataset(str(work / artifacts["judged"])).read(["query_ix", "doc_ix", "judge_score"])
    scores = {(row["query_ix"], row["doc_ix"]): row["judge_score"] for row in judged.to_pylist()}
    assert len(sample) == QUERIES * (1 + RANDOM)
    for row in sample:
        assert scores[row["query_ix"], row["doc_ix"]] == row["judge_score"]


def test_a_remark_is_printed_once_and_serious_ones_come_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    remarks = Remarks()
    small = Remark("a", False, "One thing", "It means this.", "Do that.", {"n": 1})
    great = Remark("b", True, "Another \x1b[31m", "", "Do this.")
    for remark in (small, great, small):
        remarks.add(remark)
    assert capsys.readouterr().err.splitlines() == [
        "remark: One thing. It means this. Do that.",
        "warning: Another \\x1b[31m. Do this.",
    ]
    assert remarks.all() == [great, small]
    assert listed({"remarks": [remark.as_json() for remark in remarks.all()]}) == [great, small]
    assert listed({}) == []


def test_a_tier_of_a_source_behind_those_that_take_all_is_told(
    base: Path, student: str, collection: str
) -> None:
    sources = {"bm25": {"depth": 8}, "dense": {"depth": 8}, "random": {"count": 4}}
    late = {"hard": {"quota": 3}, "random": {"quota": 2, "source": "random"}}
    ended = mine(collection, student, base / "late", sources=sources, tiers=late)
    remark = told_everywhere(ended, base / "late", "tier_comes_too_late")
    assert remark.numbers["own"] == 0 < remark.numbers["lost"]
    assert "tiers={random: {quota: 2, source: random}, hard: {quota: 3}}" in remark.advice
    first = {"a_random": late["random"], "hard": late["hard"]}  # in the order of names
    mine(collection, student, base / "early", sources=sources, tiers=first)
    assert "tier_comes_too_late" not in {r.code for r in listed(manifest(base / "early"))}
