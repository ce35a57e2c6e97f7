"""Teacher lists of a run: what is in them, what they cost, and what is said of their teacher."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas import tables
from tests.jobs.collections import digest, document, negmine, small_run, write_config
from tests.jobs.mining.lists.conftest import SIZE, Mined
from tests.transforms.input_files import write_beir


def manifest(run: Path) -> dict[str, Any]:
    return json.loads((run / "manifest.json").read_text())


def rows(run: Path, name: str = "lists") -> list[dict[str, Any]]:
    return pq.ParquetDataset(run / name, partitioning=None).read().to_pylist()


def by_query(run: Path) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows(run):
        found.setdefault(row["query_id"], []).append(row)
    return found


def test_a_run_without_lists_is_what_it_was(mined: Mined) -> None:
    assert not (mined.plain / "lists").exists()
    assert "lists" not in manifest(mined.plain)["summary"]
    for name in ("negatives", "ledger", "sets", "positives"):
        assert digest(mined.plain, name) == digest(mined.listed, name)
    timings = manifest(mined.listed)["timings"]
    made = {stage for stage, timing in timings.items() if not timing["reused"]}
    assert made == {"lists", "publish"}


def test_a_list_holds_positives_first_then_negatives_then_others(mined: Mined) -> None:
    negatives = {(row["query_id"], row["negative_id"]) for row in rows(mined.listed, "negatives")}
    lists = by_query(mined.listed)
    assert len(lists) == 12
    for query, listed in lists.items():
        assert [row["place"] for row in listed] == list(range(1, SIZE + 1))
        kinds = [
            0 if row["is_positive"] else 2 - ((query, row["doc_id"]) in negatives) for row in listed
        ]
        assert kinds == sorted(kinds) and kinds[0] == 0
        assert kinds.count(1) == sum(q == query for q, _ in negatives)
        assert len({row["document"] for row in listed}) == SIZE
        assert [row["verdict"] == "kept" for row in listed] == [kind == 1 for kind in kinds]


def test_lists_are_of_the_schema_with_every_score(mined: Mined) -> None:
    part = next((mined.listed / "lists").glob("*.parquet"))
    assert pq.read_schema(part).equals(tables.LISTS)
    scale = manifest(mined.listed)["summary"]["lists"]["scale"]
    assert scale["of"] == "judge_logit"
    for row in rows(mined.listed):
        assert 0 <= row["judge_score"] <= 1
        expected = scale["slope"] * row["judge_logit"] + scale["intercept"]
        assert row["teacher_score"] == pytest.approx(min(1, max(-1, expected)), abs=1e-4)


def test_no_pair_is_read_twice_by_the_judge(mined: Mined) -> None:
    known = {(r["query_id"], r["doc_id"]) for r in rows(mined.plain, "ledger") if r["judge_score"]}
    listed = {(row["query_id"], row["doc_id"]) for row in rows(mined.listed)}
    assert manifest(mined.listed)["counters"]["lists"]["pairs_judged"] == len(listed - known) > 0
    scored = mined.output / "work" / "pair_scores"
    before = sum(pq.read_table(file).num_rows for file in scored.rglob("*.parquet"))
    assert before == len(listed | known | sampled(mined))


def sampled(mined: Mined) -> set[tuple[str, str]]:
    """Pairs that the judge was tried on beforehand."""
    work = mined.output / "work"
    ids = {}
    for name, column in (("queries", "query_id"), ("documents", "doc_id")):
        file = next(work.glob(f"ingest/*/{name}/*.parquet"))
        ids[name] = pq.read_table(file, columns=[column]).column(0).to_pylist()
    table = pa.concat_tables(pq.read_table(f) for f in work.glob("check_judge/*/*.parquet"))
    pairs = zip(table["query_ix"].to_pylist(), table["doc_ix"].to_pylist(), strict=True)
    return {(ids["queries"][q], ids["documents"][d]) for q, d in pairs}


def test_bytes_do_not_depend_on_blocks(mined: Mined) -> None:
    other = mined.mine(
        "blocks",
        f"lists.size={SIZE}",
        "runner.block_size=5",
        f"output.workdir={mined.base / 'other'}",
    )
    assert digest(other, "lists") == digest(mined.listed, "lists")
    said = [manifest(run)["summary"]["lists"] for run in (other, mined.listed)]
    assert said[0] == said[1]


def test_the_terminal_says_what_the_lists_are(mined: Mined) -> None:
    told = " ".join(negmine("show", f"{mined.output}:listed").out.split())
    assert f"Teacher lists: {12 * SIZE} documents of 12 queries, teacher_score = " in told
    assert "nDCG@10 of the known positives in them: judge" in told
    counted = negmine("query", f"{mined.output}:listed", "SELECT count(*) AS rows FROM lists")
    assert str(12 * SIZE) in counted.out
    assert negmine("doctor", str(mined.output), "--deep").code == 0


def test_lists_are_planned_with_the_pairs_that_they_read(mined: Mined) -> None:
    sizes = [part for s in (f"lists.size={SIZE + 4}",) for part in ("--set", s)]
    stages = {s["stage"]: s for s in json.loads(negmine(
        "plan", mined.config, *sizes, "--json").out)["stages"]}  # fmt: skip
    assert "reads" in stages["lists"]["note"]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Manifests of runs whose judge knows the positives, or gives all the others more."""
    found = {}
    base = tmp_path_factory.mktemp("scored")
    for name, sign in (("good", 1.0), ("bad", -1.0)):
        pairs = [
            (f"q{q:04}", f"d{d:04}", sign * ((q == d) + 0.001 * d))
            for q in range(12)
            for d in range(60)
        ]
        columns = dict(zip(("query_id", "doc_id", "score"), zip(*pairs, strict=True), strict=True))
        file = base / f"{name}.parquet"
        pq.write_table(pa.table({key: list(value) for key, value in columns.items()}), file)
        output = {"path": str(base / "out"), "run_id": name}
        judge = {"kind": "precomputed", "path": str(file)}
        config = small_run(base / name, judge=judge, output=output, lists={"size": 16})
        assert negmine("mine", config).code == 0
        found[name] = manifest(base / "out" / "runs" / name)
    return found


def remarks(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [r for r in found["remarks"] if r["code"] == "judge_no_better_than_student"]


def test_a_judge_that_ranks_worse_than_the_student_is_remarked_on(
    scored: dict[str, dict[str, Any]],
) -> None:
    assert not remarks(scored["good"])
    check = scored["good"]["summary"]["lists"]["judge_against_student"]
    assert check["judge"] == 1 and check["low"] > 0 and check["queries"] == 12
    (remark,) = remarks(scored["bad"])
    assert remark["serious"] and remark["numbers"]["high"] < 0
    assert "distilling from these lists does not pay" in remark["fact"]


def test_scores_that_are_no_probabilities_stay_as_they_are(
    scored: dict[str, dict[str, Any]],
) -> None:
    scale = scored["good"]["summary"]["lists"]["scale"]
    assert (scale["of"], scale["by"]) == ("judge_score", "medians")
    assert scored["bad"]["summary"]["lists"]["scale"]["by"] == "spread"


def test_lists_without_a_judge_are_refused(tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "run.yaml",
        input={"format": "stdlib"},
        judge={"kind": "none"},
        lists={"size": 16},
    )
    ended = negmine("mine", config)
    assert ended.code == 2 and "lists hold a judge's scores, and judge.kind is none" in ended.err


@pytest.mark.parametrize("size", [7, 65])
def test_a_size_has_limits(size: int, tmp_path: Path) -> None:
    config = write_config(tmp_path / "c.yaml", input={"format": "stdlib"}, lists={"size": size})
    ended = negmine("config", config)
    assert ended.code == 2 and "lists.size" in ended.err


def test_documents_of_the_evaluation_and_copies_of_positives_are_never_listed(
    mined: Mined, tmp_path: Path
) -> None:
    texts = [document(at) for at in range(30)] + [document(0)]
    folder = write_beir(
        tmp_path / "split",
        [{"_id": f"d{at:02}", "text": text} for at, text in enumerate(texts)],
        [{"_id": f"q{at}", "text": " ".join(texts[at].split()[:2])} for at in range(9)],
        [(f"q{at}", f"d{at:02}", 1) for at in range(6)],
    )
    test = "query-id\tcorpus-id\tscore\n" + "".join(f"q{at}\td{at:02}\t1\n" for at in (6, 7, 8))
    (folder / "qrels" / "test.tsv").write_text(test)
    config = small_run(
        tmp_path,
        input={"format": "beir", "path": str(folder), "evaluation_splits": ["test"]},
        judge={"model": str(mined.base / "judge"), "device": "cpu"},
        lists={"size": 64},
    )
    ended = negmine("mine", config, "--set", "output.run_id=one")
    assert ended.code == 0, ended.err
    for query, listed in by_query(tmp_path / "out" / "runs" / "one").items():
        documents = {row["doc_id"] for row in listed}
        assert not documents & {"d06", "d07", "d08"}
        assert query != "q0" or "d30" not in documents
        assert len(listed) > 20
