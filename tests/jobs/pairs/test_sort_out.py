"""`negmine pairs`: every given pair with its confidence, doubtful ones listed and not mined."""

import json
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import Ended, negmine, write_config
from tests.transforms.input_files import write_beir, write_lines

COUNT, WRONG = 40, (3, 17)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions and their translations as vectors; of two pairs the partners are swapped."""
    base = tmp_path_factory.mktemp("pairs")
    random = np.random.default_rng(0)
    left = random.normal(size=(COUNT, 24))
    right = left + 0.3 * random.normal(size=left.shape)
    partner = list(range(COUNT))
    partner[WRONG[0]], partner[WRONG[1]] = partner[WRONG[1]], partner[WRONG[0]]
    write_beir(
        base / "in",
        documents=[{"_id": f"d{i:02}", "text": f"document {i}"} for i in range(COUNT)],
        queries=[{"_id": f"q{i:02}", "text": f"query {i}"} for i in range(COUNT)],
        qrels=[(f"q{i:02}", f"d{partner[i]:02}", 1) for i in range(COUNT)],
    )
    for name, letter, vectors in (("documents", "d", right), ("queries", "q", left)):
        ids = [f"{letter}{i:02}" for i in range(COUNT)]
        values = [[float(x) for x in row] for row in vectors]
        table = {"id": ids, "vector": values}
        pq.write_table(pa.table(table), base / f"{name}.parquet")
    return base


@pytest.fixture(scope="module")
def config(base: Path) -> str:
    vectors = {name: str(base / f"{name}.parquet") for name in ("documents", "queries")}
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(base / "in"), "split": "train"},
        student={"vectors": vectors},
        judge={"kind": "none"},
        policies=["known_positive"],
        tiers={"all": {"quota": 3}},
        output={"path": str(base / "out")},
    )


def sorted_out(config: str, folder: Path, *options: str) -> Ended:
    ended = negmine("pairs", config, "--beir", str(folder), *options)
    assert ended.code == 0, ended.err
    return ended


def test_doubtful_pairs_are_listed_and_counts_in_are_counts_out(
    config: str, tmp_path: Path
) -> None:
    ended = sorted_out(config, tmp_path / "sorted", "--quarantine", "4")
    assert "40 pairs: 38 kept, 2 quarantined (2 queries have none left)" in ended.out
    aside = [
        json.loads(line)
        for line in (tmp_path / "sorted/quarantined.jsonl").read_text().splitlines()
    ]
    assert [row["query_id"] for row in aside] == [f"q{i:02}" for i in WRONG]
    assert {row["reason"] for row in aside} == {"ratio_below_limit"}
    assert all(row["pair_weight"] == 0 and not row["forward"] for row in aside)
    judged = (tmp_path / "sorted/qrels/train.tsv").read_text().splitlines()
    assert judged[0] == "query-id\tcorpus-id\tscore" and len(judged) == 1 + 38
    every = pq.read_table(tmp_path / "sorted/pairs.parquet")
    assert every.num_rows == 40 and sum(every["quarantined"].to_pylist()) == 2


def test_nothing_is_set_aside_unless_it_is_asked_for(config: str, tmp_path: Path) -> None:
    found = json.loads(sorted_out(config, tmp_path / "sorted", "--json").out)
    assert (found["pairs"], found["kept"], found["quarantined"]) == (40, 40, 0)
    assert found["limit"] is None and found["mutual"] == 38
    assert (tmp_path / "sorted/quarantined.jsonl").read_text() == ""


def test_what_was_kept_is_mined_and_its_positives_have_weights(
    config: str, base: Path, tmp_path: Path
) -> None:
    sorted_out(config, tmp_path / "sorted", "--quarantine", "4")
    settings = (f"input.path={tmp_path / 'sorted'}", "weighting.positives=true")
    options = [word for setting in settings for word in ("--set", setting)]
    ended = negmine("mine", config, "--output", str(tmp_path / "out"), *options)
    assert ended.code == 0, ended.err
    files = f"{tmp_path}/out/runs/*/positives/*.parquet"
    rows = (
        duckdb.connect()
        .sql(f"SELECT query_id, positive_id, pair_weight FROM '{files}' ORDER BY ALL")
        .fetchall()
    )
    stated = pq.read_table(tmp_path / "sorted/pairs.parquet").to_pylist()
    expected = [
        (row["query_id"], row["doc_id"], row["pair_weight"])
        for row in stated
        if not row["quarantined"]
    ]
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    assert all(0 <= row[2] <= 1 for row in rows) and max(row[2] for row in rows) > 0.5


def test_a_folder_of_other_files_is_not_replaced(config: str, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "mine" / "notes.jsonl", ["{}"])
    ended = negmine("pairs", config, "--beir", str(tmp_path / "mine/notes.jsonl"))
    assert ended.code == 2 and "is a file" in ended.err
    assert file.exists()


def test_a_folder_that_is_there_is_replaced_by_force_alone(config: str, tmp_path: Path) -> None:
    sorted_out(config, tmp_path / "sorted")
    aside = tmp_path / "sorted/quarantined.jsonl"
    aside.write_text("{}\n")
    ended = negmine("pairs", config, "--beir", str(tmp_path / "sorted"))
    assert ended.code == 2 and "give --force" in ended.err
    assert aside.read_text() == "{}\n"
    sorted_out(config, tmp_path / "sorted", "--force")
    assert aside.read_text() == ""


def test_a_quarantined_positive_is_no_negative_of_its_query(
    base: Path, config: str, tmp_path: Path
) -> None:
    ended = sorted_out(config, tmp_path / "sorted", "--quarantine", "4")
    assert f"--set input.labels={tmp_path / 'sorted/quarantined.jsonl'}" in ended.out
    with (tmp_path / "sorted/qrels/train.tsv").open("a") as qrels:
        qrels.write("q03\td20\t1\n")
    again = write_config(
        tmp_path / "again.yaml",
        input={
            "format": "beir",
            "path": str(tmp_path / "sorted"),
            "labels": str(tmp_path / "sorted/quarantined.jsonl"),
        },
        student={
            "vectors": {name: str(base / f"{name}.parquet") for name in ("documents", "queries")}
        },
        sources={"bm25": None, "dense": {"depth": COUNT}, "random": None},
        judge={"kind": "none"},
        policies=["known_positive"],
        tiers={"all": {"quota": COUNT}},
        output={"path": str(tmp_path / "out")},
    )
    assert negmine("mine", again).code == 0
    ledger = f"{tmp_path}/out/runs/*/ledger/*/*.parquet"
    rows = (
        duckdb.connect()
        .sql(
            f"SELECT doc_id, verdict FROM read_parquet('{ledger}', hive_partitioning=true) "
            "WHERE query_id = 'q03'"
        )
        .fetchall()
    )
    verdicts = dict(rows)
    assert verdicts["d17"] == "known_positive" != verdicts["d16"]
