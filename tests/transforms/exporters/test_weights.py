"""Weights of negatives in exports: where they stand, and that it is said where they cannot."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from negmine.transforms.exporters import Options, Source, every_format, export
from tests.builders import Layout
from tests.transforms.exporters.test_exporters import source_of
from tests.transforms.exporters.test_formats import options_of, place

CARRY = {
    "triplet", "n_tuple", "pylate", "flagembedding", "flagembedding_reranker", "tevatron", "hf",
}  # fmt: skip


@pytest.fixture
def weighted(tmp_path: Path) -> Source:
    return source_of(tmp_path / "out", Layout(weighted=True))


def test_sentence_transformers_gets_them_as_label_which_its_losses_hand_on(
    weighted: Source, tmp_path: Path
) -> None:
    export(weighted, "n_tuple", tmp_path / "n.parquet", Options(short="repeat"))
    table = pq.read_table(tmp_path / "n.parquet")
    assert table.column_names[-1] == "label"
    # Two hard ones of ranks 1 and 2, a semi-hard and a random one.
    assert table["label"][0].as_py() == [0.5, 1.0, 0.5, 0.5]
    export(weighted, "triplet", tmp_path / "t.parquet", Options())
    assert pq.read_table(tmp_path / "t.parquet")["label"].to_pylist()[:2] == [[0.5], [1.0]]


def test_lines_of_json_have_them_beside_the_negatives(weighted: Source, tmp_path: Path) -> None:
    export(weighted, "flagembedding", tmp_path / "f.jsonl", Options())
    line = json.loads((tmp_path / "f.jsonl").read_text().splitlines()[0])
    assert line["neg_weights"] == [0.5, 1.0, 0.5, 0.5]
    export(weighted, "tevatron", tmp_path / "t.jsonl", Options())
    line = json.loads((tmp_path / "t.jsonl").read_text().splitlines()[0])
    assert [passage["weight"] for passage in line["negative_passages"]] == [0.5, 1.0, 0.5, 0.5]
    assert "weight" not in line["positive_passages"][0]


@pytest.mark.parametrize("name", [n for n in every_format() if n not in {"lists", "lighton"}])
def test_every_format_says_where_the_weights_are(
    name: str, weighted: Source, tmp_path: Path
) -> None:
    report = export(weighted, name, place(name, tmp_path), options_of(name))
    (note,) = [note for note in report.notes if "weights" in note]
    assert note.startswith("weights of the negatives: ") == (name in CARRY)
    assert ("has no place for them" in note) == (name not in CARRY)


def test_scores_take_the_place_of_weights_and_that_is_said(
    weighted: Source, tmp_path: Path
) -> None:
    report = export(weighted, "triplet", tmp_path / "t.parquet", Options(scores=True))
    assert "label" not in pq.read_schema(tmp_path / "t.parquet").names
    assert any("no place for them beside scores" in note for note in report.notes)


def test_a_run_without_weights_is_exported_as_before(tmp_path: Path) -> None:
    source = source_of(tmp_path / "out", Layout())
    report = export(source, "triplet", tmp_path / "t.parquet", Options())
    assert pq.read_schema(tmp_path / "t.parquet").names == ["anchor", "positive", "negative"]
    assert not any("weights" in note for note in report.notes)
