"""The ingest pipeline on Beam: the same data sets, and errors that reach the caller."""

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to

from negmine.pipelines.ingest import Ingest
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import Input
from negmine.transforms.data.datasets import Dataset
from tests.transforms.input_files import DOCUMENTS, config, write_beir

SCIFACT = Path(__file__).parents[2].parent / "shared" / "data" / "scifact"


def run(made: Input, directory: Path) -> None:
    with beam.Pipeline(runner=FnApiRunner()) as root:
        _ = root | Ingest(made, 42, str(directory))


def test_one_element_comes_out_the_counts(tmp_path: Path) -> None:
    made = config(format="beir", path=str(write_beir(tmp_path / "in", suffix=".zst")))
    with beam.Pipeline(runner=FnApiRunner()) as root:
        counts = root | Ingest(made, 42, str(tmp_path))
        assert_that(
            counts | beam.Map(lambda c: (c["documents"], c["queries"], c["positives"])),
            equal_to([(3, 2, 2)]),
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "confirmed_negatives", "counts.json", "dead_letters", "documents",
        "evaluation_keys.parquet", "in", "positives", "queries",
    ]  # fmt: skip


def test_a_path_that_is_missing_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    stage = Ingest(config(format="beir", path=str(tmp_path / "none")), 42, str(tmp_path))
    with pytest.raises(DataError, match="none is not a folder"):
        _ = beam.Pipeline(runner=FnApiRunner()) | stage


def test_too_many_bad_rows_fail_the_pipeline(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "in", [*DOCUMENTS, b"oops"])
    with pytest.raises(DataError, match="1 of 10 rows cannot be used"):
        run(config(format="beir", path=str(folder)), tmp_path)
    assert Dataset(str(tmp_path / "dead_letters")).read().num_rows == 1


def test_the_standard_library_is_a_collection(tmp_path: Path) -> None:
    run(config(format="stdlib", limit=50), tmp_path)
    documents = Dataset(str(tmp_path / "documents")).read(["doc_id"])
    assert documents.num_rows == 50


@pytest.mark.skipif(not SCIFACT.is_dir(), reason=f"no SciFact at {SCIFACT}")
def test_scifact_has_its_published_size(tmp_path: Path) -> None:
    run(config(format="beir", path=str(SCIFACT)), tmp_path)
    assert Dataset(str(tmp_path / "documents")).read(["doc_id"]).num_rows == 5183
    queries = Dataset(str(tmp_path / "queries")).read(["query_id", "merged_ids"])
    merged = sum(len(ids) for ids in queries["merged_ids"].to_pylist())
    assert queries.num_rows + merged == 809
    assert Dataset(str(tmp_path / "dead_letters")).read().num_rows == 0
