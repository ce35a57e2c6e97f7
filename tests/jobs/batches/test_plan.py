"""`negmine batches`: what its plan holds, and that it is the same again."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from threadpoolctl import threadpool_limits

from negmine.jobs.batches.plan import Request, plan
from negmine.jobs.runs.published import find_run
from negmine.schemas import tables
from negmine.schemas.errors import ConfigError
from negmine.transforms.batches import BatchPlan
from tests.jobs.batches.conftest import QUERIES, SUSPECTED, positives, text_of
from tests.jobs.collections import negmine, small_run

PAIRS = sum(len(positives(query)) for query in range(QUERIES))


def planned(out: Path, file: Path, **request: Any) -> list[dict[str, Any]]:
    plan(find_run(str(out)), Request(**request), file)
    table = pq.read_table(file)
    assert table.schema.equals(tables.BATCH_PLAN)
    return list(table.to_pylist())


def by_batch(rows: list[dict[str, Any]]) -> dict[tuple[int, int], list[dict[str, Any]]]:
    batches = defaultdict(list)
    for row in rows:
        batches[row["epoch"], row["batch"]].append(row)
    return batches


def may_answer(query: str, doc: str) -> bool:
    """Whether a document is a positive of the query, has the text of one, or is suspected."""
    number, other = int(query[1:]), int(doc[1:])
    known = {text_of(positive) for positive in positives(number)}
    return text_of(other) in known or (number, other) == SUSPECTED


def test_every_pair_is_once_in_an_epoch_and_only_the_last_batch_is_short(
    out: Path, tmp_path: Path
) -> None:
    rows = planned(out, tmp_path / "plan.parquet", size=4, epochs=3)
    pairs = {(f"q{q:04}", f"d{d:04}") for q in range(QUERIES) for d in positives(q)}
    for epoch in range(3):
        mine = [row for row in rows if row["epoch"] == epoch]
        assert len(mine) == PAIRS
        assert {(row["query_id"], row["positive_id"]) for row in mine} == pairs
    sizes = {key: len(batch) for key, batch in by_batch(rows).items()}
    last = (PAIRS - 1) // 4
    assert {key: size for key, size in sizes.items() if key[1] < last} == {
        (epoch, batch): 4 for epoch in range(3) for batch in range(last)
    }
    assert [row["position"] for row in by_batch(rows)[0, 0]] == [0, 1, 2, 3]


def test_what_may_answer_a_query_is_masked_and_nothing_else(out: Path, tmp_path: Path) -> None:
    batch = planned(out, tmp_path / "plan.parquet", size=PAIRS)
    assert any(row["masked"] for row in batch)
    for row in batch:
        expected = [
            other["position"]
            for other in batch
            if other is not row and may_answer(row["query_id"], other["positive_id"])
        ]
        assert row["masked"] == expected


@pytest.mark.parametrize("hardness", [0.0, 0.5, 1.0])
def test_they_share_no_batch_where_that_can_be_helped(
    out: Path, tmp_path: Path, hardness: float
) -> None:
    rows = planned(out, tmp_path / "plan.parquet", size=4, epochs=5, hardness=hardness)
    for batch in by_batch(rows).values():
        assert [row["masked"] for row in batch] == [[]] * len(batch)


def test_the_same_request_gives_the_same_bytes_with_any_number_of_threads(
    out: Path, tmp_path: Path
) -> None:
    files = [tmp_path / f"{threads}.parquet" for threads in (1, 2)]
    for threads, file in enumerate(files, 1):
        with threadpool_limits(threads):
            planned(out, file, size=4, epochs=2)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_another_epoch_and_another_seed_have_other_batches(out: Path, tmp_path: Path) -> None:
    rows = planned(out, tmp_path / "one.parquet", size=4, epochs=2)
    others = planned(out, tmp_path / "two.parquet", size=4, epochs=1, seed=7)

    def batches(chosen: list[dict[str, Any]], epoch: int) -> set[frozenset[int]]:
        found = by_batch(chosen).items()
        return {frozenset(row["row"] for row in batch) for key, batch in found if key[0] == epoch}

    assert batches(rows, 0) != batches(rows, 1)
    assert batches(rows, 0) != batches(others, 0)


def test_row_is_that_of_an_n_tuple_export_of_every_query(out: Path, tmp_path: Path) -> None:
    rows = planned(out, tmp_path / "plan.parquet", size=4)
    file = tmp_path / "train.parquet"
    ended = negmine("export", str(out), "-f", "n_tuple", "--short", "repeat", "-o", str(file))
    assert ended.code == 0, ended.err
    exported = pq.read_table(file).to_pylist()
    assert len(exported) == PAIRS
    for row in rows:
        assert exported[row["row"]]["positive"] == text_of(int(row["positive_id"][1:]))
        assert exported[row["row"]]["anchor"].endswith(f" {int(row['query_id'][1:])}")


def test_hard_batches_are_nearer_than_chance(out: Path, tmp_path: Path) -> None:
    found = plan(find_run(str(out)), Request(size=4, hardness=1.0), tmp_path / "plan.parquet")
    assert found.near > found.near_by_chance + 0.05


def test_the_command_says_what_it_wrote(out: Path) -> None:
    ended = negmine("batches", str(out), "--size", "8", "--epochs", "2")
    assert ended.code == 0, ended.err
    file = out / "exports" / "one-batches.parquet"
    assert ended.out.splitlines()[:2] == [
        str(file),
        f"{PAIRS} pairs, {-(-PAIRS // 8)} batches of 8 an epoch, 2 epochs",
    ]
    assert BatchPlan(file).size == 8


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--size", "1"], "--size 1: a batch of fewer than 2 pairs has no in-batch negative"),
        (["--size", "1000"], f"--size 1,000: run one has {PAIRS} pairs"),
        (["--size", "4", "--epochs", "0"], "--epochs 0: give 1 or more"),
        (["--size", "4", "--hardness", "1.5"], "--hardness 1.5: give a share from 0 to 1"),
        (["--size", "4", "--masked-from", "2"], "--masked-from 2.0: give a share from 0 to 1"),
        (["--size", "4", "--seed", "-1"], "--seed -1: give a whole number"),
        (["--size", "4", "-o", "plan.csv"], "has the ending .csv"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(
    out: Path, arguments: list[str], told: str
) -> None:
    ended = negmine("batches", str(out), *arguments)
    assert ended.code == ConfigError.exit_code
    assert told in ended.err


def test_without_a_judge_nothing_is_suspected_and_without_vectors_nothing_planned(
    tmp_path: Path,
) -> None:
    assert negmine("mine", small_run(tmp_path)).code == 0
    out = tmp_path / "out"
    ended = negmine("batches", str(out), "--size", "4")
    assert ended.code == 0
    assert "the run has no judge, so nothing is suspected" in ended.err
    assert np.isfinite(float(ended.out.split("by chance ")[1].split()[0]))

    run = find_run(str(out))
    gone = run.artifacts()["query_vectors"]
    gone.rename(gone.with_name("moved"))
    ended = negmine("batches", str(out), "--size", "4")
    assert ended.code == 5
    assert "no longer holds query_vectors" in ended.err
    assert "run the configuration again" in ended.err
