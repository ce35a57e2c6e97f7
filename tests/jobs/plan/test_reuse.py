"""A work directory that only looks: what is there, what is left, and what nobody knows yet."""

from pathlib import Path

import pyarrow as pa
import pytest

from negmine.jobs.plan.reuse import Expected, NotMade, PlannedWork, unknown
from negmine.jobs.workdir.artifacts import Artifact
from negmine.jobs.workdir.directory import WorkDirectory
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset, write_part

SCHEMA = pa.schema([pa.field("row", pa.int64(), nullable=False)])


def artifact(rows: int = 10, several: tuple[str, ...] = ()) -> Artifact:
    return Artifact("retrieve", {"source": "bm25"}, rows, unknown, several=several)


def write(root: Path, wanted: Artifact, *blocks: Block) -> Dataset:
    dataset = WorkDirectory(root, 5).expected(wanted)
    for block in blocks:
        table = pa.table({"row": range(block.start, block.stop)}, schema=SCHEMA)
        write_part(dataset.path, block.part, table, SCHEMA)
    return dataset


def test_a_finished_artifact_is_itself(tmp_path: Path) -> None:
    made = write(tmp_path, artifact(), Block(0, 5), Block(5, 10))
    made.finish(fingerprint="f")
    work = PlannedWork(tmp_path, 5)
    assert work.make_or_reuse(artifact()) == made
    assert [asked.left for asked in work.asked.values()] == [0.0]


def test_of_an_unfinished_one_the_missing_rows_are_left(tmp_path: Path) -> None:
    write(tmp_path, artifact(), Block(0, 4))
    work = PlannedWork(tmp_path, 5)
    found = work.make_or_reuse(artifact())
    (asked,) = work.asked.values()
    assert asked.left == pytest.approx(0.6)
    assert found.manifest()["fingerprint"] == found.directory.name
    assert found.rows == 10


def test_with_all_parts_its_last_step_is_left(tmp_path: Path) -> None:
    write(tmp_path, artifact(), Block(0, 10))
    work = PlannedWork(tmp_path, 5)
    work.make_or_reuse(artifact())
    (asked,) = work.asked.values()
    assert 0 < asked.left < 0.001


def test_one_of_several_data_sets_is_expected_where_it_will_be(tmp_path: Path) -> None:
    wanted = artifact(0, several=("postings", "lengths"))
    found = PlannedWork(tmp_path, 5).make_or_reuse(wanted)
    assert isinstance(found, Expected)
    assert found.directory.name == "postings"
    assert found.manifest()["fingerprint"] == f"{found.directory.parent.name}/postings"


def test_content_that_is_not_made_ends_the_asking(tmp_path: Path) -> None:
    found = PlannedWork(tmp_path, 5).expected(artifact())
    with pytest.raises(NotMade):
        found.read()
    assert not list(tmp_path.glob("retrieve/*")), "nothing is made"
