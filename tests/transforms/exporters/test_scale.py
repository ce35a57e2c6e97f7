"""Scores on the judge's own scale, between 0 and 1, or within what a student's cosine can reach."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.exporters import Options, Report, Source, export
from negmine.transforms.kernels.choosing.teacher_scale import TeacherScale
from tests.builders import Layout
from tests.transforms.exporters.test_exporters import source_of


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(tmp_path / "out")


def scores(report: Report) -> np.ndarray:
    """Of triplets: the positive's and the negative's, (r, 2)."""
    assert report.path is not None
    return np.array(pq.read_table(report.path)["scores"].to_pylist(), dtype=np.float32)


def rewrite(source: Source, change: dict[str, float]) -> None:
    """Write the judge scores of the run anew: `low` to `high` of what they were, in order."""
    for part in source.run.rglob("part-*.parquet"):
        table = pq.ParquetFile(part).read()
        for name in ("judge_score", "positive_judge_score"):
            if name in table.column_names:
                at = table.schema.get_field_index(name)
                values = table[name].to_numpy().astype(np.float64)
                changed = 1 / (1 + np.exp(-values * change["slope"]))
                column = pa.array(changed.astype(np.float32))
                table = table.set_column(at, table.schema.field(at), column)
        pq.write_table(table, part)


def test_raw_is_the_judges_own(source: Source, tmp_path: Path) -> None:
    stored = export(source, "triplet", tmp_path / "a.parquet", Options(scores=True))
    raw = export(source, "triplet", tmp_path / "b.parquet", Options(scores=True, scale="raw"))
    assert scores(raw).tolist() == scores(stored).tolist()
    assert raw.scale == "the judge's own" and stored.scale is None


def test_of_probabilities_raw_is_the_logit_and_unit_the_probability(
    source: Source, tmp_path: Path
) -> None:
    before = scores(export(source, "triplet", tmp_path / "a.parquet", Options(scores=True)))
    rewrite(source, {"slope": 1.0})
    judged = replace(source, probabilities=True)
    raw = export(judged, "triplet", tmp_path / "b.parquet", Options(scores=True, scale="raw"))
    unit = export(judged, "triplet", tmp_path / "c.parquet", Options(scores=True, scale="unit"))
    assert scores(raw) == pytest.approx(before, abs=1e-3)
    assert scores(unit) == pytest.approx(1 / (1 + np.exp(-before)), abs=1e-6)
    assert raw.scale == "logits of the judge's probabilities"


def test_unit_of_another_judge_is_a_curve_that_keeps_the_order(
    source: Source, tmp_path: Path
) -> None:
    plain = scores(export(source, "triplet", tmp_path / "a.parquet", Options(scores=True)))
    unit = export(source, "triplet", tmp_path / "b.parquet", Options(scores=True, scale="unit"))
    found = scores(unit)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found.ravel()[np.argsort(plain.ravel())]) >= 0).all()
    assert unit.scale is not None and "fitted to the known positives" in unit.scale


def test_student_puts_medians_where_the_students_cosines_are(
    source: Source, tmp_path: Path
) -> None:
    report = export(
        source, "triplet", tmp_path / "a.parquet", Options(scores=True, scale="student")
    )
    ledger = [
        row
        for part in (source.run / "ledger").rglob("*.parquet")
        for row in pq.ParquetFile(part).read().to_pylist()
    ]
    positive, random = (
        tuple(np.array([row[name] for row in rows]) for name in ("judge_score", "dense_score"))
        for rows in (
            [row for row in ledger if row["is_positive"]],
            [row for row in ledger if not row["is_positive"] and "random" in row["sources"]],
        )
    )
    scale = TeacherScale.read(positive, random, False)  # type: ignore[arg-type]
    plain = scores(export(source, "triplet", tmp_path / "b.parquet", Options(scores=True)))
    assert scores(report) == pytest.approx(scale.apply(plain.ravel()).reshape(plain.shape))
    assert (np.abs(scores(report)) <= 1).all()


def test_a_scale_that_the_manifest_has_is_used(source: Source, tmp_path: Path) -> None:
    facts = TeacherScale(0.1, 0.2, "judge_score", "medians", 1.0, 1.0, 0.0, 0.0).as_json()
    fixed = replace(source, teacher=facts)
    report = export(fixed, "triplet", tmp_path / "a.parquet", Options(scores=True, scale="student"))
    plain = scores(export(source, "triplet", tmp_path / "b.parquet", Options(scores=True)))
    assert scores(report) == pytest.approx(np.clip(0.1 * plain + 0.2, -1, 1))
    assert report.scale == "0.1 judge_score +0.2, cut off at -1 and 1, as in the manifest"


def test_scales_without_a_judge_or_without_scores_are_refused(
    source: Source, tmp_path: Path
) -> None:
    bare = source_of(tmp_path / "bare", Layout(judge=False))
    file = tmp_path / "x.parquet"
    with pytest.raises(DataError, match="no judge's score of every pair"):
        export(bare, "triplet", file, Options(scores=True, scale="unit"))
    with pytest.raises(ConfigError, match="--scale is about scores; add --scores"):
        export(source, "triplet", file, Options(scale="raw"))
    kept = export(bare, "triplet", file, Options(scores=True, scale="student"))
    assert kept.scale == "the student's similarities, as they are"
